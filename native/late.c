/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Late words of a far end about a call that was given up. */
#include "internal.h"

/* What a far end says of an INVITE that we have given up. pjsua tells nobody: for it the call is over. */
void late_count(pjsip_rx_data *rdata)
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
