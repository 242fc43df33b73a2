/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Ears: sinks of the conference for programs that listen to many legs at once. A port in Python costs the interpreter's
 * lock for every frame of every leg; here the conference's thread copies each frame into the ear's own ring, and Python
 * takes those of all ears in one call. Rings have one writer (the conference) and one reader (the thread that polls
 * PJSIP), so they need no lock. The list of ears belongs to that reader alone. */
#include <stdlib.h>

#include "internal.h"
#include "tandem.h"

#define RATE 8000
#define FRAME 160 /* samples: 20 ms, whatever the conference's own rate is */
#define ROOM 64   /* frames kept for a slow reader: 1.28 s */

struct ear {
    pjmedia_port port; /* first: the conference gives us this address */
    pj_pool_t *pool;
    pjsua_conf_port_id place;
    unsigned written; /* frames so far, by the conference */
    unsigned taken;   /* by Python */
    unsigned lost;    /* the ring was full */
    pj_int16_t frames[ROOM][FRAME];
};

static struct ear **ears;
static int count_of_ears, room_for_ears;

/* On the conference's thread. */
static pj_status_t put_frame(pjmedia_port *port, pjmedia_frame *frame)
{
    struct ear *ear = (struct ear *)port;
    unsigned written = ear->written;
    pj_int16_t *into = ear->frames[written % ROOM];
    pj_size_t size = 0;

    if (written - __atomic_load_n(&ear->taken, __ATOMIC_ACQUIRE) >= ROOM) {
        __atomic_fetch_add(&ear->lost, 1, __ATOMIC_RELAXED);
        return PJ_SUCCESS;
    }
    if (frame->type == PJMEDIA_FRAME_TYPE_AUDIO) {
        size = PJ_MIN(frame->size, sizeof(ear->frames[0]));
        pj_memcpy(into, frame->buf, size);
    }
    pj_bzero((char *)into + size, sizeof(ear->frames[0]) - size); /* nobody speaks: silence keeps the time */
    __atomic_store_n(&ear->written, written + 1, __ATOMIC_RELEASE);
    return PJ_SUCCESS;
}

static pj_status_t get_frame(pjmedia_port *port, pjmedia_frame *frame)
{
    PJ_UNUSED_ARG(port);
    frame->type = PJMEDIA_FRAME_TYPE_NONE;
    frame->size = 0;
    return PJ_SUCCESS;
}

/* The conference and we have both let go. */
static pj_status_t on_destroy(pjmedia_port *port)
{
    pj_pool_release(((struct ear *)port)->pool);
    return PJ_SUCCESS;
}

int tandem_ear_open(void)
{
    pj_str_t name = {"ear", 3};
    pj_pool_t *pool;
    struct ear *ear;
    pj_status_t status;

    if (count_of_ears == room_for_ears) {
        int room = room_for_ears ? 2 * room_for_ears : 64;
        struct ear **more = realloc(ears, room * sizeof(*ears));

        if (!more)
            return -PJ_ENOMEM;
        ears = more;
        room_for_ears = room;
    }
    if (!(pool = pjsua_pool_create("ear%p", sizeof(*ear) + 1024, 1024)))
        return -PJ_ENOMEM;
    ear = PJ_POOL_ZALLOC_T(pool, struct ear);
    ear->pool = pool;
    pjmedia_port_info_init(&ear->port.info, &name, PJMEDIA_SIG_CLASS_APP('E', 'A', 'R'), RATE, 1, 16, FRAME);
    ear->port.put_frame = put_frame;
    ear->port.get_frame = get_frame;
    ear->port.on_destroy = on_destroy;
    if ((status = pjmedia_port_init_grp_lock(&ear->port, pool, NULL)) != PJ_SUCCESS) {
        pj_pool_release(pool);
        return -status;
    }
    Py_BEGIN_ALLOW_THREADS
    status = pjsua_conf_add_port(pool, &ear->port, &ear->place);
    Py_END_ALLOW_THREADS
    if (status != PJ_SUCCESS) {
        pjmedia_port_destroy(&ear->port);
        return -status;
    }
    ears[count_of_ears++] = ear;
    return ear->place;
}

static int find(int place)
{
    for (int i = 0; i < count_of_ears; i++)
        if (ears[i]->place == place)
            return i;
    return -1;
}

int tandem_ear_hear(int place, int source, int on)
{
    int status;

    if (find(place) < 0 || source < 0)
        return PJ_ENOTFOUND;
    Py_BEGIN_ALLOW_THREADS
    status = on ? pjsua_conf_connect(source, place) : pjsua_conf_disconnect(source, place);
    Py_END_ALLOW_THREADS
    return status;
}

void tandem_ear_close(int place)
{
    int which = find(place);
    struct ear *ear;

    if (which < 0)
        return;
    ear = ears[which];
    ears[which] = ears[--count_of_ears];
    Py_BEGIN_ALLOW_THREADS
    pjsua_conf_remove_port(place);
    pjmedia_port_destroy(&ear->port); /* the conference holds it until it has removed it */
    Py_END_ALLOW_THREADS
}

/* Frames that wait in an ear's ring. */
static unsigned waiting(struct ear *ear)
{
    return __atomic_load_n(&ear->written, __ATOMIC_ACQUIRE) - ear->taken;
}

PyObject *tandem_ears_take(void)
{
    unsigned long lost = 0;
    Py_ssize_t total = 0, done = 0;
    PyObject *places, *frames;
    pj_int32_t *place;
    char *sound;

    for (int i = 0; i < count_of_ears; i++)
        total += waiting(ears[i]);
    places = PyBytes_FromStringAndSize(NULL, total * (Py_ssize_t)sizeof(*place));
    frames = PyBytes_FromStringAndSize(NULL, total * (Py_ssize_t)sizeof(ears[0]->frames[0]));
    if (!places || !frames) {
        Py_XDECREF(places);
        Py_XDECREF(frames);
        return NULL;
    }
    place = (pj_int32_t *)PyBytes_AS_STRING(places);
    sound = PyBytes_AS_STRING(frames);
    for (int i = 0; i < count_of_ears; i++) {
        struct ear *ear = ears[i];

        /* More may have come since they were counted: those wait for the next time. */
        for (unsigned left = waiting(ear); left && done < total; left--, done++) {
            place[done] = ear->place;
            pj_memcpy(sound + done * sizeof(ear->frames[0]), ear->frames[ear->taken % ROOM], sizeof(ear->frames[0]));
            __atomic_store_n(&ear->taken, ear->taken + 1, __ATOMIC_RELEASE);
        }
        lost += __atomic_exchange_n(&ear->lost, 0, __ATOMIC_RELAXED);
    }
    return Py_BuildValue("(NNk)", places, frames, lost);
}
