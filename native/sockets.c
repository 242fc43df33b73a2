/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The sockets of a leg, below SRTP: our table of operations in front of that of PJMEDIA's UDP transport, which keeps
 * nothing but the descriptors. It never reads them: its own attach and media_start are not called, our threads do that
 * (wire.c). Here the source rules are applied: strangers' packets cost no decryption, and nobody else's handshake
 * reaches DTLS. */
#include <errno.h>
#include <sys/socket.h>

#include "sound.h"
#include "spare.h"
#include "wire.h"

#define INFO_TYPE ((pjmedia_transport_type)(PJMEDIA_TRANSPORT_TYPE_USER + 'T'))

static pjmedia_transport_op under, over; /* the UDP transport's own, and the same with ours in front */
unsigned long long refused_in_all[REASON_END];

static void refuse_in_all(enum sound_reason reason)
{
    __atomic_fetch_add(&refused_in_all[reason], 1, __ATOMIC_RELAXED);
}

void wire_refuses(struct wire *wire, enum sound_reason reason)
{
    pthread_mutex_lock(&wire->low);
    wire->source.refused[reason]++;
    pthread_mutex_unlock(&wire->low);
    refuse_in_all(reason);
}

/* --- packets that come (the wire's worker) ----------------------------------------------------------------- */

/* Where ours goes: as SRTP attached, but for what the source rules know better. Under low. */
static void take_aim(struct wire *wire)
{
    const pjmedia_transport_attach_param *below = &wire->below;
    pj_sockaddr rtp = below->rem_addr, rtcp = below->rem_rtcp, follow, follow_rtcp;

    wire->aim_length = 0;
    if (!below->addr_len)
        return;
    wire->mux = pj_sockaddr_has_addr(&rtp) && pj_sockaddr_cmp(&rtp, &rtcp) == 0;
    if (!rtcp.addr.sa_family || !pj_sockaddr_has_addr(&rtcp)) {
        rtcp = rtp;
        pj_sockaddr_set_port(&rtcp, (pj_uint16_t)(pj_sockaddr_get_port(&rtp) + 1));
    }
    if (source_aim(&wire->source, &follow, &follow_rtcp)) {
        rtp = follow;
        rtcp = wire->mux ? follow : follow_rtcp;
    }
    if (pj_sockaddr_synthesize(wire->family, &wire->aim, &rtp) == PJ_SUCCESS &&
        pj_sockaddr_synthesize(wire->family, &wire->aim_rtcp, &rtcp) == PJ_SUCCESS)
        wire->aim_length = (int)pj_sockaddr_get_len(&wire->aim);
}

static pj_bool_t is_report(const unsigned char *packet, pj_ssize_t size)
{
    return size >= 8 && packet[0] >> 6 == 2 && packet[1] >= 192 && packet[1] <= 223; /* RFC 5761 4 */
}

/* Under low. */
static enum sound_reason judge(struct wire *wire, const pj_sockaddr *from, const unsigned char *packet, pj_ssize_t size,
                               pj_bool_t rtcp, pj_uint64_t now)
{
    enum sound_reason reason;
    pj_bool_t moved;

    if (size > PACKET_ROOM) { /* cut off: judged as what it cannot be */
        packet = (const unsigned char *)"";
        size = 0;
    }
    reason = rtcp ? source_rtcp(&wire->source, from, packet, size, now / 1000, &moved)
                  : source_rtp(&wire->source, from, packet, size, now / 1000, &moved);
    if (reason != HEARD) {
        refuse_in_all(reason);
    } else {
        *(rtcp ? &wire->seen_rtcp : &wire->seen) = *from;
        if (moved)
            take_aim(wire);
    }
    return reason;
}

/* To SRTP, which may be in use. What is attached is read behind `calling`: it is true until that is let go. */
static void hand_up(struct wire *wire, unsigned char *packet, pj_ssize_t size, pj_bool_t rtcp)
{
    pjmedia_tp_cb_param up = {.pkt = packet, .size = size}; /* no src_addr: who does not know it looks for no other */
    void (*rtp_cb)(pjmedia_tp_cb_param *);
    void (*rtcp_cb)(void *, void *, pj_ssize_t);

    pthread_mutex_lock(&wire->calling);
    pthread_mutex_lock(&wire->low);
    rtp_cb = wire->below.rtp_cb2;
    rtcp_cb = wire->below.rtcp_cb;
    up.user_data = wire->below.user_data;
    pthread_mutex_unlock(&wire->low);
    if (rtcp && rtcp_cb)
        rtcp_cb(up.user_data, packet, size);
    else if (!rtcp && rtp_cb)
        rtp_cb(&up);
    pthread_mutex_unlock(&wire->calling);
}

/* One datagram, where there is one. PJ_FALSE: none is left to be handled. */
static pj_bool_t fetch(struct wire *wire, unsigned char *packet, pj_ssize_t *size, pj_bool_t *rtcp, pj_bool_t *plain,
                       pj_uint64_t *now)
{
    int fd = *rtcp ? wire->rtcp : wire->rtp;
    socklen_t length = sizeof(pj_sockaddr);
    pj_bool_t sound = !*rtcp;
    pj_sockaddr from;

    if (fd < 0 || !wire->watched)
        return PJ_FALSE;
    *size = recvfrom(fd, packet, PACKET_ROOM, MSG_DONTWAIT | MSG_TRUNC, (struct sockaddr *)&from, &length);
    if (*size < 0) {
        if (errno != EAGAIN && errno != EINTR)
            wire_counts(WIRE_ERRORS);
        return PJ_FALSE;
    }
    *now = wire_now();
    *plain = wire->plain;
    *rtcp = *rtcp || (wire->mux && is_report(packet, *size));
    if (sound)
        wire_counts(WIRE_RECEIVED);
    if (judge(wire, &from, packet, *size, *rtcp, *now) == HEARD)
        return PJ_TRUE;
    if (sound)
        wire_counts(WIRE_REFUSED);
    return PJ_FALSE;
}

void wire_read(struct wire *wire, unsigned char *packet, pj_bool_t is_rtcp)
{
    pj_bool_t rtcp = is_rtcp, plain, heard;
    pj_uint64_t now;
    pj_ssize_t size;

    pthread_mutex_lock(&wire->low);
    heard = fetch(wire, packet, &size, &rtcp, &plain, &now);
    pthread_mutex_unlock(&wire->low);
    if (!heard)
        return;
    wire->settled = PJ_FALSE;
    if (plain && !rtcp)
        wire_take(wire, packet, size, now); /* SRTP would only hand it on */
    else
        hand_up(wire, packet, size, rtcp);
    if (!is_rtcp && !wire->settled)
        wire_counts(WIRE_OTHER);
}

/* --- operations -------------------------------------------------------------------------------------------- */

static struct wire *wire_of(const pjmedia_transport *udp)
{
    return udp->user_data;
}

/* Both have to be there before anything is read: what nobody is attached for would be lost. Under low. */
static void watch(struct wire *wire)
{
    if (wire->started && wire->aim_length)
        wire_watch(wire);
}

static pj_status_t attach2(pjmedia_transport *tp, pjmedia_transport_attach_param *param)
{
    struct wire *wire = wire_of(tp);

    pthread_mutex_lock(&wire->low);
    wire->below = *param;
    pj_bzero(&wire->seen, sizeof wire->seen);
    pj_bzero(&wire->seen_rtcp, sizeof wire->seen_rtcp);
    take_aim(wire);
    watch(wire);
    pthread_mutex_unlock(&wire->low);
    return PJ_SUCCESS;
}

static void detach(pjmedia_transport *tp, void *user_data)
{
    struct wire *wire = wire_of(tp);

    PJ_UNUSED_ARG(user_data);
    pthread_mutex_lock(&wire->low);
    wire->below.rtp_cb2 = NULL;
    wire->below.rtp_cb = NULL;
    wire->below.rtcp_cb = NULL;
    wire->below.user_data = NULL;
    pthread_mutex_unlock(&wire->low);
    pthread_mutex_lock(&wire->calling); /* the one that runs has ended, and there is no other */
    pthread_mutex_unlock(&wire->calling);
}

pj_status_t wire_transmit(struct wire *wire, pj_bool_t rtcp, const pj_sockaddr *to, const void *packet, pj_size_t size)
{
    pj_status_t status = PJ_SUCCESS;
    int fd;

    pthread_mutex_lock(&wire->low);
    fd = rtcp && !wire->mux ? wire->rtcp : wire->rtp;
    if (wire->started && wire->aim_length && fd >= 0) {
        socklen_t length = (socklen_t)(to ? (int)pj_sockaddr_get_len(to) : wire->aim_length);

        if (!to)
            to = rtcp ? &wire->aim_rtcp : &wire->aim;
        if (sendto(fd, packet, size, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)to, length) < 0)
            status = PJ_STATUS_FROM_OS(errno);
    }
    pthread_mutex_unlock(&wire->low);
    return status;
}

static pj_status_t send_rtp(pjmedia_transport *tp, const void *packet, pj_size_t size)
{
    return wire_transmit(wire_of(tp), PJ_FALSE, NULL, packet, size);
}

static pj_status_t send_rtcp(pjmedia_transport *tp, const void *packet, pj_size_t size)
{
    return wire_transmit(wire_of(tp), PJ_TRUE, NULL, packet, size);
}

static pj_status_t send_rtcp2(pjmedia_transport *tp, const pj_sockaddr_t *address, unsigned length, const void *packet,
                              pj_size_t size)
{
    (void)length;
    return wire_transmit(wire_of(tp), PJ_TRUE, address, packet, size);
}

/* An address of 0.0.0.0 (hold of the old kind) and a line that is refused say nothing new about the source. */
static void describe(pjmedia_transport *tp, const pjmedia_sdp_session *sdp, unsigned index)
{
    struct wire *wire = wire_of(tp);
    const pjmedia_sdp_media *media = sdp && index < sdp->media_count ? sdp->media[index] : NULL;
    const pjmedia_sdp_conn *conn = media ? (media->conn ? media->conn : sdp->conn) : NULL;
    const pjmedia_sdp_attr *attr;
    pjmedia_sdp_rtcp_attr told;
    pj_sockaddr rtp, rtcp;
    int family;

    if (!conn || !media->desc.port)
        return;
    family = pj_strchr(&conn->addr, ':') ? pj_AF_INET6() : pj_AF_INET();
    pj_bzero(&rtp, sizeof rtp);
    rtp.addr.sa_family = (pj_uint16_t)family;
    if (pj_inet_pton(family, &conn->addr, pj_sockaddr_get_addr(&rtp)) != PJ_SUCCESS || !pj_sockaddr_has_addr(&rtp))
        return;
    pj_sockaddr_set_port(&rtp, media->desc.port);
    rtcp = rtp;
    pj_sockaddr_set_port(&rtcp, (pj_uint16_t)(media->desc.port + 1));
    attr = pjmedia_sdp_media_find_attr2(media, "rtcp", NULL);
    if (attr && pjmedia_sdp_attr_get_rtcp(attr, &told) == PJ_SUCCESS) {
        pj_sockaddr_set_port(&rtcp, (pj_uint16_t)told.port);
        if (told.addr.slen)
            pj_inet_pton(family, &told.addr, pj_sockaddr_get_addr(&rtcp));
    }
    pthread_mutex_lock(&wire->low);
    source_told(&wire->source, &rtp, &rtcp, sdp->origin.version);
    pthread_mutex_unlock(&wire->low);
}

static pj_status_t encode_sdp(pjmedia_transport *tp, pj_pool_t *pool, pjmedia_sdp_session *local,
                              const pjmedia_sdp_session *remote, unsigned index)
{
    describe(tp, remote, index);
    return under.encode_sdp(tp, pool, local, remote, index);
}

static pj_status_t media_start(pjmedia_transport *tp, pj_pool_t *pool, const pjmedia_sdp_session *local,
                               const pjmedia_sdp_session *remote, unsigned index)
{
    struct wire *wire = wire_of(tp);

    PJ_UNUSED_ARG(pool);
    PJ_UNUSED_ARG(local);
    describe(tp, remote, index);
    pthread_mutex_lock(&wire->low);
    wire->started = PJ_TRUE;
    watch(wire);
    pthread_mutex_unlock(&wire->low);
    return PJ_SUCCESS;
}

static pj_status_t media_stop(pjmedia_transport *tp)
{
    struct wire *wire = wire_of(tp);

    pthread_mutex_lock(&wire->low);
    wire->started = PJ_FALSE;
    wire_unwatch(wire);
    pthread_mutex_unlock(&wire->low);
    return PJ_SUCCESS;
}

static pj_status_t get_info(pjmedia_transport *tp, pjmedia_transport_info *info)
{
    struct wire *wire = wire_of(tp);
    pj_status_t status = under.get_info(tp, info);

    if (info->specific_info_cnt < PJ_ARRAY_SIZE(info->spc_info)) {
        pjmedia_transport_specific_info *ours = &info->spc_info[info->specific_info_cnt++];

        ours->type = INFO_TYPE;
        ours->cbsize = sizeof wire;
        pj_memcpy(ours->buffer, &wire, sizeof wire);
    }
    pthread_mutex_lock(&wire->low);
    info->src_rtp_name = wire->seen;
    info->src_rtcp_name = wire->seen_rtcp;
    if (wire->mux)
        info->sock_info.rtcp_addr_name = info->sock_info.rtp_addr_name;
    pthread_mutex_unlock(&wire->low);
    return status;
}

/* After this no worker reads, and PJMEDIA closes the descriptors. */
static pj_status_t destroy(pjmedia_transport *tp)
{
    struct wire *wire = wire_of(tp);

    pthread_mutex_lock(&wire->low);
    wire_unwatch(wire);
    wire->rtp = wire->rtcp = -1;
    pj_bzero(&wire->below, sizeof wire->below);
    pthread_mutex_unlock(&wire->low);
    pthread_mutex_lock(&wire->calling);
    pthread_mutex_unlock(&wire->calling);
    return under.destroy(tp);
}

static void learn_operations(const pjmedia_transport *udp)
{
    under = over = *udp->op;
    over.attach2 = &attach2;
    over.detach = &detach;
    over.send_rtp = &send_rtp;
    over.send_rtcp = &send_rtcp;
    over.send_rtcp2 = &send_rtcp2;
    over.encode_sdp = &encode_sdp;
    over.media_start = &media_start;
    over.media_stop = &media_stop;
    over.get_info = &get_info;
    over.destroy = &destroy;
}

pj_status_t sockets_take(struct wire *wire, pjmedia_transport *udp, const pjmedia_transport_info *info,
                         void (*on_destroy)(void *))
{
    int room = PJMEDIA_TRANSPORT_SO_RCVBUF_SIZE;
    pj_status_t status;

    if (!udp || udp->type != PJMEDIA_TRANSPORT_TYPE_UDP || !udp->grp_lock)
        return PJ_EINVAL;
    if (!under.attach2)
        learn_operations(udp);
    status = pj_grp_lock_add_handler(udp->grp_lock, NULL, wire, on_destroy);
    if (status != PJ_SUCCESS)
        return status;
    wire->udp = udp;
    wire->family = info->sock_info.rtp_addr_name.addr.sa_family;
    wire->rtp = (int)info->sock_info.rtp_sock;
    wire->rtcp = (int)info->sock_info.rtcp_sock;
    wire->port = pj_sockaddr_get_port(&info->sock_info.rtp_addr_name);
    ports_taken(wire->port);
    if (room)
        setsockopt(wire->rtp, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    udp->user_data = wire;
    udp->op = &over;
    spare_buffers(udp);
    return PJ_SUCCESS;
}

/* --- found again ------------------------------------------------------------------------------------------- */

struct wire *wire_of_info(pjmedia_transport_info *info)
{
    void *buffer = pjmedia_transport_info_get_spc_info(info, INFO_TYPE);
    struct wire *wire = NULL;

    if (buffer)
        pj_memcpy(&wire, buffer, sizeof wire);
    return wire;
}
