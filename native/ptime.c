/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How much sound a packet of ours may hold, as the peer says (RFC 8866 6.4): PJMEDIA goes by ptime and leaves maxptime
 * unread. Read here: a ptime that is above maxptime, or missing while maxptime is below the usual 20 ms, becomes maxptime,
 * and none is longer than jitter buffers and our own need. */
#include "ptime.h"

#define USUAL 20    /* ms, RFC 3551 4.2 */
#define FRAME 10    /* ms of the codecs that have any choice; PJMEDIA would round up */
#define LONGEST 120 /* ms; RFC 3551 asks receivers for 200, senders for nothing */

static unsigned long number_of(const pjmedia_sdp_attr *attr)
{
    pj_str_t value = attr->value;

    pj_strltrim(&value);
    return pj_strtoul(&value);
}

void ptime_limit(pj_pool_t *pool, pjmedia_sdp_media *media)
{
    pjmedia_sdp_attr *wish = pjmedia_sdp_media_find_attr2(media, "ptime", NULL);
    const pjmedia_sdp_attr *most = pjmedia_sdp_media_find_attr2(media, "maxptime", NULL);
    unsigned long wished = wish ? number_of(wish) : 0, limit = most ? number_of(most) : 0, used;
    char text[16];
    pj_str_t value;

    used = wished ? wished : USUAL;
    if (used > LONGEST)
        used = LONGEST;
    if (limit && used > limit)
        used = PJ_MAX(limit / FRAME * FRAME, FRAME);
    if (used == (wished ? wished : USUAL))
        return;
    pj_utoa(used, text);
    if (!wish) {
        value = pj_str(text);
        pjmedia_sdp_media_add_attr(media, pjmedia_sdp_attr_create(pool, "ptime", &value));
    } else {
        pj_strdup2_with_null(pool, &wish->value, text);
    }
}
