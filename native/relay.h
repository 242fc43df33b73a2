/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Packets from one leg's socket straight to another's, what was heard on a leg, and taps for recordings: what Python sees
 * of wire.c, relay.c and taps.c. SWIG reads this header too. A call is pjsua's call id. All functions but
 * tandem_taps_take belong to the thread that polls PJSIP; none blocks. Only legs that tandem_guard took have any of this.
 */
#ifndef TANDEM_RELAY_H
#define TANDEM_RELAY_H

#ifndef SWIG
#ifndef PY_SSIZE_T_CLEAN
#define PY_SSIZE_T_CLEAN
#endif
#include <Python.h>
#ifdef __cplusplus
extern "C" {
#endif
#endif

/* How many threads read and send the sound of all legs, 1 to 16; before the first leg, else PJ_EINVALIDOP. Without it: 1. */
int tandem_relay_threads(int threads);

/* From now on what either leg says goes straight to the other, not into their streams; but for its keys (RFC 4733), which
 * go up as onDtmfEvent as ever. Joined with somebody else before, a leg parts from him. A stream that ends, a new one and
 * a leg's end part the pair without a word. Returns 0, or PJ_EINVALIDOP where a leg has no stream of sound,
 * PJMEDIA_CODEC_EUNSUP where their codecs differ. */
int tandem_relay_join(int call_a, int call_b);

/* Both legs of the pair are heard and fed by their streams again. Harmless where the leg is not joined. Returns 0. */
int tandem_relay_part(int call);

/* What came and went on the call's line of sound, or None where there is none: (joined 0 or 1, payload type heard last or
 * -1, RTP clock of the codec, packets heard, their octets of payload, packets sent, packets that the kernel did not take,
 * lost, of those in runs of two or more, out of order, repeated, jitter in microseconds (RFC 3550 6.4.1), round trip in
 * microseconds or -1, milliseconds since the last RTP packet or -1, milliseconds since the last RTCP report or -1, loss
 * that the far end's last report tells in 1/256 or -1). Also works in onStreamDestroyed. */
PyObject *tandem_leg_sound(int call);

/* Every packet of sound that is heard on this leg is kept for tandem_taps_take from now on, marked with tag, any number
 * that no open tap has; four taps on a leg at most. A tap ends with its leg. Returns 0 or a pj_status_t. */
int tandem_tap_open(int call, int tag);

/* Ends a tap; what it has kept stays to be taken. Harmless where there is none. */
void tandem_tap_close(int tag);

/* What all taps have kept since the last time, from any thread of Python's: (records, how many records were lost since
 * then because 4 MB were full). A record, all numbers in the machine's order and without gaps: int32 tag, uint32 SSRC,
 * uint32 timestamp, uint16 sequence number, uint8 payload type, uint8 flags (1: marker), uint64 arrival in microseconds of
 * CLOCK_MONOTONIC, uint16 octets of payload; then the payload, and zeros up to a multiple of eight. */
PyObject *tandem_taps_take(void);

/* Packets of sound over all legs since the process began, by what became of them: {"received": n, ...}. received is the
 * sum of refused (by the source rules, their form, an unknown payload type), mixed (handed to the leg's stream), relayed
 * (sent on by the relay), repeated (a number seen before, or too old to be sent), withheld (not for the other leg: keys,
 * comfort noise it did not take, a leg on hold), unsent (the kernel did not take them), idle
 * (nobody listens: no stream, no peer) and other (RTCP and DTLS on the port of sound). sent is all that left, of streams
 * and relay; reports and goodbyes are the RTCP packets of ours; errors are failed reads. */
PyObject *tandem_relay_counters(void);

/* What leaves a leg when this is to be sent, without a leg: for tests. rate: RTP clock. Each event is (microseconds,
 * "send" | "insert" | "withhold", origin, SSRC, sequence number, timestamp, marker): an origin's packet as it comes, a key
 * of ours put between, a packet that is not passed on. The leg's first packet has number 1000 and timestamp 50000.
 * Returns a list with (sequence number, timestamp, marker) for each event, or None where nothing is sent. */
PyObject *tandem_egress_try(unsigned rate, PyObject *events);

/* What is counted when these come, without a leg: for tests. Each event is (microseconds, SSRC, sequence number,
 * timestamp). Returns (heard, lost, of those in runs, out of order, repeated, jitter in microseconds, and the verdicts as
 * one text of a letter each: n new, l late, r repeated, o too old). */
PyObject *tandem_reception_try(unsigned rate, PyObject *events);

#ifndef SWIG
#ifdef __cplusplus
}
#endif
#endif
#endif
