/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Two questions about a leg that pjsua2 answers too slowly for the hot path, or not at all:
 * which listener a packet came in on, and what its stream has counted. */
#include "internal.h"
#include "tandem.h"

PyObject *tandem_rx_listener(size_t packet)
{
    const pjsip_rx_data *rdata = (const pjsip_rx_data *)packet;
    const pjsip_transport *transport = rdata->tp_info.transport;
    pjsip_transport_type_e type = transport->key.type & ~PJSIP_TRANSPORT_IPV6;
    const char *name = type == PJSIP_TRANSPORT_UDP   ? "udp"
                       : type == PJSIP_TRANSPORT_TCP ? "tcp"
                       : type == PJSIP_TRANSPORT_TLS ? "tls"
                                                     : "other";
    const pj_sockaddr *here = place_address(transport);
    char address[PJ_INET6_ADDRSTRLEN + 10];

    pj_sockaddr_print(here, address, sizeof(address), 0);
    return Py_BuildValue("(ssi)", name, address, (int)pj_sockaddr_get_port(here));
}

PyObject *tandem_stream(int call_id, unsigned index)
{
    pjsua_stream_stat stat;
    pjsua_stream_info info;
    const pjmedia_rtcp_stat *rtcp = &stat.rtcp;

    if (call_id < 0 || pjsua_call_get_stream_stat(call_id, index, &stat) != PJ_SUCCESS ||
        pjsua_call_get_stream_info(call_id, index, &info) != PJ_SUCCESS || info.type != PJMEDIA_TYPE_AUDIO)
        Py_RETURN_NONE;
    return Py_BuildValue("(s#IIIIddIII)", info.info.aud.fmt.encoding_name.ptr,
                         (Py_ssize_t)info.info.aud.fmt.encoding_name.slen, rtcp->rx.pkt, rtcp->rx.loss, rtcp->tx.pkt,
                         rtcp->tx.loss, rtcp->rx.jitter.n ? rtcp->rx.jitter.mean / 1000.0 : 0.0,
                         rtcp->rtt.n ? rtcp->rtt.mean / 1000.0 : 0.0, stat.jbuf.avg_delay,
                         rtcp->tx.update_cnt, rtcp->rx.bytes);
}
