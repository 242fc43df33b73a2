/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A call's wire, and what was counted on one leg and on all, for Python. */
#include "relay.h"
#include "sound.h"
#include "wire.h"

/* --- one leg ----------------------------------------------------------------------------------------------- */

/* Without a word to SRTP, which would read contexts that the wire's worker may be making anew. */
static pj_status_t wire_of_line(int call, unsigned index, struct wire **wire)
{
    pjmedia_transport_info info;
    pj_status_t status;

    pjmedia_transport_info_init(&info);
    wire_only = PJ_TRUE;
    status = pjsua_call_get_med_transport_info(call, index, &info);
    wire_only = PJ_FALSE;
    *wire = status == PJ_SUCCESS ? wire_of_info(&info) : NULL;
    return status;
}

struct wire *wire_of_call(int call, unsigned *index)
{
    struct wire *wire = NULL;

    if (call < 0 || call >= (int)pjsua_call_get_max_count())
        return NULL;
    for (*index = 0; *index < PJMEDIA_MAX_SDP_MEDIA; ++*index)
        if (wire_of_line(call, *index, &wire) == PJ_EINVAL || wire) /* it has no more lines, or this is it */
            break;
    return wire;
}

/* A packet may have come behind the look at the clock. */
static long since(pj_uint64_t then, pj_uint64_t now)
{
    if (!then)
        return -1;
    return now > then ? (long)((now - then) / 1000) : 0;
}

PyObject *tandem_leg_sound(int call)
{
    unsigned index;
    struct wire *wire = wire_of_call(call, &index);
    struct reception heard;
    struct reports reports;
    pj_uint64_t now = wire_now();
    unsigned sent, unsent;
    int joined;

    if (!wire)
        Py_RETURN_NONE;
    pthread_mutex_lock(&wire->high);
    heard = wire->reception;
    reports = wire->reports;
    sent = wire->egress.packets;
    unsent = wire->egress.unsent;
    joined = wire->peer != NULL;
    pthread_mutex_unlock(&wire->high);
    return Py_BuildValue("(iiIIKIIIIIIIilli)", joined, heard.payload_type, heard.rate, heard.packets,
                         (unsigned long long)heard.octets, sent, unsent, reception_lost(&heard),
                         reception_lost_in_runs(&heard), heard.late, heard.again, reception_jitter(&heard),
                         (int)reports.round_trip, since(heard.at, now), since(reports.at, now), reports.loss);
}

PyObject *tandem_sound_refused(int call_id, unsigned index)
{
    unsigned refused[REASON_END];
    struct wire *wire;
    PyObject *tuple;

    if (call_id < 0 || wire_of_line(call_id, index, &wire) != PJ_SUCCESS || !wire)
        Py_RETURN_NONE;
    pthread_mutex_lock(&wire->low);
    pj_memcpy(refused, wire->source.refused, sizeof refused);
    pthread_mutex_unlock(&wire->low);
    tuple = PyTuple_New(REASON_END);
    for (int i = 0; tuple && i < REASON_END; i++)
        PyTuple_SET_ITEM(tuple, i, PyLong_FromUnsignedLong(refused[i]));
    return tuple;
}

/* --- all legs ---------------------------------------------------------------------------------------------- */

PyObject *tandem_sound_reasons(void)
{
    PyObject *names = PyTuple_New(REASON_END);

    for (int i = 0; names && i < REASON_END; i++)
        PyTuple_SET_ITEM(names, i, PyUnicode_FromString(source_reason(i)));
    return names;
}

PyObject *tandem_sound_totals(void)
{
    PyObject *totals = PyTuple_New(REASON_END);

    for (int i = 0; totals && i < REASON_END; i++)
        PyTuple_SET_ITEM(totals, i,
                         PyLong_FromUnsignedLongLong(__atomic_load_n(&refused_in_all[i], __ATOMIC_RELAXED)));
    return totals;
}

PyObject *tandem_relay_counters(void)
{
    static const char *const names[WIRE_COUNTER_END] = {
#define X(id, name) name,
        WIRE_COUNTERS(X)
#undef X
    };
    PyObject *counters = PyDict_New();

    for (int i = 0; counters && i < WIRE_COUNTER_END; i++) {
        PyObject *value = PyLong_FromUnsignedLongLong(__atomic_load_n(&wire_count[i], __ATOMIC_RELAXED));

        if (!value || PyDict_SetItemString(counters, names[i], value))
            Py_CLEAR(counters);
        Py_XDECREF(value);
    }
    return counters;
}
