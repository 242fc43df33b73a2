/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What every call does several times, in one crossing between Python and C instead of dozens: answer, end, and look at
 * the state. pjsua2's own ways build parameter objects of some hundred fields, each field a crossing with the GIL let
 * go and taken again. */
#include "internal.h"
#include "tandem.h"

#define MAX_HEADERS 8

/* Headers of Python's tuple of (name, value) into data, which then points into them. -1: a Python error is set. */
static int add_headers(PyObject *headers, pjsua_msg_data *data, pjsip_generic_string_hdr *room)
{
    Py_ssize_t i, n = PyTuple_Check(headers) ? PyTuple_GET_SIZE(headers) : -1;

    if (n < 0 || n > MAX_HEADERS) {
        PyErr_SetString(PyExc_ValueError, "headers: a tuple of at most 8 pairs");
        return -1;
    }
    for (i = 0; i < n; i++) {
        const char *name, *value;
        Py_ssize_t name_len, value_len;
        pj_str_t pj_name, pj_value;

        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(headers, i), "s#s#", &name, &name_len, &value, &value_len))
            return -1;
        pj_strset(&pj_name, (char *)name, name_len);
        pj_strset(&pj_value, (char *)value, value_len);
        pjsip_generic_string_hdr_init2(&room[i], &pj_name, &pj_value);
        pj_list_push_back(&data->hdr_list, &room[i]);
    }
    return 0;
}

PyObject *tandem_answer(int call_id, int code, PyObject *headers)
{
    pjsip_generic_string_hdr room[MAX_HEADERS];
    pjsua_msg_data data;
    pjsua_call_setting setting;
    pj_status_t status;

    pjsua_msg_data_init(&data);
    if (add_headers(headers, &data, room))
        return NULL;
    pjsua_call_setting_default(&setting);
    setting.aud_cnt = 1;
    setting.vid_cnt = setting.txt_cnt = 0;
    Py_BEGIN_ALLOW_THREADS
    status = pjsua_call_answer2(call_id, &setting, code, NULL, pj_list_empty(&data.hdr_list) ? NULL : &data);
    Py_END_ALLOW_THREADS
    return PyLong_FromLong(status);
}

PyObject *tandem_hangup(int call_id, int code, PyObject *headers)
{
    pjsip_generic_string_hdr room[MAX_HEADERS];
    pjsua_msg_data data;
    pj_status_t status;

    pjsua_msg_data_init(&data);
    if (add_headers(headers, &data, room))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    status = pjsua_call_hangup(call_id, code, NULL, pj_list_empty(&data.hdr_list) ? NULL : &data);
    Py_END_ALLOW_THREADS
    return PyLong_FromLong(status);
}

PyObject *tandem_brief(int call_id)
{
    pjsua_call_info info;
    pj_status_t status;
    unsigned i;
    int index = -1, media = PJSUA_CALL_MEDIA_NONE;

    Py_BEGIN_ALLOW_THREADS
    status = pjsua_call_get_info(call_id, &info);
    Py_END_ALLOW_THREADS
    if (status != PJ_SUCCESS)
        Py_RETURN_NONE;
    for (i = 0; i < info.media_cnt && index < 0; i++) {
        if (info.media[i].type == PJMEDIA_TYPE_AUDIO &&
            (info.media[i].status == PJSUA_CALL_MEDIA_ACTIVE ||
             info.media[i].status == PJSUA_CALL_MEDIA_REMOTE_HOLD)) {
            /* held both ways (inactive), the line has no stream and no place in the conference */
            index = info.media[i].stream.aud.conf_slot == PJSUA_INVALID_ID ? -1 : (int)i;
            media = info.media[i].status;
        }
    }
    return Py_BuildValue("(iiiii)", info.state, info.role, info.last_status, index, media);
}
