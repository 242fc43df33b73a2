/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Start, stop and the poll descriptor: the frame around gate, malformed and usage. */
#include <malloc.h>

#include "internal.h"
#include "spare.h"
#include "tandem.h"

#define MEBIBYTE (1024 * 1024)

static pjsip_endpoint *running;

/* Calls come and go by the hundred a second, each with dozens of pools: memory that is given back to the kernel is
 * asked for again, page fault by page fault, a moment later. */
static void keep_memory(void)
{
    mallopt(M_TRIM_THRESHOLD, 256 * MEBIBYTE);
    mallopt(M_TOP_PAD, 16 * MEBIBYTE);
    mallopt(M_MMAP_THRESHOLD, 32 * MEBIBYTE);
}

void tandem_log_level(int level)
{
    pj_log_set_level(level);
}

int tandem_native_start(void)
{
    pjsip_endpoint *endpt = pjsua_get_pjsip_endpt();
    pj_status_t status;

    if (!endpt)
        return PJ_EINVALIDOP;
    if (running)
        return PJ_EEXISTS;
    if ((status = gate_start(endpt)) != PJ_SUCCESS)
        return status;
    if ((status = usage_start(endpt)) != PJ_SUCCESS) {
        gate_stop(endpt);
        return status;
    }
    if ((status = malformed_start(endpt)) != PJ_SUCCESS) {
        usage_stop(endpt);
        gate_stop(endpt);
        return status;
    }
    if ((status = trace_start(endpt)) != PJ_SUCCESS) {
        malformed_stop(endpt);
        usage_stop(endpt);
        gate_stop(endpt);
        return status;
    }
    connections_start(endpt);
    spare_start();
    running = endpt;
    keep_memory();
    return PJ_SUCCESS;
}

/* The endpoint is going away (libDestroy) and has taken the modules out itself. */
void tandem_gone(void)
{
    running = NULL;
    passed_up_clear();
    connections_gone();
    half_open_clear();
    bans_clear();
    sources_clear();
    places_clear();
}

int tandem_native_stop(void)
{
    pjsip_endpoint *endpt = running;
    pj_status_t gate_status, usage_status;

    if (!endpt)
        return PJ_SUCCESS;
    trace_stop(endpt);
    malformed_stop(endpt);
    connections_stop();
    asked_clear();
    usage_status = usage_stop(endpt);
    gate_status = gate_stop(endpt);
    tandem_gone();
    return gate_status != PJ_SUCCESS ? gate_status : usage_status;
}

void tandem_gate_tick(void)
{
    static long long filter_due, due;
    long long now = gate_now();

    if (now < filter_due)
        return;
    filter_due = now + 100000;
    bans_tick(now);
    spare_tick(now);
    if (now < due)
        return;
    due = now + 1000000;
    asked_tick(now);
    connections_tick(now);
    sources_tick(now);
    half_open_tick(now);
}

int tandem_ioqueue_fd(void)
{
    pjsip_endpoint *endpt = pjsua_get_pjsip_endpt();
    pj_oshandle_t handle = endpt ? pj_ioqueue_get_os_handle(pjsip_endpt_get_ioqueue(endpt)) : NULL;

    return handle ? *(int *)handle : -1; /* epoll back end: a pointer to the descriptor */
}
