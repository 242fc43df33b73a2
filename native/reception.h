/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is heard on one leg: RFC 3550's counting of one sender's packets. Values only (reception.c). */
#ifndef TANDEM_RECEPTION_H
#define TANDEM_RECEPTION_H

#include <pjlib.h>

enum arrival { ARRIVED_NEW, ARRIVED_LATE, ARRIVED_AGAIN, ARRIVED_OLD };

struct reception {
    pj_uint64_t seen;      /* bit n: the packet n before the newest came */
    pj_uint64_t at;        /* microseconds: the latest arrival */
    pj_uint64_t octets;    /* of payload */
    pj_uint32_t ssrc;
    pj_uint32_t first;     /* of this sender, with the rounds of the counter */
    pj_uint32_t newest;    /* the same */
    pj_uint32_t came;      /* different packets of this sender */
    pj_uint32_t packets;   /* of all senders of this leg, as the next five */
    pj_uint32_t lost;      /* of senders before this one */
    pj_uint32_t lost_in_runs;
    pj_uint32_t late;
    pj_uint32_t again;
    pj_uint32_t run;       /* losses in a row, as far as they are certain */
    pj_uint32_t timestamp; /* of the latest packet of sound */
    pj_uint32_t transit, jitter; /* RTP clock; jitter sixteenfold (RFC 3550 A.8) */
    pj_uint32_t expected_before, came_before; /* when the last report was made */
    unsigned rate;
    int payload_type;      /* of the latest packet of sound, or -1 */
    pj_uint16_t odd;       /* the number that would follow one far out of order */
    pj_bool_t any, timed, is_odd;
};

struct report_block { /* RFC 3550 6.4.1 */
    pj_uint32_t ssrc, newest, jitter;
    pj_uint32_t lost; /* 24 bits with the sign */
    unsigned fraction;
};

void reception_init(struct reception *reception, unsigned rate);

/* A packet came; header is that of RTP. sound: it is no key and no comfort noise, so its timing tells the jitter. */
enum arrival reception_came(struct reception *reception, const unsigned char *header, unsigned payload, pj_bool_t sound,
                            pj_uint64_t now);

/* One that is not heard came: its number is not lost. */
void reception_skip(struct reception *reception, const unsigned char *header);

pj_uint32_t reception_lost(const struct reception *reception);
pj_uint32_t reception_lost_in_runs(const struct reception *reception);
unsigned reception_jitter(const struct reception *reception); /* microseconds */

/* What the far end is told; the next one counts from here. */
void reception_report(struct reception *reception, struct report_block *block);

#endif
