/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * TLS listeners whose certificate can be changed while they serve: what Python sees of tls.c, and SWIG reads.
 */
#ifndef TANDEM_TLS_H
#define TANDEM_TLS_H

#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif

/* Listens on an IP address and port. published: the host peers are told, or "". The files are in PEM form; ca is ""
 * where peers are not verified, verify_client asks callers for a certificate that ca has signed. What we connect to is
 * not verified here but when the connection stands (Endpoint.onTransportState). Returns pjsua's transport id, or a
 * pj_status_t made negative. */
int tandem_tls_open(const char *address, int port, const char *published, const char *certificate, const char *key,
                    const char *ca, int verify_client, int dscp);

/* Reads the files of a listener again: connections from now on get what is in them, those that stand stay. The files
 * must have been found good before. Returns 0 or a pj_status_t. */
int tandem_tls_reload(int transport_id);

/* The address of whoever has refused our certificate last, "" for nobody; how often that was is the counter
 * certificate_refused. */
const char *tandem_tls_refused_by(void);

/* Whether we have connected, rather than been connected to. transport is OnTransportStateParam.hnd, valid only inside
 * that callback. */
int tandem_tls_is_ours(size_t transport);

/* Nothing is sent over it any more; from the same callback. */
void tandem_tls_close(size_t transport);

#ifdef __cplusplus
}
#endif
#endif
