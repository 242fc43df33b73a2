/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who a request is from, as far as calls tell it: whether it belongs to one, whether it comes from where that call's far
 * end is, and what its listener says of everybody else. */
#include "internal.h"

static const pj_str_t refer = {"REFER", 5};

/* A retransmission must not be refused because the house is full by now. */
pj_bool_t request_is_known(pjsip_rx_data *rdata)
{
    pj_str_t key;

    return pjsip_tsx_create_key(rdata->tp_info.pool, &key, PJSIP_ROLE_UAS, &rdata->msg_info.cseq->method, rdata) ==
               PJ_SUCCESS &&
           pjsip_tsx_layer_find_tsx(&key, PJ_FALSE) != NULL;
}

/* A carrier's in-dialog request may come from another of his addresses: who knows both tags of a call is no stranger. */
const pjsip_dialog *request_dialog(const pjsip_rx_data *rdata)
{
    const pj_str_t *tag = &rdata->msg_info.to->tag;

    return tag->slen > 0 ? pjsip_ua_find_dialog(&rdata->msg_info.cid->id, tag, &rdata->msg_info.from->tag, PJ_FALSE)
                         : NULL;
}

/* What the listener says of a source: STRANGERS_PASS for trunks, offices, and whoever is in a dialog with us. */
enum strangers stranger_verdict(pjsip_rx_data *rdata, int place, enum who kind, pj_bool_t of_a_dialog)
{
    const pjsip_method *method = &rdata->msg_info.msg->line.req.method;
    enum strangers rule = place_strangers(place);

    if (rule == STRANGERS_PASS || kind == KIND_TRUNK)
        return STRANGERS_PASS;
    if (rule != STRANGERS_ASK)
        return kind != KIND_UNKNOWN || of_a_dialog ? STRANGERS_PASS : rule;
    if (method->id == PJSIP_REGISTER_METHOD)
        return STRANGERS_ASK;
    if (rdata->msg_info.to->tag.slen)
        return STRANGERS_PASS;
    if (method->id == PJSIP_INVITE_METHOD)
        return request_is_known(rdata) ? STRANGERS_PASS : STRANGERS_ASK;
    /* who asks us to call somebody shows who he is, as if he called himself */
    return pj_strcmp(&method->name, &refer) == 0 ? STRANGERS_ASK : STRANGERS_PASS;
}

/* 1: this URI's host is that address; 0: it is another; -1: it is a name, nobody knows. */
static int is_at(const pjsip_uri *uri, const pj_sockaddr *source)
{
    pj_sockaddr host;
    const pjsip_sip_uri *sip;

    if (!uri || !(PJSIP_URI_SCHEME_IS_SIP(uri) || PJSIP_URI_SCHEME_IS_SIPS(uri)))
        return 0;
    sip = (const pjsip_sip_uri *)pjsip_uri_get_uri(uri);
    if (pj_sockaddr_parse(pj_AF_UNSPEC(), 0, &sip->host, &host) != PJ_SUCCESS)
        return -1;
    return same_address(&host, source);
}

/* Whether a request that would move the far end of a call (RFC 3261 12.2.2: its Contact, and the SDP, become those of the
 * call) comes from where that far end cannot be. It may be where our first message went or the first one came from, at
 * what its Contact or its proxies (Record-Route) name, at another address of the same trunk, an office or a phone that has
 * registered since. The tags alone are no secret to whoever reads along. */
pj_bool_t request_is_foreign(pjsip_rx_data *rdata, const pjsip_dialog *dlg, int place, struct origin origin)
{
    const pj_sockaddr *source = &rdata->pkt_info.src_addr, *home = usage_home(dlg);
    const pjsip_route_hdr *route;
    struct origin of_home;

    if (!home || !pjsip_method_creates_dialog(&rdata->msg_info.msg->line.req.method) || same_address(home, source) ||
        origin.kind == KIND_PHONE || origin.kind == KIND_OFFICE)
        return PJ_FALSE;
    of_home = place_origin(place, home);
    if (origin.kind == KIND_TRUNK && of_home.kind == KIND_TRUNK &&
        (origin.number == of_home.number || origin.number < 0 || of_home.number < 0))
        return PJ_FALSE;
    if (dlg->remote.contact && is_at(dlg->remote.contact->uri, source))
        return PJ_FALSE;
    for (route = dlg->route_set.next; route != &dlg->route_set; route = route->next)
        if (is_at(route->name_addr.uri, source))
            return PJ_FALSE;
    return PJ_TRUE;
}
