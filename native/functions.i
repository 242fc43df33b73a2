/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Our functions for Python: the module _tandem, which lives in the same file as _pjsua2. Without -threads: they take
 * microseconds, and handing the GIL over would cost more than the work. */
%module tandem

%{
#include "tandem.h"
#include "sound.h"
#include "relay.h"
#include "tls.h"
#include "codec_lists.h"
#include "lines.h"
#include "spare.h"
%}

%include "tandem.h"
%include "sound.h"
%include "relay.h"
%include "tls.h"
%include "codec_lists.h"
%include "lines.h"
%include "spare.h"
