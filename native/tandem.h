/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What Python sees of our C beside pjsua2: SWIG reads this header, so every line is an API.
 * All functions belong to the thread that polls PJSIP; none blocks.
 * Those that may call back into Python, or wait for a lock that a call-back holds, release the GIL meanwhile.
 */
#ifndef TANDEM_H
#define TANDEM_H

#ifndef SWIG
#ifndef PY_SSIZE_T_CLEAN
#define PY_SSIZE_T_CLEAN
#endif
#include <Python.h>
#ifdef __cplusplus
extern "C" {
#endif
#endif

/* PJLIB's own level; before libCreate it keeps the first lines off the terminal. */
void tandem_log_level(int level);

/* Puts gate and usage into the stack. Call after libInit, before or after libStart.
 * Returns 0, or the pj_status_t of what failed (nothing stays registered then). */
int tandem_native_start(void);

/* Takes them out again and throws waiting requests away. libDestroy does the same, so this is for a restart
 * inside one endpoint only. Returns 0 or a pj_status_t. */
int tandem_native_stop(void);

/* The descriptor to watch for readability instead of polling: PJSIP's epoll set. -1 before libInit. */
int tandem_ioqueue_fd(void);

/* New calls are admitted while fewer than max_legs legs exist; 0 = none at all (drain: OPTIONS is refused too),
 * negative = no limit (the default). Refusals are 503 with Retry-After, 1 to retry_after seconds, without any state. */
void tandem_admission(int max_legs, int retry_after);

/* So many new calls a second are admitted, and burst of them at once; per_second negative = no limit (the default). */
void tandem_admission_rate(double per_second, double burst);

/* Numbers (a tuple of at most 50 texts) whose INVITEs pass limits and drain, five a second. Returns 0 or a pj_status_t. */
int tandem_emergency(PyObject *numbers);

/* Tells the gate of a listener, before or after its socket is open: what happens to requests of sources that are neither
 * trunk nor office there. strangers: 0 = pass on as if there were no gate, 1 = drop, 2 = refuse with 403, 3 = hand REGISTER
 * and the INVITE of a new call to Python (tandem_asked_next). transport: "udp", "tcp" or "tls".
 * Returns the listener's number, -1 where an argument is wrong. Told again, it is changed and forgets its networks. */
int tandem_gate_listener(const char *transport, const char *address, int port, int strangers);

/* A network behind a listener; the longest prefix that fits a source wins. kind: 0 = stranger, 1 = phone, 2 = office,
 * 3 = trunk. number: the trunk's, any the caller likes, else -1. Returns 0 or a pj_status_t. */
int tandem_gate_network(int listener, const char *address, int bits, int kind, int number);

/* A limit of the gate by its name, 0 = none (the default): requests a second of one source and how many at once
 * ("stranger_rate", "stranger_burst", and so for "phone", "office", "trunk"), the same for new connections of one source
 * ("connection_rate", "connection_burst"); "connections" in all and "connections_source" of one; "connection_first" and
 * "connection_idle", seconds without a first and without any further message; "half_open", calls not answered yet,
 * "half_open_source" of one stranger or phone, "half_open_reserved", share of it (0 to 1) for trunks alone; "message",
 * octets of a request; "faults" within "fault_window" seconds, after which a source is banned for "ban_seconds".
 * Returns 0, or PJ_ENOTFOUND where no limit is called so. */
int tandem_gate_limit(const char *name, double value);

/* New calls a second that a trunk (by the number of its networks) may bring, and how many at once; cps 0 = no limit. code:
 * what is said where it or all of us are full, 503, 480 or 486, with Retry-After. Returns 0 or PJ_EINVAL. */
int tandem_gate_trunk(int number, double cps, double burst, int code);

/* Texts (a tuple of at most 64, 40 octets each) of User-Agents whose requests are dropped, and whose sources are banned. */
int tandem_gate_scanners(PyObject *texts);

/* A phone has registered from this address and port, for so many seconds; 0: no longer. It has a budget of its own, and an
 * address with registered phones is forgiven ten times more faults. Returns 0 or a pj_status_t. */
int tandem_gate_phone(const char *address, int port, double seconds);

/* A fault of a source that the gate cannot see by itself, such as a wrong password. reason: one word, for list and alarm.
 * Returns 1 where that was one too many and the source is banned now, 0, or -1 where address is none. */
int tandem_gate_fault(const char *address, const char *reason);

/* Bans an address for so many seconds, from now. Returns 0; PJ_EIGNORED for an address of a trunk or office, which can be
 * forged and is never banned; PJ_ETOOMANY; or PJ_EINVAL for what is no address. */
int tandem_gate_ban(const char *address, const char *reason, double seconds);

/* Lifts it. PJ_ENOTFOUND where there is none. */
int tandem_gate_lift(const char *address);

/* All bans: (address, reason, since when in seconds since 1970, seconds left, requests dropped by the gate itself, whether
 * the gate decided it). */
PyObject *tandem_gate_bans(void);

/* The oldest ban of the gate's own that nobody was told of yet, or None: (address, reason, seconds). */
PyObject *tandem_gate_news(void);

/* To be called ten times a second or more: ends what is over, closes silent connections, and gives the bans to the kernel's
 * filter on our sockets. */
void tandem_gate_tick(void);

/* How many calls wait for their final answer; how many connections others have made to us; how many packets the kernel
 * has thrown away at our UDP sockets, because of a ban or because we were too slow. */
int tandem_gate_half_open(void);
int tandem_gate_connections(void);
unsigned long long tandem_gate_kernel_drops(void);

/* Nanoseconds inside the gate of a request that ends there, answered or not: the mean of one in 64 since the last time. */
double tandem_gate_cost(void);

/* Nanoseconds of this thread for a message of a call that is refused because the house is full (there are two: INVITE, and
 * the ACK to the refusal), reading and parsing included: the mean since the last time; 0 where there were too few. */
double tandem_refusal_cost(void);

/* Requests that wait for a decision of Python's. Each has passed all checks of form and costs no transaction, dialog or
 * call slot yet. Exactly one of the three calls below ends it; one that is not ended within five seconds may be given up,
 * as may one whose caller sends CANCEL (he has got his 487): then they return PJ_ENOTFOUND, which is no fault.
 * A retransmission of what waits is absorbed.
 *
 * How many wait: cheap enough to ask after every libHandleEvents. */
int tandem_asked_waiting(void);

/* The oldest of them, or None: (handle, method, (transport, address, port) of ours that it came in on as with
 * tandem_rx_listener, source address, source port, kind of source as in tandem_gate_network, the whole message). */
PyObject *tandem_asked_next(void);

/* Answers it without state: a final status, a reason phrase ("" = the usual one), and a tuple of at most 16 (name, value)
 * pairs. Via, From, To with a tag, Call-ID and CSeq are PJSIP's. The same request always gets the same To tag.
 * Returns 0 or a pj_status_t. */
PyObject *tandem_asked_answer(long handle, int code, const char *reason, PyObject *headers);

/* An INVITE (or what else is no REGISTER) goes on to pjsua as if it had just come in: onSelectAccount and onIncomingCall
 * have run when this returns. Where the house is full by now the caller gets 503 and this returns PJ_ETOOMANY. */
int tandem_asked_admit(long handle);

/* Never answered. */
int tandem_asked_drop(long handle);

/* A phone behind address translation is seen at this socket (on), or no longer: what its messages name in Contact is
 * replaced by it. Told as often off as on, it is forgotten. Returns 0 or a pj_status_t. */
int tandem_nat(const char *address, int port, int on);

/* How many requests wait for tandem_next_request: cheap enough to ask after every libHandleEvents. */
int tandem_pending(void);

/* The oldest request that a dialog usage of ours answered and passes up, or None:
 * (Call-ID, we are the UAS of the dialog, method, the whole message as bytes). */
PyObject *tandem_next_request(void);

/* Who decides about a REFER in a call: a callable that gets (Call-ID, we are the UAS of the dialog, the address it came
 * from, the whole message as bytes) and returns (status, whether NOTIFYs will follow). It is called inside libHandleEvents
 * and must not call PJSIP.
 * None, as in the beginning: 603 to everybody. */
PyObject *tandem_on_refer(PyObject *callable);

/* The role of the confirmed or early dialog with these tags: 1 = we are its UAS, 0 = its UAC; -1 = there is none, or its
 * session has ended. The tags are ours and the peer's. */
int tandem_dialog_role(const char *call_id, const char *local_tag, const char *remote_tag);

/* On which of our sockets a received message arrived: (transport "udp" | "tcp" | "tls" | "other", address, port).
 * packet is SipRxData.pjRxData, valid only inside the callback that has it. */
PyObject *tandem_rx_listener(size_t packet);

/* Refuses those audio lines of an INVITE's offer whose keys the account cannot agree on that is about to answer it, from
 * within the callback that chooses the account; srtp is PJSIP's pjmedia_srtp_use, keys are those of the account. With no
 * line left PJSIP answers 488. */
#define TANDEM_KEYS_SDES 1
#define TANDEM_KEYS_DTLS 2
void tandem_offer_keys(size_t packet, int srtp, int keys);

/* pjsua_call_answer2 with one audio line and no other media, and pjsua_call_hangup: headers is a tuple of at most 8
 * (name, value) pairs. Return the pj_status_t. The GIL is let go meanwhile. */
PyObject *tandem_answer(int call_id, int code, PyObject *headers);
PyObject *tandem_hangup(int call_id, int code, PyObject *headers);

/* What a callback needs of pjsua_call_get_info: (invite session's state, role, last status, index of the first audio
 * line that has sound or -1, its pjsua_call_media_status), or None where there is no such call. */
PyObject *tandem_brief(int call_id);

/* What the stream of a call's media line has counted so far, or None where it has no audio stream: (codec, packets
 * received, lost, sent, lost at the peer, mean jitter ms, mean round trip ms, mean jitter buffer ms, reports received,
 * payload octets received).
 * call_id is pjsua's. Also works in onStreamDestroyed, for the last time. */
PyObject *tandem_stream(int call_id, unsigned index);

/* Let the conference pass over this stream while its far end sends nothing. Both are OnStreamCreatedParam's, valid only
 * inside that callback: stream and pPort. Returns 1, or 0 where the stream stays as it is. */
int tandem_gap(size_t stream, size_t media_port);

/* A key is about to be dialled into this stream: it sends although nobody speaks. media_port is the pPort of a stream
 * that tandem_gap took and that is not destroyed yet. */
void tandem_gap_wake(size_t media_port);

/* What has come in on this stream and was not heard yet is of no use any more: the next frame that is asked of it is from
 * what comes from now on. media_port as above. */
void tandem_gap_forget(size_t media_port);

/* Opens an ear: a sink of the conference whose frames (20 ms, 8000 Hz, 16 bit, mono) wait in a ring of their own, 64 at
 * most, silence included. Returns its place in the conference, or a pj_status_t made negative. These three let the GIL
 * go while they wait for the conference. */
int tandem_ear_open(void);

/* Lets an ear hear the port at place source, or no longer. Returns 0 or a pj_status_t. */
int tandem_ear_hear(int place, int source, int on);

/* Closes it; what waits in its ring is thrown away. Harmless when there is none at this place. All ears have to be closed
 * before libDestroy. */
void tandem_ear_close(int place);

/* All frames that wait in all ears: (the place of each as 32-bit numbers, the frames, how many were lost since the last
 * time because a ring was full). Frames of one ear stand together, oldest first. */
PyObject *tandem_ears_take(void);

/* Sends OPTIONS with an account to a URI whose host is an address; reference is any number of the caller's. Returns 0, and
 * an answer follows, or a pj_status_t. */
int tandem_options(int account, const char *uri, int reference);

/* The oldest answer to one of them, or None: (reference, final status, 0 where the stack gave up after 32 s). */
PyObject *tandem_probed(void);

/* Whether a 100 has come for an INVITE of ours with this Call-ID, lately. */
int tandem_trying(const char *call_id);

/* Credentials for this realm may go to this address, whatever the port; to all others they do not, whoever asks. Returns 0
 * or a pj_status_t. */
int tandem_credentials(const char *realm, const char *address);

/* They may go nowhere any more. */
void tandem_credentials_clear(void);

/* The status of the last INVITE that was refused, if that was one of this Call-ID; else 0. */
int tandem_refused(const char *call_id);

/* Keeps the last SIP messages in so many octets of memory, and none for longer than seconds; 0 octets: keeps none. Messages
 * kept before are lost where the size is another. Returns 1, or 0 where there is no such memory. */
int tandem_trace(size_t octets, double seconds);

/* (octets of the ring, octets in use, when the oldest message was kept in epoch seconds or 0.0). */
PyObject *tandem_trace_state(void);

/* Messages of calls, oldest first: call_ids is a tuple of at most 64 Call-IDs as bytes, place is where to begin: 0, or what
 * the last reading said. Each reading looks at some thousand messages only. Returns (messages, next place, whether more
 * follow); a message is (epoch seconds, sent by us, transport 1 = UDP 2 = TCP 3 = TLS, our address as octets, port, theirs,
 * port, octets). Two Call-IDs may share a hash: look at the message. */
PyObject *tandem_trace_read(PyObject *call_ids, unsigned long long place);

/* Every counter since the start of the process: {name: count}. */
PyObject *tandem_counters(void);

/* Where this build comes from, as JSON: pjproject version, source, checksums, flags. */
const char *tandem_build(void);

#ifndef SWIG
#ifdef __cplusplus
}
#endif
#endif
#endif
