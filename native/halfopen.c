/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * INVITEs that wait for their final answer: how many there are, of whom, and whether one comes a second time by another
 * way (RFC 3261 8.2.2.2). Part of the room is for trunks alone. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "tandem.h"

#define MOST_TRUNKS 1024
#define FORGOTTEN (7200 * 1000000ll) /* nobody waits longer: an answer that the stack never sent */

struct waiting {
    struct keyed node;
    unsigned long long branch;
    struct key source;
    pj_bool_t is_trunk;
    long long since;
};

struct load {
    struct keyed node; /* by source */
    int n;
};

static struct keyed_table waiting, loads;
static int of_others;

static struct {
    double cps, burst;
    int code;
    struct allowance bucket;
} trunks[MOST_TRUNKS];

/* --- trunks ------------------------------------------------------------------------------------------------- */

int tandem_gate_trunk(int number, double cps, double burst, int code)
{
    if (number < 0 || number >= MOST_TRUNKS || (code != 503 && code != 480 && code != 486))
        return PJ_EINVAL;
    trunks[number].cps = cps;
    trunks[number].burst = burst > 1 ? burst : 1;
    trunks[number].code = code;
    return PJ_SUCCESS;
}

pj_bool_t trunk_takes(int number)
{
    return number < 0 || number >= MOST_TRUNKS ||
           allowance_take(&trunks[number].bucket, trunks[number].cps, trunks[number].burst, gate_now());
}

int trunk_code(int number)
{
    return number >= 0 && number < MOST_TRUNKS && trunks[number].code ? trunks[number].code : 503;
}

/* --- calls that are not answered yet ------------------------------------------------------------------------ */

static struct key key_of_call(const pj_str_t *call_id, const pj_str_t *tag, int cseq)
{
    struct key key = {.bytes = 255};
    unsigned long long hash[2];

    for (int i = 0; i < 2; i++) {
        hash[i] = keyed_hash(call_id->ptr, (size_t)call_id->slen, (unsigned long long)i + 2);
        hash[i] = keyed_hash(tag->ptr, (size_t)tag->slen, hash[i]);
        hash[i] = keyed_hash(&cseq, sizeof(cseq), hash[i]);
    }
    memcpy(key.address, hash, sizeof(hash));
    return key;
}

static unsigned long long way_of(const pj_str_t *branch)
{
    return keyed_hash(branch->ptr, (size_t)branch->slen, 4);
}

static struct load *load_of(const struct key *source)
{
    return (struct load *)keyed_find(&loads, source);
}

static void leave(struct keyed *node, void *unused)
{
    struct waiting *call = (struct waiting *)node;
    struct load *load = load_of(&call->source);

    (void)unused;
    if (load && --load->n <= 0) {
        keyed_take(&loads, &load->node);
        free(load);
    }
    of_others -= !call->is_trunk;
    keyed_take(&waiting, node);
    free(call);
}

enum half_open half_open_enter(const pjsip_rx_data *rdata, enum who kind)
{
    unsigned long long way = way_of(&rdata->msg_info.via->branch_param);
    struct key key = key_of_call(&rdata->msg_info.cid->id, &rdata->msg_info.from->tag, rdata->msg_info.cseq->cseq);
    struct key source = key_of_address(&rdata->pkt_info.src_addr, 0);
    double most = limits[LIMIT_HALF_OPEN], of_one = limits[LIMIT_HALF_OPEN_SOURCE];
    struct waiting *call = (struct waiting *)keyed_find(&waiting, &key);
    struct load *load = load_of(&source);

    if (call)
        return call->branch == way ? HALF_OPEN_TAKEN : HALF_OPEN_MERGED;
    if (most > 0 && waiting.n >= most)
        return HALF_OPEN_FULL;
    if (kind != KIND_TRUNK && most > 0 && of_others >= most * (1 - limits[LIMIT_HALF_OPEN_RESERVED]))
        return HALF_OPEN_FULL;
    if ((kind == KIND_UNKNOWN || kind == KIND_PHONE) && of_one > 0 && load && load->n >= of_one)
        return HALF_OPEN_FULL;
    if (!(call = calloc(1, sizeof(*call))) || (!load && !(load = calloc(1, sizeof(*load))))) {
        free(call);
        return HALF_OPEN_FULL;
    }
    if (!load->n++) {
        load->node.key = source;
        keyed_put(&loads, &load->node);
    }
    *call = (struct waiting){.node.key = key, .branch = way, .source = source, .is_trunk = kind == KIND_TRUNK,
                             .since = gate_now()};
    keyed_put(&waiting, &call->node);
    of_others += kind != KIND_TRUNK;
    return HALF_OPEN_TAKEN;
}

static void leave_call(const pj_str_t *call_id, const pj_str_t *tag, int cseq)
{
    struct key key;
    struct keyed *call;

    if (!waiting.n)
        return;
    key = key_of_call(call_id, tag, cseq);
    if ((call = keyed_find(&waiting, &key)))
        leave(call, NULL);
}

/* Nobody will answer it. */
void half_open_drop(const pjsip_rx_data *rdata)
{
    leave_call(&rdata->msg_info.cid->id, &rdata->msg_info.from->tag, rdata->msg_info.cseq->cseq);
}

/* An answer is on its way; one to a copy that came by another way (482) leaves the first where it is. */
void half_open_answered(const pjsip_tx_data *tdata)
{
    const pjsip_msg *msg = tdata->msg;
    const pjsip_via_hdr *via;
    struct waiting *call;
    struct key key;
    const pjsip_cseq_hdr *cseq;
    const pjsip_cid_hdr *call_id;
    const pjsip_fromto_hdr *from;

    if (!waiting.n || msg->type != PJSIP_RESPONSE_MSG || msg->line.status.code < 200 ||
        !(cseq = PJSIP_MSG_CSEQ_HDR(msg)) || cseq->method.id != PJSIP_INVITE_METHOD ||
        !(call_id = PJSIP_MSG_CID_HDR(msg)) || !(from = PJSIP_MSG_FROM_HDR(msg)) ||
        !(via = pjsip_msg_find_hdr(msg, PJSIP_H_VIA, NULL)))
        return;
    key = key_of_call(&call_id->id, &from->tag, cseq->cseq);
    if ((call = (struct waiting *)keyed_find(&waiting, &key)) && call->branch == way_of(&via->branch_param))
        leave(&call->node, NULL);
}

/* The transaction ended, whether it was answered or its connection was lost. */
void half_open_over(pjsip_transaction *tsx)
{
    pjsip_dialog *dlg;

    if (waiting.n && tsx->role == PJSIP_ROLE_UAS && tsx->method.id == PJSIP_INVITE_METHOD &&
        tsx->state >= PJSIP_TSX_STATE_TERMINATED && (dlg = pjsip_tsx_get_dlg(tsx)))
        leave_call(&dlg->call_id->id, &dlg->remote.info->tag, tsx->cseq);
}

int tandem_gate_half_open(void)
{
    return waiting.n;
}

static void forget_if_old(struct keyed *node, void *now)
{
    if (!now || *(long long *)now - ((struct waiting *)node)->since > FORGOTTEN)
        leave(node, NULL);
}

void half_open_tick(long long now)
{
    keyed_each(&waiting, &forget_if_old, &now);
}

void half_open_clear(void)
{
    keyed_each(&waiting, &forget_if_old, NULL);
    memset(trunks, 0, sizeof(trunks));
}
