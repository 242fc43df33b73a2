/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The last SIP messages, as they were on the wire, in a ring of fixed size: the oldest give way. One copy and no
 * allocation for a message; who looks for a call's messages walks the ring in steps.
 *
 * What strangers send must not push calls out of it: a request is kept once the gate has let it pass; an answer to one
 * that has not passed is a refusal, and is not kept; nor is an answer to what we never asked. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "internal.h"
#include "tandem.h"

#define ALIGNED(n) (((n) + 7u) & ~(size_t)7u)
#define LONGEST 65535
#define MOST_WALKED 4096 /* records looked at in one call: some 100 us */

struct record {
    unsigned size;                              /* with this head; 0: nothing more before the end of the ring */
    unsigned char sent, transport, family, unused;
    unsigned short here, there;                 /* ports */
    unsigned length;                            /* of the message */
    unsigned long long time;                    /* microseconds since 1970 */
    unsigned long long call;                    /* hash of the Call-ID */
    unsigned char local[16], remote[16];
    char message[];
};

static pj_bool_t before_gate(pjsip_rx_data *rdata);
static pj_bool_t behind_gate(pjsip_rx_data *rdata);
static pj_bool_t response(pjsip_rx_data *rdata);
static pj_status_t printed(pjsip_tx_data *tdata);

static pjsip_module outer = {
    .name = {"mod-tandem-trace", 16},
    .id = -1,
    .priority = PJSIP_MOD_PRIORITY_TRANSPORT_LAYER - 1, /* the first to see what comes, the last what goes: printed */
    .on_rx_request = &before_gate,
    .on_rx_response = &response,
    .on_tx_request = &printed,
    .on_tx_response = &printed,
};
static pjsip_module inner = {
    .name = {"mod-tandem-traced", 17},
    .id = -1,
    .priority = PJSIP_MOD_PRIORITY_TSX_LAYER - 1, /* behind the gate */
    .on_rx_request = &behind_gate,
};

static char *ring;
static size_t room;
/* Places count on for ever; the octet of a place is at place % room. A record never goes over the end. */
static unsigned long long head, tail, keep_us;
/* The last request that has not passed the gate (yet): an answer to it is the gate's refusal. */
static struct {
    pj_bool_t open;
    unsigned long long call;
    pj_int32_t cseq;
} judged;

static unsigned long long hash_of(const char *text, size_t n)
{
    unsigned long long h = 14695981039346656037ull; /* FNV-1a */

    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)text[i]) * 1099511628211ull;
    return h;
}

static unsigned long long now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (unsigned long long)now.tv_sec * 1000000ull + (unsigned long long)now.tv_nsec / 1000;
}

static struct record *at(unsigned long long place)
{
    return (struct record *)(ring + place % room);
}

/* The place itself, or the front of the ring where nothing more stands before its end. */
static unsigned long long standing(unsigned long long place)
{
    return place < head && at(place)->size == 0 ? (place / room + 1) * room : place;
}

static void drop_oldest(void)
{
    tail = standing(tail + at(tail)->size);
}

static struct record *make_room(size_t size)
{
    unsigned long long place = head;

    if (place % room + size > room)
        place = (place / room + 1) * room;
    while (tail < head && place + size - tail > room)
        drop_oldest();
    if (place != head) {
        if (tail == head)
            tail = place; /* nothing is left: no gap to pass over */
        else
            at(head)->size = 0; /* sizes are multiples of 8: there is room for this mark */
        head = place;
    }
    return at(head);
}

static void put_address(unsigned char *to, unsigned short *port, const pj_sockaddr *address)
{
    memset(to, 0, 16);
    *port = 0;
    if (address->addr.sa_family != pj_AF_INET() && address->addr.sa_family != pj_AF_INET6())
        return;
    memcpy(to, pj_sockaddr_get_addr(address), pj_sockaddr_get_addr_len(address));
    *port = pj_sockaddr_get_port(address);
}

static void keep(pj_bool_t sent, const pjsip_transport *transport, const pj_sockaddr *remote, unsigned long long call,
                 const char *message, size_t length)
{
    int type = transport->key.type & ~PJSIP_TRANSPORT_IPV6;
    unsigned long long now = now_us();
    struct record *record;
    size_t size;

    if (length > LONGEST)
        length = LONGEST;
    size = ALIGNED(sizeof(struct record) + length);
    while (tail < head && at(tail)->time + keep_us < now)
        drop_oldest();
    record = make_room(size);
    record->size = (unsigned)size;
    record->sent = sent != 0;
    record->transport = type == PJSIP_TRANSPORT_UDP ? 1 : type == PJSIP_TRANSPORT_TCP ? 2 : type == PJSIP_TRANSPORT_TLS ? 3 : 0;
    record->family = transport->key.type & PJSIP_TRANSPORT_IPV6 ? 6 : 4;
    record->length = (unsigned)length;
    record->time = now;
    record->call = call;
    put_address(record->local, &record->here, &transport->local_addr);
    put_address(record->remote, &record->there, remote);
    memcpy(record->message, message, length);
    head += size;
    count(COUNT_TRACED);
}

static void received(const pjsip_rx_data *rdata)
{
    const pj_str_t *call_id = &rdata->msg_info.cid->id;

    keep(PJ_FALSE, rdata->tp_info.transport, &rdata->pkt_info.src_addr,
         hash_of(call_id->ptr, (size_t)call_id->slen), rdata->msg_info.msg_buf, (size_t)rdata->msg_info.len);
}

void trace_judges(const pjsip_rx_data *rdata)
{
    const pj_str_t *call_id = &rdata->msg_info.cid->id;

    if (ring) {
        judged.open = PJ_TRUE;
        judged.call = hash_of(call_id->ptr, (size_t)call_id->slen);
        judged.cseq = rdata->msg_info.cseq->cseq;
    }
}

static pj_bool_t before_gate(pjsip_rx_data *rdata)
{
    trace_judges(rdata);
    return PJ_FALSE;
}

static pj_bool_t behind_gate(pjsip_rx_data *rdata)
{
    judged.open = PJ_FALSE;
    if (ring)
        received(rdata);
    return PJ_FALSE;
}

/* Of a transaction of ours; or of a call of ours, whose 200 is repeated after its transaction has ended. */
static pj_bool_t is_awaited(pjsip_rx_data *rdata)
{
    pj_str_t key;

    return (pjsip_tsx_create_key(rdata->tp_info.pool, &key, PJSIP_ROLE_UAC, &rdata->msg_info.cseq->method, rdata) ==
                PJ_SUCCESS &&
            pjsip_tsx_layer_find_tsx(&key, PJ_FALSE)) ||
           pjsip_ua_find_dialog(&rdata->msg_info.cid->id, &rdata->msg_info.from->tag, &rdata->msg_info.to->tag, PJ_FALSE);
}

static pj_bool_t response(pjsip_rx_data *rdata)
{
    if (ring && is_awaited(rdata))
        received(rdata);
    return PJ_FALSE;
}

static pj_bool_t is_refusal(const pjsip_msg *msg, unsigned long long call)
{
    const pjsip_cseq_hdr *cseq;

    if (!judged.open || msg->type != PJSIP_RESPONSE_MSG || judged.call != call)
        return PJ_FALSE;
    cseq = pjsip_msg_find_hdr(msg, PJSIP_H_CSEQ, NULL);
    return cseq && cseq->cseq == judged.cseq;
}

static pj_status_t printed(pjsip_tx_data *tdata)
{
    const pjsip_cid_hdr *call_id;
    unsigned long long call;

    if (!ring || tdata->buf.cur <= tdata->buf.start || !tdata->tp_info.transport ||
        !(call_id = pjsip_msg_find_hdr(tdata->msg, PJSIP_H_CALL_ID, NULL)))
        return PJ_SUCCESS;
    call = hash_of(call_id->id.ptr, (size_t)call_id->id.slen);
    if (!is_refusal(tdata->msg, call))
        keep(PJ_TRUE, tdata->tp_info.transport, &tdata->tp_info.dst_addr, call, tdata->buf.start,
             (size_t)(tdata->buf.cur - tdata->buf.start));
    return PJ_SUCCESS;
}

pj_status_t trace_start(pjsip_endpoint *endpt)
{
    pj_status_t status = pjsip_endpt_register_module(endpt, &outer);

    if (status == PJ_SUCCESS && (status = pjsip_endpt_register_module(endpt, &inner)) != PJ_SUCCESS)
        pjsip_endpt_unregister_module(endpt, &outer);
    return status;
}

void trace_stop(pjsip_endpoint *endpt)
{
    pjsip_endpt_unregister_module(endpt, &inner);
    pjsip_endpt_unregister_module(endpt, &outer);
}

int tandem_trace(size_t octets, double seconds)
{
    size_t wanted = octets / 8 * 8;

    if (wanted != 0 && wanted < 4 * LONGEST)
        wanted = 4 * (LONGEST + 1);
    if (wanted != room) {
        free(ring);
        ring = wanted ? malloc(wanted) : NULL; /* only the pages that are written cost memory */
        room = ring ? wanted : 0;
        head = tail = 0;
    }
    keep_us = (unsigned long long)(seconds * 1e6);
    return ring || !wanted;
}

/* Messages that are too old are forgotten when the next one comes; where none comes, by this. */
PyObject *tandem_trace_state(void)
{
    unsigned long long now = now_us();

    while (ring && tail < head && at(tail)->time + keep_us < now)
        drop_oldest();
    return Py_BuildValue("(KKd)", (unsigned long long)room, head - tail, tail < head ? (double)at(tail)->time / 1e6 : 0.0);
}

static PyObject *shown(const struct record *record)
{
    Py_ssize_t width = record->family == 6 ? 16 : 4;

    return Py_BuildValue("(diiy#iy#iy#)", (double)record->time / 1e6, (int)record->sent, (int)record->transport,
                         (const char *)record->local, width, (int)record->here, (const char *)record->remote, width,
                         (int)record->there, record->message, (Py_ssize_t)record->length);
}

PyObject *tandem_trace_read(PyObject *call_ids, unsigned long long place)
{
    unsigned long long wanted[64];
    Py_ssize_t n = PyTuple_Check(call_ids) ? PyTuple_GET_SIZE(call_ids) : -1;
    PyObject *found;
    int walked = 0;

    if (n < 0 || n > (Py_ssize_t)PJ_ARRAY_SIZE(wanted)) {
        PyErr_SetString(PyExc_ValueError, "call_ids: a tuple of at most 64 byte strings");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        char *text;
        Py_ssize_t length;

        if (PyBytes_AsStringAndSize(PyTuple_GET_ITEM(call_ids, i), &text, &length))
            return NULL;
        wanted[i] = hash_of(text, (size_t)length);
    }
    if (!(found = PyList_New(0)))
        return NULL;
    place = !ring ? head : place < tail ? tail : place > head ? head : place;
    for (; place < head && walked < MOST_WALKED; walked++) {
        const struct record *record = at(place);

        for (Py_ssize_t i = 0; i < n; i++) {
            PyObject *item;

            if (record->call != wanted[i])
                continue;
            item = shown(record);
            if (!item || PyList_Append(found, item)) {
                Py_XDECREF(item);
                Py_DECREF(found);
                return NULL;
            }
            Py_DECREF(item);
            walked += 32; /* copying costs more than passing over */
            break;
        }
        place = standing(place + record->size);
    }
    return Py_BuildValue("(NKi)", found, place, place < head);
}
