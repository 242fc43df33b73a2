/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What each source has sent lately: a bucket of requests, and faults. Sources are forged by the million, so they share a
 * fixed table: four places for each hash, of which the one that was silent longest is given away. Registered phones are
 * told by the registrar and are kept until they expire. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "tandem.h"

#define SETS 4096
#define WAYS 4
#define MOST_PHONES 100000

struct source {
    struct key key;
    long long seen; /* 0: nobody */
    struct allowance requests;
    double faults;
    long long faults_since;
};

struct phone {
    struct keyed node;
    long long until; /* with port 0: of the address, the latest of its phones */
};

static struct source sources[SETS][WAYS];
static struct keyed_table phones;

static struct source *source_at(const struct key *key, long long now)
{
    struct source *set = sources[keyed_hash(key, sizeof(*key), 1) % SETS], *oldest = set;

    for (int i = 0; i < WAYS; i++) {
        if (set[i].seen && memcmp(&set[i].key, key, sizeof(*key)) == 0) {
            set[i].seen = now;
            return &set[i];
        }
        if (set[i].seen < oldest->seen)
            oldest = &set[i];
    }
    *oldest = (struct source){.key = *key, .seen = now};
    return oldest;
}

pj_bool_t source_is_phone(const pj_sockaddr *address, int port)
{
    struct key key = key_of_address(address, port);
    struct phone *phone = (struct phone *)keyed_find(&phones, &key);

    return phone && phone->until > gate_now();
}

/* Each address has the budget of its kind; each registered phone has its own, many may share an address. */
pj_bool_t source_within_budget(enum who kind, const pj_sockaddr *address, int port)
{
    static const enum limit rates[] = {
        [KIND_UNKNOWN] = LIMIT_STRANGER_RATE,
        [KIND_PHONE] = LIMIT_PHONE_RATE,
        [KIND_OFFICE] = LIMIT_OFFICE_RATE,
        [KIND_TRUNK] = LIMIT_TRUNK_RATE,
    };
    struct key key = key_of_address(address, kind == KIND_PHONE ? port : 0);
    long long now = gate_now();

    return allowance_take(&source_at(&key, now)->requests, limits[rates[kind]], limits[rates[kind] + 1], now);
}

/* Somebody has done what honest peers seldom do; weight: how bad that was. Too often within the window: banned. A trunk and an office never are,
 * their addresses can be forged; an address of registered phones is forgiven ten times more. */
pj_bool_t source_fault(const struct key *key, const char *reason, double weight)
{
    struct key address = *key;
    struct source *source;
    struct phone *phone;
    long long now = gate_now();
    double most = limits[LIMIT_FAULTS];

    address.port = 0;
    count(COUNT_FAULTS);
    if (most <= 0 || place_protects(&address))
        return PJ_FALSE;
    phone = (struct phone *)keyed_find(&phones, &address);
    if (phone && phone->until > now)
        most *= 10;
    source = source_at(&address, now);
    if (now - source->faults_since > (long long)(limits[LIMIT_FAULT_WINDOW] * 1e6)) {
        source->faults = 0;
        source->faults_since = now;
    }
    source->faults += weight;
    if (source->faults < most)
        return PJ_FALSE;
    source->faults = 0;
    return ban_add(&address, reason, limits[LIMIT_BAN_SECONDS], PJ_TRUE);
}

int tandem_gate_fault(const char *address, const char *reason)
{
    struct key key;

    return key_of_text(address, 0, &key) ? source_fault(&key, reason, 1) : -1;
}

static int remember(const struct key *key, long long until)
{
    struct phone *phone = (struct phone *)keyed_find(&phones, key);

    if (!phone) {
        if (phones.n >= MOST_PHONES || !(phone = calloc(1, sizeof(*phone))))
            return PJ_ETOOMANY;
        phone->node.key = *key;
        keyed_put(&phones, &phone->node);
    }
    if (until > phone->until)
        phone->until = until;
    return PJ_SUCCESS;
}

int tandem_gate_phone(const char *address, int port, double seconds)
{
    struct key key;
    struct keyed *phone;
    int status;

    if (port < 1 || port > 65535 || !key_of_text(address, port, &key))
        return PJ_EINVAL;
    if (seconds <= 0) {
        if ((phone = keyed_find(&phones, &key))) {
            keyed_take(&phones, phone);
            free(phone);
        }
        return PJ_SUCCESS;
    }
    status = remember(&key, gate_now() + (long long)(seconds * 1e6));
    key.port = 0;
    return status ? status : remember(&key, gate_now() + (long long)(seconds * 1e6));
}

static void forget_if_over(struct keyed *node, void *now)
{
    if (!now || ((struct phone *)node)->until <= *(long long *)now) {
        keyed_take(&phones, node);
        free(node);
    }
}

void sources_tick(long long now)
{
    keyed_each(&phones, &forget_if_over, &now);
}

void sources_clear(void)
{
    keyed_each(&phones, &forget_if_over, NULL);
    memset(sources, 0, sizeof(sources));
}
