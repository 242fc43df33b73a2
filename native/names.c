/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A peer whose Contact or Record-Route names a host is reached where its message came from: PJSIP would look the name up
 * for each ACK and BYE on the one SIP thread, and all calls would wait for the name server. The source goes into the
 * URI as maddr (RFC 3261 19.1.1); the name stays in the Request-URI or Route. IPv4 only: PJSIP quotes others. */
#include "internal.h"

static pj_bool_t is_name(const pj_str_t *host)
{
    char parsed[16];

    return pj_inet_pton(pj_AF_INET(), host, parsed) != PJ_SUCCESS &&
           pj_inet_pton(pj_AF_INET6(), host, parsed) != PJ_SUCCESS;
}

static void reach(pjsip_rx_data *rdata, pjsip_uri *written)
{
    pjsip_sip_uri *uri;

    if (!written || (!PJSIP_URI_SCHEME_IS_SIP(written) && !PJSIP_URI_SCHEME_IS_SIPS(written)))
        return;
    uri = (pjsip_sip_uri *)pjsip_uri_get_uri(written);
    if (is_name(uri->maddr_param.slen ? &uri->maddr_param : &uri->host))
        pj_strdup2(rdata->tp_info.pool, &uri->maddr_param, rdata->pkt_info.src_name);
}

/* The route that we shall send to: the first one of a request, the last one of a response (RFC 3261 12.1). */
static pjsip_rr_hdr *nearest_route(pjsip_msg *msg)
{
    pjsip_rr_hdr *found = NULL, *next = pjsip_msg_find_hdr(msg, PJSIP_H_RECORD_ROUTE, NULL);

    while (next) {
        found = next;
        if (msg->type == PJSIP_REQUEST_MSG)
            break;
        next = next->next == (void *)&msg->hdr ? NULL : pjsip_msg_find_hdr(msg, PJSIP_H_RECORD_ROUTE, next->next);
    }
    return found;
}

/* An answer goes where the request came from. maddr in Via serves multicast (RFC 3261 18.2.2), which nobody here does;
 * PJSIP would look its name up on the SIP thread, and would send answers to third parties. */
void names_forget_maddr(pjsip_rx_data *rdata)
{
    rdata->msg_info.via->maddr_param.slen = 0;
}

void names_read(pjsip_rx_data *rdata)
{
    pjsip_msg *msg = rdata->msg_info.msg;
    pjsip_contact_hdr *contact = pjsip_msg_find_hdr(msg, PJSIP_H_CONTACT, NULL);
    pjsip_rr_hdr *route = nearest_route(msg);

    if (rdata->tp_info.transport->key.type & PJSIP_TRANSPORT_IPV6)
        return;
    if (contact && !contact->star)
        reach(rdata, contact->uri);
    if (route)
        reach(rdata, (pjsip_uri *)&route->name_addr);
}
