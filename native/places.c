/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Our listeners, as the gate knows them: what each does with strangers, and whose networks lie behind it. A place is a
 * number, in the order in which the listeners were told. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "tandem.h"

#define MOST_PLACES 64
#define MOST_NETWORKS 1024 /* of one listener */

struct network {
    unsigned char prefix[16]; /* IPv4: the first four */
    int bytes, bits;
    struct origin origin;
};

struct place {
    int transport; /* pjsip_transport_type_e without the IPv6 flag */
    pj_sockaddr address;
    pj_bool_t any; /* bound to all addresses */
    enum strangers strangers;
    struct network *networks; /* longest prefix first */
    int n_networks, room;
};

static struct place places[MOST_PLACES];
static int known;

static int transport_of(const char *name)
{
    return strcmp(name, "udp") == 0   ? PJSIP_TRANSPORT_UDP
           : strcmp(name, "tcp") == 0 ? PJSIP_TRANSPORT_TCP
           : strcmp(name, "tls") == 0 ? PJSIP_TRANSPORT_TLS
                                      : -1;
}

static pj_bool_t same_socket(const struct place *place, int transport, const pj_sockaddr *address)
{
    return place->transport == transport && place->address.addr.sa_family == address->addr.sa_family &&
           pj_sockaddr_get_port(&place->address) == pj_sockaddr_get_port(address) &&
           (place->any || pj_sockaddr_cmp(&place->address, address) == 0);
}

/* Where its listener is bound. A connection that we have opened has a port that the kernel gave it, and what comes back
 * over it (RFC 5923) comes to the listener that it was opened for. PJSIP warns that a factory may be gone before its
 * connections: ours are those of the listeners, and stay as long as the endpoint. */
const pj_sockaddr *place_address(const pjsip_transport *transport)
{
    return transport->dir == PJSIP_TP_DIR_OUTGOING && transport->factory ? &transport->factory->local_addr
                                                                         : &transport->local_addr;
}

int place_of(const pjsip_transport *transport)
{
    int kind = transport->key.type & ~PJSIP_TRANSPORT_IPV6;
    const pj_sockaddr *here = place_address(transport);

    for (int i = 0; i < known; i++)
        if (same_socket(&places[i], kind, here))
            return i;
    return -1;
}

static pj_bool_t within(const struct network *network, const unsigned char *address, int bytes)
{
    int whole = network->bits / 8, rest = network->bits % 8;

    return network->bytes == bytes && memcmp(network->prefix, address, (size_t)whole) == 0 &&
           (rest == 0 || (network->prefix[whole] ^ address[whole]) >> (8 - rest) == 0);
}

/* An IPv4 address in IPv6 clothes is the IPv4 address. */
int plain_address(const pj_sockaddr *address, unsigned char *bytes)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    const unsigned char *at = pj_sockaddr_get_addr(address);
    unsigned len = pj_sockaddr_get_addr_len(address);

    if (len == 16 && memcmp(at, mapped, sizeof(mapped)) == 0) {
        at += 12;
        len = 4;
    }
    memcpy(bytes, at, len);
    return (int)len;
}

pj_bool_t same_address(const pj_sockaddr *one, const pj_sockaddr *other)
{
    unsigned char a[16], b[16];
    int bytes = plain_address(one, a);

    return bytes == plain_address(other, b) && memcmp(a, b, (size_t)bytes) == 0;
}

static struct origin origin(const struct place *place, const unsigned char *address, int bytes)
{
    for (int i = 0; i < place->n_networks; i++)
        if (within(&place->networks[i], address, bytes))
            return place->networks[i].origin;
    return (struct origin){.kind = KIND_UNKNOWN, .number = -1};
}

/* A registered phone is one wherever nothing better is known of its address. */
struct origin place_origin(int place, const pj_sockaddr *source)
{
    static const struct place nowhere;
    unsigned char address[16];
    int bytes = plain_address(source, address);
    struct origin found = origin(place < 0 ? &nowhere : &places[place], address, bytes);

    if (found.kind == KIND_UNKNOWN && source_is_phone(source, pj_sockaddr_get_port(source)))
        found.kind = KIND_PHONE;
    return found;
}

/* Addresses of trunks and offices, behind whichever listener: they can be forged, so they are never banned. */
pj_bool_t place_protects(const struct key *address)
{
    for (int i = 0; i < known; i++)
        if (origin(&places[i], address->address, address->bytes).kind >= KIND_OFFICE)
            return PJ_TRUE;
    return PJ_FALSE;
}

/* Whether a socket with this address of its own is one of our listeners, and may drop unread what banned addresses send:
 * where phones register, an emergency call is looked for. */
pj_bool_t place_binds(pj_bool_t datagram, const pj_sockaddr *address)
{
    for (int i = 0; i < known; i++)
        if (places[i].strangers != STRANGERS_ASK && (places[i].transport == PJSIP_TRANSPORT_UDP) == datagram &&
            places[i].address.addr.sa_family == address->addr.sa_family &&
            pj_sockaddr_get_port(&places[i].address) == pj_sockaddr_get_port(address) &&
            pj_sockaddr_cmp(&places[i].address, address) == 0)
            return PJ_TRUE;
    return PJ_FALSE;
}

enum strangers place_strangers(int place)
{
    return place < 0 ? STRANGERS_PASS : places[place].strangers;
}

int tandem_gate_listener(const char *transport, const char *address, int port, int strangers)
{
    struct place place = {.transport = transport_of(transport), .strangers = (enum strangers)strangers};
    pj_str_t host = pj_str((char *)address);
    int family = strchr(address, ':') ? pj_AF_INET6() : pj_AF_INET(), at;

    if (place.transport < 0 || strangers < STRANGERS_PASS || strangers > STRANGERS_ASK || port < 0 || port > 65535 ||
        pj_sockaddr_init(family, &place.address, &host, (pj_uint16_t)port) != PJ_SUCCESS)
        return -1;
    place.any = !pj_sockaddr_has_addr(&place.address);
    for (at = 0; at < known; at++) /* a listener told again is changed */
        if (places[at].any == place.any && same_socket(&places[at], place.transport, &place.address))
            break;
    if (at == MOST_PLACES)
        return -1;
    free(places[at].networks);
    places[at] = place;
    if (at == known)
        known++;
    bans_changed(); /* the filter is for its socket too */
    return at;
}

int tandem_gate_network(int place, const char *address, int bits, int kind, int number)
{
    pj_str_t host = pj_str((char *)address);
    struct network network = {.bits = bits, .origin = {.kind = (enum who)kind, .number = number}};
    pj_sockaddr prefix;
    struct place *at;
    int i;

    if (place < 0 || place >= known || bits < 0 || kind < KIND_UNKNOWN || kind > KIND_TRUNK ||
        pj_sockaddr_init(strchr(address, ':') ? pj_AF_INET6() : pj_AF_INET(), &prefix, &host, 0) != PJ_SUCCESS)
        return PJ_EINVAL;
    network.bytes = (int)pj_sockaddr_get_addr_len(&prefix);
    memcpy(network.prefix, pj_sockaddr_get_addr(&prefix), (size_t)network.bytes);
    if (bits > network.bytes * 8)
        return PJ_EINVAL;
    at = &places[place];
    if (at->n_networks == MOST_NETWORKS)
        return PJ_ETOOMANY;
    if (at->n_networks == at->room) {
        struct network *more = realloc(at->networks, sizeof(network) * (size_t)(at->room ? at->room * 2 : 16));

        if (!more)
            return PJ_ENOMEM;
        at->networks = more;
        at->room = at->room ? at->room * 2 : 16;
    }
    for (i = at->n_networks++; i > 0 && at->networks[i - 1].bits < bits; i--)
        at->networks[i] = at->networks[i - 1];
    at->networks[i] = network;
    return PJ_SUCCESS;
}

void places_clear(void)
{
    for (int i = 0; i < known; i++)
        free(places[i].networks);
    memset(places, 0, sizeof(places));
    known = 0;
}
