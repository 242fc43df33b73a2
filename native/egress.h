/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What leaves one leg as RTP: one stream to the far end, whoever's packets it is made of. Values only (egress.c). */
#ifndef TANDEM_EGRESS_H
#define TANDEM_EGRESS_H

#include <pjlib.h>

#define RTP_HEADER 12

struct egress {
    const void *origin;       /* whose packets go out now; only compared */
    pj_uint64_t at;           /* microseconds: when the newest packet left */
    pj_uint64_t octets;       /* of payload sent */
    pj_uint64_t seen;         /* bit n: the origin's packet n before its newest has been dealt with */
    pj_uint32_t ssrc;         /* ours */
    pj_uint32_t origin_ssrc;
    pj_uint32_t timestamp;    /* of the newest packet */
    pj_uint32_t shift;        /* timestamps: theirs to ours */
    pj_uint32_t step;         /* timestamps between two packets, lately */
    pj_uint32_t latest_step;  /* between the latest two that followed each other; step once it comes twice */
    pj_uint32_t event, event_sent; /* the timestamp of the key that is put between, theirs and ours */
    pj_uint32_t packets;      /* sent */
    pj_uint32_t unsent;
    unsigned rate;
    pj_uint16_t number;       /* of the newest packet; before the first one: one less than it will have */
    pj_uint16_t number_shift; /* sequence numbers: theirs to ours */
    pj_uint16_t newest;       /* the origin's newest number, sent or withheld */
    pj_uint16_t edge;         /* what is older has lost its number to something else */
    pj_bool_t any;
    pj_bool_t in_event;
};

void egress_init(struct egress *egress, pj_uint32_t ssrc, pj_uint16_t number, pj_uint32_t timestamp, unsigned rate);

/* Makes the header of an origin's packet that of the leg's next one: SSRC, number, timestamp, and the marker where
 * another origin begins. now: microseconds of a clock that only goes forward. PJ_FALSE: it comes too late to be sent. */
pj_bool_t egress_send(struct egress *egress, const void *origin, unsigned char *header, pj_uint64_t now);

/* The same for a packet that comes between those of the origin, a key that we dial. */
void egress_insert(struct egress *egress, unsigned char *header, pj_uint64_t now);

/* A packet of the origin is not sent; the next one follows the last that was, as if it had never been. */
void egress_withhold(struct egress *egress, const void *origin, const unsigned char *header);

/* The timestamp that sound of this moment has. */
pj_uint32_t egress_clock(const struct egress *egress, pj_uint64_t now);

#endif
