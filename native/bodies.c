/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Bodies made fit for PJSIP's parsers: cut to Content-Length, and no SDP that is nothing but line ends. pjmedia_sdp_parse
 * (2.17) skips leading line ends outside its own exception frame: where the bytes behind such a body are line ends too
 * (the next part of a multipart, octets behind Content-Length), it throws into nowhere and the process dies. */
#include "internal.h"

static pj_bool_t is_type(const pjsip_msg_body *body, const char *type)
{
    return pj_stricmp2(&body->content_type.type, type) == 0;
}

static pj_bool_t is_blank(const pjsip_msg_body *body)
{
    const char *data = body->data;

    if (!data)
        return PJ_TRUE;
    for (unsigned i = 0; i < body->len; i++)
        if (data[i] != '\r' && data[i] != '\n')
            return PJ_FALSE;
    return PJ_TRUE;
}

/* Octets after Content-Length are not part of the body (RFC 3261 18.3); PJSIP takes the whole datagram.
 * A multipart body has been taken apart already, and ends at its closing boundary. */
void body_trim(pjsip_rx_data *rdata)
{
    pjsip_msg *msg = rdata->msg_info.msg;
    const pjsip_clen_hdr *clen = rdata->msg_info.clen;

    if (!clen || !msg->body || clen->len < 0)
        return;
    if (clen->len == 0)
        msg->body = NULL;
    else if (!is_type(msg->body, "multipart") && (unsigned)clen->len < msg->body->len)
        msg->body->len = (unsigned)clen->len;
}

pj_bool_t body_is_blank(const pjsip_msg *msg)
{
    if (!msg->body)
        return PJ_FALSE;
    if (!is_type(msg->body, "multipart"))
        return is_blank(msg->body);
    for (pjsip_multipart_part *part = pjsip_multipart_get_first_part(msg->body); part;
         part = pjsip_multipart_get_next_part(msg->body, part))
        if (part->body && is_type(part->body, "application") &&
            pj_stricmp2(&part->body->content_type.subtype, "sdp") == 0 && is_blank(part->body))
            return PJ_TRUE;
    return PJ_FALSE;
}
