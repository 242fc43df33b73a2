/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What was agreed for a leg's line of sound: what Python sees of lines.c. SWIG reads this header too.
 */
#ifndef TANDEM_LINES_H
#define TANDEM_LINES_H

#ifndef SWIG
#ifndef PY_SSIZE_T_CLEAN
#define PY_SSIZE_T_CLEAN
#endif
#include <Python.h>
#ifdef __cplusplus
extern "C" {
#endif
#endif

/* The audio stream of a call, or None where it has none: (codec, milliseconds of sound in a packet that it sends, mean
 * delay of its jitter buffer in milliseconds, packets that have come to it, whether its far end may send by the SDP in
 * force, whether that end has said that it sends nothing while nobody speaks). Also works in onStreamDestroyed, for the
 * last time. */
PyObject *tandem_line(int call_id);

#ifndef SWIG
/* Whether whoever wrote this description may pause: comfort noise (RFC 3389), silenceSupp:on (RFC 3108), a G.729 that has
 * not ruled out Annex B (RFC 4856), an Opus that has asked for discontinuous transmission (RFC 7587). */
struct pjmedia_sdp_media;
int line_pauses(const struct pjmedia_sdp_media *media);

#ifdef __cplusplus
}
#endif
#endif
#endif
