/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What rtp_load.c writes into the payload of a packet, and finds again at the other end. It survives a conference
 * bridge: 4 bits of information a sample, as sign and segment of an A-law code, which decoding and encoding leave alone.
 * A check sum tells it from made-up sound. */
#ifndef RTP_RECORD_H
#define RTP_RECORD_H

#include <stdint.h>
#include <string.h>

enum {
    SAMPLES = 160,
    NIBBLES = 26 /* of a record: magic 4, stream 4, count 6, microseconds 10, check 2 */
};

static const uint64_t LOOSE = 0xA5C3, TIMED = 0xA5C4; /* magic of a record; in the second the time is exact */

static void put(uint8_t *nibbles, int *at, uint64_t value, int count)
{
    for (int i = count - 1; i >= 0; i--)
        nibbles[(*at)++] = (value >> (4 * i)) & 15;
}

static uint64_t get(const uint8_t *payload, int *at, int count)
{
    uint64_t value = 0;
    while (count--) {
        uint8_t code = payload[(*at)++] ^ 0x55;
        value = value << 4 | (code >> 4 & 8) | (code >> 4 & 7);
    }
    return value;
}

static unsigned check(uint64_t magic, uint64_t stream, uint64_t count, uint64_t us)
{
    uint64_t sum = (magic << 40 ^ stream << 20 ^ count) * 0x9E3779B97F4A7C15u + us;
    return (sum * 0xC2B2AE3D27D4EB4Fu) >> 56;
}

static void write_payload(uint8_t *payload, uint64_t magic, unsigned stream, uint32_t number, int64_t when)
{
    uint64_t count = number & 0xFFFFFF, us = (uint64_t)when & 0xFFFFFFFFFF;
    uint8_t n[NIBBLES];
    int at = 0;
    put(n, &at, magic, 4);
    put(n, &at, stream, 4);
    put(n, &at, count, 6);
    put(n, &at, us, 10);
    put(n, &at, check(magic, stream, count, us), 2);
    for (int i = 0; i < NIBBLES; i++)
        payload[i] = ((n[i] & 8) << 4 | (n[i] & 7) << 4 | 8) ^ 0x55;
    for (int done = NIBBLES; done < SAMPLES; done += NIBBLES)
        memcpy(payload + done, payload, SAMPLES - done < NIBBLES ? SAMPLES - done : NIBBLES);
}

/* The bridge may cut frames elsewhere than we did: the record, which is repeated, is looked for. */
static int read_payload(const uint8_t *payload, int size, uint64_t *magic, unsigned *stream, uint32_t *count, int64_t *us)
{
    for (int i = 0; i + NIBBLES <= size && i < SAMPLES; i++) {
        int at = i;
        *magic = get(payload, &at, 4);
        if (*magic != LOOSE && *magic != TIMED)
            continue;
        *stream = get(payload, &at, 4);
        *count = get(payload, &at, 6);
        *us = get(payload, &at, 10);
        if (get(payload, &at, 2) == check(*magic, *stream, *count, *us))
            return 1;
    }
    return 0;
}

#endif
