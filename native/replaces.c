/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * INVITE with Replaces (RFC 3891). pjsua would hand the replaced call to anybody who knows its tags. Here it goes on as an
 * INVITE without that header, where it names a living call with somebody at the sender's own address, or the sender has
 * yet to show his password; Python, which sees the message as it came, then finds out whose call that is. Everybody else
 * gets 403. */
#include "internal.h"

static const pj_str_t name = {"Replaces", 8};

/* Whether the far end of the dialog is where this request comes from: by the address that our messages to it went to
 * first, which is a phone's behind address translation too, or by the one that it names itself. */
static pj_bool_t is_at_home(const pjsip_dialog *dlg, const pjsip_rx_data *rdata)
{
    const pjsip_contact_hdr *contact = dlg->remote.contact;
    const pj_sockaddr *home = usage_home(dlg);
    const pjsip_sip_uri *uri;

    if (home && same_address(home, &rdata->pkt_info.src_addr))
        return PJ_TRUE;
    if (!contact || !contact->uri || !(PJSIP_URI_SCHEME_IS_SIP(contact->uri) || PJSIP_URI_SCHEME_IS_SIPS(contact->uri)))
        return PJ_FALSE;
    uri = (const pjsip_sip_uri *)pjsip_uri_get_uri(contact->uri);
    return pj_stricmp2(&uri->host, rdata->pkt_info.src_name) == 0;
}

/* Require: replaces is met by what we do; nothing else of PJSIP's is to stumble over it. */
static void unrequire(pjsip_rx_data *rdata)
{
    pjsip_require_hdr *require = rdata->msg_info.require;
    unsigned kept = 0;

    if (!require)
        return;
    for (unsigned i = 0; i < require->count; i++)
        if (pj_stricmp2(&require->values[i], "replaces") != 0)
            require->values[kept++] = require->values[i];
    require->count = kept;
    if (!kept) {
        pj_list_erase(require);
        rdata->msg_info.require = NULL;
    }
}

pj_bool_t replaces_take(pjsip_rx_data *rdata, pj_bool_t asked)
{
    pjsip_replaces_hdr *replaces = pjsip_msg_find_hdr_by_name(rdata->msg_info.msg, &name, NULL);
    const pjsip_dialog *dlg;

    if (!replaces)
        return PJ_TRUE;
    if (!refer_is_decided() || pjsip_msg_find_hdr_by_name(rdata->msg_info.msg, &name, replaces->next) ||
        !replaces->call_id.slen || !replaces->to_tag.slen || !replaces->from_tag.slen)
        return PJ_FALSE;
    dlg = pjsip_ua_find_dialog(&replaces->call_id, &replaces->to_tag, &replaces->from_tag, PJ_FALSE);
    if (!dlg || (!asked && !is_at_home(dlg, rdata)))
        return PJ_FALSE;
    pj_list_erase(replaces);
    unrequire(rdata);
    return PJ_TRUE;
}
