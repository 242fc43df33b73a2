/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who is banned, why and how long. What the gate bans by itself is told to Python once, for the alarm. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "internal.h"
#include "tandem.h"

#define MOST_BANS 4096
#define MOST_NEWS 256
#define LONGEST_REASON 40

struct ban {
    struct keyed node;
    long long since, until; /* microseconds of gate_now */
    double at;              /* the time of day, seconds */
    unsigned long long dropped;
    char reason[LONGEST_REASON + 1];
    pj_bool_t ours; /* the gate's own decision */
};

struct news {
    struct key key;
    char reason[LONGEST_REASON + 1];
    double seconds;
};

static struct keyed_table bans;
static struct news news[MOST_NEWS];
static int first_news, n_news;
static pj_bool_t changed;

static void tell(const struct ban *ban, double seconds)
{
    struct news *one;

    if (n_news == MOST_NEWS) { /* the oldest makes room: the list of bans has them all */
        first_news = (first_news + 1) % MOST_NEWS;
        n_news--;
    }
    one = &news[(first_news + n_news++) % MOST_NEWS];
    one->key = ban->node.key;
    one->seconds = seconds;
    memcpy(one->reason, ban->reason, sizeof(one->reason));
}

pj_bool_t ban_add(const struct key *address, const char *reason, double seconds, pj_bool_t ours)
{
    struct ban *ban = (struct ban *)keyed_find(&bans, address);
    struct timespec wall;

    if (!ban) {
        if (bans.n >= MOST_BANS || !(ban = calloc(1, sizeof(*ban)))) {
            count(COUNT_BANS_FULL);
            return PJ_FALSE;
        }
        ban->node.key = *address;
        keyed_put(&bans, &ban->node);
    }
    clock_gettime(CLOCK_REALTIME, &wall);
    ban->at = (double)wall.tv_sec + (double)wall.tv_nsec * 1e-9;
    ban->since = gate_now();
    ban->until = ban->since + (long long)(seconds * 1e6);
    ban->ours = ours;
    memset(ban->reason, 0, sizeof(ban->reason));
    strncpy(ban->reason, reason, LONGEST_REASON);
    changed = PJ_TRUE;
    count(COUNT_BANS);
    if (ours)
        tell(ban, seconds);
    return PJ_TRUE;
}

static void lift(struct keyed *ban)
{
    keyed_take(&bans, ban);
    free(ban);
    changed = PJ_TRUE;
}

/* Whether this address is banned; counts what it sends. */
pj_bool_t ban_holds(const pj_sockaddr *address)
{
    struct ban *ban;
    struct key key;

    if (!bans.n)
        return PJ_FALSE;
    key = key_of_address(address, 0);
    if (!(ban = (struct ban *)keyed_find(&bans, &key)))
        return PJ_FALSE;
    if (ban->until <= gate_now()) {
        lift(&ban->node);
        return PJ_FALSE;
    }
    ban->dropped++;
    return PJ_TRUE;
}

static void lift_if_over(struct keyed *node, void *now)
{
    if (!now || ((struct ban *)node)->until <= *(long long *)now)
        lift(node);
}

struct list {
    struct key *keys;
    int n, most;
};

static void collect(struct keyed *node, void *data)
{
    struct list *list = data;

    if (list->n < list->most)
        list->keys[list->n++] = node->key;
}

/* The filter in the kernel follows the table, at most as often as this is called. */
void bans_tick(long long now)
{
    struct list list = {.most = MOST_BANS};

    keyed_each(&bans, &lift_if_over, &now);
    if (!changed)
        return;
    if (!(list.keys = malloc(sizeof(*list.keys) * MOST_BANS)))
        return;
    keyed_each(&bans, &collect, &list);
    filter_set(list.keys, list.n);
    free(list.keys);
    changed = PJ_FALSE;
}

void bans_clear(void)
{
    keyed_each(&bans, &lift_if_over, NULL);
    n_news = 0;
    changed = PJ_FALSE;
}

void bans_changed(void)
{
    changed = bans.n > 0 || changed;
}

/* --- Python's side ------------------------------------------------------------------------------------------ */

int tandem_gate_ban(const char *address, const char *reason, double seconds)
{
    struct key key;

    if (seconds <= 0 || !key_of_text(address, 0, &key))
        return PJ_EINVAL;
    if (place_protects(&key))
        return PJ_EIGNORED;
    return ban_add(&key, reason, seconds, PJ_FALSE) ? PJ_SUCCESS : PJ_ETOOMANY;
}

int tandem_gate_lift(const char *address)
{
    struct key key;
    struct keyed *ban;

    if (!key_of_text(address, 0, &key))
        return PJ_EINVAL;
    if (!(ban = keyed_find(&bans, &key)))
        return PJ_ENOTFOUND;
    lift(ban);
    return PJ_SUCCESS;
}

static void show(struct keyed *node, void *data)
{
    const struct ban *ban = (const struct ban *)node;
    PyObject **list = data, *row;
    char address[PJ_INET6_ADDRSTRLEN];

    if (!*list)
        return;
    key_print(&node->key, address, sizeof(address));
    row = Py_BuildValue("(ssddKi)", address, ban->reason, ban->at, (double)(ban->until - gate_now()) * 1e-6,
                        ban->dropped, ban->ours);
    if (!row || PyList_Append(*list, row) != 0)
        Py_CLEAR(*list);
    Py_XDECREF(row);
}

PyObject *tandem_gate_bans(void)
{
    PyObject *list = PyList_New(0);

    keyed_each(&bans, &show, &list);
    return list;
}

PyObject *tandem_gate_news(void)
{
    const struct news *one;
    char address[PJ_INET6_ADDRSTRLEN];

    if (!n_news)
        Py_RETURN_NONE;
    one = &news[first_news];
    first_news = (first_news + 1) % MOST_NEWS;
    n_news--;
    key_print(&one->key, address, sizeof(address));
    return Py_BuildValue("(ssd)", address, one->reason, one->seconds);
}
