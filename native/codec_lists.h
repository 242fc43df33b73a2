/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which codecs a leg's SDP names, and what was agreed on: what Python sees of codec_lists.c. SWIG reads this header too. All
 * functions belong to the thread that polls PJSIP; none blocks.
 */
#ifndef TANDEM_CODEC_LISTS_H
#define TANDEM_CODEC_LISTS_H

#ifndef SWIG
#ifndef PY_SSIZE_T_CLEAN
#define PY_SSIZE_T_CLEAN
#endif
#include <Python.h>
#ifdef __cplusplus
extern "C" {
#endif
#endif

/* A list of codecs, best first: a tuple of at most 16 encoding names in capitals (those that pjsua has enabled, else they
 * are not there to be named). events: whether telephone-event (RFC 4733) goes with them. The same list has the same
 * number; there are 64 of them. */
PyObject *tandem_codec_list(PyObject *names, int events);

/* From now on offers and answers of this transport name only the codecs of that list, offers in its order. transport is
 * OnCreateMediaTransportParam.mediaTp, valid only inside that callback. Returns 0 or a pj_status_t. */
int tandem_codecs_for(size_t transport, int list);

/* What an audio stream has agreed on: (codec, samples a second, payload type that we send, milliseconds of sound in a packet
 * that we send, whether both sides named telephone-event). stream is OnStreamCreatedParam's, valid only inside that
 * callback. None where it is no audio stream. */
PyObject *tandem_agreed(size_t stream);

#ifndef SWIG
#ifdef __cplusplus
}
#endif
#endif
#endif
