/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Between the socket of a leg and whatever uses it (SRTP, the stream): a table of operations of ours in front of that of
 * PJMEDIA's UDP transport, put there for one transport at a time (pjmedia_transport is a public structure, its op and
 * user_data are the owner's to set). So it stands below SRTP: strangers' packets cost no decryption, and nobody else's
 * handshake reaches DTLS. A relay or a tap for clear sound belongs above SRTP: tandem_guard gets that transport too. */
#include <stdlib.h>
#include <time.h>

#include "internal.h"
#include "sound.h"
#include "source.h"

#define INFO_TYPE ((pjmedia_transport_type)(PJMEDIA_TRANSPORT_TYPE_USER + 'T'))

struct adapter {
    struct source source;
    pjmedia_transport *udp;
    unsigned port; /* ours */
    pjmedia_transport_attach_param given; /* as the user above us attached */
};

static pjmedia_transport_op under; /* PJMEDIA's own */
static pjmedia_transport_op over;  /* the same with ours in front */
static unsigned long long refused_in_all[REASON_END];

static pj_uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (pj_uint64_t)now.tv_sec * 1000 + (pj_uint64_t)now.tv_nsec / 1000000;
}

/* --- packets (media thread) -------------------------------------------------------------------------------- */

static void on_rtp(pjmedia_tp_cb_param *param);
static void on_rtcp(void *user_data, void *packet, pj_ssize_t size);

/* Attaches to the socket as the user above us wanted it, but with our callbacks and our aim. Under the lock. */
static pj_status_t attach(struct adapter *adapter)
{
    pjmedia_transport_attach_param param = adapter->given;
    pj_sockaddr rtp, rtcp;

    if (source_aim(&adapter->source, &rtp, &rtcp)) {
        param.rem_addr = rtp;
        param.rem_rtcp = rtcp;
        param.addr_len = (unsigned)pj_sockaddr_get_len(&rtp);
    }
    param.user_data = adapter;
    param.rtp_cb = NULL;
    param.rtp_cb2 = &on_rtp;
    param.rtcp_cb = &on_rtcp;
    return under.attach2(adapter->udp, &param);
}

static void settle(struct adapter *adapter, enum sound_reason reason, pj_bool_t moved)
{
    if (reason == REASON_END)
        return;
    if (reason != HEARD)
        __atomic_fetch_add(&refused_in_all[reason], 1, __ATOMIC_RELAXED);
    else if (moved && adapter->given.addr_len)
        attach(adapter);
}

static void on_rtp(pjmedia_tp_cb_param *param)
{
    struct adapter *adapter = param->user_data;
    pjmedia_tp_cb_param up = *param;
    pj_grp_lock_t *lock;
    pjmedia_transport_attach_param *given;
    void (*callback)(void *, void *, pj_ssize_t);
    void (*callback2)(pjmedia_tp_cb_param *);

    param->rem_switch = PJ_FALSE; /* where we send is not the stream's to say */
    if (!adapter)
        return;
    lock = adapter->udp->grp_lock;
    pj_grp_lock_acquire(lock);
    if (param->size >= 0) {
        pj_bool_t moved = PJ_FALSE;
        pj_sockaddr from = *(const pj_sockaddr *)param->src_addr; /* attaching again forgets it */
        enum sound_reason reason = REASON_END;

        if (from.addr.sa_family) /* else it was read while the stream attached, which forgets whose it was */
            reason = source_rtp(&adapter->source, &from, param->pkt, param->size, now_ms(), &moved);
        settle(adapter, reason, moved);
        if (reason != HEARD) {
            pj_grp_lock_release(lock);
            return;
        }
    }
    given = &adapter->given;
    up.user_data = given->user_data;
    up.src_addr = NULL; /* a stream that does not know it does not look for another */
    callback = given->rtp_cb;
    callback2 = given->rtp_cb2;
    pj_grp_lock_release(lock);
    if (callback2)
        callback2(&up);
    else if (callback)
        callback(up.user_data, up.pkt, up.size);
}

static void on_rtcp(void *user_data, void *packet, pj_ssize_t size)
{
    struct adapter *adapter = user_data;
    pjmedia_transport_info info;
    void (*callback)(void *, void *, pj_ssize_t);
    void *above;
    pj_grp_lock_t *lock;

    if (!adapter)
        return;
    lock = adapter->udp->grp_lock;
    pj_grp_lock_acquire(lock);
    if (size >= 0) {
        pj_bool_t moved = PJ_FALSE;
        enum sound_reason reason;

        info.specific_info_cnt = PJ_ARRAY_SIZE(info.spc_info); /* no room: only the addresses are asked for */
        under.get_info(adapter->udp, &info);
        reason = REASON_END;
        if (info.src_rtcp_name.addr.sa_family)
            reason = source_rtcp(&adapter->source, &info.src_rtcp_name, packet, size, now_ms(), &moved);
        settle(adapter, reason, moved);
        if (reason != HEARD) {
            pj_grp_lock_release(lock);
            return;
        }
    }
    callback = adapter->given.rtcp_cb;
    above = adapter->given.user_data;
    pj_grp_lock_release(lock);
    if (callback)
        callback(above, packet, size);
}

/* --- operations -------------------------------------------------------------------------------------------- */

static pj_status_t attach2(pjmedia_transport *tp, pjmedia_transport_attach_param *param)
{
    struct adapter *adapter = tp->user_data;
    pj_status_t status;

    pj_grp_lock_acquire(tp->grp_lock);
    adapter->given = *param;
    status = attach(adapter);
    if (status != PJ_SUCCESS)
        pj_bzero(&adapter->given, sizeof adapter->given);
    pj_grp_lock_release(tp->grp_lock);
    return status;
}

static void detach(pjmedia_transport *tp, void *user_data)
{
    struct adapter *adapter = tp->user_data;

    PJ_UNUSED_ARG(user_data);
    pj_grp_lock_acquire(tp->grp_lock);
    pj_bzero(&adapter->given, sizeof adapter->given);
    pj_grp_lock_release(tp->grp_lock);
    under.detach(tp, adapter); /* without the lock: it waits for a callback that may want it */
}

/* An address of 0.0.0.0 (hold of the old kind) and a line that is refused say nothing new about the source. */
static void describe(pjmedia_transport *tp, const pjmedia_sdp_session *sdp, unsigned index)
{
    struct adapter *adapter = tp->user_data;
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
    pj_grp_lock_acquire(tp->grp_lock);
    source_told(&adapter->source, &rtp, &rtcp, sdp->origin.version);
    pj_grp_lock_release(tp->grp_lock);
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
    describe(tp, remote, index);
    return under.media_start(tp, pool, local, remote, index);
}

static pj_status_t get_info(pjmedia_transport *tp, pjmedia_transport_info *info)
{
    struct adapter *adapter = tp->user_data;

    if (info->specific_info_cnt < PJ_ARRAY_SIZE(info->spc_info)) {
        pjmedia_transport_specific_info *ours = &info->spc_info[info->specific_info_cnt++];

        ours->type = INFO_TYPE;
        ours->cbsize = sizeof adapter->source.refused;
        pj_memcpy(ours->buffer, adapter->source.refused, sizeof adapter->source.refused);
    }
    return under.get_info(tp, info);
}

/* --- life -------------------------------------------------------------------------------------------------- */

/* The last one to know the transport has gone: its sockets are closed. */
static void on_destroy(void *data)
{
    struct adapter *adapter = data;

    ports_released(adapter->port);
    free(adapter);
}

static void learn_operations(const pjmedia_transport *udp)
{
    under = over = *udp->op;
    over.attach2 = &attach2;
    over.detach = &detach;
    over.encode_sdp = &encode_sdp;
    over.media_start = &media_start;
    over.get_info = &get_info;
}

int tandem_guard(size_t transport, int rule, const char *signalling)
{
    pjmedia_transport *tp = (pjmedia_transport *)transport;
    pjmedia_transport_info info;
    struct adapter *adapter;
    pj_status_t status;

    pjmedia_transport_info_init(&info);
    if (tp && pjmedia_transport_get_info(tp, &info) == PJ_SUCCESS &&
        pjmedia_transport_info_get_spc_info(&info, PJMEDIA_TRANSPORT_TYPE_SRTP))
        tp = pjmedia_transport_srtp_get_member(tp); /* pjsua always has one, in use or not; its own type is the member's */
    if (!tp || tp->type != PJMEDIA_TRANSPORT_TYPE_UDP || !tp->grp_lock || !source_rule(rule))
        return PJ_EINVAL;
    if (tp->op == &over)
        return PJ_EEXISTS;
    if (!under.attach2)
        learn_operations(tp);
    adapter = calloc(1, sizeof *adapter);
    if (!adapter)
        return PJ_ENOMEM;
    status = pj_grp_lock_add_handler(tp->grp_lock, NULL, adapter, &on_destroy);
    if (status != PJ_SUCCESS) {
        free(adapter);
        return status;
    }
    adapter->udp = tp;
    adapter->port = pj_sockaddr_get_port(&info.sock_info.rtp_addr_name);
    ports_taken(adapter->port);
    source_init(&adapter->source, source_rule(rule), signalling);
    tp->user_data = adapter;
    tp->op = &over;
    return PJ_SUCCESS;
}

/* --- figures ----------------------------------------------------------------------------------------------- */

PyObject *tandem_sound_reasons(void)
{
    PyObject *names = PyTuple_New(REASON_END);

    for (int i = 0; names && i < REASON_END; i++)
        PyTuple_SET_ITEM(names, i, PyUnicode_FromString(source_reason(i)));
    return names;
}

PyObject *tandem_sound_totals(void)
{
    PyObject *totals = PyTuple_New(REASON_END);

    for (int i = 0; totals && i < REASON_END; i++)
        PyTuple_SET_ITEM(totals, i,
                         PyLong_FromUnsignedLongLong(__atomic_load_n(&refused_in_all[i], __ATOMIC_RELAXED)));
    return totals;
}

PyObject *tandem_sound_refused(int call_id, unsigned index)
{
    pjmedia_transport_info info;
    const unsigned *refused;
    PyObject *tuple;

    pjmedia_transport_info_init(&info);
    if (call_id < 0 || pjsua_call_get_med_transport_info(call_id, index, &info) != PJ_SUCCESS)
        Py_RETURN_NONE;
    refused = pjmedia_transport_info_get_spc_info(&info, INFO_TYPE);
    if (!refused)
        Py_RETURN_NONE;
    tuple = PyTuple_New(REASON_END);
    for (int i = 0; tuple && i < REASON_END; i++)
        PyTuple_SET_ITEM(tuple, i, PyLong_FromUnsignedLong(refused[i]));
    return tuple;
}
