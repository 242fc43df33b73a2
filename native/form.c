/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What PJSIP reads although it must not be trusted, and what it is better not given at all. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define LONGEST_CALL_ID 256
#define LONGEST_TAG 256
#define MOST_IN_LISTS 64 /* tokens in all Allow, Supported and Require headers together, of each name */
#define MOST_HEADERS 256
#define MOST_LINES 512 /* of the head: a header may be folded, and what reads it in Python has the same limit */
#define MOST_MEDIA 4
#define MOST_KEYS 64

/* How many octets follow the empty line, -1 if there is none. Bare line feeds pass, as they do with PJSIP. */
static long body_octets(const pjsip_rx_data *rdata)
{
    const char *msg = rdata->msg_info.msg_buf, *end = msg + rdata->msg_info.len;
    const char *found = memmem(msg, (size_t)rdata->msg_info.len, "\r\n\r\n", 4);

    if (found)
        return end - (found + 4);
    found = memmem(msg, (size_t)rdata->msg_info.len, "\n\n", 2);
    return found ? end - (found + 2) : -1;
}

/* Whether the head has more lines than anybody needs. Line ends are CRLF, and LF or CR alone. */
static pj_bool_t has_many_lines(const char *head, long octets)
{
    unsigned n = 0;

    for (long i = 0; i < octets; i++)
        n += head[i] == '\n' || (head[i] == '\r' && head[i + 1] != '\n');
    return n > MOST_LINES;
}

/* Lists that PJSIP copies into places of fixed size, or into each dialog. One header of more
 * than 32 is no header to its parser; many headers are. */
static pj_bool_t is_too_long(const pjsip_hdr *hdr, unsigned *tokens)
{
    int which = hdr->type == PJSIP_H_ALLOW       ? 0
                : hdr->type == PJSIP_H_SUPPORTED ? 1
                : hdr->type == PJSIP_H_REQUIRE   ? 2
                                                 : -1;

    if (which < 0)
        return PJ_FALSE;
    tokens[which] += ((const pjsip_generic_array_hdr *)hdr)->count;
    return tokens[which] > MOST_IN_LISTS;
}

/* True for what PJSIP reads although it must not be trusted (RFC 3261 8.1.1, 18.3, 20): headers that may stand once
 * standing twice, a CSeq of another method, 300 hops, no end of the headers (cut short) or hundreds of lines of them, a
 * Content-Length beyond the datagram, a body nobody says the type of or with nothing in it; keys and lists of a length that no honest peer needs. */
pj_bool_t form_is_broken(pjsip_rx_data *rdata)
{
    pjsip_msg *msg = rdata->msg_info.msg;
    const pjsip_clen_hdr *clen = rdata->msg_info.clen;
    unsigned long long seen = 0;
    unsigned tokens[3] = {0}, n = 0;
    long octets;

    if (rdata->msg_info.cid->id.slen > LONGEST_CALL_ID || rdata->msg_info.from->tag.slen > LONGEST_TAG ||
        rdata->msg_info.to->tag.slen > LONGEST_TAG || rdata->msg_info.via->branch_param.slen > LONGEST_TAG)
        return PJ_TRUE; /* they are keys of PJSIP's tables */
    for (const pjsip_hdr *hdr = msg->hdr.next; hdr != &msg->hdr; hdr = hdr->next) {
        unsigned long long bit = hdr->type < 64 ? 1ull << hdr->type : 0;

        if (++n > MOST_HEADERS || is_too_long(hdr, tokens))
            return PJ_TRUE;

        bit &= 1ull << PJSIP_H_CALL_ID | 1ull << PJSIP_H_FROM | 1ull << PJSIP_H_TO | 1ull << PJSIP_H_CSEQ |
               1ull << PJSIP_H_MAX_FORWARDS | 1ull << PJSIP_H_CONTENT_LENGTH | 1ull << PJSIP_H_CONTENT_TYPE;
        if (seen & bit)
            return PJ_TRUE;
        seen |= bit;
    }
    if (pjsip_method_cmp(&rdata->msg_info.cseq->method, &msg->line.req.method) != 0)
        return PJ_TRUE;
    if ((rdata->msg_info.max_fwd && rdata->msg_info.max_fwd->ivalue > 255) || body_is_blank(msg))
        return PJ_TRUE;
    octets = body_octets(rdata);
    return octets < 0 || has_many_lines(rdata->msg_info.msg_buf, rdata->msg_info.len - octets - 1) || (clen && clen->len != 0 && (clen->len < 0 || clen->len > octets || !rdata->msg_info.ctype));
}

/* --- SDP ---------------------------------------------------------------------------------------------------- */

/* The next line of a body, without its end; NULL after the last. */
static const char *next_line(const char **rest, const char *end, size_t *len)
{
    const char *line = *rest, *newline;

    if (line >= end)
        return NULL;
    newline = memchr(line, '\n', (size_t)(end - line));
    *rest = newline ? newline + 1 : end;
    *len = (size_t)((newline ? newline : end) - line);
    while (*len && line[*len - 1] == '\r')
        (*len)--;
    return line;
}

static pj_bool_t begins(const char *line, size_t len, const char *with)
{
    return len >= strlen(with) && memcmp(line, with, strlen(with)) == 0;
}

struct offer {
    int media, keys;
    pj_bool_t is_rtp;
    unsigned char wanted[16], named[16]; /* a bit for each payload type */
};

static void bit(unsigned char *bits, long at)
{
    if (at >= 0 && at < 128)
        bits[at / 8] |= (unsigned char)(1 << at % 8);
}

/* Whether a media description asks for a dynamic payload type without saying what it is: pjmedia looks it up unasked. */
static pj_bool_t has_unnamed(const struct offer *offer)
{
    if (offer->is_rtp)
        for (int i = 96 / 8; i < 128 / 8; i++)
            if (offer->wanted[i] & ~offer->named[i])
                return PJ_TRUE;
    return PJ_FALSE;
}

static void read_media(struct offer *offer, const char *line, size_t len)
{
    char text[512], *word, *rest;
    int field = 0, port = 0;

    memset(offer->wanted, 0, sizeof(offer->wanted));
    memset(offer->named, 0, sizeof(offer->named));
    offer->is_rtp = PJ_FALSE;
    offer->media++;
    if (len >= sizeof(text))
        len = sizeof(text) - 1;
    memcpy(text, line, len);
    text[len] = '\0';
    for (word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest), field++) {
        if (field == 1)
            port = atoi(word);
        else if (field == 2)
            offer->is_rtp = port != 0 && strstr(word, "RTP/") != NULL;
        else if (field > 2)
            bit(offer->wanted, strtol(word, NULL, 10));
    }
}

static pj_bool_t is_wild(const char *sdp, unsigned len)
{
    const char *end = sdp + len, *line;
    struct offer offer = {0};
    size_t n;

    while ((line = next_line(&sdp, end, &n))) {
        if (begins(line, n, "m=")) {
            if (has_unnamed(&offer))
                return PJ_TRUE;
            read_media(&offer, line + 2, n - 2);
        } else if (begins(line, n, "a=rtpmap:"))
            bit(offer.named, strtol(line + 9, NULL, 10));
        else if (begins(line, n, "a=crypto:"))
            offer.keys++;
        if (offer.media > MOST_MEDIA || offer.keys > MOST_KEYS)
            return PJ_TRUE;
    }
    return has_unnamed(&offer);
}

/* More lines of media than anybody speaks, keys without end, payload types without a name: RFC 3264 lets all of it be
 * refused as a whole. Multipart bodies are looked into. */
pj_bool_t form_of_sdp_is_wild(const pjsip_msg *msg)
{
    const pjsip_msg_body *body = msg->body;

    if (!body)
        return PJ_FALSE;
    if (pj_stricmp2(&body->content_type.type, "multipart") == 0) {
        int parts = 0;

        for (pjsip_multipart_part *part = pjsip_multipart_get_first_part(body); part;
             part = pjsip_multipart_get_next_part(body, part))
            if (++parts > 16 || (part->body && pj_stricmp2(&part->body->content_type.subtype, "sdp") == 0 &&
                                 is_wild(part->body->data, part->body->len)))
                return PJ_TRUE;
        return PJ_FALSE;
    }
    return pj_stricmp2(&body->content_type.subtype, "sdp") == 0 && is_wild(body->data, body->len);
}
