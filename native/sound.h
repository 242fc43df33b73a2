/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who may send sound into a leg, and from which of our ports it speaks: what Python sees of source.c, adapter.c and
 * ports.c. SWIG reads this header too. All functions belong to the thread that polls PJSIP; none blocks.
 */
#ifndef TANDEM_SOUND_H
#define TANDEM_SOUND_H

#ifndef SWIG
#ifndef PY_SSIZE_T_CLEAN
#define PY_SSIZE_T_CLEAN
#endif
#include <Python.h>
#ifdef __cplusplus
extern "C" {
#endif
#endif

/* A rule about sources. networks: a tuple of (address, bits) from which sound may come besides the address of the SDP.
 * learn: as well from the address that the leg's signalling has (phones behind NAT), and our sound goes back to where
 * theirs comes from. back: the same for sound from one of the networks; else ours goes where the SDP says. strict: only
 * from the port of the SDP, and a new SSRC only after a new SDP. quiet: milliseconds of silence after which a learnt
 * address may come back with another port. The same rule has the same number; there are 512 of them. */
PyObject *tandem_source_rule(PyObject *networks, int learn, int back, int strict, int quiet);

/* From now on only the right source is heard on this transport: OnCreateMediaTransportParam.mediaTp, valid only inside
 * that callback. signalling: IP address of the leg's signalling. Returns 0 or a pj_status_t. */
int tandem_guard(size_t transport, int rule, const char *signalling);

/* What was turned away on a call's audio line so far: a tuple of numbers in the order of tandem_sound_reasons, or None
 * where there is no such line. Also works in onStreamDestroyed, for the last time. */
PyObject *tandem_sound_refused(int call_id, unsigned index);

/* The names of the reasons, and the same count over all legs since the process began. */
PyObject *tandem_sound_reasons(void);
PyObject *tandem_sound_totals(void);

/* What a leg's source would be told, without a leg: for tests and for whoever writes a rule. told and signalling are
 * IP addresses, port that of the SDP; each event is (milliseconds, "rtp" | "rtcp" | "sdp", address, port, SSRC), an
 * "sdp" being a new description with this address and port. Returns a list with one word for each event: "heard",
 * "followed" (heard, and our sound goes there from now on), "told" for an SDP, or the reason. */
PyObject *tandem_source_try(int rule, const char *told, int port, const char *signalling, PyObject *events);

/* The pairs of ports that legs get: first is even, last odd or even. Once, before the first leg. Returns how many. */
int tandem_ports_open(int first, int last);

/* Gives the next leg of an account a pair of its own, drawn at random from those unused for longest. Returns 0, or the
 * pj_status_t of what failed: PJ_ETOOMANY when no pair is left. */
int tandem_ports_draw(int account);

/* The pairs there are, how many legs hold, and how often none was left. */
PyObject *tandem_ports_state(void);

/* Before libDestroy. */
void tandem_ports_close(void);

#ifndef SWIG
#ifdef __cplusplus
}
#endif
#endif
#endif
