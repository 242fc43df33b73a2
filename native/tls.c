/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pjsua keeps the factory of a TLS listener to itself, and without it nothing can be changed while dialogs hold on to
 * it. So ours are made here, registered with pjsua, and remembered. */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "internal.h"
#include "tls.h"

#define MOST_LISTENERS 8
#define HANDSHAKE 5 /* seconds: PJSIP itself would wait for ever */

struct tls_listener {
    pjsip_tpfactory *factory;
    int id;
    pjsip_tls_setting setting;
    pj_sockaddr local;
    pjsip_host_port published;
};

static struct tls_listener listeners[MOST_LISTENERS];

/* Owned by the endpoint, and gone with it. */
static pj_str_t keep(pj_pool_t *pool, const char *text)
{
    pj_str_t copy;

    pj_strdup2_with_null(pool, &copy, text);
    return copy;
}

static char refused_by[PJ_INET6_ADDRSTRLEN];

/* Whether the peer has told us that it does not like our certificate (RFC 8446 6.2): then the fault is more likely ours. */
static pj_bool_t is_of_our_certificate(unsigned long error)
{
    static const int alerts[] = {SSL_AD_BAD_CERTIFICATE,     SSL_AD_UNSUPPORTED_CERTIFICATE, SSL_AD_CERTIFICATE_REVOKED,
                                 SSL_AD_CERTIFICATE_EXPIRED, SSL_AD_CERTIFICATE_UNKNOWN,     SSL_AD_UNKNOWN_CA,
                                 SSL_AD_ACCESS_DENIED,       SSL_AD_DECRYPT_ERROR};

    if (ERR_GET_LIB(error) != ERR_LIB_SSL)
        return PJ_FALSE;
    for (unsigned i = 0; i < PJ_ARRAY_SIZE(alerts); i++)
        if (ERR_GET_REASON(error) == SSL_AD_REASON_OFFSET + alerts[i])
            return PJ_TRUE;
    return PJ_FALSE;
}

static pj_bool_t is_a_goodbye(pj_status_t status)
{
    return status == PJ_EEOF || status == PJ_STATUS_FROM_OS(ECONNRESET) || status == PJ_STATUS_FROM_OS(EPIPE);
}

/* PJSIP tells the gate of a connection when its handshake is done. One that does not get on in time, is no TLS, or has
 * nothing in common with us, is a fault of its source: somebody who holds many of them open, or has us calculate for
 * nothing, is banned, and his next SYN dropped. Who refuses our certificate, or just goes (some phones refuse so), has done
 * nothing wrong, but may not come more often than with connections that stand. */
static void on_no_handshake(const pjsip_tls_on_accept_fail_param *param)
{
    const pj_sockaddr *peer = param->remote_addr;
    struct key key = key_of_address(peer, 0);

    count(COUNT_HANDSHAKES_FAILED);
    if (is_of_our_certificate((unsigned long)param->last_native_err)) {
        count(COUNT_CERTIFICATE_REFUSED);
        key_print(&key, refused_by, sizeof(refused_by));
        connection_failed(&key);
    } else if (is_a_goodbye(param->status))
        connection_failed(&key);
    else
        source_fault(&key, "handshake", 1);
}

const char *tandem_tls_refused_by(void)
{
    return refused_by;
}

int tandem_tls_open(const char *address, int port, const char *published, const char *certificate, const char *key,
                    const char *ca, int verify_client, int dscp)
{
    struct tls_listener *one = NULL;
    pj_pool_t *pool;
    pj_str_t host;
    pj_status_t status;

    for (unsigned i = 0; i < MOST_LISTENERS && !one; i++)
        if (!listeners[i].factory)
            one = &listeners[i];
    if (!one)
        return -PJ_ETOOMANY;
    pool = pjsip_endpt_create_pool(pjsua_get_pjsip_endpt(), "tls", 1000, 1000);
    if (!pool)
        return -PJ_ENOMEM;
    host = keep(pool, address);
    status = pj_sockaddr_init(pj_strchr(&host, ':') ? pj_AF_INET6() : pj_AF_INET(), &one->local, &host,
                              (pj_uint16_t)port);
    if (status != PJ_SUCCESS)
        return -status;
    pj_bzero(&one->published, sizeof one->published);
    one->published.host = keep(pool, published);
    pjsip_tls_setting_default(&one->setting);
    one->setting.cert_file = keep(pool, certificate);
    one->setting.privkey_file = keep(pool, key);
    one->setting.ca_list_file = keep(pool, ca);
    one->setting.verify_client = one->setting.require_client_cert = !!verify_client;
    one->setting.verify_server = PJ_FALSE;
    one->setting.proto = PJ_SSL_SOCK_PROTO_TLS1_2 | PJ_SSL_SOCK_PROTO_TLS1_3;
    one->setting.timeout.sec = HANDSHAKE;
    one->setting.on_accept_fail_cb = &on_no_handshake;
    one->setting.reuse_addr = PJ_TRUE; /* or the listener cannot come back while a connection stands */
    if (dscp) {
        one->setting.qos_params.flags = PJ_QOS_PARAM_HAS_DSCP;
        one->setting.qos_params.dscp_val = (pj_uint8_t)dscp;
    }
    status = pjsip_tls_transport_start2(pjsua_get_pjsip_endpt(), &one->setting, &one->local,
                                        published[0] ? &one->published : NULL, 1, &one->factory);
    if (status == PJ_SUCCESS)
        status = pjsua_tpfactory_register(one->factory, &one->id);
    if (status != PJ_SUCCESS) {
        one->factory = NULL;
        return -status;
    }
    return one->id;
}

int tandem_tls_reload(int transport_id)
{
    for (unsigned i = 0; i < MOST_LISTENERS; i++) {
        struct tls_listener *one = &listeners[i];

        if (one->factory && one->id == transport_id)
            return pjsip_tls_transport_restart2(one->factory, &one->setting, &one->local,
                                                one->published.host.slen ? &one->published : NULL);
    }
    return PJ_ENOTFOUND;
}

int tandem_tls_is_ours(size_t transport)
{
    return ((const pjsip_transport *)transport)->dir == PJSIP_TP_DIR_OUTGOING;
}

void tandem_tls_close(size_t transport)
{
    pjsip_transport_shutdown((pjsip_transport *)transport);
}
