/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Requests on their way to Python: copied inside libHandleEvents, fetched after it has returned.
 * Bounded in number and bytes, so a peer that floods a dialog costs a counter, not memory. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "tandem.h"

#define MAX_REQUESTS 1024
#define MAX_BYTES (4 * 1024 * 1024)
#define MAX_METHOD 64

struct request {
    struct request *next;
    pj_bool_t is_uas;
    size_t call_id_len, method_len, len;
    char bytes[]; /* Call-ID, method, message */
};

static struct request *oldest, **end = &oldest;
static int waiting;
static size_t held;

void passed_up_push(const pj_str_t *call_id, pj_bool_t is_uas, const pj_str_t *method, const char *msg, int len)
{
    size_t size = (size_t)call_id->slen + (size_t)method->slen + (size_t)len;
    struct request *request;

    if (waiting >= MAX_REQUESTS || held + size > MAX_BYTES || method->slen > MAX_METHOD ||
        !(request = malloc(sizeof *request + size))) {
        count(COUNT_PASSED_UP_LOST);
        return;
    }
    request->next = NULL;
    request->is_uas = is_uas;
    request->call_id_len = (size_t)call_id->slen;
    request->method_len = (size_t)method->slen;
    request->len = (size_t)len;
    memcpy(request->bytes, call_id->ptr, request->call_id_len);
    memcpy(request->bytes + request->call_id_len, method->ptr, request->method_len);
    memcpy(request->bytes + request->call_id_len + request->method_len, msg, request->len);
    *end = request;
    end = &request->next;
    waiting++;
    held += size;
    count(COUNT_PASSED_UP);
}

static struct request *take(void)
{
    struct request *request = oldest;

    if (request) {
        if (!(oldest = request->next))
            end = &oldest;
        waiting--;
        held -= request->call_id_len + request->method_len + request->len;
    }
    return request;
}

void passed_up_clear(void)
{
    struct request *request;

    while ((request = take()))
        free(request);
}

int tandem_pending(void)
{
    cost_of_something_else(); /* PJSIP's turn is over */
    return waiting;
}

PyObject *tandem_next_request(void)
{
    struct request *request = take();
    PyObject *item;
    const char *method, *message;

    if (!request)
        Py_RETURN_NONE;
    method = request->bytes + request->call_id_len;
    message = method + request->method_len;
    /* surrogateescape, as SWIG does it: the Call-ID must equal the one pjsua2 shows, whatever its bytes */
    item = Py_BuildValue("(NNNy#)",
                         PyUnicode_DecodeUTF8(request->bytes, (Py_ssize_t)request->call_id_len, "surrogateescape"),
                         PyBool_FromLong(request->is_uas),
                         PyUnicode_DecodeUTF8(method, (Py_ssize_t)request->method_len, "surrogateescape"), message,
                         (Py_ssize_t)request->len);
    free(request);
    return item;
}
