/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Questions about a leg's line of sound that are asked now and then: of its stream, where it has one. */
#include "internal.h"
#include "lines.h"

#define MOST_LINES 8 /* of a description that are looked at */

/* The first audio line that has a stream; legs have one, but a far end may have put others in front of it. */
static pj_bool_t find_stream(int call_id, pjsua_stream_info *info, pjsua_stream_stat *stat)
{
    for (unsigned index = 0; index < MOST_LINES; index++)
        if (pjsua_call_get_stream_info(call_id, index, info) == PJ_SUCCESS && info->type == PJMEDIA_TYPE_AUDIO &&
            pjsua_call_get_stream_stat(call_id, index, stat) == PJ_SUCCESS)
            return PJ_TRUE;
    return PJ_FALSE;
}

static unsigned packet_ms(const pjmedia_stream_info *audio)
{
    const pjmedia_codec_param *param = audio->param;

    if (!param || !param->info.frm_ptime)
        return 20;
    return (unsigned)param->info.frm_ptime * PJ_MAX(param->setting.frm_per_pkt, 1) / PJ_MAX(param->info.frm_ptime_denum, 1);
}

PyObject *tandem_line(int call_id)
{
    pjsua_stream_info info;
    pjsua_stream_stat stat;
    const pjmedia_stream_info *audio = &info.info.aud;

    if (call_id < 0 || !find_stream(call_id, &info, &stat))
        Py_RETURN_NONE;
    return Py_BuildValue("(s#IIIi)", audio->fmt.encoding_name.ptr, (Py_ssize_t)audio->fmt.encoding_name.slen,
                         packet_ms(audio), stat.jbuf.avg_delay, stat.rtcp.rx.pkt, (audio->dir & PJMEDIA_DIR_DECODING) != 0);
}
