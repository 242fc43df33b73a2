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
    X(EMERGENCIES, "emergencies")                 /* INVITEs to emergency numbers that passed a full house */ \
    X(TRACED, "traced")                           /* messages kept by the trace */ \
    X(REFUSED_STRANGER, "refused_stranger")       /* 403 to an address of nobody we know */ \
    X(DROPPED_STRANGER, "dropped_stranger")       /* the same, without a word */ \
    X(ASKED, "asked")                             /* handed to Python for a decision */ \
    X(ASKED_AGAIN, "asked_again")                 /* repeated while the decision was open */ \
    X(ASKED_ANSWERED, "asked_answered")           /* refused or served by Python */ \
    X(ASKED_CANCELLED, "asked_cancelled")         /* cancelled while the decision was open */ \
    X(ASKED_OVERDUE, "asked_overdue")             /* given up: no decision within five seconds */ \
    X(ASKED_FULL, "asked_full")                   /* 503: too many decisions open */ \
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

/* places.c: a listener by the socket a packet came in on; -1 where nobody told us of it. */
int place_of(const pjsip_transport *transport);
enum strangers place_strangers(int place);
struct origin place_origin(int place, const pj_sockaddr *source);
int plain_address(const pj_sockaddr *address, unsigned char *bytes); /* how many: 4 or 16 */
void places_clear(void);

/* asked.c */
enum asked { ASKED_WAITS, ASKED_FULL };
void asked_start(pjsip_endpoint *endpt, pjsip_module *module);
enum asked asked_push(pjsip_rx_data *rdata, int kind);
pj_bool_t asked_cancel(pjsip_rx_data *cancel);
void asked_clear(void);

/* gate.c */
pj_bool_t gate_is_full(pjsip_rx_data *rdata);
void gate_refuse_full(pjsip_rx_data *rdata);
pj_status_t gate_start(pjsip_endpoint *endpt);
pj_status_t gate_stop(pjsip_endpoint *endpt);
/* The Allow header as an element to put into a header list; never NULL after gate_start. */
const pjsip_hdr *gate_allow_list(void);

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

/* trace.c */
pj_status_t trace_start(pjsip_endpoint *endpt);
void trace_stop(pjsip_endpoint *endpt);

/* oldhold.c */
void oldhold_read(pjsip_rx_data *rdata);

/* names.c */
void names_read(pjsip_rx_data *rdata);
void names_forget_maddr(pjsip_rx_data *rdata);

/* rtp_start.c: once for each process; a second time changes nothing. */
pj_status_t rtp_start_mend(void);

/* soundless.c */
void soundless_read(pjsip_rx_data *rdata);

/* refer.c: the status for a REFER, and whether NOTIFYs are to tell what comes of it. */
int refer_status(const pjsip_dialog *dlg, const pjsip_rx_data *rdata, pj_bool_t *subscribed);

/* Whether Python has said that it decides. */
pj_bool_t refer_is_decided(void);

/* replaces.c: takes Replaces out of a new INVITE whose sender may have what it names; PJ_FALSE: nobody may. */
pj_bool_t replaces_take(pjsip_rx_data *rdata);

/* passed_up.c: a bounded queue of copies. */
void passed_up_push(const pj_str_t *call_id, pj_bool_t is_uas, const pj_str_t *method, const char *msg, int len);
void passed_up_clear(void);

#endif
