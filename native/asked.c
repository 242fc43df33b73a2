/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Requests that wait for a decision of Python's: a REGISTER, or an INVITE that has to show credentials first. Each is
 * a clone that holds its transport; nothing else of PJSIP's knows it, so there is no transaction, dialog or call slot
 * until it is admitted. Bounded in number and time: what is not decided in time is dropped, and the sender repeats it. */
#include "internal.h"
#include "tandem.h"

#define MOST 512         /* waiting or taken; each clone costs some 20 kB */
#define PATIENCE 5000000 /* microseconds until a request is given up */
#define MAX_HEADERS 16

enum state { FREE, WAITING, TAKEN };

struct slot {
    pjsip_rx_data *rdata;
    enum state state;
    int turn; /* how often the slot was used: a late answer must not meet another request */
    int kind;
    long long since; /* microseconds */
    unsigned hash;
};

static pjsip_endpoint *endpoint;
static pjsip_module *gate;
static struct slot slots[MOST];
static int order[MOST]; /* the waiting ones, oldest first: a ring */
static int first, waiting, used;

/* --- telling requests apart --------------------------------------------------------------------------------- */

static unsigned hash_of(const pjsip_rx_data *rdata)
{
    const pj_str_t *branch = &rdata->msg_info.via->branch_param, *call_id = &rdata->msg_info.cid->id;

    return pj_hash_calc(pj_hash_calc((pj_uint32_t)rdata->msg_info.cseq->cseq, branch->ptr, (unsigned)branch->slen),
                        call_id->ptr, (unsigned)call_id->slen);
}

/* Whether b is a again, or the CANCEL of a: same branch, sender, Call-ID and number (RFC 3261 9.1, 17.2.3). */
static pj_bool_t same_request(const pjsip_rx_data *a, const pjsip_rx_data *b)
{
    const pjsip_via_hdr *via = a->msg_info.via, *other = b->msg_info.via;

    return a->msg_info.cseq->cseq == b->msg_info.cseq->cseq && via->sent_by.port == other->sent_by.port &&
           pj_strcmp(&via->branch_param, &other->branch_param) == 0 &&
           pj_stricmp(&via->sent_by.host, &other->sent_by.host) == 0 &&
           pj_strcmp(&a->msg_info.cid->id, &b->msg_info.cid->id) == 0;
}

static struct slot *find(const pjsip_rx_data *rdata, const pjsip_method *method)
{
    unsigned hash = hash_of(rdata);

    for (int i = 0; used && i < MOST; i++)
        if (slots[i].state != FREE && slots[i].hash == hash && same_request(slots[i].rdata, rdata) &&
            pjsip_method_cmp(&slots[i].rdata->msg_info.msg->line.req.method, method) == 0)
            return &slots[i];
    return NULL;
}

/* --- coming and going --------------------------------------------------------------------------------------- */

static void forget(struct slot *slot)
{
    if (slot->state == WAITING) {
        int at = (int)(slot - slots), i = 0;

        while (order[(first + i) % MOST] != at)
            i++;
        for (; i + 1 < waiting; i++)
            order[(first + i) % MOST] = order[(first + i + 1) % MOST];
        waiting--;
    }
    slot->state = FREE;
    used--;
    pjsip_rx_data_free_cloned(slot->rdata);
    slot->rdata = NULL;
}

/* Gives up what is overdue. */
void asked_tick(long long time)
{
    for (int i = 0; used && i < MOST; i++)
        if (slots[i].state != FREE && time - slots[i].since > PATIENCE) {
            count(COUNT_ASKED_OVERDUE);
            half_open_drop(slots[i].rdata);
            forget(&slots[i]);
        }
}

enum asked asked_push(pjsip_rx_data *rdata, int kind)
{
    long long time = gate_now();
    struct slot *slot = slots;

    if (find(rdata, &rdata->msg_info.msg->line.req.method)) {
        count(COUNT_ASKED_AGAIN);
        return ASKED_WAITS;
    }
    if (used == MOST)
        asked_tick(time);
    if (used == MOST)
        return ASKED_FULL;
    while (slot->state != FREE)
        slot++;
    if (pjsip_rx_data_clone(rdata, 0, &slot->rdata) != PJ_SUCCESS)
        return ASKED_FULL;
    slot->state = WAITING;
    slot->turn = (slot->turn + 1) & 0x3fffff;
    slot->kind = kind;
    slot->since = time;
    slot->hash = hash_of(rdata);
    order[(first + waiting++) % MOST] = (int)(slot - slots);
    used++;
    count(COUNT_ASKED);
    return ASKED_WAITS;
}

/* A CANCEL for an INVITE that nobody has decided yet: 200 for it, 487 for the INVITE (RFC 3261 9.2). */
pj_bool_t asked_cancel(pjsip_rx_data *cancel)
{
    struct slot *slot = find(cancel, &pjsip_invite_method);

    if (!slot)
        return PJ_FALSE;
    if (pjsip_endpt_respond_stateless(endpoint, cancel, 200, NULL, NULL, NULL) != PJ_SUCCESS ||
        pjsip_endpt_respond_stateless(endpoint, slot->rdata, 487, NULL, NULL, NULL) != PJ_SUCCESS)
        count(COUNT_UNSENT);
    count(COUNT_ASKED_CANCELLED);
    forget(slot);
    return PJ_TRUE;
}

void asked_start(pjsip_endpoint *endpt, pjsip_module *module)
{
    endpoint = endpt;
    gate = module;
}

/* The endpoint still stands: its transports can be let go. */
void asked_clear(void)
{
    for (int i = 0; i < MOST; i++)
        if (slots[i].state != FREE)
            forget(&slots[i]);
    first = waiting = used = 0;
}

/* --- Python's side ------------------------------------------------------------------------------------------ */

int tandem_asked_waiting(void)
{
    return waiting;
}

PyObject *tandem_asked_next(void)
{
    struct slot *slot;
    const pjsip_rx_data *rdata;
    int at;

    if (!waiting)
        Py_RETURN_NONE;
    at = order[first];
    first = (first + 1) % MOST;
    waiting--;
    slot = &slots[at];
    slot->state = TAKEN;
    rdata = slot->rdata;
    return Py_BuildValue("(lNNsiiy#)", (long)slot->turn * MOST + at,
                         PyUnicode_DecodeUTF8(rdata->msg_info.msg->line.req.method.name.ptr,
                                              (Py_ssize_t)rdata->msg_info.msg->line.req.method.name.slen,
                                              "surrogateescape"),
                         tandem_rx_listener((size_t)rdata), rdata->pkt_info.src_name, rdata->pkt_info.src_port,
                         slot->kind, rdata->msg_info.msg_buf, (Py_ssize_t)rdata->msg_info.len);
}

static struct slot *taken(long handle)
{
    struct slot *slot = &slots[handle < 0 ? 0 : handle % MOST];

    return handle >= 0 && slot->state == TAKEN && slot->turn == handle / MOST ? slot : NULL;
}

static pj_bool_t one_line(const char *text, Py_ssize_t len)
{
    for (Py_ssize_t i = 0; i < len; i++)
        if (text[i] == '\r' || text[i] == '\n' || text[i] == '\0')
            return PJ_FALSE;
    return PJ_TRUE;
}

/* The headers of Python's tuple into the list; -1: a Python error is set. They live as long as the clone. */
static int add_headers(pj_pool_t *pool, PyObject *headers, pjsip_hdr *list)
{
    Py_ssize_t n = PyTuple_Check(headers) ? PyTuple_GET_SIZE(headers) : -1;

    if (n < 0 || n > MAX_HEADERS) {
        PyErr_SetString(PyExc_ValueError, "headers: a tuple of at most 16 pairs");
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        const char *name, *value;
        Py_ssize_t name_len, value_len;
        pj_str_t pj_name, pj_value;

        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(headers, i), "s#s#", &name, &name_len, &value, &value_len))
            return -1;
        if (!one_line(name, name_len) || !one_line(value, value_len)) {
            PyErr_SetString(PyExc_ValueError, "headers: a line end inside a header");
            return -1;
        }
        pj_strset(&pj_name, (char *)name, name_len);
        pj_strset(&pj_value, (char *)value, value_len);
        pj_list_push_back(list, pjsip_generic_string_hdr_create(pool, &pj_name, &pj_value));
    }
    return 0;
}

PyObject *tandem_asked_answer(long handle, int code, const char *reason, PyObject *headers)
{
    struct slot *slot = taken(handle);
    pj_str_t text = pj_str((char *)reason);
    pj_status_t status;
    pjsip_hdr list;

    if (!slot)
        return PyLong_FromLong(PJ_ENOTFOUND);
    if (code < 200 || code > 699 || !one_line(reason, text.slen)) {
        PyErr_SetString(PyExc_ValueError, "an answer is final (200 to 699) and its reason is one line");
        return NULL;
    }
    pj_list_init(&list);
    if (add_headers(slot->rdata->tp_info.pool, headers, &list))
        return NULL;
    trace_judges(slot->rdata); /* others have come since */
    status = pjsip_endpt_respond_stateless(endpoint, slot->rdata, code, text.slen ? &text : NULL, &list, NULL);
    if (status != PJ_SUCCESS)
        count(COUNT_UNSENT);
    count(COUNT_ASKED_ANSWERED);
    forget(slot);
    return PyLong_FromLong(status);
}

/* The clone goes on behind the gate, through the modules that would have had it then. */
int tandem_asked_admit(long handle)
{
    struct slot *slot = taken(handle);
    pjsip_process_rdata_param after;
    pj_bool_t handled;
    pj_status_t status;

    if (!slot)
        return PJ_ENOTFOUND;
    if (gate_is_full(slot->rdata)) {
        trace_judges(slot->rdata);
        gate_refuse_full(slot->rdata);
        forget(slot);
        return PJ_ETOOMANY;
    }
    pjsip_process_rdata_param_default(&after);
    after.start_mod = gate;
    after.idx_after_start = 1;
    after.silent = PJ_TRUE;
    count(COUNT_ADMITTED);
    Py_BEGIN_ALLOW_THREADS /* PJSIP may wait for a media thread, and that one for Python */
    status = pjsip_endpt_process_rx_data(endpoint, slot->rdata, &after, &handled);
    Py_END_ALLOW_THREADS
    pj_bzero(&slot->rdata->endpt_info, sizeof(slot->rdata->endpt_info));
    forget(slot);
    return status;
}

int tandem_asked_drop(long handle)
{
    struct slot *slot = taken(handle);

    if (!slot)
        return PJ_ENOTFOUND;
    half_open_drop(slot->rdata);
    forget(slot);
    return PJ_SUCCESS;
}
