/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One leg's idea of who may send it sound: values and decisions, no sockets (source.c). */
#ifndef TANDEM_SOURCE_H
#define TANDEM_SOURCE_H

#include <pjmedia.h>

#define MOST_RULES 512
#define MOST_NETWORKS 64

/* One line per reason; the name is what Python and the metrics see. */
#define SOUND_REASONS(X) \
    X(ADDRESS, "address")           /* neither the SDP's address nor one of the leg's networks */ \
    X(PORT, "port")                 /* strict, and not the port of the SDP */ \
    X(SOURCE, "source")             /* it could have been the source, but another one is */ \
    X(SSRC, "ssrc")                 /* the right source with another SSRC in the middle of its stream */ \
    X(FORM, "form")                 /* neither RTP nor RTCP nor DTLS */ \
    X(PAYLOAD_TYPE, "payload_type") /* a kind of sound that was not agreed on */ \
    X(RTCP_ADDRESS, "rtcp_address") /* the same for RTCP */ \
    X(RTCP_SSRC, "rtcp_ssrc")       /* a report about another SSRC than the one that speaks: a forged BYE, for one */ \
    X(RTCP_FORM, "rtcp_form")

enum sound_reason {
    HEARD = -1,
#define X(id, name) REASON_##id,
    SOUND_REASONS(X)
#undef X
    REASON_END
};

struct network {
    int family;
    unsigned bits;
    unsigned char address[16];
};

struct source_rule {
    pj_bool_t learn, back, strict;
    unsigned quiet; /* milliseconds */
    unsigned count;
    struct network networks[];
};

struct source {
    const struct source_rule *rule;
    pj_sockaddr told, told_rtcp; /* by the SDP; family 0 before the first one */
    pj_sockaddr signalling;      /* family 0: none */
    pj_sockaddr from, from_rtcp; /* the source that was taken; family 0: none yet */
    pj_uint32_t version;         /* of the SDP's origin */
    pj_uint32_t ssrc;
    pj_uint64_t last;  /* milliseconds: its latest packet */
    unsigned rank;     /* how well it fits the SDP, 1 or 2 */
    unsigned heard;    /* packets in a row, counted up to FIRM */
    unsigned since;    /* packets of the source that was taken since the SDP, while it is fresh */
    pj_bool_t follow;  /* our sound goes to from, not to told */
    pj_bool_t fresh;   /* an SDP came since: one other source may be taken */
    unsigned refused[REASON_END];
};

const char *source_reason(int reason);

/* The rule with this number; NULL where there is none. */
const struct source_rule *source_rule(int number);

void source_init(struct source *source, const struct source_rule *rule, const char *signalling);

/* The far end has said where its sound comes from. */
void source_told(struct source *source, const pj_sockaddr *rtp, const pj_sockaddr *rtcp, pj_uint32_t version);

/* Both judge one packet; now in milliseconds of any clock that only goes forward. *moved is set where our sound has
 * another aim than before. */
enum sound_reason source_rtp(struct source *source, const pj_sockaddr *from, const void *packet, pj_ssize_t size,
                             pj_uint64_t now, pj_bool_t *moved);
enum sound_reason source_rtcp(struct source *source, const pj_sockaddr *from, const void *packet, pj_ssize_t size,
                              pj_uint64_t now, pj_bool_t *moved);

/* Where our sound goes when that is not where the SDP says. PJ_FALSE: there. */
pj_bool_t source_aim(const struct source *source, pj_sockaddr *rtp, pj_sockaddr *rtcp);

/* ports.c: the pair that begins with this port belongs to a leg, and belongs to it no longer. */
void ports_taken(unsigned port);
void ports_released(unsigned port);

#endif
