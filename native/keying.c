/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Whether the keys of an offer can be agreed on by the account that is to answer it. Where they cannot, PJSIP finds out
 * only when it has begun with the sound, and then it uses the call once more that its own refusal has just ended. */
#include "internal.h"
#include "tandem.h"

static pj_bool_t has_fingerprint(const pjmedia_sdp_session *sdp, const pjmedia_sdp_media *media)
{
    return pjmedia_sdp_media_find_attr2(media, "fingerprint", NULL) ||
           pjmedia_sdp_attr_find2(sdp->attr_count, sdp->attr, "fingerprint", NULL);
}

/* RFC 4568 6.1 and RFC 5764 8: keys in the SDP go with RTP/SAVP (or, offered beside plain sound, RTP/AVP); DTLS shows a
 * fingerprint, whatever the profile. */
static pj_bool_t can_be_answered(const pjmedia_sdp_session *sdp, const pjmedia_sdp_media *media, int srtp, int keys)
{
    pj_uint32_t proto = pjmedia_sdp_transport_get_proto(&media->desc.transport);

    PJMEDIA_TP_PROTO_TRIM_FLAG(proto, PJMEDIA_TP_PROFILE_RTCP_FB);
    if (srtp == PJMEDIA_SRTP_DISABLED)
        return proto == PJMEDIA_TP_PROTO_RTP_AVP;
    if (keys & TANDEM_KEYS_DTLS && has_fingerprint(sdp, media) &&
        PJMEDIA_TP_PROTO_HAS_FLAG(proto, PJMEDIA_TP_PROTO_RTP_AVP))
        return PJ_TRUE;
    if (!(keys & TANDEM_KEYS_SDES))
        return PJ_FALSE;
    if (proto == PJMEDIA_TP_PROTO_RTP_SAVP)
        return pjmedia_sdp_media_find_attr2(media, "crypto", NULL) != NULL;
    return proto == PJMEDIA_TP_PROTO_RTP_AVP && srtp == PJMEDIA_SRTP_OPTIONAL;
}

void tandem_offer_keys(size_t packet, int srtp, int keys)
{
    static const pj_str_t audio = {"audio", 5};
    pjsip_rx_data *rdata = (pjsip_rx_data *)packet;
    const pjsip_rdata_sdp_info *info = rdata->msg_info.msg->body ? pjsip_rdata_get_sdp_info(rdata) : NULL;

    if (!info || info->sdp_err != PJ_SUCCESS || !info->sdp)
        return;
    for (unsigned i = 0; i < info->sdp->media_count; i++) {
        pjmedia_sdp_media *media = info->sdp->media[i];

        if (pj_stricmp(&media->desc.media, &audio) == 0 && !can_be_answered(info->sdp, media, srtp, keys))
            media->desc.port = 0;
    }
}
