/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What we serve: methods, schemes, extensions (RFC 3261 8.2.1 to 8.2.3), and who only looks for holes. */
#include <string.h>

#include "internal.h"
#include "tandem.h"

#define PASS 0 /* else the status to refuse with */
#define MOST_SCANNERS 64
#define LONGEST_SCANNER 40

static char scanners[MOST_SCANNERS][LONGEST_SCANNER + 1];
static int n_scanners;

/* Outside a dialog. MESSAGE, SUBSCRIBE and PUBLISH get 405, not 489: 489 says that one event package is missing,
 * which invites the next try; we serve no package at all, and 405 with Allow says so (RFC 3261 8.2.1). */
static const struct {
    pj_str_t name;
    int code;
} outside[] = {
    {{"INVITE", 6}, PASS},    {{"OPTIONS", 7}, PASS},    {{"CANCEL", 6}, PASS},    {{"ACK", 3}, PASS},
    {{"BYE", 3}, 481},        {{"INFO", 4}, 481},        {{"UPDATE", 6}, 481},     {{"PRACK", 5}, 481},
    {{"NOTIFY", 6}, 481},     {{"REGISTER", 8}, 405},    {{"MESSAGE", 7}, 405},    {{"SUBSCRIBE", 9}, 405},
    {{"PUBLISH", 7}, 405},    {{"REFER", 5}, 405},
};

int rule_for_method(const pjsip_method *method)
{
    for (unsigned i = 0; i < PJ_ARRAY_SIZE(outside); i++)
        if (pj_strcmp(&outside[i].name, &method->name) == 0) /* methods are case-sensitive */
            return outside[i].code;
    return 501;
}

/* What the endpoint announces in Allow and Supported must be what this gate lets through: pjsua's own lists name
 * REFER, SUBSCRIBE, MESSAGE, "replaces" and more. The endpoint offers no call to remove a capability, only a pointer
 * to the header it will copy into messages. */
static const pj_str_t allowed[] = {{"INVITE", 6}, {"ACK", 3},     {"CANCEL", 6}, {"BYE", 3},
                                   {"PRACK", 5},  {"UPDATE", 6},  {"INFO", 4},   {"OPTIONS", 7}};
static const pj_str_t supported[] = {{"100rel", 6}, {"timer", 5}};

static pj_bool_t listed(const pj_str_t *token, const pj_str_t *list, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (pj_stricmp(token, &list[i]) == 0)
            return PJ_TRUE;
    return PJ_FALSE;
}

static void keep_only(pjsip_endpoint *endpt, int type, const pj_str_t *list, unsigned n)
{
    pjsip_generic_array_hdr *hdr = (pjsip_generic_array_hdr *)pjsip_endpt_get_capability(endpt, type, NULL);
    unsigned kept = 0;

    if (!hdr)
        return;
    for (unsigned i = 0; i < hdr->count; i++)
        if (listed(&hdr->values[i], list, n))
            hdr->values[kept++] = hdr->values[i];
    hdr->count = kept;
}

int rule_for_uri(const pjsip_uri *uri)
{
    static const pj_str_t tel = {"tel", 3};

    if (PJSIP_URI_SCHEME_IS_SIP(uri) || PJSIP_URI_SCHEME_IS_SIPS(uri)) {
        const pjsip_sip_uri *sip = (const pjsip_sip_uri *)pjsip_uri_get_uri(uri);

        return pj_list_empty(&sip->header_param) ? PASS : 400; /* no headers in a Request-URI, RFC 3261 19.1.1 */
    }
    return pj_stricmp(pjsip_uri_get_scheme(uri), &tel) == 0 ? PASS : 416;
}

/* The extensions in Require that we do not know, as an Unsupported header in the pool of the message; else NULL. */
pjsip_hdr *rule_unsupported(pjsip_rx_data *rdata)
{
    const pjsip_require_hdr *require = rdata->msg_info.require;
    pjsip_unsupported_hdr *hdr = NULL;

    for (unsigned i = 0; require && i < require->count; i++) {
        if (listed(&require->values[i], supported, PJ_ARRAY_SIZE(supported)))
            continue;
        if (!hdr)
            hdr = pjsip_unsupported_hdr_create(rdata->tp_info.pool);
        hdr->values[hdr->count++] = require->values[i]; /* never more than Require held */
    }
    return (pjsip_hdr *)hdr;
}

void rules_announce(pjsip_endpoint *endpt)
{
    keep_only(endpt, PJSIP_H_ALLOW, allowed, PJ_ARRAY_SIZE(allowed));
    keep_only(endpt, PJSIP_H_SUPPORTED, supported, PJ_ARRAY_SIZE(supported));
}

/* Programs that try all numbers of all addresses name themselves, as long as nobody drops them for it. */
pj_bool_t rule_is_scanner(pjsip_rx_data *rdata)
{
    static const pj_str_t user_agent = {"User-Agent", 10};
    const pjsip_generic_string_hdr *hdr;

    if (!n_scanners || !(hdr = pjsip_msg_find_hdr_by_name(rdata->msg_info.msg, &user_agent, NULL)))
        return PJ_FALSE;
    for (int i = 0; i < n_scanners; i++) {
        pj_str_t scanner = pj_str(scanners[i]);

        if (pj_stristr(&hdr->hvalue, &scanner))
            return PJ_TRUE;
    }
    return PJ_FALSE;
}

int tandem_gate_scanners(PyObject *given)
{
    Py_ssize_t n = PyTuple_Check(given) ? PyTuple_GET_SIZE(given) : -1;

    if (n < 0 || n > MOST_SCANNERS)
        return PJ_EINVAL;
    n_scanners = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        const char *text = PyUnicode_AsUTF8(PyTuple_GET_ITEM(given, i));

        if (!text || !text[0] || strlen(text) > LONGEST_SCANNER) {
            PyErr_Clear();
            return PJ_EINVAL;
        }
        strcpy(scanners[n_scanners++], text);
    }
    return PJ_SUCCESS;
}
