/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The rules about sources as Python gives them, and what a rule would say without a leg. */
#include <stdlib.h>
#include <string.h>

#include "sound.h"
#include "source.h"

static const char *const reasons[REASON_END] = {
#define X(id, name) name,
    SOUND_REASONS(X)
#undef X
};

static struct source_rule *rules[MOST_RULES];
static int rules_used;

const char *source_reason(int reason)
{
    return reasons[reason];
}

const struct source_rule *source_rule(int number)
{
    return number >= 0 && number < rules_used ? rules[number] : NULL;
}

static int read_network(PyObject *item, struct network *network)
{
    const char *text;
    unsigned bits;
    pj_str_t address;

    if (!PyArg_ParseTuple(item, "sI", &text, &bits))
        return -1;
    address = pj_str((char *)text);
    pj_bzero(network, sizeof *network);
    network->family = strchr(text, ':') ? pj_AF_INET6() : pj_AF_INET();
    network->bits = bits;
    if (bits > (network->family == pj_AF_INET() ? 32u : 128u) ||
        pj_inet_pton(network->family, &address, network->address) != PJ_SUCCESS) {
        PyErr_Format(PyExc_ValueError, "%s/%u is no network", text, bits);
        return -1;
    }
    return 0;
}

PyObject *tandem_source_rule(PyObject *networks, int learn, int back, int strict, int quiet)
{
    Py_ssize_t n = PyTuple_Check(networks) ? PyTuple_GET_SIZE(networks) : -1;
    size_t size = sizeof(struct source_rule) + sizeof(struct network) * (size_t)(n < 0 ? 0 : n);
    struct source_rule *rule;

    if (n < 0 || n > MOST_NETWORKS) {
        PyErr_SetString(PyExc_ValueError, "networks: a tuple of at most 64 pairs");
        return NULL;
    }
    rule = calloc(1, size);
    if (!rule)
        return PyErr_NoMemory();
    rule->learn = !!learn;
    rule->back = !!back;
    rule->strict = !!strict;
    rule->quiet = quiet > 0 ? (unsigned)quiet : 0;
    rule->count = (unsigned)n;
    for (Py_ssize_t i = 0; i < n; i++) {
        if (read_network(PyTuple_GET_ITEM(networks, i), &rule->networks[i])) {
            free(rule);
            return NULL;
        }
    }
    for (int i = 0; i < rules_used; i++) {
        if (rules[i]->count == rule->count && memcmp(rules[i], rule, size) == 0) {
            free(rule);
            return PyLong_FromLong(i);
        }
    }
    if (rules_used == MOST_RULES) {
        free(rule);
        PyErr_SetString(PyExc_ValueError, "too many different rules");
        return NULL;
    }
    rules[rules_used] = rule; /* for good: legs point to it */
    return PyLong_FromLong(rules_used++);
}

/* --- a source without a leg -------------------------------------------------------------------------------- */

static int read_address(const char *text, int port, pj_sockaddr *address)
{
    pj_str_t host = pj_str((char *)text);

    if (pj_sockaddr_init(strchr(text, ':') ? pj_AF_INET6() : pj_AF_INET(), address, &host, (pj_uint16_t)port)) {
        PyErr_Format(PyExc_ValueError, "%s is no address", text);
        return -1;
    }
    return 0;
}

static const char *try_event(struct source *source, PyObject *event)
{
    unsigned char packet[12] = {0x80};
    unsigned long long now;
    const char *kind, *host;
    pj_sockaddr from, rtcp;
    enum sound_reason reason;
    pj_bool_t moved;
    unsigned ssrc;
    int port;

    if (!PyArg_ParseTuple(event, "KssiI", &now, &kind, &host, &port, &ssrc) || read_address(host, port, &from))
        return NULL;
    if (strcmp(kind, "sdp") == 0) {
        rtcp = from;
        pj_sockaddr_set_port(&rtcp, (pj_uint16_t)(port + 1));
        source_told(source, &from, &rtcp, ssrc);
        return "told";
    }
    ssrc = pj_htonl(ssrc);
    if (strcmp(kind, "rtcp") == 0) {
        pj_memcpy(packet + 4, &ssrc, 4);
        reason = source_rtcp(source, &from, packet, sizeof packet, now, &moved);
    } else {
        pj_memcpy(packet + 8, &ssrc, 4);
        reason = source_rtp(source, &from, packet, sizeof packet, now, &moved);
    }
    return reason != HEARD ? reasons[reason] : moved ? "followed" : "heard";
}

PyObject *tandem_source_try(int rule, const char *told, int port, const char *signalling, PyObject *events)
{
    struct source source;
    pj_sockaddr rtp, rtcp;
    Py_ssize_t n = PyList_Check(events) ? PyList_GET_SIZE(events) : -1;
    PyObject *words;

    if (n < 0 || !source_rule(rule)) {
        PyErr_SetString(PyExc_ValueError, "a rule and a list of events, please");
        return NULL;
    }
    source_init(&source, source_rule(rule), signalling);
    if (read_address(told, port, &rtp))
        return NULL;
    rtcp = rtp;
    pj_sockaddr_set_port(&rtcp, (pj_uint16_t)(port + 1));
    source_told(&source, &rtp, &rtcp, 0);
    words = PyList_New(n);
    for (Py_ssize_t i = 0; words && i < n; i++) {
        const char *said = try_event(&source, PyList_GET_ITEM(events, i));
        PyObject *text = said ? PyUnicode_FromString(said) : NULL;

        if (!text) {
            Py_CLEAR(words);
            break;
        }
        PyList_SET_ITEM(words, i, text);
    }
    return words;
}
