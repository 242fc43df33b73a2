/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * REFER in a call: who may send one, and where to, is Python's to say (tandem_on_refer). It is asked while the transaction
 * is in TRYING, for pjsua would answer, and dial, what is still unanswered when its own turn comes. */
#include "internal.h"
#include "tandem.h"

static PyObject *decides;

PyObject *tandem_on_refer(PyObject *callable)
{
    PyObject *before = decides;

    if (callable != Py_None && !PyCallable_Check(callable)) {
        PyErr_SetString(PyExc_TypeError, "tandem_on_refer: not a callable");
        return NULL;
    }
    decides = callable == Py_None ? NULL : Py_NewRef(callable);
    Py_XDECREF(before);
    Py_RETURN_NONE;
}

/* (status, whether news of it will follow); anything else is a mistake of ours. The GIL is held. */
static int ask(const pjsip_dialog *dlg, const pjsip_rx_data *rdata, int *subscribed)
{
    const pj_str_t *id = &dlg->call_id->id;
    PyObject *call_id = PyUnicode_DecodeUTF8(id->ptr, (Py_ssize_t)id->slen, "surrogateescape"), *answer = NULL;
    int code = PJSIP_SC_INTERNAL_SERVER_ERROR;

    if (call_id)
        answer = PyObject_CallFunction(decides, "OOsy#", call_id, dlg->role == PJSIP_ROLE_UAS ? Py_True : Py_False,
                                       rdata->pkt_info.src_name, rdata->msg_info.msg_buf,
                                       (Py_ssize_t)rdata->msg_info.len);
    if (!answer || !PyArg_ParseTuple(answer, "ip", &code, subscribed))
        PyErr_WriteUnraisable(decides);
    Py_XDECREF(answer);
    Py_XDECREF(call_id);
    return code;
}

pj_bool_t refer_is_decided(void)
{
    return decides != NULL;
}

int refer_status(const pjsip_dialog *dlg, const pjsip_rx_data *rdata, pj_bool_t *subscribed)
{
    PyGILState_STATE state;
    int code = PJSIP_SC_DECLINE, news = 1;

    if (decides) {
        state = PyGILState_Ensure(); /* libHandleEvents has let it go; this is the thread that called it */
        code = ask(dlg, rdata, &news);
        PyGILState_Release(state);
    }
    *subscribed = news != 0;
    return code;
}

int tandem_dialog_role(const char *call_id, const char *local_tag, const char *remote_tag)
{
    const pj_str_t id = pj_str((char *)call_id), local = pj_str((char *)local_tag), remote = pj_str((char *)remote_tag);
    pjsip_dialog *dlg = pjsip_ua_find_dialog(&id, &local, &remote, PJ_FALSE);
    const pjsip_inv_session *inv = dlg ? pjsip_dlg_get_inv_session(dlg) : NULL;

    if (!inv || inv->state == PJSIP_INV_STATE_DISCONNECTED)
        return -1;
    return dlg->role == PJSIP_ROLE_UAS;
}
