"""pjsua2's callbacks that belong to no leg: which account takes an INVITE, and who a certificate is made out to."""

from __future__ import annotations

from collections.abc import Callable

import pjsua2 as pj

from b2bua.log import logger
from b2bua.sip.engine.tls import Identities

log = logger("sip")

MOST_CONNECTIONS = 4096
"Connections whose names are kept; they are dropped as they close, so this is never reached."
DNS_NAME = pj.PJ_SSL_CERT_NAME_DNS
GONE = frozenset({pj.PJSIP_TP_STATE_DISCONNECTED, pj.PJSIP_TP_STATE_SHUTDOWN, pj.PJSIP_TP_STATE_DESTROY})
NOBODY: frozenset[str] = frozenset()


class Endpoint(pj.Endpoint):
    """Chooses the account (so the listener's face and the trunk's profile) before pjsua makes the leg's media; closes
    connections of ours to somebody else than they should be to."""

    def __init__(self, choose: Callable[[pj.OnSelectAccountParam], None], identities: Identities) -> None:
        super().__init__()
        self._choose, self._identities = choose, identities
        self._names: dict[str, frozenset[str]] = {}

    def onSelectAccount(self, prm: pj.OnSelectAccountParam) -> None:
        self._choose(prm)

    def onTransportState(self, prm: pj.OnTransportStateParam) -> None:
        """A connection came or went: only what its certificate says, where that was verified."""
        try:
            info = prm.tlsInfo
            if info.isEmpty():
                return
            if self._identities.wrong(prm):
                pj.tandem_tls_close(int(prm.hnd))
                return
            peer = str(info.remoteAddr)
            if prm.state in GONE:
                self._names.pop(peer, None)
            elif prm.state == pj.PJSIP_TP_STATE_CONNECTED and not info.verifyStatus:
                if len(self._names) >= MOST_CONNECTIONS:
                    self._names.clear()
                self._names[peer] = _names(info.remoteCertInfo)
        except Exception as error:
            log.error("callback failed", where="onTransportState", exc_info=error)

    def names_of(self, peer: str) -> frozenset[str]:
        """What the certificate of the connection from `peer` (host:port) is made out to, in lower case."""
        return self._names.get(peer, NOBODY)


def _names(certificate: pj.SslCertInfo) -> frozenset[str]:
    """The DNS names; the common name only where there is none (RFC 5922 section 7.1)."""
    if certificate.isEmpty():
        return NOBODY
    names = {str(one.name).lower() for one in certificate.subjectAltName if one.type == DNS_NAME}
    return frozenset(names or {str(certificate.subjectCn).lower()} - {""})
