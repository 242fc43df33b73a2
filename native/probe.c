/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * OPTIONS to trunks: sent with an account, so from the socket and by the way that calls take; what comes of them waits
 * here for Python. And which INVITEs of ours have had any answer at all: pjsua tells nobody of a 100. */
#include <string.h>

#include "internal.h"
#include "tandem.h"

#define MOST_ANSWERS 512

static struct {
    int reference, code;
} answers[MOST_ANSWERS];
static unsigned first, waiting;

static void on_answer(void *token, pjsip_event *event)
{
    int code = 0;

    if (event->type == PJSIP_EVENT_TSX_STATE && event->body.tsx_state.type == PJSIP_EVENT_RX_MSG)
        code = event->body.tsx_state.tsx->status_code;
    if (waiting == MOST_ANSWERS) { /* nobody has asked for a long time: the oldest one is of no use any more */
        first = (first + 1) % MOST_ANSWERS;
        waiting--;
    }
    answers[(first + waiting) % MOST_ANSWERS].reference = (int)(pj_ssize_t)token;
    answers[(first + waiting++) % MOST_ANSWERS].code = code;
}

int tandem_options(int account, const char *uri, int reference)
{
    pj_str_t target = pj_str((char *)uri);
    pjsip_tx_data *tdata;
    pj_status_t status;

    status = pjsua_acc_create_request(account, pjsip_get_options_method(), &target, &tdata);
    if (status != PJ_SUCCESS)
        return status;
    return pjsip_endpt_send_request(pjsua_get_pjsip_endpt(), tdata, -1, (void *)(pj_ssize_t)reference, &on_answer);
}

PyObject *tandem_probed(void)
{
    PyObject *found;

    if (!waiting)
        Py_RETURN_NONE;
    found = Py_BuildValue("(ii)", answers[first].reference, answers[first].code);
    first = (first + 1) % MOST_ANSWERS;
    waiting--;
    return found;
}

/* --- 100 Trying -------------------------------------------------------------------------------------------- */

#define BUCKETS 16384 /* a power of 2; four places each: entries live some seconds */

static pj_uint32_t heard[BUCKETS][4];

static pj_uint32_t hash_of(const char *call_id, size_t length)
{
    pj_uint32_t hash = pj_hash_calc(0, call_id, (unsigned)length);

    return hash ? hash : 1;
}

void trying_note(const pjsip_rx_data *rdata)
{
    const pj_str_t *call_id = &rdata->msg_info.cid->id;
    pj_uint32_t hash, *bucket;

    if (rdata->msg_info.msg->line.status.code != 100 || rdata->msg_info.cseq->method.id != PJSIP_INVITE_METHOD)
        return;
    hash = hash_of(call_id->ptr, (size_t)call_id->slen);
    bucket = heard[hash & (BUCKETS - 1)];
    if (bucket[0] == hash)
        return;
    memmove(bucket + 1, bucket, 3 * sizeof(*bucket));
    bucket[0] = hash;
}

int tandem_trying(const char *call_id)
{
    pj_uint32_t hash = hash_of(call_id, strlen(call_id)), *bucket = heard[hash & (BUCKETS - 1)];

    return bucket[0] == hash || bucket[1] == hash || bucket[2] == hash || bucket[3] == hash;
}
