/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The counters and their way to Python. */
#include "internal.h"
#include "tandem.h"

unsigned long long tandem_count[COUNT_END];

static const char *const names[COUNT_END] = {
#define X(id, name) name,
    TANDEM_COUNTERS(X)
#undef X
};

PyObject *tandem_counters(void)
{
    PyObject *counters = PyDict_New();

    for (int i = 0; counters && i < COUNT_END; i++) {
        PyObject *value = PyLong_FromUnsignedLongLong(__atomic_load_n(&tandem_count[i], __ATOMIC_RELAXED));

        if (!value || PyDict_SetItemString(counters, names[i], value) != 0)
            Py_CLEAR(counters);
        Py_XDECREF(value);
    }
    return counters;
}
