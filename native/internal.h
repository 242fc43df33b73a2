/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What our C files share among themselves; only PJSIP's public headers are used. */
#ifndef TANDEM_INTERNAL_H
#define TANDEM_INTERNAL_H

#include <pjsip.h>
#include <pjsip_ua.h>
#include <pjsua-lib/pjsua.h>

/* One line per counter; the name is what Python and the metrics see. */
#define TANDEM_COUNTERS(X) \
    X(REQUESTS, "requests")                       /* requests that reached the gate, retransmissions included */ \
    X(ADMITTED, "admitted")                       /* passed on to the transaction layer */ \
    X(REFUSED_400, "refused_400") \
    X(REFUSED_403, "refused_403") \
    X(REFUSED_405, "refused_405") \
    X(REFUSED_416, "refused_416") \
    X(REFUSED_420, "refused_420") \
    X(REFUSED_481, "refused_481") \
    X(REFUSED_483, "refused_483") \
    X(REFUSED_501, "refused_501") \
    X(REFUSED_503, "refused_503") \
    X(UNPARSED_400, "unparsed_400")               /* PJSIP could not read it, answered from the raw bytes */ \
    X(UNPARSED_416, "unparsed_416") \
    X(UNPARSED_505, "unparsed_505") \
    X(UNPARSED_DROPPED, "unparsed_dropped")       /* unreadable and unanswerable */ \
    X(BROKEN_ACKS, "broken_acks")                 /* dropped: an ACK is never answered */ \
    X(BLANK_ANSWERS, "blank_answers")             /* responses whose body was nothing but line ends: dropped */ \
    X(LATE_RINGING, "late_ringing")               /* 18x to an INVITE of ours that we had cancelled */ \
    X(LATE_ANSWERS, "late_answers")               /* 2xx to such a one: PJSIP ends it with ACK and BYE */ \
    X(UNSENT, "unsent")                           /* an answer of ours that could not be sent */ \
    X(KEPT_CREDENTIALS, "kept_credentials")       /* taken out of a request to somebody they are not for */ \
    X(DIALOG_OPTIONS, "dialog_options")           /* answered inside a living dialog: */ \
    X(DIALOG_INFO, "dialog_info") \
    X(DIALOG_REFER, "dialog_refer") \
    X(REFER_TAKEN, "refer_taken")                 /* answered 202: a transfer begins */ \
    X(REFER_REFUSED, "refer_refused") \
    X(DIALOG_NOTIFY, "dialog_notify") \
    X(DIALOG_OTHER, "dialog_other") \
    X(DIALOG_DEAD, "dialog_dead")                 /* 481: the session of this dialog has ended */ \
    X(CALLS_TAKEN, "calls_taken")                 /* new INVITEs that the limits let in */ \
    X(CALLS_LIMITED, "calls_limited")             /* new INVITEs that came faster than the rate */ \
    X(TURNED_AWAY, "turned_away")                 /* new INVITEs there was no room for, whatever the code */ \
    X(EMERGENCIES, "emergencies")                 /* INVITEs to emergency numbers that passed a full house */ \
    X(TRACED, "traced")                           /* messages kept by the trace */ \
    X(REFUSED_STRANGER, "refused_stranger")       /* 403 to an address of nobody we know */ \
    X(DROPPED_STRANGER, "dropped_stranger")       /* the same, without a word */ \
    X(DROPPED_BANNED, "dropped_banned")           /* by the gate itself: the kernel's filter drops before it */ \
    X(DROPPED_BUDGET, "dropped_budget")           /* more requests a second than a source of its kind may send */ \
    X(DROPPED_SCANNER, "dropped_scanner")         /* the User-Agent of a scanner */ \
    X(REFUSED_TRUNK_RATE, "refused_trunk_rate")   /* more calls a second than the trunk may bring */ \
    X(REFUSED_HALF_OPEN, "refused_half_open")     /* too many calls without an answer yet */ \
    X(REFUSED_FOREIGN, "refused_foreign")         /* of a call, from where its far end is not: 403, or 401 where phones register */ \
    X(REFUSED_480, "refused_480") \
    X(REFUSED_482, "refused_482")                 /* the same request by another way */ \
    X(REFUSED_486, "refused_486") \
    X(REFUSED_488, "refused_488")                 /* SDP that nobody needs and some parsers fall over */ \
    X(REFUSED_513, "refused_513")                 /* longer than the limit */ \
    X(BROKEN_ANSWERS, "broken_answers")           /* responses with such an SDP: it is thrown away */ \
    X(FAULTS, "faults")                           /* things honest peers seldom do, counted by source */ \
    X(BANS, "bans") \
    X(BANS_FULL, "bans_full")                     /* the table of bans had no room */ \
    X(FILTER_FAILED, "filter_failed")             /* the kernel took no filter: the gate drops by itself */ \
    X(CONNECTIONS_REFUSED, "connections_refused") /* closed at once: too many */ \
    X(CONNECTIONS_IDLE, "connections_idle")       /* closed: nothing came for too long */ \
    X(HANDSHAKES_FAILED, "handshakes_failed")     /* of TLS: refused, broken off, or not done in time */ \
    X(CERTIFICATE_REFUSED, "certificate_refused") /* by an alert of the peer's: ours is expired, or of an unknown authority */ \
    X(STREAMS_BROKEN, "streams_broken")           /* closed: what came was no SIP, or too long */ \
    X(ASKED, "asked")                             /* handed to Python for a decision */ \
    X(ASKED_AGAIN, "asked_again")                 /* repeated while the decision was open */ \
    X(ASKED_ANSWERED, "asked_answered")           /* refused or served by Python */ \
    X(ASKED_CANCELLED, "asked_cancelled")         /* cancelled while the decision was open */ \
    X(ASKED_OVERDUE, "asked_overdue")             /* given up: no decision within five seconds */ \
    X(ASKED_FULL, "asked_full")                   /* 503: too many decisions open */ \
    X(TRANSLATED, "translated")                   /* Contacts of phones behind address translation, put right */ \
    X(PONGS, "pongs")                             /* keep-alives on connections, answered */ \
    X(PASSED_UP, "passed_up")                     /* handed to the queue that Python drains */ \
    X(PASSED_UP_LOST, "passed_up_lost")           /* the queue was full */

enum tandem_counter {
#define X(id, name) COUNT_##id,
    TANDEM_COUNTERS(X)
#undef X
    COUNT_END
};

extern unsigned long long tandem_count[COUNT_END];

/* Relaxed: media threads never count, but a reader in another thread must not see half a number. */
static inline void count(enum tandem_counter which)
{
    __atomic_fetch_add(&tandem_count[which], 1, __ATOMIC_RELAXED);
}

/* tandem.c: called when the endpoint unloads our modules by itself. */
void tandem_gone(void);

/* Who sends, as a source address on one of our listeners tells. */
enum who { KIND_UNKNOWN, KIND_PHONE, KIND_OFFICE, KIND_TRUNK };

struct origin {
    enum who kind;
    int number; /* of the trunk, as tandem_gate_network was told; else -1 */
};

/* What a listener does with requests of sources that are neither trunk nor office. */
enum strangers { STRANGERS_PASS, STRANGERS_DROP, STRANGERS_REFUSE, STRANGERS_ASK };

/* limits.c: 0 = none. A rate is followed by its burst. */
#define TANDEM_LIMITS(X) \
    X(STRANGER_RATE, "stranger_rate", 0)         /* requests a second of one source, by kind */ \
    X(STRANGER_BURST, "stranger_burst", 0) \
    X(PHONE_RATE, "phone_rate", 0) \
    X(PHONE_BURST, "phone_burst", 0) \
    X(OFFICE_RATE, "office_rate", 0) \
    X(OFFICE_BURST, "office_burst", 0) \
    X(TRUNK_RATE, "trunk_rate", 0) \
    X(TRUNK_BURST, "trunk_burst", 0) \
    X(CONNECTION_RATE, "connection_rate", 0)     /* new ones a second of one source */ \
    X(CONNECTION_BURST, "connection_burst", 0) \
    X(CONNECTIONS, "connections", 0) \
    X(CONNECTIONS_SOURCE, "connections_source", 0) \
    X(CONNECTION_FIRST, "connection_first", 0)   /* seconds until the first request */ \
    X(CONNECTION_IDLE, "connection_idle", 0)     /* seconds of silence */ \
    X(HALF_OPEN, "half_open", 0) \
    X(HALF_OPEN_SOURCE, "half_open_source", 0) \
    X(HALF_OPEN_RESERVED, "half_open_reserved", 0) /* share that is for trunks alone */ \
    X(MESSAGE, "message", 0)                     /* octets */ \
    X(FAULTS, "faults", 0)                       /* within the window, until a source is banned */ \
    X(FAULT_WINDOW, "fault_window", 60) \
    X(BAN_SECONDS, "ban_seconds", 300)

enum limit {
#define X(id, name, value) LIMIT_##id,
    TANDEM_LIMITS(X)
#undef X
    LIMIT_END
};

struct allowance {
    double tokens;
    long long filled; /* microseconds; 0: never used */
};

extern double limits[LIMIT_END];
long long gate_now(void);
pj_bool_t allowance_take(struct allowance *bucket, double per_second, double burst, long long now);

/* keyed.c */
#define KEYED_CHAINS 4096

struct key {
    unsigned char address[16]; /* IPv4: the first four */
    unsigned char bytes;
    unsigned char zero;
    unsigned short port; /* 0: all */
};

struct keyed { /* the first member of what is kept */
    struct keyed *next;
    struct key key;
};

struct keyed_table {
    struct keyed *chains[KEYED_CHAINS];
    int n;
};

unsigned long long keyed_hash(const void *bytes, size_t len, unsigned long long hash);
struct keyed *keyed_find(struct keyed_table *table, const struct key *key);
void keyed_put(struct keyed_table *table, struct keyed *node);
void keyed_take(struct keyed_table *table, struct keyed *node);
void keyed_each(struct keyed_table *table, void (*see)(struct keyed *node, void *data), void *data);
struct key key_of_address(const pj_sockaddr *address, int port);
pj_bool_t key_of_text(const char *text, int port, struct key *key);
void key_print(const struct key *key, char *text, int room);

/* sources.c */
pj_bool_t source_is_phone(const pj_sockaddr *address, int port);
pj_bool_t source_within_budget(enum who kind, const pj_sockaddr *address, int port);
pj_bool_t source_fault(const struct key *key, const char *reason, double weight); /* whether it is banned now */
void sources_tick(long long now);
void sources_clear(void);

/* bans.c */
pj_bool_t ban_add(const struct key *address, const char *reason, double seconds, pj_bool_t ours);
pj_bool_t ban_holds(const pj_sockaddr *address);
void bans_changed(void);
void bans_tick(long long now);
void bans_clear(void);

/* filter.c */
void filter_set(const struct key *banned, int n);

/* halfopen.c */
enum half_open { HALF_OPEN_TAKEN, HALF_OPEN_MERGED, HALF_OPEN_FULL };
enum half_open half_open_enter(const pjsip_rx_data *rdata, enum who kind);
void half_open_drop(const pjsip_rx_data *rdata);
void half_open_answered(const pjsip_tx_data *tdata);
void half_open_over(pjsip_transaction *tsx);
void half_open_tick(long long now);
void half_open_clear(void);
pj_bool_t trunk_takes(int number);
int trunk_code(int number);

/* connections.c */
pj_status_t connections_start(pjsip_endpoint *endpt);
void connections_stop(void);
void connections_gone(void);
void connections_tick(long long now);
void connection_spoke(const pjsip_transport *transport);
void connection_lost_its_way(pjsip_transport *transport);
void connection_failed(const struct key *source);

/* late.c */
void late_count(pjsip_rx_data *rdata);

/* form.c */
pj_bool_t form_is_broken(pjsip_rx_data *rdata);
pj_bool_t form_of_sdp_is_wild(const pjsip_msg *msg);

/* rules.c */
int rule_for_method(const pjsip_method *method);
int rule_for_uri(const pjsip_uri *uri);
pjsip_hdr *rule_unsupported(pjsip_rx_data *rdata);
pj_bool_t rule_is_scanner(pjsip_rx_data *rdata);
void rules_announce(pjsip_endpoint *endpt);

/* places.c: a listener by the socket a packet came in on; -1 where nobody told us of it. */
int place_of(const pjsip_transport *transport);
const pj_sockaddr *place_address(const pjsip_transport *transport);
enum strangers place_strangers(int place);
struct origin place_origin(int place, const pj_sockaddr *source);
pj_bool_t place_protects(const struct key *address);
pj_bool_t place_binds(pj_bool_t datagram, const pj_sockaddr *address);
int plain_address(const pj_sockaddr *address, unsigned char *bytes); /* how many: 4 or 16 */
pj_bool_t same_address(const pj_sockaddr *one, const pj_sockaddr *other); /* whatever the ports */
void places_clear(void);

/* asked.c */
enum asked { ASKED_WAITS, ASKED_FULL };
void asked_start(pjsip_endpoint *endpt, pjsip_module *module);
enum asked asked_push(pjsip_rx_data *rdata, int kind);
pj_bool_t asked_cancel(pjsip_rx_data *cancel);
void asked_tick(long long now);
void asked_clear(void);

/* strangers.c */
pj_bool_t request_is_known(pjsip_rx_data *rdata);
const pjsip_dialog *request_dialog(const pjsip_rx_data *rdata);
enum strangers stranger_verdict(pjsip_rx_data *rdata, int place, enum who kind, pj_bool_t of_a_dialog);
pj_bool_t request_is_foreign(const pjsip_rx_data *rdata, const pjsip_dialog *dlg, struct origin origin);

/* gate.c */
pj_bool_t gate_is_full(pjsip_rx_data *rdata);
void gate_refuse_full(pjsip_rx_data *rdata);
/* A message that could not be read: whether its source may have an answer. */
pj_bool_t gate_answers_broken(pjsip_transport *transport, const pj_sockaddr *source);
pj_status_t gate_start(pjsip_endpoint *endpt);
pj_status_t gate_stop(pjsip_endpoint *endpt);
/* The Allow header as an element to put into a header list; never NULL after gate_start. */
const pjsip_hdr *gate_allow_list(void);

/* cost.c: what the message was that is done with */
void cost_of_gate(const pj_timestamp *begin);
void cost_of_refusal(void);
void cost_of_something_else(void);

/* bodies.c */
void body_trim(pjsip_rx_data *rdata);
pj_bool_t body_is_blank(const pjsip_msg *msg);

/* malformed.c */
pj_status_t malformed_start(pjsip_endpoint *endpt);
void malformed_stop(pjsip_endpoint *endpt);

/* usage.c */
pj_status_t usage_start(pjsip_endpoint *endpt);
pj_status_t usage_stop(pjsip_endpoint *endpt);
/* Adds our usage to the dialog of an outgoing message: the first chance to see a dialog on both legs. */
void usage_watch(pjsip_tx_data *tdata);
/* Where its first message went; NULL: nobody knows. */
const pj_sockaddr *usage_home(const pjsip_dialog *dlg);

/* probe.c: whether an INVITE of ours has been answered with 100 */
void trying_note(const pjsip_rx_data *rdata);

/* credentials.c */
void credentials_guard(pjsip_tx_data *tdata);

/* outgoing.c */
void outgoing_tidy(pjsip_tx_data *tdata);

/* admission.c: whether a new call is taken (each that is taken is counted); Retry-After where not, seconds */
pj_bool_t admission_takes(const pjsip_rx_data *rdata);
pj_bool_t admission_is_draining(void);
int admission_retry_after(void);
pj_bool_t admission_is_emergency(const pjsip_rx_data *rdata);

/* trace.c */
pj_status_t trace_start(pjsip_endpoint *endpt);
void trace_stop(pjsip_endpoint *endpt);
/* From now on this request has not passed the gate: an answer to it is a refusal. */
void trace_judges(const pjsip_rx_data *rdata);

/* oldhold.c */
void oldhold_read(pjsip_rx_data *rdata);

/* names.c */
void names_read(pjsip_rx_data *rdata);
void names_forget_maddr(pjsip_rx_data *rdata);

/* gap.c: the conference passes over a stream whose leg is joined with another past it, or no longer. */
void gap_hold(pjmedia_port *port, pj_bool_t on);

/* nat.c */
void nat_read(pjsip_rx_data *rdata);
void nat_clear(void);

/* soundless.c */
void soundless_read(pjsip_rx_data *rdata);

/* refer.c: the status for a REFER, and whether NOTIFYs are to tell what comes of it. */
int refer_status(const pjsip_dialog *dlg, const pjsip_rx_data *rdata, pj_bool_t *subscribed);

/* Whether Python has said that it decides. */
pj_bool_t refer_is_decided(void);

/* replaces.c: takes Replaces out of a new INVITE whose sender may have what it names; PJ_FALSE: nobody may. asked: he has
 * to show his password yet. */
pj_bool_t replaces_take(pjsip_rx_data *rdata, pj_bool_t asked);

/* passed_up.c: a bounded queue of copies. */
void passed_up_push(const pj_str_t *call_id, pj_bool_t is_uas, const pj_str_t *method, const char *msg, int len);
void passed_up_clear(void);

#endif
