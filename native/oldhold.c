/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Hold of the old kind (RFC 3264 8.4): an offer whose address is 0.0.0.0 wants no sound. PJSIP would answer "sendrecv"
 * and take the address over; read as "inactive", the offer gets "inactive" for its answer. */
#include <string.h>

#include "internal.h"

static pj_bool_t is_nowhere(const pjmedia_sdp_conn *conn)
{
    return conn && pj_strcmp2(&conn->addr, "0.0.0.0") == 0;
}

static void make_inactive(pj_pool_t *pool, pjmedia_sdp_media *media)
{
    static const char *const directions[] = {"sendrecv", "sendonly", "recvonly", "inactive"};

    for (unsigned i = 0; i < PJ_ARRAY_SIZE(directions); i++)
        pjmedia_sdp_media_remove_all_attr(media, directions[i]);
    pjmedia_sdp_media_add_attr(media, pjmedia_sdp_attr_create(pool, "inactive", NULL));
}

/* PJSIP parses the SDP of a received message once and keeps it: changed here, it is what everybody sees. */
void oldhold_read(pjsip_rx_data *rdata)
{
    const pjsip_msg_body *body = rdata->msg_info.msg->body;
    const pjsip_rdata_sdp_info *info;

    if (!body || !body->data || !memmem(rdata->msg_info.msg_buf, (size_t)rdata->msg_info.len, " 0.0.0.0", 8))
        return;
    info = pjsip_rdata_get_sdp_info(rdata);
    if (!info || info->sdp_err != PJ_SUCCESS || !info->sdp)
        return;
    for (unsigned i = 0; i < info->sdp->media_count; i++) {
        pjmedia_sdp_media *media = info->sdp->media[i];

        if (is_nowhere(media->conn ? media->conn : info->sdp->conn))
            make_inactive(rdata->tp_info.pool, media);
    }
}
