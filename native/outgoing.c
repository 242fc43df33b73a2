/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The last look at what PJSIP sends by itself: no Warning (it names our host, RFC 3261 20.43) and no name of a
 * maker, 488 for 500, and why, and which status refused an INVITE. */
#include <string.h>

#include "internal.h"
#include "tandem.h"

#define LONGEST_CALL_ID 255

static char refused_call[LONGEST_CALL_ID + 1];
static int refused_code;

static void drop_warnings(pjsip_msg *msg)
{
    static const pj_str_t warning = {"Warning", 7};
    pjsip_hdr *hdr;

    while ((hdr = (pjsip_hdr *)pjsip_msg_find_hdr_by_name(msg, &warning, NULL)))
        pj_list_erase(hdr);
}

/* The session name would be "pjmedia": a name of ours that no peer needs. What is printed is still a value here. */
static void drop_session_name(pjsip_msg *msg)
{
    static const pj_str_t sdp = {"sdp", 3};
    pjsip_msg_body *body = msg->body;

    if (body && body->data && body->print_body != &pjsip_print_text_body &&
        pj_stricmp(&body->content_type.subtype, &sdp) == 0)
        ((pjmedia_sdp_session *)body->data)->name = pj_str("-");
}

/* What a leg is told to allow beside the usual (REFER, for an agent's phone) comes last, and takes the place of the list
 * that PJSIP puts into every message that begins a dialog. */
static void drop_usual_allow(pjsip_msg *msg)
{
    static const pj_str_t allow = {"Allow", 5};
    pjsip_hdr *usual = pjsip_msg_find_hdr(msg, PJSIP_H_ALLOW, NULL);

    if (usual && pjsip_msg_find_hdr_by_name(msg, &allow, usual->next))
        pj_list_erase(usual);
}

/* PJSIP says 500 to an offer inside a call that it cannot meet; that is 488, and the session goes on (RFC 3261 14.2).
 * An offer without any media line it calls a bad request, though it is a sound description of nothing. */
static void correct_status(pjsip_msg *msg)
{
    static const pj_str_t failed = {"SDP negotiation failed", 22}, no_media = {"Missing media in SDP", 20};
    const pj_str_t *reason = &msg->line.status.reason;

    if ((msg->line.status.code == PJSIP_SC_INTERNAL_SERVER_ERROR && pj_strcmp(reason, &failed) == 0) ||
        (msg->line.status.code == PJSIP_SC_BAD_REQUEST && pj_strcmp(reason, &no_media) == 0)) {
        msg->line.status.code = PJSIP_SC_NOT_ACCEPTABLE_HERE;
        msg->line.status.reason = *pjsip_get_status_text(PJSIP_SC_NOT_ACCEPTABLE_HERE);
    }
}

/* What a refusal of a description means to a telephone network (RFC 6432; ITU-T Q.850 cause 65, which RFC 3398 7.2.4.1
 * makes 488), where nobody has said more. */
static void say_why(pjsip_tx_data *tdata)
{
    static const pj_str_t name = {"Reason", 6}, text = {"Q.850;cause=65;text=\"Incompatible media\"", 40};

    if (!pjsip_msg_find_hdr_by_name(tdata->msg, &name, NULL))
        pjsip_msg_add_hdr(tdata->msg, (pjsip_hdr *)pjsip_generic_string_hdr_create(tdata->pool, &name, &text));
}

static void note_refusal(const pjsip_msg *msg)
{
    const pjsip_cid_hdr *call_id = pjsip_msg_find_hdr(msg, PJSIP_H_CALL_ID, NULL);

    if (!call_id || call_id->id.slen > LONGEST_CALL_ID)
        return;
    memcpy(refused_call, call_id->id.ptr, (size_t)call_id->id.slen);
    refused_call[call_id->id.slen] = '\0';
    refused_code = msg->line.status.code;
}

/* Before the message is printed; a repetition passes here again and is left as it is. */
void outgoing_tidy(pjsip_tx_data *tdata)
{
    pjsip_msg *msg = tdata->msg;

    credentials_guard(tdata);
    drop_session_name(msg);
    drop_usual_allow(msg);
    if (msg->type == PJSIP_RESPONSE_MSG && msg->line.status.code >= 300) {
        const pjsip_cseq_hdr *cseq = pjsip_msg_find_hdr(msg, PJSIP_H_CSEQ, NULL);

        drop_warnings(msg);
        correct_status(msg);
        if (msg->line.status.code == PJSIP_SC_NOT_ACCEPTABLE_HERE)
            say_why(tdata);
        if (cseq && cseq->method.id == PJSIP_INVITE_METHOD)
            note_refusal(msg);
    }
}

int tandem_refused(const char *call_id)
{
    return strcmp(call_id, refused_call) == 0 ? refused_code : 0;
}
