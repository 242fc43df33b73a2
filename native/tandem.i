/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pjsua2's own SWIG interface plus our few functions, in one extension module. */
%module(directors="1") pjsua2

/* Callbacks that nobody here overrides: without this each would take the GIL and look for a method in Python, some of
 * them on media threads and ten times a call. Their C++ defaults do nothing. */
%feature("nodirector") pj::Call::onCallTsxState;
%feature("nodirector") pj::Call::onCallSdpCreated;
%feature("nodirector") pj::Call::onStreamPreCreate;
%feature("nodirector") pj::Call::onCallMediaTransportState;
%feature("nodirector") pj::Call::onCallMediaEvent;
%feature("nodirector") pj::Call::onCreateMediaTransport;
%feature("nodirector") pj::Call::onCreateMediaTransportSrtp;
%feature("nodirector") pj::Call::onCallRxText;
%feature("nodirector") pj::Endpoint::onMediaEvent;
%feature("nodirector") pj::Endpoint::onAudioMediaOpCompleted;
%feature("nodirector") pj::Endpoint::onVideoMediaOpCompleted;

%include "pjsua2.i"

%{
#include "tandem.h"
%}

/* They take microseconds: handing the GIL over would cost more than the work. */
%nothread;
%include "tandem.h"
/* The directors are written out at the end of the module: without this they would run Python without the GIL. */
%clearnothread;
