/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Questions about a leg's line of sound that are asked now and then: of its stream, where it has one. */
#include "internal.h"
#include "lines.h"
#include "wire.h"

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

static pj_bool_t has(const pjmedia_sdp_media *media, const pj_str_t *format, const char *parameter)
{
    const pjmedia_sdp_attr *attr = pjmedia_sdp_media_find_attr2(media, "fmtp", format);
    pj_str_t wanted = pj_str((char *)parameter);

    return attr && pj_stristr(&attr->value, &wanted) != NULL;
}

/* CN is named among the codecs; what the other two codecs say counts only where they are the one that is spoken. */
static pj_bool_t format_pauses(const pjmedia_sdp_media *media, unsigned i)
{
    const pj_str_t *format = &media->desc.fmt[i];
    const pjmedia_sdp_attr *attr = pjmedia_sdp_media_find_attr2(media, "rtpmap", format);
    pjmedia_sdp_rtpmap map;

    if (!attr || pjmedia_sdp_attr_get_rtpmap(attr, &map) != PJ_SUCCESS)
        return pj_strcmp2(format, "13") == 0 || (i == 0 && pj_strcmp2(format, "18") == 0 && !has(media, format, "annexb=no"));
    if (pj_stricmp2(&map.enc_name, "CN") == 0)
        return PJ_TRUE;
    if (i == 0 && pj_stricmp2(&map.enc_name, "G729") == 0)
        return !has(media, format, "annexb=no");
    return i == 0 && pj_stricmp2(&map.enc_name, "opus") == 0 && has(media, format, "usedtx=1");
}

int line_pauses(const pjmedia_sdp_media *media)
{
    const pjmedia_sdp_attr *attr = pjmedia_sdp_media_find_attr2(media, "silenceSupp", NULL);

    if (attr && attr->value.slen >= 2 && pj_strnicmp2(&attr->value, "on", 2) == 0)
        return PJ_TRUE;
    for (unsigned i = 0; i < media->desc.fmt_count; i++)
        if (format_pauses(media, i))
            return PJ_TRUE;
    return PJ_FALSE;
}

static pj_bool_t pauses(int call_id)
{
    unsigned index;
    struct wire *wire = wire_of_call(call_id, &index);
    pj_bool_t told = PJ_FALSE;

    if (wire) {
        pthread_mutex_lock(&wire->high);
        told = wire->pauses;
        pthread_mutex_unlock(&wire->high);
    }
    return told;
}

PyObject *tandem_line(int call_id)
{
    pjsua_stream_info info;
    pjsua_stream_stat stat;
    const pjmedia_stream_info *audio = &info.info.aud;

    if (call_id < 0 || !find_stream(call_id, &info, &stat))
        Py_RETURN_NONE;
    return Py_BuildValue("(s#IIIii)", audio->fmt.encoding_name.ptr, (Py_ssize_t)audio->fmt.encoding_name.slen,
                         packet_ms(audio), stat.jbuf.avg_delay, stat.rtcp.rx.pkt, (audio->dir & PJMEDIA_DIR_DECODING) != 0,
                         pauses(call_id));
}
