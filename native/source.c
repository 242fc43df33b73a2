/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Whose sound a leg hears. The SDP says from which address it comes; what else may be is a list of the trunk's, or for
 * phones the address of their signalling. Of those that may be, the first one is taken, with its SSRC, and stays until
 * an SDP says something new. Everybody else is turned away, however early, often or well disguised he comes. */
#include <string.h>

#include "source.h"

#define FIRM 5        /* packets: until then another source that fits as well takes over. The first one may be the last
                         word of a call that had the port before */
#define SETTLED 100   /* packets (2 s): who goes on so long after an SDP is whom it was about */
#define SSRC_GAP 200  /* milliseconds: a source that pauses so long may go on as another stream (a carrier that puts
                         calls through behind one address does not tell us) */
#define TALKING 2000  /* milliseconds since the last packet in which reports must be about that stream */
#define RTP_HEADER 12
#define RTCP_HEADER 8

/* --- addresses --------------------------------------------------------------------------------------------- */

static pj_bool_t same_host(const pj_sockaddr *a, const pj_sockaddr *b)
{
    if (a->addr.sa_family != b->addr.sa_family)
        return PJ_FALSE;
    if (a->addr.sa_family == pj_AF_INET())
        return a->ipv4.sin_addr.s_addr == b->ipv4.sin_addr.s_addr;
    return memcmp(&a->ipv6.sin6_addr, &b->ipv6.sin6_addr, 16) == 0;
}

static pj_bool_t same_port(const pj_sockaddr *a, const pj_sockaddr *b)
{
    return a->ipv4.sin_port == b->ipv4.sin_port; /* it stands at the same place in both families */
}

static pj_bool_t same(const pj_sockaddr *a, const pj_sockaddr *b)
{
    return same_port(a, b) && same_host(a, b);
}

static pj_bool_t within(const struct network *network, const pj_sockaddr *address)
{
    const unsigned char *bytes = (const unsigned char *)pj_sockaddr_get_addr(address);
    unsigned whole = network->bits / 8, rest = network->bits % 8;

    if (network->family != address->addr.sa_family || memcmp(bytes, network->address, whole) != 0)
        return PJ_FALSE;
    return !rest || (bytes[whole] ^ network->address[whole]) >> (8 - rest) == 0;
}

/* 2: what the SDP says, to the port; 1: may be; 0: may not. */
static unsigned rank_of(const struct source *source, const pj_sockaddr *from)
{
    const struct source_rule *rule = source->rule;

    if (same_host(from, &source->told))
        return same_port(from, &source->told) ? 2 : 1;
    if (rule->learn && same_host(from, &source->signalling))
        return 1;
    for (unsigned i = 0; i < rule->count; i++)
        if (within(&rule->networks[i], from))
            return 1;
    return 0;
}

/* --- RTP --------------------------------------------------------------------------------------------------- */

static pj_bool_t is_dtls(const unsigned char *packet, pj_ssize_t size)
{
    return size >= 13 && packet[0] >= 20 && packet[0] <= 63; /* RFC 7983 */
}

static enum sound_reason refuse(struct source *source, enum sound_reason reason)
{
    source->refused[reason]++;
    return reason;
}

static pj_uint32_t word(const unsigned char *at)
{
    return (pj_uint32_t)at[0] << 24 | (pj_uint32_t)at[1] << 16 | (pj_uint32_t)at[2] << 8 | at[3];
}

static enum sound_reason take(struct source *source, const pj_sockaddr *from, unsigned rank, pj_uint32_t ssrc,
                              pj_uint64_t now, pj_bool_t *moved)
{
    pj_sockaddr before, after, rtcp;

    source_aim(source, &before, &rtcp);
    if (!same_host(from, &source->from))
        pj_bzero(&source->from_rtcp, sizeof source->from_rtcp);
    source->from = *from;
    source->ssrc = ssrc;
    source->rank = rank;
    source->heard = 1;
    source->last = now;
    source->fresh = PJ_FALSE;
    source->follow = rank == 1 && (source->rule->learn || (source->rule->back && !same_host(from, &source->told)));
    source_aim(source, &after, &rtcp);
    *moved = !same(&before, &after);
    return HEARD;
}

/* A source goes on after an SDP: a hold, a resume, a change of codec. Where it fits that SDP, nobody else may be taken any
 * more, as before it; a carrier whose sound comes from another host of his than the SDP says may still be on his way. */
static void settle(struct source *source)
{
    if (++source->since >= SETTLED && source->rank &&
        (source->rule->learn || same_host(&source->from, &source->told)))
        source->fresh = PJ_FALSE;
}

/* Handshakes do not make a source: they are let through from wherever sound may come. */
static enum sound_reason judge_dtls(struct source *source, const pj_sockaddr *from)
{
    if (!rank_of(source, from))
        return refuse(source, REASON_ADDRESS);
    if (source->heard >= FIRM && !source->fresh && !same_host(from, &source->from))
        return refuse(source, REASON_SOURCE);
    return HEARD;
}

static enum sound_reason judge_other(struct source *source, const pj_sockaddr *from, pj_uint32_t ssrc, pj_uint64_t now,
                                     pj_bool_t *moved)
{
    const struct source_rule *rule = source->rule;
    unsigned rank = rank_of(source, from);

    if (!rank)
        return refuse(source, REASON_ADDRESS);
    if (rule->strict && !same_port(from, &source->told))
        return refuse(source, REASON_PORT);
    if (source->from.addr.sa_family && !source->fresh && rank <= source->rank &&
        (source->heard >= FIRM || rank < source->rank) &&
        !(rule->learn && same_host(from, &source->from) && now - source->last >= rule->quiet))
        return refuse(source, REASON_SOURCE);
    return take(source, from, rank, ssrc, now, moved);
}

enum sound_reason source_rtp(struct source *source, const pj_sockaddr *from, const void *packet, pj_ssize_t size,
                             pj_uint64_t now, pj_bool_t *moved)
{
    const unsigned char *bytes = (const unsigned char *)packet;
    pj_uint32_t ssrc;

    *moved = PJ_FALSE;
    if (size < RTP_HEADER || bytes[0] >> 6 != 2)
        return is_dtls(bytes, size) ? judge_dtls(source, from) : refuse(source, REASON_FORM);
    ssrc = word(bytes + 8);
    if (!same(from, &source->from))
        return judge_other(source, from, ssrc, now, moved);
    if (ssrc != source->ssrc) {
        if (!source->fresh && source->heard >= FIRM && (source->rule->strict || now - source->last < SSRC_GAP))
            return refuse(source, REASON_SSRC);
        return take(source, from, source->rank, ssrc, now, moved);
    }
    source->last = now;
    if (source->heard < FIRM)
        source->heard++;
    if (source->fresh)
        settle(source);
    return HEARD;
}

/* --- RTCP -------------------------------------------------------------------------------------------------- */

static pj_bool_t may_report(const struct source *source, const pj_sockaddr *from)
{
    if (same_host(from, &source->told_rtcp))
        return PJ_TRUE;
    if (source->from.addr.sa_family && !source->fresh)
        return same_host(from, &source->from);
    return rank_of(source, from) != 0;
}

enum sound_reason source_rtcp(struct source *source, const pj_sockaddr *from, const void *packet, pj_ssize_t size,
                              pj_uint64_t now, pj_bool_t *moved)
{
    const unsigned char *bytes = (const unsigned char *)packet;
    pj_sockaddr rtp, rtcp;

    *moved = PJ_FALSE;
    if ((size < RTCP_HEADER || bytes[0] >> 6 != 2) && !is_dtls(bytes, size))
        return refuse(source, REASON_RTCP_FORM);
    if (!may_report(source, from))
        return refuse(source, REASON_RTCP_ADDRESS);
    if (bytes[0] >> 6 == 2 && source->from.addr.sa_family && !source->fresh && now - source->last < TALKING &&
        word(bytes + 4) != source->ssrc)
        return refuse(source, REASON_RTCP_SSRC);
    if (!source->from_rtcp.addr.sa_family && source_aim(source, &rtp, &rtcp) && same_host(from, &source->from)) {
        source->from_rtcp = *from;
        *moved = !same(from, &rtcp);
    }
    return HEARD;
}

/* --- what is said ------------------------------------------------------------------------------------------ */

void source_init(struct source *source, const struct source_rule *rule, const char *signalling)
{
    pj_str_t text = pj_str((char *)signalling);

    pj_bzero(source, sizeof *source);
    source->rule = rule;
    if (pj_sockaddr_init(strchr(signalling, ':') ? pj_AF_INET6() : pj_AF_INET(), &source->signalling, &text, 0) !=
        PJ_SUCCESS)
        pj_bzero(&source->signalling, sizeof source->signalling);
}

void source_told(struct source *source, const pj_sockaddr *rtp, const pj_sockaddr *rtcp, pj_uint32_t version)
{
    if (source->told.addr.sa_family && same(rtp, &source->told) && version == source->version) {
        source->told_rtcp = *rtcp;
        return;
    }
    if (!same(rtp, &source->told)) { /* our sound goes there, until theirs says otherwise */
        pj_bzero(&source->from_rtcp, sizeof source->from_rtcp);
        source->follow = PJ_FALSE;
    }
    source->fresh = source->from.addr.sa_family != 0;
    source->since = 0;
    source->told = *rtp;
    source->told_rtcp = *rtcp;
    source->version = version;
    if (source->from.addr.sa_family)
        source->rank = rank_of(source, &source->from);
}

pj_bool_t source_aim(const struct source *source, pj_sockaddr *rtp, pj_sockaddr *rtcp)
{
    *rtp = source->follow ? source->from : source->told;
    *rtcp = source->follow ? source->from_rtcp : source->told_rtcp;
    if (source->follow && !rtcp->addr.sa_family) {
        *rtcp = *rtp;
        pj_sockaddr_set_port(rtcp, (pj_uint16_t)(pj_sockaddr_get_port(rtp) + 1));
    }
    return source->follow;
}
