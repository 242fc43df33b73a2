/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * PJMEDIA's UDP transport starts to read first and says that it has started afterwards (transport_media_start in
 * transport_udp.c, 2.17). A packet that the media thread reads in between is the last one: on_rx_rtp sees a transport
 * that has not started and does not ask for the next. The far end is not heard for the rest of the call; with both
 * cores busy that was one call of 200. Held here: the lock under which the media thread reads, until all is said. */
#include "internal.h"

static pj_status_t (*media_start)(pjmedia_transport *tp, pj_pool_t *pool, const pjmedia_sdp_session *local,
                                  const pjmedia_sdp_session *remote, unsigned index);

static pj_status_t start_locked(pjmedia_transport *tp, pj_pool_t *pool, const pjmedia_sdp_session *local,
                                const pjmedia_sdp_session *remote, unsigned index)
{
    pj_grp_lock_t *lock = tp->grp_lock; /* shared with the keys of both sockets */
    pj_status_t status;

    if (lock)
        pj_grp_lock_acquire(lock);
    status = media_start(tp, pool, local, remote, index);
    if (lock)
        pj_grp_lock_release(lock);
    return status;
}

/* All UDP transports have one table of operations, and any one of them leads to it. */
pj_status_t rtp_start_mend(void)
{
    pjmedia_transport *tp;
    pjmedia_sock_info sockets;
    pj_status_t status;

    pj_bzero(&sockets, sizeof sockets);
    pj_sockaddr_init(pj_AF_INET(), &sockets.rtp_addr_name, NULL, 0);
    pj_sockaddr_init(pj_AF_INET(), &sockets.rtcp_addr_name, NULL, 0);
    status = pj_sock_socket(pj_AF_INET(), pj_SOCK_DGRAM() | pj_SOCK_CLOEXEC(), 0, &sockets.rtp_sock);
    if (status != PJ_SUCCESS)
        return status;
    status = pj_sock_socket(pj_AF_INET(), pj_SOCK_DGRAM() | pj_SOCK_CLOEXEC(), 0, &sockets.rtcp_sock);
    if (status != PJ_SUCCESS) {
        pj_sock_close(sockets.rtp_sock);
        return status;
    }
    status = pjmedia_transport_udp_attach(pjsua_get_pjmedia_endpt(), "tandem", &sockets, 0, &tp);
    if (status != PJ_SUCCESS)
        return status;
    if (tp->op->media_start != start_locked) {
        media_start = tp->op->media_start;
        tp->op->media_start = start_locked;
    }
    return pjmedia_transport_close(tp);
}
