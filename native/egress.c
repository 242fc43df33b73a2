/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One leg's outgoing RTP: prompts, music, the conference's mix and relayed packets of several peers, one after another,
 * are one stream of one SSRC. Its numbers have no gap that is not a loss, its timestamps go on as the clock does, and
 * where another origin begins stands the marker (RFC 3550 5.1): the far end's buffer need not notice anything else. */
#include "egress.h"

#include "relay.h"

#define LEAP 3000  /* numbers: further than this is another stream of the same source (RFC 3550 A.1) */
#define LATE 100
#define WINDOW 64 /* numbers: what is later than that is not sent */

static pj_uint16_t number_of(const unsigned char *header)
{
    return (pj_uint16_t)(header[2] << 8 | header[3]);
}

static pj_uint32_t word(const unsigned char *at)
{
    return (pj_uint32_t)at[0] << 24 | (pj_uint32_t)at[1] << 16 | (pj_uint32_t)at[2] << 8 | at[3];
}

static void put_word(unsigned char *at, pj_uint32_t value)
{
    at[0] = (unsigned char)(value >> 24);
    at[1] = (unsigned char)(value >> 16);
    at[2] = (unsigned char)(value >> 8);
    at[3] = (unsigned char)value;
}

static void put_header(const struct egress *egress, unsigned char *header, pj_uint16_t number, pj_uint32_t timestamp)
{
    header[2] = (unsigned char)(number >> 8);
    header[3] = (unsigned char)number;
    put_word(header + 4, timestamp);
    put_word(header + 8, egress->ssrc);
}

void egress_init(struct egress *egress, pj_uint32_t ssrc, pj_uint16_t number, pj_uint32_t timestamp, unsigned rate)
{
    pj_bzero(egress, sizeof *egress);
    egress->ssrc = ssrc;
    egress->number = (pj_uint16_t)(number - 1);
    egress->timestamp = timestamp;
    egress->rate = rate;
    egress->step = rate / 50;
}

pj_uint32_t egress_clock(const struct egress *egress, pj_uint64_t now)
{
    return egress->any && now > egress->at
               ? egress->timestamp + (pj_uint32_t)((now - egress->at) * egress->rate / 1000000)
               : egress->timestamp;
}

/* Time has gone on since the last packet, by one packet at least: else two would lie on top of each other. */
static pj_uint32_t timestamp_of_next(const struct egress *egress, pj_uint64_t now)
{
    pj_uint32_t clock = egress_clock(egress, now);

    if (!egress->any)
        return egress->timestamp;
    return clock - egress->timestamp < egress->step ? egress->timestamp + egress->step : clock;
}

static void begin(struct egress *egress, const void *origin, unsigned char *header, pj_uint64_t now)
{
    pj_uint16_t number = number_of(header);

    egress->origin = origin;
    egress->origin_ssrc = word(header + 8);
    egress->shift = timestamp_of_next(egress, now) - word(header + 4);
    egress->number_shift = (pj_uint16_t)(egress->number + 1 - number);
    egress->newest = (pj_uint16_t)(number - 1);
    egress->edge = number;
    egress->seen = 0;
    header[1] |= 0x80;
}

static pj_bool_t is_another(const struct egress *egress, const void *origin, const unsigned char *header)
{
    int ahead = (pj_int16_t)(number_of(header) - egress->newest);

    return egress->origin != origin || egress->origin_ssrc != word(header + 8) || ahead > LEAP || ahead < -LATE;
}

/* A packet time is what comes twice in a row. Once may be the time that a key took, or a silence. */
static void learn_step(struct egress *egress, pj_uint32_t timestamp)
{
    pj_uint32_t step = timestamp - egress->timestamp;

    if (step && step <= egress->rate / 5 && step == egress->latest_step)
        egress->step = step;
    egress->latest_step = step;
}

/* One of the origin's packets comes; PJ_FALSE: it has no number of its own in our stream (any more). */
static pj_bool_t place(struct egress *egress, pj_uint16_t number)
{
    int ahead = (pj_int16_t)(number - egress->newest);

    if (ahead > 0) {
        egress->seen = ahead < WINDOW ? egress->seen << ahead | 1 : 1;
        egress->newest = number;
        return PJ_TRUE;
    }
    if (-ahead >= WINDOW || egress->seen >> -ahead & 1 || (pj_int16_t)(number - egress->edge) < 0)
        return PJ_FALSE;
    egress->seen |= 1ull << -ahead;
    return PJ_TRUE;
}

pj_bool_t egress_send(struct egress *egress, const void *origin, unsigned char *header, pj_uint64_t now)
{
    pj_uint16_t number = number_of(header);
    pj_uint32_t timestamp;
    int ahead;

    if (is_another(egress, origin, header))
        begin(egress, origin, header, now);
    ahead = (pj_int16_t)(number - egress->newest);
    if (!place(egress, number))
        return PJ_FALSE;
    timestamp = word(header + 4) + egress->shift;
    number = (pj_uint16_t)(number + egress->number_shift);
    if (ahead > 0) {
        if (ahead == 1 && egress->any)
            learn_step(egress, timestamp);
        egress->number = number;
        egress->timestamp = timestamp;
        egress->at = now;
        egress->any = PJ_TRUE;
    }
    put_header(egress, header, number, timestamp);
    return PJ_TRUE;
}

/* What comes late from before this place would get a number that is taken. */
static void draw_edge(struct egress *egress)
{
    egress->edge = (pj_uint16_t)(egress->newest + 1);
}

void egress_insert(struct egress *egress, unsigned char *header, pj_uint64_t now)
{
    pj_uint32_t timestamp = word(header + 4);

    if (!egress->in_event || egress->event != timestamp) {
        egress->in_event = PJ_TRUE;
        egress->event = timestamp;
        egress->event_sent = egress_clock(egress, now);
    }
    egress->number++;
    egress->number_shift++;
    draw_edge(egress);
    put_header(egress, header, egress->number, egress->event_sent);
}

void egress_withhold(struct egress *egress, const void *origin, const unsigned char *header)
{
    int ahead = (pj_int16_t)(number_of(header) - egress->newest);

    if (is_another(egress, origin, header) || !place(egress, number_of(header)) || ahead <= 0)
        return;
    egress->number_shift--;
    draw_edge(egress);
}

/* --- without a leg ----------------------------------------------------------------------------------------- */

static PyObject *try_event(struct egress *egress, PyObject *event)
{
    unsigned char header[RTP_HEADER] = {0x80};
    unsigned long long now;
    unsigned ssrc, number, timestamp;
    const char *kind;
    int origin, marker;

    if (!PyArg_ParseTuple(event, "KsiIIIp", &now, &kind, &origin, &ssrc, &number, &timestamp, &marker))
        return NULL;
    header[1] = marker ? 0x80 : 0;
    header[2] = (unsigned char)(number >> 8);
    header[3] = (unsigned char)number;
    put_word(header + 4, timestamp);
    put_word(header + 8, ssrc);
    if (kind[0] == 'w') {
        egress_withhold(egress, (void *)(size_t)origin, header);
        Py_RETURN_NONE;
    }
    if (kind[0] == 'i')
        egress_insert(egress, header, now);
    else if (!egress_send(egress, (void *)(size_t)origin, header, now))
        Py_RETURN_NONE;
    return Py_BuildValue("(IIO)", (unsigned)number_of(header), word(header + 4),
                         header[1] & 0x80 ? Py_True : Py_False);
}

PyObject *tandem_egress_try(unsigned rate, PyObject *events)
{
    Py_ssize_t n = PyList_Check(events) ? PyList_GET_SIZE(events) : -1;
    struct egress egress;
    PyObject *sent;

    if (n < 0 || !rate) {
        PyErr_SetString(PyExc_ValueError, "a rate and a list of events, please");
        return NULL;
    }
    egress_init(&egress, 1, 1000, 50000, rate);
    sent = PyList_New(n);
    for (Py_ssize_t i = 0; sent && i < n; i++) {
        PyObject *one = try_event(&egress, PyList_GET_ITEM(events, i));

        if (!one)
            Py_CLEAR(sent);
        else
            PyList_SET_ITEM(sent, i, one);
    }
    return sent;
}
