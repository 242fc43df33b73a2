/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * RTCP of ours for each leg: about what its far end really got from us and we from it, whichever origin that had. */
#include "rtcp.h"

#define SENDER_REPORT 200
#define RECEIVER_REPORT 201
#define DESCRIPTION 202
#define GOODBYE 203
#define EPOCH 2208988800u /* 1970 in NTP's seconds */
#define BLOCK 24
#define LONGEST_TRIP 30000000 /* microseconds: more is a mistake of the far end */

static pj_uint32_t word(const unsigned char *at)
{
    return (pj_uint32_t)at[0] << 24 | (pj_uint32_t)at[1] << 16 | (pj_uint32_t)at[2] << 8 | at[3];
}

static unsigned char *put(unsigned char *at, pj_uint32_t value)
{
    at[0] = (unsigned char)(value >> 24);
    at[1] = (unsigned char)(value >> 16);
    at[2] = (unsigned char)(value >> 8);
    at[3] = (unsigned char)value;
    return at + 4;
}

static pj_uint32_t ntp_fraction(pj_uint64_t wall)
{
    return (pj_uint32_t)((wall % 1000000 << 32) / 1000000);
}

/* Seconds and 1/65536 of them, as reports give them back. */
static pj_uint32_t ntp_middle(pj_uint64_t wall)
{
    return (pj_uint32_t)(wall / 1000000 + EPOCH) << 16 | ntp_fraction(wall) >> 16;
}

static unsigned char *put_block(unsigned char *at, const struct reports *reports, struct reception *reception,
                                pj_uint64_t now)
{
    pj_bool_t known = reports->sender_at && reports->sender_ssrc == reception->ssrc;
    struct report_block block;

    reception_report(reception, &block);
    at = put(at, block.ssrc);
    at = put(at, block.fraction << 24 | block.lost);
    at = put(at, block.newest);
    at = put(at, block.jitter);
    at = put(at, known ? reports->sender_ntp : 0);
    return put(at, known ? (pj_uint32_t)((now - reports->sender_at) * 65536 / 1000000) : 0);
}

static void close_packet(unsigned char *start, const unsigned char *end, unsigned count, unsigned type)
{
    unsigned words = (unsigned)(end - start) / 4 - 1;

    start[0] = (unsigned char)(0x80 | count);
    start[1] = (unsigned char)type;
    start[2] = (unsigned char)(words >> 8);
    start[3] = (unsigned char)words;
}

unsigned rtcp_write(unsigned char *packet, struct reports *reports, const struct egress *egress,
                    struct reception *reception, pj_bool_t goodbye, pj_uint64_t now, pj_uint64_t wall)
{
    pj_bool_t sender = egress->packets != reports->sent_before;
    unsigned char *at = put(packet + 4, egress->ssrc), *start;

    if (sender) {
        at = put(at, (pj_uint32_t)(wall / 1000000 + EPOCH));
        at = put(at, ntp_fraction(wall));
        at = put(at, egress_clock(egress, now));
        at = put(at, egress->packets);
        at = put(at, (pj_uint32_t)egress->octets);
        reports->sent_before = egress->packets;
    }
    if (reception->any)
        at = put_block(at, reports, reception, now);
    close_packet(packet, at, reception->any, sender ? SENDER_REPORT : RECEIVER_REPORT);
    start = at;
    at = put(at + 4, egress->ssrc);
    *at++ = 1; /* CNAME */
    *at++ = RTCP_NAME;
    pj_memcpy(at, reports->name, RTCP_NAME);
    at += RTCP_NAME;
    do
        *at++ = 0;
    while ((at - start) % 4);
    close_packet(start, at, 1, DESCRIPTION);
    if (goodbye) {
        start = at;
        at = put(at + 4, egress->ssrc);
        close_packet(start, at, 1, GOODBYE);
    }
    return (unsigned)(at - packet);
}

static void read_block(struct reports *reports, const unsigned char *block, pj_uint64_t wall)
{
    pj_uint32_t sent = word(block + 16), held = word(block + 20);
    pj_int32_t trip;

    reports->loss = block[4];
    if (!sent)
        return;
    trip = (pj_int32_t)(ntp_middle(wall) - sent - held);
    if (trip < 0 && trip > -66)
        trip = 0; /* a millisecond is within what both clocks round */
    if (trip >= 0 && (pj_uint64_t)trip * 1000000 / 65536 < LONGEST_TRIP)
        reports->round_trip = (pj_int32_t)((pj_uint64_t)trip * 1000000 / 65536);
}

pj_bool_t rtcp_read(struct reports *reports, const unsigned char *packet, pj_ssize_t size, pj_uint32_t ssrc,
                    pj_uint64_t now, pj_uint64_t wall)
{
    const unsigned char *at = packet, *end = packet + size;

    if (size < 8 || (packet[1] != SENDER_REPORT && packet[1] != RECEIVER_REPORT && packet[1] != DESCRIPTION &&
                     packet[1] != GOODBYE))
        return PJ_FALSE;
    while (end - at >= 8) {
        unsigned length = 4 * ((unsigned)(at[2] << 8 | at[3]) + 1), blocks = at[0] & 31;
        const unsigned char *block = at + (at[1] == SENDER_REPORT ? 28 : 8);

        if (at[0] >> 6 != 2 || length > end - at)
            return PJ_FALSE;
        if (at[1] == SENDER_REPORT && length >= 28) {
            reports->sender_at = now;
            reports->sender_ssrc = word(at + 4);
            reports->sender_ntp = word(at + 8) << 16 | word(at + 12) >> 16;
        }
        if (at[1] == SENDER_REPORT || at[1] == RECEIVER_REPORT)
            for (; blocks && at + length - block >= BLOCK; blocks--, block += BLOCK)
                if (word(block) == ssrc)
                    read_block(reports, block, wall);
        at += length;
    }
    reports->at = now;
    return at == end;
}
