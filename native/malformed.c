/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Requests that PJSIP's parser gives up on are dropped without a word, and the sender retransmits for 32 s. Here they
 * get 400, 505 for another SIP version or 416 for a foreign scheme (RFC 3261 8.2), made from the raw header lines. */
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "internal.h"

#define ROOM 4000 /* longest answer; what would be longer is dropped */

struct text {
    const char *at;
    size_t len;
};

struct answer {
    char bytes[ROOM];
    size_t len;
    pj_bool_t overflow;
};

static pjsip_endpoint *endpoint;

static void put(struct answer *answer, const char *at, size_t len)
{
    if (answer->overflow || len > ROOM - answer->len) {
        answer->overflow = PJ_TRUE;
        return;
    }
    memcpy(answer->bytes + answer->len, at, len);
    answer->len += len;
}

static void put_string(struct answer *answer, const char *string)
{
    put(answer, string, strlen(string));
}

/* The next line without its line end, continuation lines included; at == NULL when there is none. */
static struct text next_line(struct text *rest)
{
    struct text line = {rest->at, 0};
    const char *end = rest->at + rest->len, *p = rest->at;

    if (rest->len == 0)
        return (struct text){NULL, 0};
    for (;;) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));

        p = newline ? newline + 1 : end;
        if (!newline || p == end || (*p != ' ' && *p != '\t') || p - line.at <= 2) /* <= 2: the empty line */
            break;
    }
    rest->at = p;
    rest->len = (size_t)(end - p);
    line.len = (size_t)(p - line.at);
    while (line.len && (line.at[line.len - 1] == '\n' || line.at[line.len - 1] == '\r'))
        line.len--;
    return line;
}

static pj_bool_t is_header(struct text line, const char *name, const char *compact)
{
    const char *colon = memchr(line.at, ':', line.len);
    size_t len = colon ? (size_t)(colon - line.at) : 0;

    while (len && (line.at[len - 1] == ' ' || line.at[len - 1] == '\t'))
        len--;
    return (len == strlen(name) && strncasecmp(line.at, name, len) == 0) ||
           (compact && len == 1 && strncasecmp(line.at, compact, 1) == 0);
}

/* Whether a To line has a tag: a parameter after the URI, so after the last '>' if there is one. */
static pj_bool_t has_tag(struct text line)
{
    const char *uri_end = memrchr(line.at, '>', line.len);
    const char *p = uri_end ? uri_end : line.at, *end = line.at + line.len;

    for (; p && p < end; p = memchr(p + 1, ';', (size_t)(end - p - 1))) {
        const char *name = p + 1;

        while (name < end && (*name == ' ' || *name == '\t'))
            name++;
        if (*p == ';' && end - name >= 3 && strncasecmp(name, "tag", 3) == 0)
            return PJ_TRUE;
    }
    return PJ_FALSE;
}

/* The same message gets the same To tag, so a retransmission cannot look like a fork. */
static void put_tag(struct answer *answer, const char *msg, size_t len)
{
    unsigned long long hash = 14695981039346656037ull;
    char tag[32];

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)msg[i]) * 1099511628211ull;
    pj_ansi_snprintf(tag, sizeof tag, ";tag=%016llx", hash);
    put_string(answer, tag);
}

/* Whether a Request-URI has a scheme that nobody here serves: PJSIP means to read those and fails (2.17). */
static pj_bool_t is_foreign(const char *uri, const char *end)
{
    static const char *const ours[] = {"sip", "sips", "tel"};
    const char *colon = uri;

    while (colon < end && (pj_isalnum(*colon) || strchr("+-.", *colon)))
        colon++;
    if (colon == uri || colon == end || *colon != ':' || !pj_isalpha(*uri))
        return PJ_FALSE;
    for (unsigned i = 0; i < PJ_ARRAY_SIZE(ours); i++)
        if ((size_t)(colon - uri) == strlen(ours[i]) && strncasecmp(uri, ours[i], strlen(ours[i])) == 0)
            return PJ_FALSE;
    return PJ_TRUE;
}

/* 400, 416, 505, or 0: no answer (a response, an ACK, not SIP at all). */
static int verdict(struct text line)
{
    const char *end = line.at + line.len, *uri = memchr(line.at, ' ', line.len),
               *version = memrchr(line.at, ' ', line.len);

    if (!uri || (line.len >= 4 && strncasecmp(line.at, "SIP/", 4) == 0) ||
        (uri - line.at == 3 && memcmp(line.at, "ACK", 3) == 0))
        return 0;
    uri++, version++;
    if (end - version > 4 && strncasecmp(version, "SIP/", 4) == 0) {
        if (end - version != 7 || memcmp(version + 4, "2.0", 3) != 0)
            return 505;
        if (version > uri && is_foreign(uri, version - 1))
            return 416;
    }
    return 400;
}

static const char *status_line(int code)
{
    return code == 505   ? "SIP/2.0 505 Version Not Supported\r\n"
           : code == 416 ? "SIP/2.0 416 Unsupported URI Scheme\r\n"
                         : "SIP/2.0 400 Bad Request\r\n";
}

/* Writes the answer; its status code, or 0 if none can be given. */
static int compose(struct answer *answer, const char *msg, size_t len)
{
    static const struct {
        const char *name, *compact;
    } once[] = {{"From", "f"}, {"To", "t"}, {"Call-ID", "i"}, {"CSeq", NULL}};
    pj_bool_t via = PJ_FALSE, seen[PJ_ARRAY_SIZE(once)] = {PJ_FALSE};
    struct text rest = {msg, len}, line;
    int code = verdict(next_line(&rest));

    if (!code)
        return 0;
    put_string(answer, status_line(code));
    while ((line = next_line(&rest)).at && line.len) {
        if (is_header(line, "Via", "v")) {
            via = PJ_TRUE;
            put(answer, line.at, line.len);
            put_string(answer, "\r\n");
        }
        for (unsigned i = 0; i < PJ_ARRAY_SIZE(once); i++) {
            if (seen[i] || !is_header(line, once[i].name, once[i].compact))
                continue;
            seen[i] = PJ_TRUE;
            put(answer, line.at, line.len);
            if (i == 1 && !has_tag(line))
                put_tag(answer, msg, len);
            put_string(answer, "\r\n");
        }
    }
    put_string(answer, "Content-Length: 0\r\n\r\n");
    return via && !answer->overflow ? code : 0;
}

/* Where a dropped message came from. A connection knows its peer. A datagram's source stands in the receive buffer
 * around the packet, which the callback does not get: it is found from the packet's place in that structure, and
 * believed only if the structure points back at this transport and this packet. */
static const pj_sockaddr *source(const pjsip_tp_dropped_data *dropped)
{
    const pjsip_rx_data *rdata;

    if (!(dropped->tp->flag & PJSIP_TRANSPORT_DATAGRAM))
        return &dropped->tp->key.rem_addr;
    rdata = (const pjsip_rx_data *)((const char *)dropped->data - offsetof(pjsip_rx_data, pkt_info.packet));
    return rdata->tp_info.transport == dropped->tp && rdata->msg_info.msg_buf == dropped->data
               ? &rdata->pkt_info.src_addr
               : NULL;
}

/* A double line end on a connection is the question whether we are there (RFC 5626 4.4.1); a single one is nothing. */
static void pong(const pjsip_tp_dropped_data *dropped)
{
    pjsip_tpselector same = {.type = PJSIP_TPSELECTOR_TRANSPORT};
    pj_status_t status;

    if (dropped->tp->flag & PJSIP_TRANSPORT_DATAGRAM || dropped->len < 4 || !memmem(dropped->data, dropped->len, "\r\n\r\n", 4))
        return;
    same.u.transport = dropped->tp;
    status = pjsip_tpmgr_send_raw(pjsip_endpt_get_tpmgr(endpoint), dropped->tp->key.type, &same, NULL, "\r\n", 2,
                                  &dropped->tp->key.rem_addr, dropped->tp->addr_len, NULL, NULL);
    count(status == PJ_SUCCESS || status == PJ_EPENDING ? COUNT_PONGS : COUNT_UNSENT);
}

static void on_dropped(pjsip_tp_dropped_data *dropped)
{
    pjsip_tpselector same = {.type = PJSIP_TPSELECTOR_TRANSPORT};
    struct answer answer = {.len = 0};
    const pj_sockaddr *to;
    pj_status_t status;
    int code;

    if (dropped->status == PJ_EIGNORED) {
        pong(dropped);
        return;
    }
    if (dropped->status == PJSIP_ERXOVERFLOW)
        connection_lost_its_way(dropped->tp);
    if ((to = source(dropped)) && !gate_answers_broken(dropped->tp, to)) {
        count(COUNT_UNPARSED_DROPPED);
        return;
    }
    if ((dropped->status != PJSIP_EINVALIDMSG && dropped->status != PJSIP_EMISSINGHDR) || !to ||
        !(code = compose(&answer, dropped->data, dropped->len))) {
        count(COUNT_UNPARSED_DROPPED);
        return;
    }
    count(code == 505 ? COUNT_UNPARSED_505 : code == 416 ? COUNT_UNPARSED_416 : COUNT_UNPARSED_400);
    same.u.transport = dropped->tp;
    status = pjsip_tpmgr_send_raw(pjsip_endpt_get_tpmgr(endpoint), dropped->tp->key.type, &same, NULL, answer.bytes,
                                  answer.len, to, (int)pj_sockaddr_get_len(to), NULL, NULL);
    if (status != PJ_SUCCESS && status != PJ_EPENDING)
        count(COUNT_UNSENT);
}

pj_status_t malformed_start(pjsip_endpoint *endpt)
{
    endpoint = endpt;
    return pjsip_tpmgr_set_drop_data_cb(pjsip_endpt_get_tpmgr(endpt), &on_dropped);
}

void malformed_stop(pjsip_endpoint *endpt)
{
    pjsip_tpmgr_set_drop_data_cb(pjsip_endpt_get_tpmgr(endpt), NULL);
}
