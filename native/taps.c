/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Taps: what is heard on legs, packet by packet, for whoever writes recordings. All taps share two buffers: the workers
 * fill one while Python takes the other, so neither waits for more than a copy of one packet. */
#include <stdlib.h>
#include <string.h>

#include "relay.h"
#include "wire.h"

#define ROOM (4 * 1024 * 1024) /* a hundred legs for four seconds */
#define MOST_OPEN 16384

struct record {
    pj_int32_t tag;
    pj_uint32_t ssrc, timestamp;
    pj_uint16_t number;
    pj_uint8_t payload_type, flags;
    pj_uint64_t arrival;
    pj_uint16_t size;
} __attribute__((packed));

struct tap {
    int tag;
    struct wire *wire;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the buffers */
static char *buffers[2];
static size_t filled[2];
static int filling;
static unsigned long lost;

static pthread_mutex_t open_lock = PTHREAD_MUTEX_INITIALIZER; /* before any wire's */
static struct tap *open_taps;
static int open_count, open_room;

/* --- packets (workers) ------------------------------------------------------------------------------------- */

static void keep(const struct record *record, const unsigned char *payload)
{
    size_t whole = (sizeof *record + record->size + 7) & ~(size_t)7, bare = sizeof *record + record->size;
    char *at;

    pthread_mutex_lock(&lock);
    if (!buffers[filling] || filled[filling] + whole > ROOM) {
        lost++;
    } else {
        at = buffers[filling] + filled[filling];
        memcpy(at, record, sizeof *record);
        memcpy(at + sizeof *record, payload, record->size);
        memset(at + bare, 0, whole - bare);
        filled[filling] += whole;
    }
    pthread_mutex_unlock(&lock);
}

void taps_put(const struct wire *wire, const unsigned char *packet, unsigned header, unsigned payload, pj_uint64_t now)
{
    struct record record = {
        .ssrc = (pj_uint32_t)packet[8] << 24 | (pj_uint32_t)packet[9] << 16 | (pj_uint32_t)packet[10] << 8 | packet[11],
        .timestamp =
            (pj_uint32_t)packet[4] << 24 | (pj_uint32_t)packet[5] << 16 | (pj_uint32_t)packet[6] << 8 | packet[7],
        .number = (pj_uint16_t)(packet[2] << 8 | packet[3]),
        .payload_type = packet[1] & 0x7f,
        .flags = packet[1] >> 7,
        .arrival = now,
        .size = (pj_uint16_t)payload,
    };

    for (int i = 0; i < wire->tap_count; i++) {
        record.tag = wire->taps[i];
        keep(&record, packet + header);
    }
}

/* --- taps (the thread that polls PJSIP) -------------------------------------------------------------------- */

static pj_bool_t get_room(void)
{
    if (open_count == open_room) {
        int room = open_room ? 2 * open_room : 64;
        struct tap *more = open_room < MOST_OPEN ? realloc(open_taps, (size_t)room * sizeof *more) : NULL;

        if (!more)
            return PJ_FALSE;
        open_taps = more;
        open_room = room;
    }
    for (int i = 0; i < 2; i++) {
        char *buffer = buffers[i] ? buffers[i] : malloc(ROOM);

        pthread_mutex_lock(&lock);
        buffers[i] = buffer;
        pthread_mutex_unlock(&lock);
        if (!buffer)
            return PJ_FALSE;
    }
    return PJ_TRUE;
}

static int tap_place(int tag)
{
    int i = 0;

    while (i < open_count && open_taps[i].tag != tag)
        i++;
    return i;
}

int tandem_tap_open(int call, int tag)
{
    unsigned index;
    struct wire *wire = wire_of_call(call, &index);
    int status = PJ_SUCCESS;

    if (!wire)
        return PJ_EINVALIDOP;
    pthread_mutex_lock(&open_lock);
    if (tap_place(tag) < open_count) {
        status = PJ_EEXISTS;
    } else if (!get_room()) {
        status = PJ_ENOMEM;
    } else {
        pthread_mutex_lock(&wire->high);
        if (wire->closed || wire->tap_count == MOST_TAPS)
            status = PJ_ETOOMANY;
        else
            wire->taps[wire->tap_count++] = tag;
        pthread_mutex_unlock(&wire->high);
        if (status == PJ_SUCCESS)
            open_taps[open_count++] = (struct tap){tag, wire};
    }
    pthread_mutex_unlock(&open_lock);
    return status;
}

void tandem_tap_close(int tag)
{
    int place;

    pthread_mutex_lock(&open_lock);
    place = tap_place(tag);
    if (place < open_count) {
        struct wire *wire = open_taps[place].wire;

        pthread_mutex_lock(&wire->high);
        for (int i = 0; i < wire->tap_count; i++)
            if (wire->taps[i] == tag) {
                wire->taps[i] = wire->taps[--wire->tap_count];
                break;
            }
        pthread_mutex_unlock(&wire->high);
        open_taps[place] = open_taps[--open_count];
    }
    pthread_mutex_unlock(&open_lock);
}

/* The leg ends. */
void taps_forget(struct wire *wire)
{
    pthread_mutex_lock(&open_lock);
    for (int i = 0; i < open_count;) {
        if (open_taps[i].wire == wire)
            open_taps[i] = open_taps[--open_count];
        else
            i++;
    }
    pthread_mutex_lock(&wire->high);
    wire->tap_count = 0;
    pthread_mutex_unlock(&wire->high);
    pthread_mutex_unlock(&open_lock);
}

/* The GIL keeps a second one out until this one has copied. */
PyObject *tandem_taps_take(void)
{
    PyObject *records;
    unsigned long missed;
    int full;

    pthread_mutex_lock(&lock);
    full = filling;
    filling = !filling;
    filled[filling] = 0;
    missed = lost;
    lost = 0;
    pthread_mutex_unlock(&lock);
    records = PyBytes_FromStringAndSize(buffers[full], (Py_ssize_t)filled[full]);
    return records ? Py_BuildValue("(Nk)", records, missed) : NULL;
}
