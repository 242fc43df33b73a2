/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Reports of a leg, written and read (RFC 3550 6). Values only (rtcp.c). */
#ifndef TANDEM_RTCP_H
#define TANDEM_RTCP_H

#include "egress.h"
#include "reception.h"

#define RTCP_ROOM 128
#define RTCP_NAME 16 /* octets of a CNAME */

struct reports {
    pj_uint64_t sender_at;  /* microseconds: when the far end's last sender report came; 0: never */
    pj_uint64_t at;         /* when its last packet came; 0: never */
    pj_uint32_t sender_ntp; /* the middle of that report's time, to be given back */
    pj_uint32_t sender_ssrc;
    pj_int32_t round_trip;  /* microseconds, or -1 */
    int loss;               /* in 1/256, or -1 */
    pj_uint32_t sent_before; /* packets: what we have said we sent */
    char name[RTCP_NAME];   /* our CNAME (RFC 7022: random, of this call only) */
};

/* A compound of a sender report (a receiver report where nothing was sent lately) and the CNAME, or of a goodbye as
 * well. now: CLOCK_MONOTONIC in microseconds, wall: CLOCK_REALTIME in microseconds since 1970. Returns the octets. */
unsigned rtcp_write(unsigned char *packet, struct reports *reports, const struct egress *egress,
                    struct reception *reception, pj_bool_t goodbye, pj_uint64_t now, pj_uint64_t wall);

/* What the far end says, of our stream with this SSRC among others. PJ_FALSE: broken. */
pj_bool_t rtcp_read(struct reports *reports, const unsigned char *packet, pj_ssize_t size, pj_uint32_t ssrc,
                    pj_uint64_t now, pj_uint64_t wall);

#endif
