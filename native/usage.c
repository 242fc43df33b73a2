/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A dialog usage of ours on every call's dialog. It answers, through the transaction, what pjsua answers wrongly in a
 * dialog: OPTIONS and INFO (500 there), REFER (accepted there, and dialled; here Python decides), NOTIFY, MESSAGE and
 * unknown methods.
 * ACK, CANCEL, BYE, PRACK, UPDATE, INVITE and DTMF by INFO (application/dtmf-relay) stay with PJSIP.
 * And it keeps early SDP from PJSIP where nobody has offered. */
#include <pjsip_simple.h>

#include "internal.h"

static pj_bool_t on_rx_request(pjsip_rx_data *rdata);
static void on_tsx_state(pjsip_transaction *tsx, pjsip_event *event);

static pjsip_module usage = {
    .name = {"mod-tandem-usage", 16},
    .id = -1,
    .priority = PJSIP_MOD_PRIORITY_DIALOG_USAGE - 1, /* before the INVITE usage */
    .on_rx_request = &on_rx_request,
    .on_tsx_state = &on_tsx_state,
};

enum kind { THEIRS, OPTIONS, INFO, REFER, NOTIFY, UNWANTED, UNKNOWN };

static const struct {
    pj_str_t name;
    enum kind kind;
} kinds[] = {
    {{"INVITE", 6}, THEIRS},     {{"ACK", 3}, THEIRS},       {{"CANCEL", 6}, THEIRS},   {{"BYE", 3}, THEIRS},
    {{"PRACK", 5}, THEIRS},      {{"UPDATE", 6}, THEIRS},    {{"OPTIONS", 7}, OPTIONS}, {{"INFO", 4}, INFO},
    {{"REFER", 5}, REFER},       {{"NOTIFY", 6}, NOTIFY},    {{"MESSAGE", 7}, UNWANTED}, {{"SUBSCRIBE", 9}, UNWANTED},
    {{"PUBLISH", 7}, UNWANTED},  {{"REGISTER", 8}, UNWANTED},
};

static pj_bool_t is_dtmf_relay(const pjsip_msg *msg)
{
    static const pj_str_t application = {"application", 11}, dtmf_relay = {"dtmf-relay", 10};

    return msg->body && msg->body->len && pj_stricmp(&msg->body->content_type.type, &application) == 0 &&
           pj_stricmp(&msg->body->content_type.subtype, &dtmf_relay) == 0;
}

static enum kind kind_of(const pjsip_dialog *dlg, const pjsip_msg *msg)
{
    const pj_str_t *name = &msg->line.req.method.name;
    enum kind kind = UNKNOWN;

    for (unsigned i = 0; i < PJ_ARRAY_SIZE(kinds); i++)
        if (pj_strcmp(&kinds[i].name, name) == 0)
            kind = kinds[i].kind;
    if (kind == INFO && is_dtmf_relay(msg))
        return THEIRS;
    /* A subscription that we opened in this dialog has a usage of its own. */
    if (kind == NOTIFY && pjsip_dlg_has_usage((pjsip_dialog *)dlg, pjsip_evsub_instance()))
        return THEIRS;
    return kind;
}

/* After the session has ended the dialog lingers for its transactions (32 s): to the peer it is dead. */
static pj_bool_t is_dead(pjsip_dialog *dlg)
{
    const pjsip_inv_session *inv = pjsip_dlg_get_inv_session(dlg);

    return !inv || inv->state == PJSIP_INV_STATE_DISCONNECTED;
}

/* BYE and CANCEL in a dead dialog are answered by PJSIP; INVITE, UPDATE and PRACK it would leave without an answer. */
static pj_bool_t is_ours(pjsip_dialog *dlg, const pjsip_msg *msg)
{
    int id = msg->line.req.method.id;

    if (id == PJSIP_ACK_METHOD || id == PJSIP_BYE_METHOD || id == PJSIP_CANCEL_METHOD)
        return PJ_FALSE;
    return kind_of(dlg, msg) != THEIRS || is_dead(dlg);
}

/* Only claims the request: the transaction has not seen it yet, an answer here would crash. */
static pj_bool_t on_rx_request(pjsip_rx_data *rdata)
{
    pjsip_dialog *dlg = pjsip_rdata_get_dlg(rdata);

    return dlg && is_ours(dlg, rdata->msg_info.msg);
}

static void respond(pjsip_dialog *dlg, pjsip_rx_data *rdata, int code, const pjsip_hdr *headers)
{
    if (pjsip_dlg_respond(dlg, rdata, code, NULL, headers, NULL) != PJ_SUCCESS)
        count(COUNT_UNSENT);
}

static void pass_up(const pjsip_dialog *dlg, const pjsip_rx_data *rdata)
{
    passed_up_push(&dlg->call_id->id, dlg->role == PJSIP_ROLE_UAS, &rdata->msg_info.msg->line.req.method.name,
                   rdata->msg_info.msg_buf, rdata->msg_info.len);
}

static void respond_options(pjsip_dialog *dlg, pjsip_rx_data *rdata)
{
    static const int types[] = {PJSIP_H_ALLOW, PJSIP_H_ACCEPT, PJSIP_H_SUPPORTED}; /* RFC 3261 11.2 */
    pjsip_hdr list;

    pj_list_init(&list);
    for (unsigned i = 0; i < PJ_ARRAY_SIZE(types); i++) {
        const pjsip_hdr *hdr = pjsip_endpt_get_capability(dlg->endpt, types[i], NULL);

        if (hdr)
            pj_list_push_back(&list, pjsip_hdr_clone(rdata->tp_info.pool, hdr));
    }
    respond(dlg, rdata, 200, &list);
}

/* 202, and NOTIFYs will tell what comes of it; or there will be none, as the peer has wished (RFC 4488 4). */
static void respond_refer(pjsip_dialog *dlg, pjsip_rx_data *rdata)
{
    static const pj_str_t name = {"Refer-Sub", 9}, no = {"false", 5};
    pj_bool_t subscribed;
    int code = refer_status(dlg, rdata, &subscribed);
    pjsip_hdr list;

    pj_list_init(&list);
    if (code < 300 && !subscribed)
        pj_list_push_back(&list, pjsip_generic_string_hdr_create(rdata->tp_info.pool, &name, &no));
    count(code < 300 ? COUNT_REFER_TAKEN : COUNT_REFER_REFUSED);
    respond(dlg, rdata, code, &list);
}

/* Allow-Events belongs to it (RFC 6665 8.2.2): the one package that we have is that of our NOTIFYs about transfers. */
static void refuse_event(pjsip_dialog *dlg, pjsip_rx_data *rdata)
{
    static const pj_str_t name = {"Allow-Events", 12}, refer = {"refer", 5};
    pjsip_hdr list;

    pj_list_init(&list);
    pj_list_push_back(&list, pjsip_generic_string_hdr_create(rdata->tp_info.pool, &name, &refer));
    respond(dlg, rdata, 489, &list);
}

static void answer(pjsip_dialog *dlg, pjsip_rx_data *rdata)
{
    const pjsip_msg *msg = rdata->msg_info.msg;

    if (is_dead(dlg)) {
        count(COUNT_DIALOG_DEAD);
        respond(dlg, rdata, 481, NULL);
        return;
    }
    switch (kind_of(dlg, msg)) {
    case OPTIONS:
        count(COUNT_DIALOG_OPTIONS);
        if (msg->body)
            pass_up(dlg, rdata);
        respond_options(dlg, rdata);
        break;
    case INFO:
        count(COUNT_DIALOG_INFO);
        pass_up(dlg, rdata);
        respond(dlg, rdata, 200, NULL);
        break;
    case REFER:
        count(COUNT_DIALOG_REFER);
        respond_refer(dlg, rdata);
        break;
    case NOTIFY:
        /* Not 481: some peers read that as the end of the call, and it is only the event we do not know. */
        count(COUNT_DIALOG_NOTIFY);
        refuse_event(dlg, rdata);
        break;
    case UNWANTED:
        count(COUNT_DIALOG_OTHER);
        respond(dlg, rdata, 405, gate_allow_list());
        break;
    case UNKNOWN:
        count(COUNT_DIALOG_OTHER);
        respond(dlg, rdata, 501, gate_allow_list());
        break;
    case THEIRS:
        break;
    }
}

/* SDP in a provisional answer to an INVITE of ours without an offer: no offer yet, a preview only, for the answer is not
 * reliable (RFC 3262 5, RFC 6337 3.1.1). PJSIP would take it for one, fail to answer it (its media is not set up before
 * the call is answered) and end the call. Phones do not answer reliably: we do not offer them 100rel then. */
static void drop_preview(const pjsip_transaction *tsx, const pjsip_event *event)
{
    pjsip_rx_data *rdata = event->body.tsx_state.src.rdata;

    if (tsx->role == PJSIP_ROLE_UAC && tsx->method.id == PJSIP_INVITE_METHOD &&
        tsx->state == PJSIP_TSX_STATE_PROCEEDING && event->body.tsx_state.type == PJSIP_EVENT_RX_MSG &&
        tsx->last_tx && !tsx->last_tx->msg->body)
        rdata->msg_info.msg->body = NULL;
}

/* A NOTIFY of ours that the peer knows no subscription for, or does not answer, ends the subscription and nothing else
 * (RFC 5057 5.1); PJSIP would send BYE. */
static void spare_the_call(pjsip_transaction *tsx)
{
    static const pj_str_t notify = {"NOTIFY", 6};

    if (tsx->role == PJSIP_ROLE_UAC && pj_strcmp(&tsx->method.name, &notify) == 0 &&
        (tsx->status_code == PJSIP_SC_CALL_TSX_DOES_NOT_EXIST || tsx->status_code == PJSIP_SC_REQUEST_TIMEOUT))
        tsx->status_code = PJSIP_SC_BAD_EVENT;
}

/* Called once per request with the transaction in TRYING: a retransmission is answered by the transaction itself. */
static void on_tsx_state(pjsip_transaction *tsx, pjsip_event *event)
{
    pjsip_dialog *dlg = pjsip_tsx_get_dlg(tsx);

    drop_preview(tsx, event);
    spare_the_call(tsx);
    half_open_over(tsx);
    if (dlg && tsx->role == PJSIP_ROLE_UAS && tsx->state == PJSIP_TSX_STATE_TRYING &&
        event->body.tsx_state.type == PJSIP_EVENT_RX_MSG &&
        is_ours(dlg, event->body.tsx_state.src.rdata->msg_info.msg))
        answer(dlg, event->body.tsx_state.src.rdata);
}

/* Via tells the peer the same address as Contact: a transport knows one address and port, but a listener has two faces
 * (the advertised one, and the bound one for its local networks). The first request has its Via by now. */
static void name_ourselves(pjsip_dialog *dlg, pjsip_tx_data *tdata)
{
    const pjsip_contact_hdr *contact = dlg->local.contact;
    const pjsip_sip_uri *uri;
    pjsip_host_port sent_by;
    pjsip_via_hdr *via;

    if (!contact || !contact->uri || !PJSIP_URI_SCHEME_IS_SIP(contact->uri))
        return;
    uri = (const pjsip_sip_uri *)pjsip_uri_get_uri(contact->uri);
    sent_by.host = uri->host;
    sent_by.port = uri->port ? uri->port : 5060;
    pjsip_dlg_set_via_sent_by(dlg, &sent_by, NULL);
    if (tdata->msg->type == PJSIP_REQUEST_MSG && (via = pjsip_msg_find_hdr(tdata->msg, PJSIP_H_VIA, NULL)))
        via->sent_by = tdata->via_addr = dlg->via_addr; /* a CANCEL of this INVITE takes it from tdata */
}

const pj_sockaddr *usage_home(const pjsip_dialog *dlg)
{
    return usage.id >= 0 ? dlg->mod_data[usage.id] : NULL;
}

void usage_watch(pjsip_tx_data *tdata)
{
    pjsip_dialog *dlg = pjsip_tdata_get_dlg(tdata);

    if (dlg && usage.id >= 0 && !pjsip_dlg_has_usage(dlg, &usage)) {
        const pj_sockaddr *to = &tdata->tp_info.dst_addr;
        pj_sockaddr *home = tdata->tp_info.transport && to->addr.sa_family ? PJ_POOL_ALLOC_T(dlg->pool, pj_sockaddr) : NULL;

        if (home)
            pj_sockaddr_cp(home, to);
        pjsip_dlg_add_usage(dlg, &usage, home);
        name_ourselves(dlg, tdata);
    }
}

pj_status_t usage_start(pjsip_endpoint *endpt)
{
    return pjsip_endpt_register_module(endpt, &usage);
}

pj_status_t usage_stop(pjsip_endpoint *endpt)
{
    return pjsip_endpt_unregister_module(endpt, &usage);
}
