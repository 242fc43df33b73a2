/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Between SRTP, which lies on every leg's UDP transport whether it is in use or not, and the stream: our table of
 * operations in front of its own (pjmedia_transport is a public structure, its op is the owner's to set). Here sound is
 * in clear, to be relayed, tapped and made one stream with reports of our own; sockets.c does the same below SRTP. */
#include <sys/random.h>

#include "sound.h"
#include "spare.h"
#include "wire.h"

#define FIRST_REPORT 500 /* milliseconds */

/* --- above SRTP -------------------------------------------------------------------------------------------- */

/* What the stream gets, it gets under `calling`, so that it is not called any more when it has detached. */
void wire_take(struct wire *wire, unsigned char *packet, pj_ssize_t size, pj_uint64_t now)
{
    pjmedia_tp_cb_param up = {.pkt = packet, .size = size}; /* no src_addr: where we send is not the stream's to say */
    pjmedia_transport_attach_param above;

    if (!relay_take(wire, packet, size, now))
        return;
    pthread_mutex_lock(&wire->calling);
    pthread_mutex_lock(&wire->high);
    above = wire->above;
    pthread_mutex_unlock(&wire->high);
    up.user_data = above.user_data;
    if (above.rtp_cb2)
        above.rtp_cb2(&up);
    else if (above.rtp_cb)
        above.rtp_cb(up.user_data, up.pkt, up.size);
    pthread_mutex_unlock(&wire->calling);
}

static void on_rtp(pjmedia_tp_cb_param *param)
{
    param->rem_switch = PJ_FALSE;
    if (param->user_data && param->size >= 0)
        wire_take(param->user_data, param->pkt, param->size, wire_now());
}

static void on_rtcp(void *user_data, void *packet, pj_ssize_t size)
{
    struct wire *wire = user_data;
    pjmedia_transport_attach_param above;
    pj_bool_t whole;

    if (!wire || size < 0)
        return;
    pthread_mutex_lock(&wire->high);
    whole = rtcp_read(&wire->reports, packet, size, wire->egress.ssrc, wire_now(), wire_wall());
    above = wire->above;
    pthread_mutex_unlock(&wire->high);
    if (!whole)
        wire_refuses(wire, REASON_RTCP_FORM);
    else if (above.rtcp_cb)
        above.rtcp_cb(above.user_data, packet, size);
}

/* The struct that a table of operations stands in. */
static struct wire *wire_of(const pjmedia_transport *top)
{
    return (struct wire *)((char *)top->op - offsetof(struct wire, op));
}

static pj_status_t top_attach2(pjmedia_transport *tp, pjmedia_transport_attach_param *param)
{
    struct wire *wire = wire_of(tp);
    pjmedia_transport_attach_param ours = *param;

    if (!param->rtp_cb && !param->rtp_cb2) /* a handshake's: the stream stays as it is */
        return wire->next->attach2(tp, param);
    relay_part(wire);
    pthread_mutex_lock(&wire->high);
    wire->above = *param;
    wire->attached = PJ_TRUE;
    pthread_mutex_unlock(&wire->high);
    ours.user_data = wire;
    ours.rtp_cb = NULL;
    ours.rtp_cb2 = &on_rtp;
    ours.rtcp_cb = &on_rtcp;
    wire_schedule(wire, FIRST_REPORT);
    spare_tables(); /* the stream is there, its port is made next */
    return wire->next->attach2(tp, &ours);
}

static void forget_stream(struct wire *wire)
{
    relay_part(wire);
    pthread_mutex_lock(&wire->high);
    pj_bzero(&wire->above, sizeof wire->above);
    wire->attached = PJ_FALSE;
    pthread_mutex_unlock(&wire->high);
}

static void top_detach(pjmedia_transport *tp, void *user_data)
{
    struct wire *wire = wire_of(tp);

    PJ_UNUSED_ARG(user_data);
    forget_stream(wire);
    wire->next->detach(tp, wire);
}

static pj_status_t top_send_rtp(pjmedia_transport *tp, const void *packet, pj_size_t size)
{
    relay_send(wire_of(tp), packet, size);
    return PJ_SUCCESS; /* a packet that the kernel did not take is no error of the stream's */
}

/* The stream's reports tell of its own packets only; ours tell of all. */
static pj_status_t top_send_rtcp(pjmedia_transport *tp, const void *packet, pj_size_t size)
{
    PJ_UNUSED_ARG(tp);
    PJ_UNUSED_ARG(packet);
    PJ_UNUSED_ARG(size);
    return PJ_SUCCESS;
}

static pj_status_t top_send_rtcp2(pjmedia_transport *tp, const pj_sockaddr_t *address, unsigned length,
                                  const void *packet, pj_size_t size)
{
    PJ_UNUSED_ARG(address);
    PJ_UNUSED_ARG(length);
    return top_send_rtcp(tp, packet, size);
}

__thread pj_bool_t wire_only;

static pj_status_t top_get_info(pjmedia_transport *tp, pjmedia_transport_info *info)
{
    struct wire *wire = wire_of(tp);

    return wire_only ? pjmedia_transport_get_info(wire->udp, info) : wire->next->get_info(tp, info);
}

static pj_status_t top_encode_sdp(pjmedia_transport *tp, pj_pool_t *pool, pjmedia_sdp_session *local,
                                  const pjmedia_sdp_session *remote, unsigned index)
{
    struct wire *wire = wire_of(tp);

    if (wire->codecs)
        codec_list_apply(wire->codecs, pool, local, index);
    return wire->next->encode_sdp(tp, pool, local, remote, index);
}

/* SRTP hands packets on as they are once it has found no keys; while a handshake is due it does not. */
static pj_bool_t is_plain(const struct wire *wire)
{
    const pjmedia_srtp_info *srtp;
    pjmedia_transport_info info;

    pjmedia_transport_info_init(&info);
    if (wire->next->get_info(wire->top, &info) != PJ_SUCCESS)
        return PJ_FALSE;
    srtp = pjmedia_transport_info_get_spc_info(&info, PJMEDIA_TRANSPORT_TYPE_SRTP);
    return srtp && !srtp->active && srtp->peer_use == PJMEDIA_SRTP_DISABLED;
}

static void set_plain(struct wire *wire, pj_bool_t plain)
{
    pthread_mutex_lock(&wire->high);
    pthread_mutex_lock(&wire->low);
    wire->plain = plain;
    pthread_mutex_unlock(&wire->low);
    pthread_mutex_unlock(&wire->high);
}

static pj_status_t top_media_start(pjmedia_transport *tp, pj_pool_t *pool, const pjmedia_sdp_session *local,
                                   const pjmedia_sdp_session *remote, unsigned index)
{
    struct wire *wire = wire_of(tp);
    pj_status_t status;

    if (local && remote)
        relay_describe(wire, local, remote, index);
    set_plain(wire, PJ_FALSE);
    status = wire->next->media_start(tp, pool, local, remote, index);
    set_plain(wire, status == PJ_SUCCESS && is_plain(wire));
    return status;
}

/* While SRTP still has its keys. */
static pj_status_t top_media_stop(pjmedia_transport *tp)
{
    struct wire *wire = wire_of(tp);

    pthread_mutex_lock(&wire->high);
    wire_report(wire, PJ_TRUE);
    pthread_mutex_unlock(&wire->high);
    return wire->next->media_stop(tp);
}

static pj_status_t top_destroy(pjmedia_transport *tp)
{
    struct wire *wire = wire_of(tp);
    const pjmedia_transport_op *next = wire->next;

    forget_stream(wire);
    taps_forget(wire);
    pthread_mutex_lock(&wire->high);
    wire->closed = PJ_TRUE;
    pthread_mutex_unlock(&wire->high);
    tp->op = (pjmedia_transport_op *)next;
    return next->destroy(tp);
}

pj_bool_t wire_send(struct wire *wire, const void *packet, unsigned size)
{
    if (wire->closed || (wire->plain ? wire_transmit(wire, PJ_FALSE, NULL, packet, size)
                                     : wire->next->send_rtp(wire->top, packet, size)) != PJ_SUCCESS) {
        wire->egress.unsent++;
        return PJ_FALSE;
    }
    wire->egress.packets++;
    wire->egress.octets += size - RTP_HEADER;
    wire_counts(WIRE_SENT);
    return PJ_TRUE;
}

void wire_report(struct wire *wire, pj_bool_t goodbye)
{
    unsigned char packet[RTCP_ROOM];
    unsigned size;

    if (wire->closed || (!wire->attached && !goodbye) || (goodbye && !wire->egress.any && !wire->reception.any))
        return;
    size = rtcp_write(packet, &wire->reports, &wire->egress, &wire->reception, goodbye, wire_now(), wire_wall());
    if (wire->next->send_rtcp(wire->top, packet, size) == PJ_SUCCESS)
        wire_counts(goodbye ? WIRE_GOODBYES : WIRE_REPORTS);
}

/* --- life -------------------------------------------------------------------------------------------------- */

/* The last one to know the transport has gone: its sockets are closed. */
static void on_destroy(void *data)
{
    struct wire *wire = data;

    ports_released(wire->port);
    wire_free(wire);
}

static void name(struct wire *wire)
{
    static const char letters[] = "0123456789abcdef";
    struct {
        pj_uint32_t ssrc, timestamp;
        pj_uint16_t number;
        unsigned char name[RTCP_NAME];
    } chance;

    if (getrandom(&chance, sizeof chance, 0) != sizeof chance)
        for (unsigned i = 0; i < sizeof chance; i++)
            ((unsigned char *)&chance)[i] = (unsigned char)pj_rand();
    /* the first number is from the lower half: SRTP's counter of rounds begins at 0 at both ends (RFC 3711 3.3.1) */
    egress_init(&wire->egress, chance.ssrc, chance.number & 0x7fff, chance.timestamp, 8000);
    reception_init(&wire->reception, 8000);
    wire->reports.round_trip = wire->reports.loss = -1;
    for (unsigned i = 0; i < RTCP_NAME; i++)
        wire->reports.name[i] = letters[chance.name[i] & 15];
}

static void put_in_front(struct wire *wire)
{
    wire->next = wire->top->op;
    wire->op = *wire->next;
    wire->op.get_info = &top_get_info;
    wire->op.attach2 = &top_attach2;
    wire->op.detach = &top_detach;
    wire->op.send_rtp = &top_send_rtp;
    wire->op.send_rtcp = &top_send_rtcp;
    wire->op.send_rtcp2 = &top_send_rtcp2;
    wire->op.encode_sdp = &top_encode_sdp;
    wire->op.media_start = &top_media_start;
    wire->op.media_stop = &top_media_stop;
    wire->op.destroy = &top_destroy;
    wire->top->op = &wire->op;
}

int tandem_guard(size_t transport, int rule, const char *signalling)
{
    pjmedia_transport *tp = (pjmedia_transport *)transport;
    pjmedia_transport_info info;
    struct wire *wire;
    pj_status_t status;

    pjmedia_transport_info_init(&info);
    if (!tp || pjmedia_transport_get_info(tp, &info) != PJ_SUCCESS || !source_rule(rule) ||
        !pjmedia_transport_info_get_spc_info(&info, PJMEDIA_TRANSPORT_TYPE_SRTP))
        return PJ_EINVAL; /* pjsua always has SRTP, in use or not; its own type is the member's */
    if (wire_of_info(&info))
        return PJ_EEXISTS;
    if (!(wire = wire_new()))
        return PJ_ENOMEM;
    wire->top = tp;
    name(wire);
    source_init(&wire->source, source_rule(rule), signalling);
    status = sockets_take(wire, pjmedia_transport_srtp_get_member(tp), &info, &on_destroy);
    if (status != PJ_SUCCESS) {
        wire_free(wire);
        return status;
    }
    put_in_front(wire);
    return PJ_SUCCESS;
}
