/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pjsua has one list of codecs for all its calls. Here each leg has its own: where its description passes our operation in
 * front of its transport (adapter.c), what the leg's list does not have is taken out, and the rest put in its order, before
 * the transport and the peer see it. Legs that go by the list of all have none. */
#include <stdlib.h>
#include <string.h>

#include "codec_lists.h"
#include "internal.h"
#include "wire.h"

#define MOST_LISTS 64
#define MOST_NAMES 16
#define LONGEST_NAME 16

struct codec_list {
    char names[MOST_NAMES][LONGEST_NAME];
    unsigned count;
    pj_bool_t events;
};

static struct codec_list *lists[MOST_LISTS];
static int lists_used;

static const pj_str_t telephone_event = {"telephone-event", 15};

/* --- the description --------------------------------------------------------------------------------------- */

static pj_bool_t encoding_of(const pjmedia_sdp_media *media, const pj_str_t *format, pjmedia_sdp_rtpmap *map)
{
    const pjmedia_sdp_attr *attr = pjmedia_sdp_media_find_attr2(media, "rtpmap", format);

    return attr && pjmedia_sdp_attr_get_rtpmap(attr, map) == PJ_SUCCESS;
}

static void forget_format(pjmedia_sdp_media *media, const pj_str_t *format)
{
    static const char *const names[] = {"rtpmap", "fmtp"};

    for (unsigned i = 0; i < PJ_ARRAY_SIZE(names); i++) {
        pjmedia_sdp_attr *attr = pjmedia_sdp_media_find_attr2(media, names[i], format);

        if (attr)
            pjmedia_sdp_media_remove_attr(media, attr);
    }
}

/* Moves the formats with this encoding name, and for keys one of these clock rates, behind those that are kept. */
static unsigned keep_named(pjmedia_sdp_media *media, unsigned kept, const pj_str_t *name, const unsigned *rates,
                           unsigned rate_count)
{
    for (unsigned i = kept; i < media->desc.fmt_count; i++) {
        pj_str_t format = media->desc.fmt[i];
        pjmedia_sdp_rtpmap map;
        pj_bool_t wanted = PJ_TRUE;

        if (!encoding_of(media, &format, &map) || pj_stricmp(&map.enc_name, name) != 0)
            continue;
        if (rates) {
            wanted = PJ_FALSE;
            for (unsigned r = 0; r < rate_count; r++)
                wanted |= rates[r] == map.clock_rate;
        }
        if (!wanted)
            continue;
        memmove(&media->desc.fmt[kept + 1], &media->desc.fmt[kept], (i - kept) * sizeof format);
        media->desc.fmt[kept++] = format;
    }
    return kept;
}

static void choose(const struct codec_list *list, pj_pool_t *pool, pjmedia_sdp_media *media)
{
    unsigned kept = 0, rates[MOST_NAMES], rate_count = 0;

    for (unsigned n = 0; n < list->count; n++) {
        pj_str_t name = pj_str((char *)list->names[n]);
        unsigned before = kept;
        pjmedia_sdp_rtpmap map;

        kept = keep_named(media, kept, &name, NULL, 0);
        if (kept > before && encoding_of(media, &media->desc.fmt[before], &map))
            rates[rate_count++] = map.clock_rate;
    }
    if (!kept) { /* none of them is in this build: nothing that we could say or hear */
        pjmedia_sdp_media_deactivate(pool, media);
        return;
    }
    if (list->events)
        kept = keep_named(media, kept, &telephone_event, rates, rate_count);
    for (unsigned i = kept; i < media->desc.fmt_count; i++)
        forget_format(media, &media->desc.fmt[i]);
    media->desc.fmt_count = kept;
}

void codec_list_apply(const struct codec_list *list, pj_pool_t *pool, pjmedia_sdp_session *local, unsigned index)
{
    static const pj_str_t audio = {"audio", 5};

    if (index < local->media_count && local->media[index]->desc.port &&
        pj_stricmp(&local->media[index]->desc.media, &audio) == 0)
        choose(list, pool, local->media[index]);
}

/* --- lists ------------------------------------------------------------------------------------------------- */

PyObject *tandem_codec_list(PyObject *names, int events)
{
    Py_ssize_t n = PyTuple_Check(names) ? PyTuple_GET_SIZE(names) : -1;
    struct codec_list list;

    if (n < 1 || n > MOST_NAMES) {
        PyErr_SetString(PyExc_ValueError, "names: a tuple of 1 to 16 texts");
        return NULL;
    }
    memset(&list, 0, sizeof list);
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_ssize_t size;
        const char *name = PyUnicode_AsUTF8AndSize(PyTuple_GET_ITEM(names, i), &size);

        if (!name)
            return NULL;
        if (size < 1 || size >= LONGEST_NAME) {
            PyErr_Format(PyExc_ValueError, "%s is no name of a codec", name);
            return NULL;
        }
        memcpy(list.names[i], name, (size_t)size);
    }
    list.count = (unsigned)n;
    list.events = !!events;
    for (int i = 0; i < lists_used; i++)
        if (memcmp(lists[i], &list, sizeof list) == 0)
            return PyLong_FromLong(i);
    if (lists_used == MOST_LISTS) {
        PyErr_SetString(PyExc_ValueError, "too many different lists");
        return NULL;
    }
    if (!(lists[lists_used] = malloc(sizeof list)))
        return PyErr_NoMemory();
    *lists[lists_used] = list; /* for good: transports point to it */
    return PyLong_FromLong(lists_used++);
}

int tandem_codecs_for(size_t transport, int number)
{
    pjmedia_transport *tp = (pjmedia_transport *)transport;
    pjmedia_transport_info info;
    struct wire *wire = NULL;

    pjmedia_transport_info_init(&info);
    if (tp && pjmedia_transport_get_info(tp, &info) == PJ_SUCCESS)
        wire = wire_of_info(&info);
    if (!wire || number < 0 || number >= lists_used)
        return PJ_EINVAL;
    wire->codecs = lists[number];
    return PJ_SUCCESS;
}

PyObject *tandem_agreed(size_t stream)
{
    pjmedia_stream_info info;
    unsigned ptime = 20;

    if (!stream || pjmedia_stream_get_info((pjmedia_stream *)stream, &info) != PJ_SUCCESS)
        Py_RETURN_NONE;
    if (info.param && info.param->info.frm_ptime)
        ptime = info.param->info.frm_ptime * info.param->setting.frm_per_pkt / PJ_MAX(info.param->info.frm_ptime_denum, 1);
    return Py_BuildValue("(s#IIIi)", info.fmt.encoding_name.ptr, (Py_ssize_t)info.fmt.encoding_name.slen,
                         info.fmt.clock_rate, info.tx_pt, ptime, info.rx_event_pt >= 0 && info.tx_event_pt >= 0);
}
