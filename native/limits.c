/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The gate's limits by name, and the buckets that hold sources to them. */
#include <string.h>
#include <time.h>

#include "internal.h"
#include "tandem.h"

double limits[LIMIT_END] = {
#define X(id, name, value) value,
    TANDEM_LIMITS(X)
#undef X
};

int tandem_gate_limit(const char *name, double value)
{
    static const char *const names[LIMIT_END] = {
#define X(id, name, value) name,
        TANDEM_LIMITS(X)
#undef X
    };

    for (int i = 0; i < LIMIT_END; i++)
        if (strcmp(names[i], name) == 0) {
            limits[i] = value;
            return PJ_SUCCESS;
        }
    return PJ_ENOTFOUND;
}

/* Coarse: a few milliseconds off, and no call into the kernel. */
long long gate_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return t.tv_sec * 1000000ll + t.tv_nsec / 1000;
}

pj_bool_t allowance_take(struct allowance *bucket, double per_second, double burst, long long now)
{
    if (per_second <= 0)
        return PJ_TRUE;
    if (!bucket->filled)
        bucket->tokens = burst;
    else if (now > bucket->filled)
        bucket->tokens += (double)(now - bucket->filled) * 1e-6 * per_second;
    bucket->filled = now;
    if (bucket->tokens > burst)
        bucket->tokens = burst;
    if (bucket->tokens < 1)
        return PJ_FALSE;
    bucket->tokens -= 1;
    return PJ_TRUE;
}
