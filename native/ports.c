/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The pairs of RTP and RTCP ports. pjsua counts an account's ports upwards from one call to the next and looks at a
 * hundred pairs at most; here each leg's pair is drawn before the leg is made, at random from the half of the free ones
 * that were unused for longest: nobody can tell the next, and the last words of a call do not reach another. pjsua is
 * told by changing the account's first port, which costs some microseconds. */
#include <pthread.h>
#include <sys/random.h>

#include "internal.h"
#include "sound.h"
#include "source.h"

#define MOST_PAIRS 32768

enum state { FREE = 0, USED = 1 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* legs end on the media thread too */
static unsigned short queue[MOST_PAIRS];                 /* free pairs, the one unused for longest first; a ring */
static unsigned char states[MOST_PAIRS], queued[MOST_PAIRS];
static unsigned first_port, last_port, pairs, head, length, used;
static int drawn = -1; /* the pair of the leg that is being made */
static unsigned long long exhausted;
static pj_pool_t *pool;

/* --- the ring (under the lock) ----------------------------------------------------------------------------- */

static void push(unsigned pair)
{
    if (queued[pair])
        return;
    queued[pair] = 1;
    queue[(head + length++) % pairs] = (unsigned short)pair;
}

static int pop(void)
{
    while (length) {
        unsigned random, pair, chosen;

        if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
            random = pj_rand();
        chosen = (head + random % ((length + 1) / 2)) % pairs;
        pair = queue[chosen];
        queue[chosen] = queue[head];
        head = (head + 1) % pairs;
        length--;
        queued[pair] = 0;
        if (states[pair] == FREE)
            return (int)pair;
    }
    return -1;
}

int tandem_ports_open(int first, int last)
{
    pthread_mutex_lock(&lock);
    first_port = (unsigned)first;
    last_port = (unsigned)last;
    pairs = last > first ? (unsigned)(last - first + 1) / 2 : 0;
    if (pairs > MOST_PAIRS)
        pairs = MOST_PAIRS;
    head = length = used = 0;
    drawn = -1;
    pj_bzero(states, sizeof states);
    pj_bzero(queued, sizeof queued);
    for (unsigned i = 0; i < pairs; i++)
        push(i);
    pthread_mutex_unlock(&lock);
    return (int)pairs;
}

/* --- legs -------------------------------------------------------------------------------------------------- */

static int pair_of(unsigned port)
{
    return pairs && port >= first_port && (port - first_port) / 2 < pairs ? (int)((port - first_port) / 2) : -1;
}

/* Not always the pair that was drawn: another program may have it, then pjsua took the next. */
void ports_taken(unsigned port)
{
    int pair;

    pthread_mutex_lock(&lock);
    pair = pair_of(port);
    if (pair >= 0 && states[pair] == FREE) {
        states[pair] = USED;
        used++;
    }
    if (pair == drawn)
        drawn = -1;
    pthread_mutex_unlock(&lock);
}

void ports_released(unsigned port)
{
    int pair;

    pthread_mutex_lock(&lock);
    pair = pair_of(port);
    if (pair >= 0 && states[pair] == USED) {
        states[pair] = FREE;
        used--;
        push((unsigned)pair);
    }
    pthread_mutex_unlock(&lock);
}

/* The account as it is now with another first port: what else was changed since the last time stays. */
static pj_status_t begin_at(int account, unsigned port)
{
    pjsua_acc_config config;
    pj_status_t status;

    if (!pool)
        pool = pjsua_pool_create("ports", 4000, 4000);
    pj_pool_reset(pool);
    status = pjsua_acc_get_config(account, pool, &config);
    if (status != PJ_SUCCESS)
        return status;
    config.rtp_cfg.port_range = last_port - port; /* should the pair be another program's: the next ones */
    config.rtp_cfg.randomize_port = PJ_FALSE;
    /* Neither is used here; "custom", as pjsua2 says, would copy their settings into the account's pool once more. */
    config.ice_cfg_use = PJSUA_ICE_CONFIG_USE_DEFAULT;
    config.turn_cfg_use = PJSUA_TURN_CONFIG_USE_DEFAULT;
    if (config.rtp_cfg.port == port) {
        config.rtp_cfg.port++; /* pjsua begins anew only where the first port is another one */
        pjsua_acc_modify(account, &config);
    }
    config.rtp_cfg.port = port;
    return pjsua_acc_modify(account, &config);
}

int tandem_ports_draw(int account)
{
    int pair;

    pthread_mutex_lock(&lock);
    if (drawn >= 0) /* the leg it was for was not made */
        push((unsigned)drawn);
    pair = drawn = pop();
    exhausted += pair < 0;
    pthread_mutex_unlock(&lock);
    return pair < 0 ? PJ_ETOOMANY : begin_at(account, first_port + 2 * (unsigned)pair);
}

/* --- figures ----------------------------------------------------------------------------------------------- */

PyObject *tandem_ports_state(void)
{
    PyObject *state;

    pthread_mutex_lock(&lock);
    state = Py_BuildValue("(IIK)", pairs, used, exhausted);
    pthread_mutex_unlock(&lock);
    return state;
}

void tandem_ports_close(void)
{
    if (pool)
        pj_pool_release(pool);
    pool = NULL;
}
