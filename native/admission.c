/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Whether the house takes one more new call: legs, calls a second (a token bucket that Python sets by the processor's
 * load), drain. Emergency calls pass all of it, some a second: who dials 112 a thousand times is no emergency. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "internal.h"
#include "tandem.h"

#define MOST_NUMBERS 50
#define LONGEST_NUMBER 32
#define EMERGENCIES 5.0 /* a second, and at once */

struct bucket {
    double rate, size, tokens, filled; /* rate < 0: without limit */
};

static int max_legs = -1, retry_after = 5, draining;
static struct bucket calls = {-1, 0, 0, 0}, emergencies = {EMERGENCIES, EMERGENCIES, EMERGENCIES, 0};
static char numbers[MOST_NUMBERS][LONGEST_NUMBER + 1];
static int known_numbers;

static double now_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void fill(struct bucket *bucket)
{
    double now = now_seconds();

    bucket->tokens += (now - bucket->filled) * bucket->rate;
    bucket->filled = now;
    if (bucket->tokens > bucket->size)
        bucket->tokens = bucket->size;
}

static pj_bool_t take(struct bucket *bucket)
{
    if (bucket->rate < 0)
        return PJ_TRUE;
    fill(bucket);
    if (bucket->tokens < 1.0)
        return PJ_FALSE;
    bucket->tokens -= 1.0;
    return PJ_TRUE;
}

static pj_bool_t is_emergency(const pjsip_rx_data *rdata)
{
    const pjsip_uri *uri = rdata->msg_info.msg->line.req.uri;
    const pj_str_t *user;

    if (!known_numbers || (!PJSIP_URI_SCHEME_IS_SIP(uri) && !PJSIP_URI_SCHEME_IS_SIPS(uri)))
        return PJ_FALSE;
    user = &((const pjsip_sip_uri *)pjsip_uri_get_uri(uri))->user;
    for (int i = 0; i < known_numbers; i++)
        if (pj_strcmp2(user, numbers[i]) == 0)
            return PJ_TRUE;
    return PJ_FALSE;
}

pj_bool_t admission_takes(const pjsip_rx_data *rdata)
{
    pj_bool_t room = !draining && (max_legs < 0 || pjsua_call_get_count() < (unsigned)max_legs);

    if (room && take(&calls)) {
        count(COUNT_CALLS_TAKEN);
        return PJ_TRUE;
    }
    if (is_emergency(rdata) && take(&emergencies)) {
        count(COUNT_EMERGENCIES);
        return PJ_TRUE;
    }
    if (room)
        count(COUNT_CALLS_LIMITED);
    return PJ_FALSE;
}

pj_bool_t admission_is_emergency(const pjsip_rx_data *rdata)
{
    return is_emergency(rdata);
}

pj_bool_t admission_is_draining(void)
{
    return draining;
}

/* Drawn anew each time, so that those who are refused do not all come back in the same second. */
int admission_retry_after(void)
{
    return 1 + pj_rand() % retry_after;
}

void tandem_admission(int legs, int seconds)
{
    draining = legs == 0;
    max_legs = legs;
    retry_after = seconds > 0 ? seconds : 1;
}

void tandem_admission_rate(double per_second, double burst)
{
    fill(&calls);
    if (calls.rate < 0)
        calls.tokens = burst;
    calls.rate = per_second;
    calls.size = burst;
    if (calls.tokens > burst)
        calls.tokens = burst;
}

int tandem_emergency(PyObject *given)
{
    Py_ssize_t n = PyTuple_Check(given) ? PyTuple_GET_SIZE(given) : -1;

    if (n < 0 || n > MOST_NUMBERS)
        return PJ_EINVAL;
    known_numbers = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        const char *text = PyUnicode_AsUTF8(PyTuple_GET_ITEM(given, i));

        if (!text || strlen(text) > LONGEST_NUMBER) {
            PyErr_Clear();
            return PJ_EINVAL;
        }
        strcpy(numbers[known_numbers++], text);
    }
    return PJ_SUCCESS;
}
