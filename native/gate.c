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
static pjsip_hdr allow_list; /* the head of a list with one element: Allow */

enum verdict { PASS = 0 }; /* else the status code to refuse with */

/* --- methods ----------------------------------------------------------------------------------------------- */

/* Outside a dialog. MESSAGE, SUBSCRIBE and PUBLISH get 405, not 489: 489 says that one event package is missing,
 * which invites the next try; we serve no package at all, and 405 with Allow says so (RFC 3261 8.2.1). */
static const struct {
    pj_str_t name;
    int code;
} outside[] = {
    {{"INVITE", 6}, PASS},    {{"OPTIONS", 7}, PASS},    {{"CANCEL", 6}, PASS},    {{"ACK", 3}, PASS},
    {{"BYE", 3}, 481},        {{"INFO", 4}, 481},        {{"UPDATE", 6}, 481},     {{"PRACK", 5}, 481},
    {{"NOTIFY", 6}, 481},     {{"REGISTER", 8}, 405},    {{"MESSAGE", 7}, 405},    {{"SUBSCRIBE", 9}, 405},
    {{"PUBLISH", 7}, 405},    {{"REFER", 5}, 405},
};

static int method_verdict(const pjsip_method *method)
{
    for (unsigned i = 0; i < PJ_ARRAY_SIZE(outside); i++)
        if (pj_strcmp(&outside[i].name, &method->name) == 0) /* methods are case-sensitive */
            return outside[i].code;
    return 501;
}

/* What the endpoint announces in Allow and Supported must be what this gate lets through: pjsua's own lists name
 * REFER, SUBSCRIBE, MESSAGE, "replaces" and more. The endpoint offers no call to remove a capability, only a pointer
 * to the header it will copy into messages. */
static const pj_str_t allowed[] = {{"INVITE", 6}, {"ACK", 3},     {"CANCEL", 6}, {"BYE", 3},
                                   {"PRACK", 5},  {"UPDATE", 6},  {"INFO", 4},   {"OPTIONS", 7}};
static const pj_str_t supported[] = {{"100rel", 6}, {"timer", 5}};

static pj_bool_t listed(const pj_str_t *token, const pj_str_t *list, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (pj_stricmp(token, &list[i]) == 0)
            return PJ_TRUE;
    return PJ_FALSE;
}

static void keep_only(pjsip_endpoint *endpt, int type, const pj_str_t *list, unsigned n)
{
    pjsip_generic_array_hdr *hdr = (pjsip_generic_array_hdr *)pjsip_endpt_get_capability(endpt, type, NULL);
    unsigned kept = 0;

    if (!hdr)
        return;
    for (unsigned i = 0; i < hdr->count; i++)
        if (listed(&hdr->values[i], list, n))
            hdr->values[kept++] = hdr->values[i];
    hdr->count = kept;
}

/* --- answers ----------------------------------------------------------------------------------------------- */

static pj_bool_t refuse(pjsip_rx_data *rdata, int code, const pjsip_hdr *headers)
{
    static const struct {
        int code;
        enum tandem_counter counter;
    } counters[] = {{400, COUNT_REFUSED_400}, {403, COUNT_REFUSED_403}, {405, COUNT_REFUSED_405},
                    {416, COUNT_REFUSED_416}, {420, COUNT_REFUSED_420}, {481, COUNT_REFUSED_481},
                    {483, COUNT_REFUSED_483}, {501, COUNT_REFUSED_501}, {503, COUNT_REFUSED_503}};

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

/* --- checks ------------------------------------------------------------------------------------------------ */

/* How many octets follow the empty line, -1 if there is none. Bare line feeds pass, as they do with PJSIP. */
static long body_octets(const pjsip_rx_data *rdata)
{
    const char *msg = rdata->msg_info.msg_buf, *end = msg + rdata->msg_info.len;
    const char *found = memmem(msg, (size_t)rdata->msg_info.len, "\r\n\r\n", 4);

    if (found)
        return end - (found + 4);
    found = memmem(msg, (size_t)rdata->msg_info.len, "\n\n", 2);
    return found ? end - (found + 2) : -1;
}

/* True for what PJSIP reads although it must not be trusted (RFC 3261 8.1.1, 18.3, 20): headers that may stand once
 * standing twice, a CSeq of another method, 300 hops, no end of the headers (cut short), a Content-Length beyond the
 * datagram, a body nobody says the type of or with nothing in it. */
static pj_bool_t is_broken(pjsip_rx_data *rdata)
{
    pjsip_msg *msg = rdata->msg_info.msg;
    const pjsip_clen_hdr *clen = rdata->msg_info.clen;
    unsigned long long seen = 0;
    long octets;

    for (const pjsip_hdr *hdr = msg->hdr.next; hdr != &msg->hdr; hdr = hdr->next) {
        unsigned long long bit = hdr->type < 64 ? 1ull << hdr->type : 0;

        bit &= 1ull << PJSIP_H_CALL_ID | 1ull << PJSIP_H_FROM | 1ull << PJSIP_H_TO | 1ull << PJSIP_H_CSEQ |
               1ull << PJSIP_H_MAX_FORWARDS | 1ull << PJSIP_H_CONTENT_LENGTH | 1ull << PJSIP_H_CONTENT_TYPE;
        if (seen & bit)
            return PJ_TRUE;
        seen |= bit;
    }
    if (pjsip_method_cmp(&rdata->msg_info.cseq->method, &msg->line.req.method) != 0)
        return PJ_TRUE;
    if ((rdata->msg_info.max_fwd && rdata->msg_info.max_fwd->ivalue > 255) || body_is_blank(msg))
        return PJ_TRUE;
    octets = body_octets(rdata);
    return octets < 0 || (clen && clen->len != 0 && (clen->len < 0 || clen->len > octets || !rdata->msg_info.ctype));
}

static int uri_verdict(const pjsip_uri *uri)
{
    static const pj_str_t tel = {"tel", 3};

    if (PJSIP_URI_SCHEME_IS_SIP(uri) || PJSIP_URI_SCHEME_IS_SIPS(uri)) {
        const pjsip_sip_uri *sip = (const pjsip_sip_uri *)pjsip_uri_get_uri(uri);

        return pj_list_empty(&sip->header_param) ? PASS : 400; /* no headers in a Request-URI, RFC 3261 19.1.1 */
    }
    return pj_stricmp(pjsip_uri_get_scheme(uri), &tel) == 0 ? PASS : 416;
}

/* The extensions in Require that we do not know, as an Unsupported header in the pool of the message; else NULL. */
static pjsip_hdr *unsupported(pjsip_rx_data *rdata)
{
    const pjsip_require_hdr *require = rdata->msg_info.require;
    pjsip_unsupported_hdr *hdr = NULL;

    for (unsigned i = 0; require && i < require->count; i++) {
        if (listed(&require->values[i], supported, PJ_ARRAY_SIZE(supported)))
            continue;
        if (!hdr)
            hdr = pjsip_unsupported_hdr_create(rdata->tp_info.pool);
        hdr->values[hdr->count++] = require->values[i]; /* never more than Require held */
    }
    return (pjsip_hdr *)hdr;
}

/* Whether a transaction lives already: a retransmission must not be refused because the house is full by now. */
static pj_bool_t is_retransmission(pjsip_rx_data *rdata)
{
    pj_str_t key;

    return pjsip_tsx_create_key(rdata->tp_info.pool, &key, PJSIP_ROLE_UAS, &rdata->msg_info.cseq->method, rdata) ==
               PJ_SUCCESS &&
           pjsip_tsx_layer_find_tsx(&key, PJ_FALSE) != NULL;
}

pj_bool_t gate_is_full(pjsip_rx_data *rdata)
{
    return rdata->msg_info.msg->line.req.method.id == PJSIP_INVITE_METHOD && !is_retransmission(rdata) &&
           !admission_takes(rdata);
}

void gate_refuse_full(pjsip_rx_data *rdata)
{
    refuse_with(rdata, 503, (pjsip_hdr *)pjsip_retry_after_hdr_create(rdata->tp_info.pool, admission_retry_after()));
}

/* --- strangers --------------------------------------------------------------------------------------------- */

/* A carrier's in-dialog request may come from another of his addresses: who knows both tags of a call is no stranger. */
static pj_bool_t is_of_a_dialog(pjsip_rx_data *rdata)
{
    const pj_str_t *tag = &rdata->msg_info.to->tag;

    return tag->slen > 0 &&
           pjsip_ua_find_dialog(&rdata->msg_info.cid->id, tag, &rdata->msg_info.from->tag, PJ_FALSE) != NULL;
}

/* What the listener says of a source: STRANGERS_PASS for trunks, offices, and whoever is in a dialog with us. */
static enum strangers stranger_verdict(pjsip_rx_data *rdata, enum who kind)
{
    enum strangers rule = place_strangers(place_of(rdata->tp_info.transport));

    if (rule == STRANGERS_PASS || kind == KIND_TRUNK)
        return STRANGERS_PASS;
    if (rule != STRANGERS_ASK)
        return kind != KIND_UNKNOWN || is_of_a_dialog(rdata) ? STRANGERS_PASS : rule;
    switch (rdata->msg_info.msg->line.req.method.id) {
    case PJSIP_REGISTER_METHOD:
        return STRANGERS_ASK;
    case PJSIP_INVITE_METHOD:
        return rdata->msg_info.to->tag.slen || is_retransmission(rdata) ? STRANGERS_PASS : STRANGERS_ASK;
    default:
        return STRANGERS_PASS;
    }
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

static int invite_verdict(pjsip_rx_data *rdata, pj_bool_t asked)
{
    if (rdata->msg_info.max_fwd && rdata->msg_info.max_fwd->ivalue == 0)
        return 483; /* we would send it on as a second leg */
    return !asked && gate_is_full(rdata) ? 503 : PASS; /* who is asked about is admitted when he is let in */
}

static pj_bool_t on_rx_request(pjsip_rx_data *rdata)
{
    const pjsip_method *method = &rdata->msg_info.msg->line.req.method;
    pj_bool_t in_dialog = rdata->msg_info.to->tag.slen > 0;
    enum who kind = place_origin(place_of(rdata->tp_info.transport), &rdata->pkt_info.src_addr).kind;
    enum strangers stranger = stranger_verdict(rdata, kind);
    pjsip_hdr *header;
    int code = PASS;

    count(COUNT_REQUESTS);
    if (stranger == STRANGERS_DROP) {
        count(COUNT_DROPPED_STRANGER);
        return PJ_TRUE;
    }
    names_forget_maddr(rdata);
    body_trim(rdata);
    if (is_broken(rdata)) {
        if (method->id != PJSIP_ACK_METHOD)
            return refuse(rdata, 400, NULL);
        count(COUNT_BROKEN_ACKS);
        return PJ_TRUE;
    }
    if (method->id == PJSIP_CANCEL_METHOD && asked_cancel(rdata))
        return PJ_TRUE;
    if (method->id == PJSIP_ACK_METHOD || method->id == PJSIP_CANCEL_METHOD)
        goto pass; /* they belong to an INVITE transaction; Require does not apply (RFC 3261 8.2.2.3) */
    if (stranger == STRANGERS_REFUSE) {
        count(COUNT_REFUSED_STRANGER);
        return refuse(rdata, 403, NULL);
    }
    if (!in_dialog || method->id == PJSIP_REGISTER_METHOD) { /* a REGISTER never belongs to a dialog, tag or not */
        if (stranger != STRANGERS_ASK)
            code = method_verdict(method);
        if (code == PASS)
            code = uri_verdict(rdata->msg_info.msg->line.req.uri);
    }
    if (code != PASS)
        return refuse(rdata, code, code == 405 || code == 501 ? &allow_list : NULL);
    if (!in_dialog && method->id == PJSIP_INVITE_METHOD && !replaces_take(rdata) && !is_retransmission(rdata))
        return refuse(rdata, 403, NULL);
    if ((header = unsupported(rdata)))
        return refuse_with(rdata, 420, header);
    if (!in_dialog && method->id == PJSIP_INVITE_METHOD)
        code = invite_verdict(rdata, stranger == STRANGERS_ASK);
    else if (!in_dialog && method->id == PJSIP_OPTIONS_METHOD && admission_is_draining())
        code = 503; /* draining: tell the load balancer */
    if (code == 503) {
        gate_refuse_full(rdata);
        return PJ_TRUE;
    }
    if (code != PASS)
        return refuse(rdata, code, NULL);
    oldhold_read(rdata);
pass:
    names_read(rdata);
    soundless_read(rdata);
    if (stranger == STRANGERS_ASK)
        return ask(rdata, kind);
    count(COUNT_ADMITTED);
    return PJ_FALSE;
}

/* What a far end says of an INVITE that we have given up. pjsua tells nobody: for it the call is over. */
static void count_late(pjsip_rx_data *rdata)
{
    int code = rdata->msg_info.msg->line.status.code;
    pjsip_transaction *tsx;
    pjsip_dialog *dlg;
    pjsip_inv_session *inv;
    pj_str_t key;

    if (rdata->msg_info.cseq->method.id != PJSIP_INVITE_METHOD || code <= 100 || code >= 300)
        return;
    if (pjsip_tsx_create_key(rdata->tp_info.pool, &key, PJSIP_ROLE_UAC, &rdata->msg_info.cseq->method, rdata))
        return;
    tsx = pjsip_tsx_layer_find_tsx(&key, PJ_FALSE);
    dlg = tsx ? pjsip_tsx_get_dlg(tsx) : NULL;
    inv = dlg ? pjsip_dlg_get_inv_session(dlg) : NULL;
    if (inv && inv->cancelling)
        count(code < 200 ? COUNT_LATE_RINGING : COUNT_LATE_ANSWERS);
}

static pj_bool_t on_rx_response(pjsip_rx_data *rdata)
{
    trying_note(rdata);
    count_late(rdata);
    body_trim(rdata);
    if (body_is_blank(rdata->msg_info.msg)) {
        count(COUNT_BLANK_ANSWERS);
        rdata->msg_info.msg->body = NULL;
    }
    names_read(rdata);
    soundless_read(rdata);
    return PJ_FALSE;
}

static pj_status_t on_tx(pjsip_tx_data *tdata)
{
    usage_watch(tdata);
    outgoing_tidy(tdata);
    return PJ_SUCCESS;
}

static pj_status_t on_unload(void)
{
    asked_clear();
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

    keep_only(endpt, PJSIP_H_ALLOW, allowed, PJ_ARRAY_SIZE(allowed));
    keep_only(endpt, PJSIP_H_SUPPORTED, supported, PJ_ARRAY_SIZE(supported));
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
