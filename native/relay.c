/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Packets of one leg straight to another. They are checked and counted whether joined or not; joined, a packet of the
 * codec goes out on the other leg's wire under that leg's own payload type, SSRC, number and time (egress.c), and the
 * streams of both, which the conference feeds and empties, get nothing and say nothing but keys. */
#include <string.h>

#include "lines.h"
#include "relay.h"
#include "wire.h"

static pthread_mutex_t pairs = PTHREAD_MUTEX_INITIALIZER; /* of all peers; before any wire's high */

/* --- what comes (the wire's worker) ------------------------------------------------------------------------ */

struct form {
    unsigned header, payload, type;
    pj_bool_t whole;
};

/* RFC 3550 5.1 and 5.3.1: the header with its CSRCs and extension, the payload without its padding. */
static struct form form_of(const unsigned char *packet, pj_ssize_t size)
{
    struct form form = {.header = RTP_HEADER + 4 * (packet[0] & 15u), .type = packet[1] & 0x7f};
    unsigned all = (unsigned)size, padding;

    if (size < RTP_HEADER || packet[0] >> 6 != 2) /* the source rules let handshakes through, for SRTP to take */
        return form;
    if (packet[0] & 0x10 && all >= form.header + 4)
        form.header += 4 + 4 * ((unsigned)packet[form.header + 2] << 8 | packet[form.header + 3]);
    else if (packet[0] & 0x10)
        return form;
    if (form.header > all)
        return form;
    padding = packet[0] & 0x20 && all ? packet[all - 1] : 0;
    form.whole = padding <= all - form.header && (padding || !(packet[0] & 0x20));
    form.payload = form.whole ? all - form.header - padding : 0;
    return form;
}

/* The stream's numbers go on without those of packets that it does not get: it takes none of them for lost. */
static void renumber(struct wire *wire, unsigned char *packet, pj_bool_t fed)
{
    pj_uint16_t number = (pj_uint16_t)(packet[2] << 8 | packet[3]);
    int ahead = (pj_int16_t)(number - wire->up_newest);

    if (wire->up_ssrc != wire->reception.ssrc || ahead > 3000 || ahead < -3000) {
        wire->up_ssrc = wire->reception.ssrc;
        ahead = 1;
    }
    if (ahead > 0) {
        wire->up_newest = number;
        if (!fed)
            wire->up_shift = (pj_uint16_t)(wire->up_shift + ahead);
    }
    if (!fed)
        return;
    number = (pj_uint16_t)(number - wire->up_shift);
    packet[2] = (unsigned char)(number >> 8);
    packet[3] = (unsigned char)number;
}

/* Out on the peer's wire. Freed it cannot be while its peer's worker is at work; whether it still is the peer, and open,
 * is known under its own lock. */
static void pass_on(struct wire *wire, struct wire *peer, unsigned char *packet, unsigned size, unsigned type,
                    pj_uint64_t now)
{
    enum wire_counter result = WIRE_WITHHELD;

    pthread_mutex_lock(&peer->high);
    if (peer->peer != wire || peer->closed) {
        result = WIRE_IDLE;
    } else if (type == PASS_HELD) {
        egress_withhold(&peer->egress, wire, packet);
    } else {
        packet[1] = (unsigned char)((packet[1] & 0x80) | type);
        if (!egress_send(&peer->egress, wire, packet, now))
            result = WIRE_REPEATED;
        else
            result = wire_send(peer, packet, size) ? WIRE_RELAYED : WIRE_UNSENT;
    }
    pthread_mutex_unlock(&peer->high);
    wire_counts(result);
}

static void leave_out(struct wire *wire, struct wire *peer, const unsigned char *packet)
{
    pthread_mutex_lock(&peer->high);
    if (peer->peer == wire)
        egress_withhold(&peer->egress, wire, packet);
    pthread_mutex_unlock(&peer->high);
}

static pj_bool_t refuse(struct wire *wire, enum sound_reason reason)
{
    wire_refuses(wire, reason);
    wire_counts(WIRE_REFUSED);
    return PJ_FALSE;
}

pj_bool_t relay_take(struct wire *wire, unsigned char *packet, pj_ssize_t size, pj_uint64_t now)
{
    struct form form = form_of(packet, size);
    unsigned char copy[PACKET_ROOM];
    enum arrival arrival;
    struct wire *peer;
    enum kind kind;
    unsigned type;
    pj_bool_t fed;

    wire->settled = PJ_TRUE;
    if (!form.whole)
        return refuse(wire, REASON_FORM);
    pthread_mutex_lock(&wire->high);
    peer = wire->peer;
    kind = wire->described ? wire->kinds[form.type] : KIND_SOUND;
    type = peer ? wire->pass[form.type] : PASS_HELD;
    if (kind == KIND_NONE || type == PASS_NOT) { /* its number is no loss, neither here nor at the other leg */
        reception_skip(&wire->reception, packet);
        pthread_mutex_unlock(&wire->high);
        if (peer)
            leave_out(wire, peer, packet);
        return refuse(wire, REASON_PAYLOAD_TYPE);
    }
    arrival = reception_came(&wire->reception, packet, form.payload, kind == KIND_SOUND, now);
    if (wire->tap_count && kind == KIND_SOUND && arrival <= ARRIVED_LATE)
        taps_put(wire, packet, form.header, form.payload, now);
    fed = wire->attached && (!peer || (kind == KIND_EVENT && arrival <= ARRIVED_LATE));
    if (peer)
        memcpy(copy, packet, fed ? (size_t)size : 0);
    renumber(wire, packet, fed);
    pthread_mutex_unlock(&wire->high);
    if (!peer)
        wire_counts(fed ? WIRE_MIXED : WIRE_IDLE);
    else if (arrival > ARRIVED_LATE)
        wire_counts(WIRE_REPEATED);
    else
        pass_on(wire, peer, fed ? copy : packet, (unsigned)size, type, now);
    return fed;
}

/* --- what the leg's own stream says ------------------------------------------------------------------------ */

void relay_send(struct wire *wire, const unsigned char *packet, pj_size_t size)
{
    unsigned char copy[PJMEDIA_MAX_MTU];
    pj_uint64_t now = wire_now();
    pj_bool_t key;

    if (size < RTP_HEADER || size > sizeof copy)
        return;
    memcpy(copy, packet, size);
    key = wire->event_out && (packet[1] & 0x7f) == wire->event_out;
    pthread_mutex_lock(&wire->high);
    if (key) { /* joined or not: a key that begins before the two are joined, or parted, is one key */
        egress_withhold(&wire->egress, wire, copy);
        egress_insert(&wire->egress, copy, now);
        wire_send(wire, copy, (unsigned)size);
    } else if (!wire->peer) {
        if (!wire->egress.any && !wire->described)
            memcpy(&wire->egress.ssrc, packet + 8, 4);
        if (egress_send(&wire->egress, wire, copy, now))
            wire_send(wire, copy, (unsigned)size);
    }
    pthread_mutex_unlock(&wire->high);
}

/* --- what was agreed on ------------------------------------------------------------------------------------ */

static enum kind kind_of(const pjmedia_sdp_media *media, const pj_str_t *type, unsigned *rate)
{
    const pjmedia_sdp_attr *attr = pjmedia_sdp_media_find_attr2(media, "rtpmap", type);
    pjmedia_sdp_rtpmap map;

    *rate = 8000; /* of all static types of sound that are in use here (RFC 3551 6) */
    if (attr && pjmedia_sdp_attr_get_rtpmap(attr, &map) == PJ_SUCCESS) {
        *rate = map.clock_rate;
        if (pj_stricmp2(&map.enc_name, "telephone-event") == 0)
            return KIND_EVENT;
        if (pj_stricmp2(&map.enc_name, "CN") == 0)
            return KIND_NOISE;
    }
    return pj_strcmp2(type, "13") == 0 ? KIND_NOISE : KIND_SOUND;
}

static void read_types(struct wire *wire, const pjmedia_sdp_media *media, pj_bool_t ours)
{
    pj_bool_t first = PJ_TRUE;

    for (unsigned i = 0; i < media->desc.fmt_count; i++) {
        unsigned long type = pj_strtoul(&media->desc.fmt[i]);
        unsigned rate;
        enum kind kind = kind_of(media, &media->desc.fmt[i], &rate);

        if (type > 127)
            continue;
        if (ours)
            wire->kinds[type] = (unsigned char)kind;
        else if (kind == KIND_NOISE)
            wire->noise_out = PJ_TRUE;
        else if (kind == KIND_EVENT && (!wire->event_out || rate == wire->egress.rate))
            wire->event_out = (unsigned char)type;
        if (ours && first && kind == KIND_SOUND && rate) {
            wire->egress.rate = wire->reception.rate = rate;
            first = PJ_FALSE;
        }
    }
}

void relay_describe(struct wire *wire, const pjmedia_sdp_session *local, const pjmedia_sdp_session *remote,
                    unsigned index)
{
    const pjmedia_sdp_attr *attr;
    pjmedia_sdp_ssrc_attr ssrc;

    if (index >= local->media_count || index >= remote->media_count)
        return;
    pthread_mutex_lock(&wire->high);
    memset(wire->kinds, KIND_NONE, sizeof wire->kinds);
    wire->kinds[13] = KIND_NOISE; /* many send it without a word */
    wire->noise_out = PJ_FALSE;
    wire->event_out = 0;
    read_types(wire, local->media[index], PJ_TRUE);
    read_types(wire, remote->media[index], PJ_FALSE);
    wire->pauses = line_pauses(remote->media[index]);
    attr = pjmedia_sdp_media_find_attr2(local->media[index], "ssrc", NULL);
    if (attr && pjmedia_sdp_attr_get_ssrc(attr, &ssrc) == PJ_SUCCESS) { /* what the far end was told */
        if (!wire->egress.any)
            wire->egress.ssrc = ssrc.ssrc;
        if (ssrc.cname.slen == RTCP_NAME)
            memcpy(wire->reports.name, ssrc.cname.ptr, RTCP_NAME);
    }
    wire->described = PJ_TRUE;
    pthread_mutex_unlock(&wire->high);
}

/* --- pairs ------------------------------------------------------------------------------------------------- */

static void lock_both(struct wire *a, struct wire *b)
{
    pthread_mutex_lock(a < b ? &a->high : &b->high);
    pthread_mutex_lock(a < b ? &b->high : &a->high);
}

static void unlock_both(struct wire *a, struct wire *b)
{
    pthread_mutex_unlock(&a->high);
    pthread_mutex_unlock(&b->high);
}

/* The conference need not ask the stream of a joined leg 100 times a second. Under high. */
static void hold_stream(const struct wire *wire, pj_bool_t on)
{
    pjmedia_port *port;

    if (wire->attached && pjmedia_stream_get_port(wire->above.user_data, &port) == PJ_SUCCESS)
        gap_hold(port, on);
}

/* Under `pairs`: no other thread changes a peer. */
static void part(struct wire *wire)
{
    struct wire *peer = wire->peer;

    if (!peer)
        return;
    lock_both(wire, peer);
    wire->peer = peer->peer = NULL;
    hold_stream(wire, PJ_FALSE);
    hold_stream(peer, PJ_FALSE);
    wire->egress.origin = peer->egress.origin = NULL; /* joined again: what the two said meanwhile is no loss */
    unlock_both(wire, peer);
}

void relay_part(struct wire *wire)
{
    pthread_mutex_lock(&pairs);
    part(wire);
    pthread_mutex_unlock(&pairs);
}

int tandem_relay_part(int call)
{
    unsigned index;
    struct wire *wire = wire_of_call(call, &index);

    if (wire)
        relay_part(wire);
    return PJ_SUCCESS;
}

/* Which of one leg's payload types are which of the other's. Keys are for whoever decides about them, and go up only. */
static void fill(struct wire *wire, const struct wire *to, const pjmedia_stream_info *from_info,
                 const pjmedia_stream_info *to_info)
{
    pj_bool_t through = from_info->dir & PJMEDIA_DIR_DECODING && to_info->dir & PJMEDIA_DIR_ENCODING;

    memset(wire->pass, PASS_NOT, sizeof wire->pass);
    for (int i = 0; i < 128; i++)
        if (wire->kinds[i] == KIND_EVENT || wire->kinds[i] == KIND_NOISE)
            wire->pass[i] = PASS_HELD;
    wire->pass[from_info->rx_pt & 0x7f] = through ? (unsigned char)(to_info->tx_pt & 0x7f) : PASS_HELD;
    if (wire->kinds[13] == KIND_NOISE && through && to->noise_out)
        wire->pass[13] = 13;
}

static pj_status_t find_stream(int call, struct wire **wire, pjsua_stream_info *info)
{
    unsigned index;

    if (!(*wire = wire_of_call(call, &index)) || pjsua_call_get_stream_info(call, index, info) != PJ_SUCCESS ||
        info->type != PJMEDIA_TYPE_AUDIO)
        return PJ_EINVALIDOP;
    return PJ_SUCCESS;
}

int tandem_relay_join(int call_a, int call_b)
{
    pjsua_stream_info a_stream, b_stream;
    const pjmedia_stream_info *a_info = &a_stream.info.aud, *b_info = &b_stream.info.aud;
    struct wire *a, *b;
    int status = PJ_SUCCESS;

    if (call_a == call_b || find_stream(call_a, &a, &a_stream) != PJ_SUCCESS ||
        find_stream(call_b, &b, &b_stream) != PJ_SUCCESS)
        return PJ_EINVALIDOP;
    if (pj_stricmp(&a_info->fmt.encoding_name, &b_info->fmt.encoding_name) != 0 ||
        a_info->fmt.clock_rate != b_info->fmt.clock_rate || a_info->fmt.channel_cnt != b_info->fmt.channel_cnt)
        return PJMEDIA_CODEC_EUNSUP;
    pthread_mutex_lock(&pairs);
    if (a->peer != b)
        part(a);
    if (b->peer != a)
        part(b);
    lock_both(a, b);
    if (!a->attached || !b->attached || a->closed || b->closed) {
        status = PJ_EINVALIDOP;
    } else {
        fill(a, b, a_info, b_info);
        fill(b, a, b_info, a_info);
        a->event_out = (unsigned char)(a_info->tx_event_pt > 0 ? a_info->tx_event_pt : 0);
        b->event_out = (unsigned char)(b_info->tx_event_pt > 0 ? b_info->tx_event_pt : 0);
        a->peer = b;
        b->peer = a;
        hold_stream(a, PJ_TRUE);
        hold_stream(b, PJ_TRUE);
    }
    unlock_both(a, b);
    pthread_mutex_unlock(&pairs);
    return status;
}
