/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where credentials may go: an answer to a challenge leaves only towards an address of the trunk that it was made for.
 * PJSIP answers whoever asks for the right realm, and in a dialog the far end's Contact chooses whom we ask. */
#include <string.h>

#include "internal.h"
#include "tandem.h"

#define MOST_ROWS 512
#define LONGEST_REALM 128

static struct {
    char realm[LONGEST_REALM + 1];
    pj_sockaddr address; /* its port is not looked at */
} rows[MOST_ROWS];
static unsigned used;

int tandem_credentials(const char *realm, const char *address)
{
    pj_str_t text = pj_str((char *)address);

    if (used == MOST_ROWS || strlen(realm) > LONGEST_REALM)
        return PJ_ETOOMANY;
    if (pj_sockaddr_parse(strchr(address, ':') ? pj_AF_INET6() : pj_AF_INET(), 0, &text, &rows[used].address))
        return PJ_EINVAL;
    strcpy(rows[used++].realm, realm);
    return PJ_SUCCESS;
}

void tandem_credentials_clear(void)
{
    used = 0;
}

static pj_bool_t may_go(const pj_str_t *realm, const pj_sockaddr *to)
{
    for (unsigned i = 0; i < used; i++)
        if (pj_stricmp2(realm, rows[i].realm) == 0 && rows[i].address.addr.sa_family == to->addr.sa_family &&
            memcmp(pj_sockaddr_get_addr(&rows[i].address), pj_sockaddr_get_addr(to), pj_sockaddr_get_addr_len(to)) == 0)
            return PJ_TRUE;
    return PJ_FALSE;
}

static void guard(pjsip_tx_data *tdata, pjsip_hdr_e type)
{
    pjsip_hdr *hdr = pjsip_msg_find_hdr(tdata->msg, type, NULL), *next;

    for (; hdr; hdr = next) {
        next = pjsip_msg_find_hdr(tdata->msg, type, hdr->next);
        if (!may_go(&((pjsip_authorization_hdr *)hdr)->credential.digest.realm, &tdata->tp_info.dst_addr)) {
            pj_list_erase(hdr);
            count(COUNT_KEPT_CREDENTIALS);
        }
    }
}

/* Before the message is printed. */
void credentials_guard(pjsip_tx_data *tdata)
{
    if (tdata->msg->type != PJSIP_REQUEST_MSG)
        return;
    guard(tdata, PJSIP_H_AUTHORIZATION);
    guard(tdata, PJSIP_H_PROXY_AUTHORIZATION);
}
