/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pjsua2's own SWIG interface. Our few functions are in the same extension module with a small wrapper of their own
 * (functions.i), so that a change of ours does not compile this one again, which takes minutes. */
%module(directors="1") pjsua2

/* Callbacks that nobody here overrides: without this each would take the GIL and look for a method in Python, some of
 * them on media threads and ten times a call. Their C++ defaults do nothing. */
%feature("nodirector") pj::Call::onCallTsxState;
%feature("nodirector") pj::Call::onCallSdpCreated;
%feature("nodirector") pj::Call::onStreamPreCreate;
%feature("nodirector") pj::Call::onCallMediaTransportState;
%feature("nodirector") pj::Call::onCallMediaEvent;
%feature("nodirector") pj::Call::onCreateMediaTransportSrtp;
%feature("nodirector") pj::Call::onCallRxText;
%feature("nodirector") pj::Endpoint::onMediaEvent;
%feature("nodirector") pj::Endpoint::onAudioMediaOpCompleted;
%feature("nodirector") pj::Endpoint::onVideoMediaOpCompleted;

%include "pjsua2.i"

/* Where pjsua2 is imported, our functions are there as well. */
%pythoncode %{
def _ours():
    from importlib.machinery import ExtensionFileLoader
    from importlib.util import module_from_spec, spec_from_loader

    loader = ExtensionFileLoader("_tandem", _pjsua2.__file__)
    module = module_from_spec(spec_from_loader("_tandem", loader))
    loader.exec_module(module)
    return {name: function for name, function in vars(module).items() if name.startswith("tandem_")}


globals().update(_ours())
%}
