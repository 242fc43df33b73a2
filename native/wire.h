/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One leg's wire: its two sockets, who may be heard on them, what goes up to SRTP and the stream and what goes straight
 * to another leg. Shared by wire.c (threads), sockets.c (below SRTP), adapter.c (above it), relay.c and taps.c.
 *
 * Locks, in this order: high (the stream's side: relay, egress, counters), SRTP's own, low (the sockets' side). Neither
 * of ours is held while anybody above is called, and no thread ever holds the high locks of two wires but in pairs, by
 * address. `calling` is held while somebody above is called: who has taken his call-back away waits for it once. */
#ifndef TANDEM_WIRE_H
#define TANDEM_WIRE_H

#include <pthread.h>

#include "internal.h"
#include "rtcp.h"
#include "source.h"

#define MOST_TAPS 4
#define PACKET_ROOM 2048 /* octets read: longer is no packet of sound */

/* What a payload type is on a leg. */
enum kind { KIND_NONE, KIND_SOUND, KIND_EVENT, KIND_NOISE };

/* Payload types of the joined leg; what is not one of them. */
#define PASS_NOT 0xff /* unknown to this pair: refused */
#define PASS_HELD 0xfe /* known, not for the other leg */

/* One line per counter over all legs; the name is what Python sees. relay.h says what they mean. */
#define WIRE_COUNTERS(X) \
    X(RECEIVED, "received") \
    X(REFUSED, "refused") \
    X(MIXED, "mixed") \
    X(RELAYED, "relayed") \
    X(REPEATED, "repeated") \
    X(WITHHELD, "withheld") \
    X(UNSENT, "unsent") \
    X(IDLE, "idle") \
    X(OTHER, "other") \
    X(SENT, "sent") \
    X(REPORTS, "reports") \
    X(GOODBYES, "goodbyes") \
    X(ERRORS, "errors")

enum wire_counter {
#define X(id, name) WIRE_##id,
    WIRE_COUNTERS(X)
#undef X
    WIRE_COUNTER_END
};

extern unsigned long long wire_count[WIRE_COUNTER_END];
extern unsigned long long refused_in_all[REASON_END];

static inline void wire_counts(enum wire_counter which)
{
    __atomic_fetch_add(&wire_count[which], 1, __ATOMIC_RELAXED);
}

struct worker;

struct codec_list;

/* What each packet touches stands together. */
struct wire {
    pthread_mutex_t low;
    int rtp, rtcp; /* -1: closed */
    int aim_length; /* 0: nowhere */
    pj_bool_t started, watched, mux;
    pj_bool_t plain; /* SRTP is not in use: packets need not pass through it; also under high */
    pj_sockaddr aim; /* where ours goes */
    struct source source;
    pj_sockaddr seen, seen_rtcp; /* where the latest packet that was accepted came from */
    pj_sockaddr aim_rtcp;
    pjmedia_transport_attach_param below; /* how SRTP has attached to the sockets */

    pthread_mutex_t high __attribute__((aligned(64)));
    struct wire *peer; /* joined with; NULL: mixed */
    pj_bool_t attached, closed, described;
    int tap_count;
    pj_uint32_t up_ssrc;  /* whose packets the stream gets */
    pj_uint16_t up_newest;
    pj_uint16_t up_shift; /* numbers of packets that it did not get, so that it takes none for lost */
    struct egress egress;
    struct reception reception;
    unsigned char kinds[128];  /* enum kind by payload type, of what comes in */
    unsigned char pass[128];   /* joined: the peer's payload type, PASS_NOT or PASS_HELD */
    unsigned char event_out;   /* the far end's payload type of keys, 0: none */
    pj_bool_t noise_out;       /* the far end takes comfort noise */
    int taps[MOST_TAPS];
    struct reports reports;
    pjmedia_transport_attach_param above; /* how the stream has attached to SRTP */

    pthread_mutex_t calling; /* recursive */
    pj_bool_t settled;       /* its worker's: what became of the packet is counted */

    pjmedia_transport *top; /* SRTP, in use or not: what the stream is attached to */
    pjmedia_transport *udp; /* its member */
    const pjmedia_transport_op *next; /* of top: PJMEDIA's own */
    pjmedia_transport_op op;          /* of top: the same with ours in front */
    unsigned port; /* ours */
    int family;    /* of our address */
    const struct codec_list *codecs; /* what its descriptions name; NULL: what those of all legs do */
    pj_bool_t pauses; /* under high: the far end has said that it sends nothing while nobody speaks */

    struct worker *worker;
    struct wire *after, **before; /* in the worker's wheel (its lock); before NULL: not in it */
    pj_bool_t left;               /* the wheel's: never again */
    struct wire *grave;           /* wire.c: the next one to be freed */
    unsigned long *passes;        /* wire.c: where each worker was when it died */
};

/* wire.c: threads. All legs' first one starts them. */
pj_uint64_t wire_now(void);  /* microseconds, CLOCK_MONOTONIC */
pj_uint64_t wire_wall(void); /* microseconds since 1970 */
struct wire *wire_new(void);  /* with a worker; NULL: no memory or no thread */
void wire_watch(struct wire *wire);   /* its sockets are read from now on; under low */
void wire_unwatch(struct wire *wire); /* no longer; under low */
void wire_schedule(struct wire *wire, unsigned milliseconds); /* its first report is due then */
void wire_free(struct wire *wire); /* as soon as no worker can look at it any more */

/* sockets.c: takes the sockets over; on_destroy is called with the wire when PJMEDIA has closed them. */
pj_status_t sockets_take(struct wire *wire, pjmedia_transport *udp, const pjmedia_transport_info *info,
                         void (*on_destroy)(void *));
struct wire *wire_of_info(pjmedia_transport_info *info);
/* Reads one datagram and does with it what is to be done. Only its worker calls this. */
void wire_read(struct wire *wire, unsigned char *packet, pj_bool_t is_rtcp);
pj_status_t wire_transmit(struct wire *wire, pj_bool_t rtcp, const pj_sockaddr *to, const void *packet, pj_size_t size);
/* adapter.c: a packet of sound in clear. */
void wire_take(struct wire *wire, unsigned char *packet, pj_ssize_t size, pj_uint64_t now);
/* codec_lists.c: leaves in our description what the list has, in its order. */
void codec_list_apply(const struct codec_list *list, pj_pool_t *pool, pjmedia_sdp_session *local, unsigned index);
/* adapter.c: what this thread asks a transport about is our wire alone. */
extern __thread pj_bool_t wire_only;
struct wire *wire_of_call(int call, unsigned *index); /* figures.c: its line of sound; NULL: none */
/* adapter.c: from here to the far end, through SRTP where that is in use; under high. */
pj_bool_t wire_send(struct wire *wire, const void *packet, unsigned size);
/* sockets.c: something the source rules did not see is wrong with a packet. */
void wire_refuses(struct wire *wire, enum sound_reason reason);
/* A report of ours, or the goodbye; under high. */
void wire_report(struct wire *wire, pj_bool_t goodbye);

/* relay.c: a packet in clear, from the right source; it is counted. PJ_TRUE: the stream gets it. */
pj_bool_t relay_take(struct wire *wire, unsigned char *packet, pj_ssize_t size, pj_uint64_t now);
/* A packet of the leg's own stream. */
void relay_send(struct wire *wire, const unsigned char *packet, pj_size_t size);
void relay_part(struct wire *wire);
/* What both SDPs say about payload types. */
void relay_describe(struct wire *wire, const pjmedia_sdp_session *local, const pjmedia_sdp_session *remote,
                    unsigned index);

/* taps.c */
void taps_put(const struct wire *wire, const unsigned char *packet, unsigned header, unsigned payload, pj_uint64_t now);
void taps_forget(struct wire *wire);

#endif
