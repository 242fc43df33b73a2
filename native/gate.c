/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The gate: a module in front of the transaction layer. What is refused here costs no transaction, dialog, call
 * slot or socket: RFC 3261 8.2 in its order (method, Request-URI, Require), answered statelessly. */
#include <string.h>

#include "internal.h"
#include "tandem.h"

static pj_bool_t on_rx_request(pjsip_rx_data *rdata);
static pj_bool_t on_rx_response(pjsip_rx_data *rdata);
static pj_status_t on_tx(pjsip_tx_data *tdata);
static pj_status_t on_unload(void);

static pjsip_module gate = {
    .name = {"mod-tandem-gate", 15},
    .id = -1,
    .priority = PJSIP_MOD_PRIORITY_TRANSPORT_LAYER + 1,
    .unload = &on_unload,
    .on_rx_request = &on_rx_request,
    .on_rx_response = &on_rx_response,
    .on_tx_request = &on_tx,
    .on_tx_response = &on_tx,
};

static pjsip_endpoint *endpoint;
static pj_bool_t said_no; /* this message is one of a call that there was no room for */
static pjsip_hdr allow_list; /* the head of a list with one element: Allow */

enum verdict { PASS = 0 }; /* else the status code to refuse with */

/* --- answers ----------------------------------------------------------------------------------------------- */

static pj_bool_t refuse(pjsip_rx_data *rdata, int code, const pjsip_hdr *headers)
{
    static const struct {
        int code;
        enum tandem_counter counter;
    } counters[] = {{400, COUNT_REFUSED_400}, {403, COUNT_REFUSED_403}, {405, COUNT_REFUSED_405},
                    {416, COUNT_REFUSED_416}, {420, COUNT_REFUSED_420}, {480, COUNT_REFUSED_480},
                    {481, COUNT_REFUSED_481}, {482, COUNT_REFUSED_482}, {483, COUNT_REFUSED_483},
                    {486, COUNT_REFUSED_486}, {488, COUNT_REFUSED_488}, {501, COUNT_REFUSED_501},
                    {503, COUNT_REFUSED_503}, {513, COUNT_REFUSED_513}};

    for (unsigned i = 0; i < PJ_ARRAY_SIZE(counters); i++)
        if (counters[i].code == code)
            count(counters[i].counter);
    /* The To tag of a stateless answer is PJSIP's: derived from the branch, so every retransmission gets the same. */
    if (pjsip_endpt_respond_stateless(endpoint, rdata, code, NULL, headers, NULL) != PJ_SUCCESS)
        count(COUNT_UNSENT);
    return PJ_TRUE;
}

static pj_bool_t refuse_with(pjsip_rx_data *rdata, int code, pjsip_hdr *header)
{
    pjsip_hdr list;

    pj_list_init(&list);
    pj_list_push_back(&list, header);
    return refuse(rdata, code, &list);
}

static struct origin origin_of(const pjsip_rx_data *rdata)
{
    return place_origin(place_of(rdata->tp_info.transport), &rdata->pkt_info.src_addr);
}

pj_bool_t gate_is_full(pjsip_rx_data *rdata)
{
    return rdata->msg_info.msg->line.req.method.id == PJSIP_INVITE_METHOD && !rdata->msg_info.to->tag.slen &&
           !request_is_known(rdata) && !admission_takes(rdata);
}

/* A trunk is told with the code that it understands as "this route, later". */
void gate_refuse_full(pjsip_rx_data *rdata)
{
    pj_bool_t is_call = rdata->msg_info.msg->line.req.method.id == PJSIP_INVITE_METHOD;
    int code = is_call ? trunk_code(origin_of(rdata).number) : 503;

    if (is_call)
        count(COUNT_TURNED_AWAY);
    said_no = PJ_TRUE;
    refuse_with(rdata, code, (pjsip_hdr *)pjsip_retry_after_hdr_create(rdata->tp_info.pool, admission_retry_after()));
}

/* --- strangers --------------------------------------------------------------------------------------------- */

static void fault(const pjsip_rx_data *rdata, enum who kind, const char *reason, double weight)
{
    struct key key;

    if (kind >= KIND_OFFICE)
        return;
    key = key_of_address(&rdata->pkt_info.src_addr, 0);
    source_fault(&key, reason, weight);
}

/* Where phones register one address can be a whole house's: it may still call for help, and end the calls it has. */
static pj_bool_t outranks_ban(pjsip_rx_data *rdata, int place, pj_bool_t of_a_dialog)
{
    pj_bool_t invite = rdata->msg_info.msg->line.req.method.id == PJSIP_INVITE_METHOD;

    return place_strangers(place) == STRANGERS_ASK && (of_a_dialog || (invite && admission_is_emergency(rdata)));
}

/* What is not worth an answer, cheapest question first. A request of a living call passes: who floods does not know its
 * tags, and who talks must be able to hang up while others flood from his address. */
static pj_bool_t is_unwanted(pjsip_rx_data *rdata, int place, enum who kind, enum strangers rule, pj_bool_t of_a_dialog)
{
    if (kind < KIND_OFFICE && ban_holds(&rdata->pkt_info.src_addr) && !outranks_ban(rdata, place, of_a_dialog)) {
        count(COUNT_DROPPED_BANNED);
        return PJ_TRUE;
    }
    if (of_a_dialog)
        return PJ_FALSE;
    if (!source_within_budget(kind, &rdata->pkt_info.src_addr, rdata->pkt_info.src_port)) {
        count(COUNT_DROPPED_BUDGET);
        if (kind == KIND_UNKNOWN)
            fault(rdata, kind, "flood", 1);
        return PJ_TRUE;
    }
    if (rule == STRANGERS_DROP) {
        count(COUNT_DROPPED_STRANGER);
        return PJ_TRUE;
    }
    if (kind < KIND_OFFICE && rule_is_scanner(rdata)) {
        count(COUNT_DROPPED_SCANNER);
        fault(rdata, kind, "scanner", limits[LIMIT_FAULTS]);
        return PJ_TRUE;
    }
    return PJ_FALSE;
}

pj_bool_t gate_answers_broken(pjsip_transport *transport, const pj_sockaddr *source)
{
    int place = place_of(transport), port = pj_sockaddr_get_port(source);
    enum who kind = place_origin(place, source).kind;
    struct key key = key_of_address(source, 0);

    if (kind < KIND_OFFICE) {
        if (ban_holds(source)) {
            count(COUNT_DROPPED_BANNED);
            return PJ_FALSE;
        }
        if (source_fault(&key, "malformed", 1))
            return PJ_FALSE;
    }
    return source_within_budget(kind, source, port) &&
           (kind != KIND_UNKNOWN || place_strangers(place) != STRANGERS_DROP);
}

static pj_bool_t ask(pjsip_rx_data *rdata, enum who kind)
{
    if (asked_push(rdata, kind) == ASKED_FULL) {
        count(COUNT_ASKED_FULL);
        gate_refuse_full(rdata);
    }
    return PJ_TRUE;
}

/* --- the module -------------------------------------------------------------------------------------------- */

/* A new call. 503 stands for the code of its trunk. */
static int invite_verdict(pjsip_rx_data *rdata, struct origin origin, pj_bool_t asked)
{
    if (rdata->msg_info.max_fwd && rdata->msg_info.max_fwd->ivalue == 0)
        return 483; /* we would send it on as a second leg */
    if (request_is_known(rdata))
        return PASS;
    if (origin.kind == KIND_TRUNK && !trunk_takes(origin.number)) {
        count(COUNT_REFUSED_TRUNK_RATE);
        return 503;
    }
    switch (half_open_enter(rdata, origin.kind)) {
    case HALF_OPEN_MERGED:
        return 482;
    case HALF_OPEN_FULL:
        if (!admission_is_emergency(rdata)) {
            count(COUNT_REFUSED_HALF_OPEN);
            return 503;
        }
        break;
    case HALF_OPEN_TAKEN:
        break;
    }
    return asked || admission_takes(rdata) ? PASS : 503; /* who is asked about is admitted when he is let in */
}

/* The checks of form, for every request: the status to refuse with. */
static int form_verdict(pjsip_rx_data *rdata, enum who kind)
{
    if (limits[LIMIT_MESSAGE] > 0 && rdata->msg_info.len > limits[LIMIT_MESSAGE]) {
        fault(rdata, kind, "malformed", 1);
        return 513;
    }
    names_forget_maddr(rdata);
    body_trim(rdata);
    if (form_is_broken(rdata)) {
        fault(rdata, kind, "malformed", 1);
        return 400;
    }
    if (form_of_sdp_is_wild(rdata->msg_info.msg))
        return 488;
    return PASS;
}

/* Outside a dialog, and of Require everywhere: refuses, or leaves it with PASS. */
static pj_bool_t is_refused(pjsip_rx_data *rdata, struct origin origin, enum strangers stranger)
{
    const pjsip_method *method = &rdata->msg_info.msg->line.req.method;
    pj_bool_t in_dialog = rdata->msg_info.to->tag.slen > 0;
    pjsip_hdr *header;
    int code = PASS;

    if (stranger == STRANGERS_REFUSE) {
        count(COUNT_REFUSED_STRANGER);
        return refuse(rdata, 403, NULL);
    }
    if (!in_dialog || method->id == PJSIP_REGISTER_METHOD) { /* a REGISTER never belongs to a dialog, tag or not */
        if (stranger != STRANGERS_ASK)
            code = rule_for_method(method);
        if (code == PASS)
            code = rule_for_uri(rdata->msg_info.msg->line.req.uri);
    }
    if (code != PASS)
        return refuse(rdata, code, code == 405 || code == 501 ? &allow_list : NULL);
    if (!in_dialog && method->id == PJSIP_INVITE_METHOD && !replaces_take(rdata, stranger == STRANGERS_ASK) &&
        !request_is_known(rdata))
        return refuse(rdata, 403, NULL);
    if ((header = rule_unsupported(rdata)))
        return refuse_with(rdata, 420, header);
    if (!in_dialog && method->id == PJSIP_INVITE_METHOD)
        code = invite_verdict(rdata, origin, stranger == STRANGERS_ASK);
    else if (!in_dialog && method->id == PJSIP_OPTIONS_METHOD && admission_is_draining())
        code = 503; /* draining: tell the load balancer */
    if (code == 503) {
        gate_refuse_full(rdata);
        return PJ_TRUE;
    }
    return code != PASS && refuse(rdata, code, NULL);
}

static pj_bool_t judge(pjsip_rx_data *rdata)
{
    const pjsip_method *method = &rdata->msg_info.msg->line.req.method;
    int place = place_of(rdata->tp_info.transport), code;
    struct origin origin = place_origin(place, &rdata->pkt_info.src_addr);
    const pjsip_dialog *dlg = request_dialog(rdata);
    pj_bool_t foreign = dlg && request_is_foreign(rdata, dlg, origin), of_a_dialog = dlg && !foreign;
    enum strangers stranger = stranger_verdict(rdata, place, origin.kind, dlg != NULL);

    said_no = method->id == PJSIP_ACK_METHOD && !dlg; /* the end of what was refused without state */
    count(COUNT_REQUESTS);
    connection_spoke(rdata->tp_info.transport);
    if (is_unwanted(rdata, place, origin.kind, stranger, of_a_dialog))
        return PJ_TRUE;
    if ((code = form_verdict(rdata, origin.kind)) != PASS) {
        if (method->id != PJSIP_ACK_METHOD)
            return refuse(rdata, code, NULL);
        count(COUNT_BROKEN_ACKS);
        return PJ_TRUE;
    }
    if (method->id == PJSIP_CANCEL_METHOD && asked_cancel(rdata))
        return PJ_TRUE;
    if (foreign) {
        count(COUNT_REFUSED_FOREIGN);
        if (method->id == PJSIP_ACK_METHOD)
            return PJ_TRUE;
        if (place_strangers(place) != STRANGERS_ASK)
            return refuse(rdata, 403, NULL);
        stranger = STRANGERS_ASK; /* a phone that is elsewhere now shows its password (RFC 3261 22.2) */
    }
    /* These two belong to an INVITE transaction; Require does not apply (RFC 3261 8.2.2.3). */
    if (method->id != PJSIP_ACK_METHOD && method->id != PJSIP_CANCEL_METHOD) {
        if (is_refused(rdata, origin, stranger))
            return PJ_TRUE;
        oldhold_read(rdata);
    }
    nat_read(rdata);
    names_read(rdata);
    soundless_read(rdata);
    if (stranger == STRANGERS_ASK)
        return ask(rdata, origin.kind);
    count(COUNT_ADMITTED);
    return PJ_FALSE;
}

/* One in 64 is timed. */
static pj_bool_t on_rx_request(pjsip_rx_data *rdata)
{
    static unsigned turn;
    pj_bool_t is_timed = turn++ % 64 == 0, ended;
    pj_timestamp begin;

    if (is_timed)
        pj_get_timestamp(&begin);
    said_no = PJ_FALSE;
    ended = judge(rdata);
    if (is_timed && ended)
        cost_of_gate(&begin);
    if (said_no)
        cost_of_refusal();
    else
        cost_of_something_else();
    return ended;
}

static pj_bool_t on_rx_response(pjsip_rx_data *rdata)
{
    cost_of_something_else();
    if (ban_holds(&rdata->pkt_info.src_addr) && origin_of(rdata).kind < KIND_OFFICE) {
        count(COUNT_DROPPED_BANNED);
        return PJ_TRUE;
    }
    trying_note(rdata);
    late_count(rdata);
    body_trim(rdata);
    if (body_is_blank(rdata->msg_info.msg)) {
        count(COUNT_BLANK_ANSWERS);
        rdata->msg_info.msg->body = NULL;
    }
    if (form_of_sdp_is_wild(rdata->msg_info.msg)) {
        count(COUNT_BROKEN_ANSWERS);
        rdata->msg_info.msg->body = NULL;
    }
    nat_read(rdata);
    names_read(rdata);
    soundless_read(rdata);
    return PJ_FALSE;
}

static pj_status_t on_tx(pjsip_tx_data *tdata)
{
    usage_watch(tdata);
    half_open_answered(tdata);
    outgoing_tidy(tdata);
    return PJ_SUCCESS;
}

static pj_status_t on_unload(void)
{
    asked_clear();
    nat_clear();
    tandem_gone();
    return PJ_SUCCESS;
}

const pjsip_hdr *gate_allow_list(void)
{
    return &allow_list;
}

pj_status_t gate_start(pjsip_endpoint *endpt)
{
    const pjsip_hdr *allow;

    rules_announce(endpt);
    if (!(allow = pjsip_endpt_get_capability(endpt, PJSIP_H_ALLOW, NULL)))
        return PJ_ENOTFOUND;
    endpoint = endpt;
    asked_start(endpt, &gate);
    pj_list_init(&allow_list);
    /* A copy for our list, in memory that lives as long as the endpoint. */
    pj_list_push_back(&allow_list, pjsip_hdr_clone(pjsua_pool_create("tandem-gate", 512, 512), allow));
    return pjsip_endpt_register_module(endpt, &gate);
}

pj_status_t gate_stop(pjsip_endpoint *endpt)
{
    return pjsip_endpt_unregister_module(endpt, &gate);
}
