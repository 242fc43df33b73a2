/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Phones behind address translation name an address in Contact and Via that leads nowhere from here. Python tells which
 * sockets they are seen at (the registrar knows); their ACKs, BYEs and answers then go there (RFC 3581, RFC 5626 3.2). */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "tandem.h"

#define BUCKETS 4096 /* a power of two */
#define MOST_SOCKETS 65536

struct seen {
    struct seen *next;
    unsigned char address[16];
    int bytes;
    int port;
    int times; /* several extensions may share a socket: a gateway, or a phone with two lines */
};

static struct seen *buckets[BUCKETS];
static int used;

static struct seen **find(const unsigned char *address, int bytes, int port)
{
    struct seen **at = &buckets[pj_hash_calc((pj_uint32_t)port, address, (unsigned)bytes) & (BUCKETS - 1)];

    while (*at && ((*at)->port != port || (*at)->bytes != bytes || memcmp((*at)->address, address, (size_t)bytes) != 0))
        at = &(*at)->next;
    return at;
}

int tandem_nat(const char *address, int port, int on)
{
    pj_str_t text = pj_str((char *)address);
    unsigned char bytes[16];
    pj_sockaddr socket;
    struct seen **at, *seen;
    int n;

    if (port < 1 || port > 65535 ||
        pj_sockaddr_init(strchr(address, ':') ? pj_AF_INET6() : pj_AF_INET(), &socket, &text, 0) != PJ_SUCCESS)
        return PJ_EINVAL;
    n = plain_address(&socket, bytes);
    at = find(bytes, n, port);
    if (!on) {
        if ((seen = *at) && --seen->times == 0) {
            *at = seen->next;
            free(seen);
            used--;
        }
        return PJ_SUCCESS;
    }
    if (*at) {
        (*at)->times++;
        return PJ_SUCCESS;
    }
    if (used == MOST_SOCKETS || !(seen = malloc(sizeof *seen)))
        return PJ_ENOMEM;
    *seen = (struct seen){.bytes = n, .port = port, .times = 1};
    memcpy(seen->address, bytes, (size_t)n);
    *at = seen;
    used++;
    return PJ_SUCCESS;
}

void nat_clear(void)
{
    for (int i = 0; used && i < BUCKETS; i++)
        while (buckets[i]) {
            struct seen *seen = buckets[i];

            buckets[i] = seen->next;
            free(seen);
            used--;
        }
}

/* A phone that does not ask for it gets its answers where it has sent from all the same: it is on a listener of phones,
 * and its own port is the one it knows, not the one we see. */
static void answer_to_source(pjsip_rx_data *rdata)
{
    pjsip_via_hdr *via = rdata->msg_info.via;

    if (via->rport_param < 0 && rdata->tp_info.transport->flag & PJSIP_TRANSPORT_DATAGRAM &&
        place_strangers(place_of(rdata->tp_info.transport)) == STRANGERS_ASK)
        via->rport_param = rdata->pkt_info.src_port;
}

void nat_read(pjsip_rx_data *rdata)
{
    pjsip_msg *msg = rdata->msg_info.msg;
    pjsip_contact_hdr *contact;
    pjsip_sip_uri *uri;
    unsigned char address[16];
    int bytes;

    if (msg->type == PJSIP_REQUEST_MSG)
        answer_to_source(rdata);
    if (!used)
        return;
    bytes = plain_address(&rdata->pkt_info.src_addr, address);
    if (!*find(address, bytes, rdata->pkt_info.src_port) || pjsip_msg_find_hdr(msg, PJSIP_H_RECORD_ROUTE, NULL))
        return; /* a proxy that stays in the way knows the phone's address */
    contact = pjsip_msg_find_hdr(msg, PJSIP_H_CONTACT, NULL);
    if (!contact || contact->star || !contact->uri ||
        (!PJSIP_URI_SCHEME_IS_SIP(contact->uri) && !PJSIP_URI_SCHEME_IS_SIPS(contact->uri)))
        return;
    uri = (pjsip_sip_uri *)pjsip_uri_get_uri(contact->uri);
    pj_strdup2(rdata->tp_info.pool, &uri->host, rdata->pkt_info.src_name);
    uri->port = rdata->pkt_info.src_port;
    uri->maddr_param.slen = 0;
    count(COUNT_TRANSLATED);
}
