/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Audio lines that PJSIP takes although no call can be made of them get port 0 before anybody reads them, so they are
 * refused at once (488) and no phone rings for them: an address that is a host name (PJSIP would look it up, and every
 * call of the server would wait for the name server), one of another family than ours, keys or comfort noise alone. */
#include "internal.h"
#include "ptime.h"

static pj_bool_t is_address(const pj_str_t *host, int family)
{
    char parsed[16];

    return pj_inet_pton(family, host, parsed) == PJ_SUCCESS;
}

/* Whether a format is somebody's voice. A dynamic payload type that nobody explains is not. */
static pj_bool_t is_voice(const pjmedia_sdp_media *media, const pj_str_t *format)
{
    static const pj_str_t others[] = {{"telephone-event", 15}, {"CN", 2}};
    const pjmedia_sdp_attr *attr = pjmedia_sdp_media_find_attr2(media, "rtpmap", format);
    unsigned long type = pj_strtoul(format);
    pjmedia_sdp_rtpmap map;

    if (!attr)
        return type < 96 && type != 13;
    if (pjmedia_sdp_attr_get_rtpmap(attr, &map) != PJ_SUCCESS)
        return PJ_FALSE;
    for (unsigned i = 0; i < PJ_ARRAY_SIZE(others); i++)
        if (pj_stricmp(&map.enc_name, &others[i]) == 0)
            return PJ_FALSE;
    return PJ_TRUE;
}

static pj_bool_t has_voice(const pjmedia_sdp_media *media)
{
    for (unsigned i = 0; i < media->desc.fmt_count; i++)
        if (is_voice(media, &media->desc.fmt[i]))
            return PJ_TRUE;
    return PJ_FALSE;
}

/* a=rtcp may name a host too (RFC 3605); without it RTCP goes to the port above RTP's. */
static void drop_named_rtcp(pjmedia_sdp_media *media, int family)
{
    pjmedia_sdp_attr *attr = pjmedia_sdp_media_find_attr2(media, "rtcp", NULL);
    pjmedia_sdp_rtcp_attr rtcp;

    if (attr && (pjmedia_sdp_attr_get_rtcp(attr, &rtcp) != PJ_SUCCESS ||
                 (rtcp.addr.slen && !is_address(&rtcp.addr, family))))
        pjmedia_sdp_media_remove_attr(media, attr);
}

void soundless_read(pjsip_rx_data *rdata)
{
    static const pj_str_t audio = {"audio", 5};
    int family = rdata->tp_info.transport->key.type & PJSIP_TRANSPORT_IPV6 ? pj_AF_INET6() : pj_AF_INET();
    const pjsip_rdata_sdp_info *info;

    if (!rdata->msg_info.msg->body || !(info = pjsip_rdata_get_sdp_info(rdata)) || info->sdp_err != PJ_SUCCESS ||
        !info->sdp)
        return;
    for (unsigned i = 0; i < info->sdp->media_count; i++) {
        pjmedia_sdp_media *media = info->sdp->media[i];
        const pjmedia_sdp_conn *conn = media->conn ? media->conn : info->sdp->conn;

        if (pj_stricmp(&media->desc.media, &audio) != 0)
            continue;
        drop_named_rtcp(media, family);
        ptime_limit(rdata->tp_info.pool, media);
        if ((conn && !is_address(&conn->addr, family)) || !has_voice(media))
            media->desc.port = 0;
    }
}
