/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The threads that read all legs' sockets. Each leg belongs to one of them, so its packets are handled one after another.
 * They are read and sent on at once, one packet a socket and round: a flooded port gets no more than its turn. A wire is
 * freed when no thread can still hold one of its events: each counts its rounds, and has begun another one by then. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "relay.h"
#include "wire.h"

#define MOST_WORKERS 16
#define EVENTS 256
#define SLOTS 128         /* of the wheel, 100 ms each: 12.8 s at most */
#define SLOT 100          /* milliseconds */
#define REPORT_EVERY 5000 /* RFC 3550 6.2 */
#define AHEAD 5           /* nice: 3/4 of a core that Python's thread wants as well (sched(7)) */

struct worker {
    pthread_t thread;
    int epoll, wake;
    pj_bool_t running, stop;
    unsigned long passes; /* rounds begun */
    pthread_mutex_t lock; /* of the wheel */
    struct wire *slots[SLOTS];
    unsigned turn; /* the slot that is due next */
    unsigned seed;
    pj_thread_desc description;
    unsigned char packet[PACKET_ROOM] __attribute__((aligned(16)));
};

unsigned long long wire_count[WIRE_COUNTER_END];

static struct worker *workers;
static int worker_count = 1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the start, and of the graves */
static unsigned next_worker;
static struct wire *graves;

static pj_uint64_t clock_of(clockid_t which)
{
    struct timespec now;

    clock_gettime(which, &now);
    return (pj_uint64_t)now.tv_sec * 1000000 + (pj_uint64_t)now.tv_nsec / 1000;
}

pj_uint64_t wire_now(void)
{
    return clock_of(CLOCK_MONOTONIC);
}

pj_uint64_t wire_wall(void)
{
    return clock_of(CLOCK_REALTIME);
}

/* --- the wheel of reports ---------------------------------------------------------------------------------- */

static void put_in(struct worker *worker, struct wire *wire, unsigned milliseconds)
{
    unsigned ahead = milliseconds / SLOT;
    struct wire **slot = &worker->slots[(worker->turn + (ahead < SLOTS ? ahead : SLOTS - 1)) % SLOTS];

    wire->after = *slot;
    wire->before = slot;
    if (*slot)
        (*slot)->before = &wire->after;
    *slot = wire;
}

static void take_out(struct wire *wire)
{
    if (!wire->before)
        return;
    *wire->before = wire->after;
    if (wire->after)
        wire->after->before = wire->before;
    wire->before = NULL;
}

void wire_schedule(struct wire *wire, unsigned milliseconds)
{
    struct worker *worker = wire->worker;

    pthread_mutex_lock(&worker->lock);
    take_out(wire);
    if (!wire->left)
        put_in(worker, wire, milliseconds);
    pthread_mutex_unlock(&worker->lock);
}

static void run_wheel(struct worker *worker)
{
    struct wire *wire;

    pthread_mutex_lock(&worker->lock);
    while ((wire = worker->slots[worker->turn])) {
        take_out(wire);
        pthread_mutex_unlock(&worker->lock); /* freed it cannot be: we are at work */
        pthread_mutex_lock(&wire->high);
        wire_report(wire, PJ_FALSE);
        pthread_mutex_unlock(&wire->high);
        pthread_mutex_lock(&worker->lock);
        if (!wire->left && !wire->before) /* 0.75 to 1.25 of it, so that legs do not keep step */
            put_in(worker, wire, REPORT_EVERY * 3 / 4 + (unsigned)rand_r(&worker->seed) % (REPORT_EVERY / 2));
    }
    worker->turn = (worker->turn + 1) % SLOTS;
    pthread_mutex_unlock(&worker->lock);
}

/* --- reading ----------------------------------------------------------------------------------------------- */

/* Once a second Python looks at every leg. On a shared core this thread would get every other time slice meanwhile, and
 * the packets of more than half a core would queue up. On Linux each thread has a nice value of its own (setpriority(2));
 * where the process may not lower it so far, it goes as far as it may. */
static void go_ahead(void)
{
    int ahead = AHEAD, nice;

    errno = 0;
    nice = getpriority(PRIO_PROCESS, 0);
    if (errno) /* -1 alone is a nice value */
        return;
    while (ahead && setpriority(PRIO_PROCESS, 0, nice - ahead))
        ahead--;
}

static void *work(void *data)
{
    struct worker *worker = data;
    struct epoll_event events[EVENTS];
    pj_uint64_t due = wire_now() + SLOT * 1000;
    pj_thread_t *thread;

    pj_thread_register("wire", worker->description, &thread);
    go_ahead();
    while (!__atomic_load_n(&worker->stop, __ATOMIC_ACQUIRE)) {
        pj_uint64_t now = wire_now();
        int n;

        __atomic_fetch_add(&worker->passes, 1, __ATOMIC_SEQ_CST);
        n = epoll_wait(worker->epoll, events, EVENTS, due > now ? (int)((due - now + 999) / 1000) : 0);
        for (int i = 0; i < n; i++) {
            pj_uint64_t token = events[i].data.u64;
            eventfd_t woken;

            if (!token)
                eventfd_read(worker->wake, &woken);
            else
                wire_read((struct wire *)(token & ~1ull), worker->packet, token & 1);
        }
        now = wire_now();
        if (now >= due) {
            run_wheel(worker);
            due = due + 10 * SLOT * 1000 > now ? due + SLOT * 1000 : now + SLOT * 1000;
        }
    }
    return NULL;
}

/* --- threads ----------------------------------------------------------------------------------------------- */

int tandem_relay_threads(int threads)
{
    int status = PJ_EINVALIDOP;

    pthread_mutex_lock(&lock);
    if (!workers && threads >= 1 && threads <= MOST_WORKERS) {
        worker_count = threads;
        status = PJ_SUCCESS;
    }
    pthread_mutex_unlock(&lock);
    return status;
}

static pj_bool_t start_worker(struct worker *worker)
{
    struct epoll_event event = {.events = EPOLLIN};
    sigset_t all, before;
    int status;

    pthread_mutex_init(&worker->lock, NULL);
    worker->epoll = epoll_create1(EPOLL_CLOEXEC);
    worker->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (getrandom(&worker->seed, sizeof worker->seed, GRND_NONBLOCK) < 0)
        worker->seed = (unsigned)wire_now();
    if (worker->epoll < 0 || worker->wake < 0 || epoll_ctl(worker->epoll, EPOLL_CTL_ADD, worker->wake, &event))
        return PJ_FALSE;
    sigfillset(&all); /* signals are for Python's thread */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    status = pthread_create(&worker->thread, NULL, &work, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    worker->running = status == 0;
    if (worker->running)
        pthread_setname_np(worker->thread, "wire"); /* for top and perf */
    return worker->running;
}

static void stop_worker(struct worker *worker)
{
    if (worker->running) {
        __atomic_store_n(&worker->stop, PJ_TRUE, __ATOMIC_RELEASE);
        eventfd_write(worker->wake, 1);
        pthread_join(worker->thread, NULL);
    }
    if (worker->epoll >= 0)
        close(worker->epoll);
    if (worker->wake >= 0)
        close(worker->wake);
    pthread_mutex_destroy(&worker->lock);
}

static void clear_graves(void);

/* The endpoint goes away, all legs with it. */
static void stop_workers(pjsip_endpoint *endpoint)
{
    PJ_UNUSED_ARG(endpoint);
    pthread_mutex_lock(&lock);
    for (int i = 0; workers && i < worker_count; i++)
        stop_worker(&workers[i]);
    free(workers);
    workers = NULL;
    clear_graves();
    pthread_mutex_unlock(&lock);
}

/* Under the lock. */
static pj_bool_t start_workers(void)
{
    if (workers)
        return PJ_TRUE;
    workers = calloc((size_t)worker_count, sizeof *workers);
    if (!workers)
        return PJ_FALSE;
    for (int i = 0; i < worker_count; i++)
        if (!start_worker(&workers[i])) {
            while (i >= 0)
                stop_worker(&workers[i--]);
            free(workers);
            workers = NULL;
            return PJ_FALSE;
        }
    pjsip_endpt_atexit(pjsua_get_pjsip_endpt(), &stop_workers);
    return PJ_TRUE;
}

/* --- life -------------------------------------------------------------------------------------------------- */

/* Whether every worker has begun another round since this wire died. */
static pj_bool_t is_cold(const struct wire *wire)
{
    for (int i = 0; workers && i < worker_count; i++)
        if (__atomic_load_n(&workers[i].passes, __ATOMIC_SEQ_CST) == wire->passes[i])
            return PJ_FALSE;
    return PJ_TRUE;
}

static void bury(struct wire *wire)
{
    pthread_mutex_destroy(&wire->calling);
    pthread_mutex_destroy(&wire->low);
    pthread_mutex_destroy(&wire->high);
    free(wire->passes);
    free(wire);
}

static void clear_graves(void)
{
    for (struct wire **at = &graves, *wire; (wire = *at);) {
        if (!is_cold(wire)) {
            at = &wire->grave;
            continue;
        }
        *at = wire->grave;
        bury(wire);
    }
}

struct wire *wire_new(void)
{
    struct wire *wire = aligned_alloc(64, (sizeof *wire + 63) & ~(size_t)63);
    pthread_mutexattr_t recursive;

    if (wire)
        pj_bzero(wire, sizeof *wire);
    pthread_mutex_lock(&lock);
    clear_graves();
    if (!wire || !start_workers() || !(wire->passes = calloc((size_t)worker_count, sizeof *wire->passes))) {
        free(wire);
        pthread_mutex_unlock(&lock);
        return NULL;
    }
    wire->worker = &workers[next_worker++ % (unsigned)worker_count];
    pthread_mutex_unlock(&lock);
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&wire->calling, &recursive);
    pthread_mutexattr_destroy(&recursive);
    pthread_mutex_init(&wire->low, NULL);
    pthread_mutex_init(&wire->high, NULL);
    wire->rtp = wire->rtcp = -1;
    return wire;
}

void wire_watch(struct wire *wire)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = (size_t)wire};

    if (wire->watched || wire->rtp < 0 || !workers)
        return;
    wire->watched = PJ_TRUE;
    if (epoll_ctl(wire->worker->epoll, EPOLL_CTL_ADD, wire->rtp, &event))
        wire_counts(WIRE_ERRORS);
    event.data.u64 |= 1;
    if (epoll_ctl(wire->worker->epoll, EPOLL_CTL_ADD, wire->rtcp, &event))
        wire_counts(WIRE_ERRORS);
}

void wire_unwatch(struct wire *wire)
{
    if (!wire->watched)
        return;
    wire->watched = PJ_FALSE;
    if (!workers)
        return;
    epoll_ctl(wire->worker->epoll, EPOLL_CTL_DEL, wire->rtp, NULL);
    epoll_ctl(wire->worker->epoll, EPOLL_CTL_DEL, wire->rtcp, NULL);
}

void wire_free(struct wire *wire)
{
    pthread_mutex_lock(&lock);
    if (workers) {
        pthread_mutex_lock(&wire->worker->lock);
        wire->left = PJ_TRUE;
        take_out(wire);
        pthread_mutex_unlock(&wire->worker->lock);
    }
    for (int i = 0; workers && i < worker_count; i++)
        wire->passes[i] = __atomic_load_n(&workers[i].passes, __ATOMIC_SEQ_CST);
    wire->grave = graves;
    graves = wire;
    clear_graves();
    pthread_mutex_unlock(&lock);
}
