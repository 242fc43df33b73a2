/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Loss, order and jitter of what one leg hears, after RFC 3550 appendix A. The last 64 packets are kept as bits: what is
 * missing there may still come, what has left them is lost for certain. */
#include "reception.h"

#include "relay.h"

#define WINDOW 64
#define LEAP 3000 /* RFC 3550 A.1: MAX_DROPOUT */
#define LATE 100  /* MAX_MISORDER */

static pj_uint32_t word(const unsigned char *at)
{
    return (pj_uint32_t)at[0] << 24 | (pj_uint32_t)at[1] << 16 | (pj_uint32_t)at[2] << 8 | at[3];
}

void reception_init(struct reception *reception, unsigned rate)
{
    pj_bzero(reception, sizeof *reception);
    reception->rate = rate;
    reception->payload_type = -1;
}

/* One packet has left the window, come or not. */
static void settle(pj_uint32_t *run, pj_uint32_t *in_runs, pj_bool_t came)
{
    if (!came) {
        if (++*run >= 2)
            *in_runs += *run == 2 ? 2 : 1;
    } else {
        *run = 0;
    }
}

/* The window goes on by so many packets. */
static void shift(struct reception *reception, unsigned by)
{
    for (unsigned i = 0; i < by; i++) {
        /* before the first packet of all there was nothing to lose */
        if (reception->newest + i - reception->first >= WINDOW - 1)
            settle(&reception->run, &reception->lost_in_runs, reception->seen >> (WINDOW - 1) & 1);
        reception->seen <<= 1;
    }
}

static pj_uint32_t expected(const struct reception *reception)
{
    return reception->any ? reception->newest - reception->first + 1 : 0;
}

static pj_uint32_t lost_of_this(const struct reception *reception)
{
    pj_uint32_t all = expected(reception);

    return all > reception->came ? all - reception->came : 0;
}

pj_uint32_t reception_lost(const struct reception *reception)
{
    return reception->lost + lost_of_this(reception);
}

pj_uint32_t reception_lost_in_runs(const struct reception *reception)
{
    pj_uint32_t in_runs = reception->lost_in_runs, run = reception->run;
    pj_uint32_t inside = expected(reception) < WINDOW ? expected(reception) : WINDOW;

    for (pj_uint32_t i = inside; i-- > 0;)
        settle(&run, &in_runs, reception->seen >> i & 1);
    return in_runs;
}

unsigned reception_jitter(const struct reception *reception)
{
    return (unsigned)((pj_uint64_t)(reception->jitter >> 4) * 1000000 / reception->rate);
}

/* Another sender, or the same one who counts anew. */
static void begin(struct reception *reception, pj_uint32_t ssrc, pj_uint16_t number)
{
    pj_uint32_t in_runs = reception_lost_in_runs(reception);

    reception->lost = reception_lost(reception);
    reception->lost_in_runs = in_runs;
    reception->run = 0;
    reception->ssrc = ssrc;
    reception->first = reception->newest = number;
    reception->seen = 1;
    reception->came = 1;
    reception->expected_before = reception->came_before = 0;
    reception->any = PJ_TRUE;
    reception->timed = reception->is_odd = PJ_FALSE;
}

static enum arrival place(struct reception *reception, pj_uint32_t ssrc, pj_uint16_t number)
{
    int ahead = (pj_int16_t)(number - (pj_uint16_t)reception->newest);

    if (!reception->any || ssrc != reception->ssrc) {
        begin(reception, ssrc, number);
        return ARRIVED_NEW;
    }
    if (ahead > LEAP || ahead < -LATE) {
        if (reception->is_odd && number == reception->odd) {
            begin(reception, ssrc, number);
            return ARRIVED_NEW;
        }
        reception->odd = (pj_uint16_t)(number + 1);
        reception->is_odd = PJ_TRUE;
        return ARRIVED_OLD;
    }
    reception->is_odd = PJ_FALSE;
    if (ahead > 0) {
        shift(reception, (unsigned)ahead);
        reception->newest += (pj_uint32_t)ahead;
        reception->seen |= 1;
        reception->came++;
        return ARRIVED_NEW;
    }
    if (-ahead >= WINDOW || (pj_int32_t)(reception->newest + (pj_uint32_t)ahead - reception->first) < 0)
        return ARRIVED_OLD; /* also what was sent before the first packet that came */
    if (reception->seen >> -ahead & 1)
        return ARRIVED_AGAIN;
    reception->seen |= 1ull << -ahead;
    reception->came++;
    return ARRIVED_LATE;
}

static void time_it(struct reception *reception, pj_uint32_t timestamp, pj_uint64_t now)
{
    pj_uint32_t transit = (pj_uint32_t)(now * reception->rate / 1000000) - timestamp;
    pj_int32_t difference = (pj_int32_t)(transit - reception->transit);

    if (difference < 0)
        difference = -difference;
    /* a whole second is no jitter: its clock was set anew */
    if (reception->timed && (pj_uint32_t)difference < reception->rate)
        reception->jitter += (pj_uint32_t)difference - ((reception->jitter + 8) >> 4);
    reception->transit = transit;
    reception->timed = PJ_TRUE;
}

enum arrival reception_came(struct reception *reception, const unsigned char *header, unsigned payload, pj_bool_t sound,
                            pj_uint64_t now)
{
    pj_uint32_t timestamp = word(header + 4);
    enum arrival arrival = place(reception, word(header + 8), (pj_uint16_t)(header[2] << 8 | header[3]));

    reception->at = now;
    if (arrival == ARRIVED_AGAIN) {
        reception->again++;
        return arrival;
    }
    if (arrival != ARRIVED_NEW)
        reception->late++;
    if (arrival == ARRIVED_OLD)
        return arrival;
    reception->packets++;
    reception->octets += payload;
    if (sound) {
        reception->payload_type = header[1] & 0x7f;
        if (arrival == ARRIVED_NEW && (!reception->timed || timestamp != reception->timestamp))
            time_it(reception, timestamp, now);
        reception->timestamp = timestamp;
    }
    return arrival;
}

void reception_skip(struct reception *reception, const unsigned char *header)
{
    if (reception->any && word(header + 8) == reception->ssrc)
        place(reception, reception->ssrc, (pj_uint16_t)(header[2] << 8 | header[3]));
}

void reception_report(struct reception *reception, struct report_block *block)
{
    pj_uint32_t all = expected(reception), due = all - reception->expected_before;
    pj_uint32_t came = reception->came - reception->came_before;
    pj_int32_t lost = (pj_int32_t)(all - reception->came);

    reception->expected_before = all;
    reception->came_before = reception->came;
    block->ssrc = reception->ssrc;
    block->newest = reception->newest;
    block->jitter = reception->jitter >> 4;
    block->lost = (pj_uint32_t)(lost > 0x7fffff ? 0x7fffff : lost < -0x800000 ? -0x800000 : lost) & 0xffffff;
    block->fraction = due > came ? (unsigned)((pj_uint64_t)(due - came) * 256 / due) : 0;
    if (block->fraction > 255)
        block->fraction = 255;
}

/* --- without a leg ----------------------------------------------------------------------------------------- */

PyObject *tandem_reception_try(unsigned rate, PyObject *events)
{
    static const char letters[] = "nlro";
    Py_ssize_t n = PyList_Check(events) ? PyList_GET_SIZE(events) : -1;
    struct reception reception;
    PyObject *told, *result;
    char *verdicts;

    if (n < 0 || !rate) {
        PyErr_SetString(PyExc_ValueError, "a rate and a list of events, please");
        return NULL;
    }
    if (!(told = PyBytes_FromStringAndSize(NULL, n)))
        return NULL;
    verdicts = PyBytes_AS_STRING(told);
    reception_init(&reception, rate);
    for (Py_ssize_t i = 0; i < n; i++) {
        unsigned char header[12] = {0x80};
        unsigned long long now;
        unsigned ssrc, number, timestamp;

        if (!PyArg_ParseTuple(PyList_GET_ITEM(events, i), "KIII", &now, &ssrc, &number, &timestamp)) {
            Py_DECREF(told);
            return NULL;
        }
        ssrc = pj_htonl(ssrc);
        timestamp = pj_htonl(timestamp);
        header[2] = (unsigned char)(number >> 8);
        header[3] = (unsigned char)number;
        pj_memcpy(header + 4, &timestamp, 4);
        pj_memcpy(header + 8, &ssrc, 4);
        verdicts[i] = letters[reception_came(&reception, header, 160, PJ_TRUE, now)];
    }
    result = Py_BuildValue("(IIIIIIs#)", reception.packets, reception_lost(&reception),
                           reception_lost_in_runs(&reception), reception.late, reception.again,
                           reception_jitter(&reception), verdicts, n);
    Py_DECREF(told);
    return result;
}
