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

/* 1: this URI's host is that address; 0: it is another; -1: it is a name, nobody knows (and nobody is asked here). */
static int is_at(const pjsip_uri *uri, const pj_sockaddr *source)
{
    pj_sockaddr host;
    const pjsip_sip_uri *sip;
    int family;

    if (!uri || !(PJSIP_URI_SCHEME_IS_SIP(uri) || PJSIP_URI_SCHEME_IS_SIPS(uri)))
        return 0;
    sip = (const pjsip_sip_uri *)pjsip_uri_get_uri(uri);
    family = pj_strchr(&sip->host, ':') ? pj_AF_INET6() : pj_AF_INET();
    pj_bzero(&host, sizeof(host));
    host.addr.sa_family = (pj_uint16_t)family;
    if (pj_inet_pton(family, &sip->host, pj_sockaddr_get_addr(&host)) != PJ_SUCCESS)
        return -1;
    return same_address(&host, source);
}

/* Whether a request of a call comes from where the call's far end cannot be: it would move the call (RFC 3261 12.2.2: its
 * Contact and SDP become the call's), end it, or use up its CSeq numbers. The far end may be where our first message went
 * or the first one came from, at what its Contact or its proxies (Record-Route) name, an office or a phone that has
 * registered since. And it may be any trunk: carriers have many addresses, under one name here or several, and names lead
 * elsewhere in the middle of a call. The tags alone are no secret to whoever reads along. */
pj_bool_t request_is_foreign(const pjsip_rx_data *rdata, const pjsip_dialog *dlg, struct origin origin)
{
    const pj_sockaddr *source = &rdata->pkt_info.src_addr, *home = usage_home(dlg);
    const pjsip_route_hdr *route;

    if (!home || origin.kind != KIND_UNKNOWN || same_address(home, source))
        return PJ_FALSE;
    if (dlg->remote.contact && is_at(dlg->remote.contact->uri, source))
        return PJ_FALSE;
    for (route = dlg->route_set.next; route != &dlg->route_set; route = route->next)
        if (is_at(route->name_addr.uri, source))
            return PJ_FALSE;
    return PJ_TRUE;
}
