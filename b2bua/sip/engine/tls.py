"""TLS: a listener's certificate is changed while it serves, and what we connect to must be who it should be.

PJSIP compares a certificate with the host of the Request-URI, which is an address here.  So it is told not to, and the
names are compared when a connection stands, before anything is sent over it (RFC 5922 section 7).
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import pjsua2 as pj

from b2bua.log import logger
from b2bua.settings import Listener, Settings, Trunk
from b2bua.sip.resolver import host_of
from b2bua.sip.trunks import TrunkTable

log = logger("tls")

LOOK = 2.0
"Seconds between two looks at the files."
OTHER_NAME = 1 << 30
"PJ_SSL_CERT_EIDENTITY_NOT_MATCH: PJSIP's own comparison, with an address."

Stamp = tuple[tuple[int, int, int], ...]


def why_not(status: int, names: Collection[str], wanted: Collection[str], host: str) -> str:
    """What is wrong with a certificate, "" for nothing.

    `status` are PJSIP's bits about its chain, `names` those in it, `wanted` those of the trunk behind `host`; where
    none is wanted the address must be in it.
    """
    if status & ~OTHER_NAME:
        return "nobody in tls_ca has signed it, or it is not valid now"
    asked = {name.lower() for name in wanted or (host,)}
    if asked.isdisjoint(name.lower() for name in names):
        return f"it is for {', '.join(sorted(names)) or 'nobody'}, not for {' or '.join(sorted(asked))}"
    return ""


def names_of(certificate: pj.SslCertInfo) -> set[str]:
    """Hosts that a certificate is for: its alternative names, its common name where it has none of these."""
    names = {host_in(str(entry.name)) for entry in certificate.subjectAltName}
    return names or {str(certificate.subjectCn)}


def host_in(name: str) -> str:
    """The host of a SIP URI, anything else as it is."""
    scheme, colon, rest = name.partition(":")
    return rest if colon and scheme.lower() in ("sip", "sips") else name


def expected(trunk: Trunk) -> list[str]:
    """Whom a trunk's certificate must be for."""
    target = [host_of(f"sip:{trunk.target}")] if trunk.target else []
    return trunk.tls_names or [*([trunk.domain] if trunk.domain else []), *target]


class Identities:
    """Looks at connections of ours as they are made."""

    def __init__(self, settings: Callable[[], Settings], table: TrunkTable) -> None:
        """`settings`: those of now, for a reload brings other trunks into `table`."""
        self._settings, self._table = settings, table
        self._verify = [name for name, listener in settings().listeners.items() if listener.tls_ca is not None]
        self.refused = 0
        "Connections that were closed again."

    def wrong(self, prm: pj.OnTransportStateParam) -> str:
        """What is wrong with a connection that was just made, "" for nothing."""
        if prm.state != pj.PJSIP_TP_STATE_CONNECTED or prm.tlsInfo.isEmpty() or not self._verify:
            return ""
        if not pj.tandem_tls_is_ours(int(prm.hnd)):
            return ""  # who calls us has been asked for a certificate, or not, by PJSIP
        host = str(prm.tlsInfo.remoteAddr).rpartition(":")[0].strip("[]")
        try:
            certificate = prm.tlsInfo.remoteCertInfo
            why = why_not(int(prm.tlsInfo.verifyStatus), names_of(certificate), self.wanted(host), host)
        except Exception as error:
            log.error("a certificate was not compared", address=host, exc_info=error)
            why = "it was not compared"  # which is no reason to trust it
        if why:
            self.refused += 1
            log.warning("a TLS connection is closed again: its certificate is not right", address=host, why=why)
        return why

    def wanted(self, host: str) -> set[str]:
        """The names that may stand in the certificate of an address: those of its trunks, as they are now."""
        known = self._settings().trunks
        trunks = {name for listener in self._verify for name in self._table.trunks_at(listener, host)}
        return {name for trunk in trunks if trunk in known for name in expected(known[trunk])}


class Certificates:
    """A service: notices that the files of a listener have changed."""

    name = "certificates"
    stop_within = 2.0

    def __init__(self, listeners: Mapping[str, Listener], reload: Callable[[str], int]) -> None:
        self._listeners = {name: listener for name, listener in listeners.items() if listener.transport == "tls"}
        self._reload = reload
        self._stamps: dict[str, Stamp] = {}
        self.reloads = 0

    async def run(self, ready: Callable[[], None]) -> None:
        self._stamps = await asyncio.to_thread(self._all_stamps)
        ready()
        while True:
            await asyncio.sleep(LOOK)
            await self.look()

    async def look(self) -> list[str]:
        """Take over what has changed since the last look; the names of those listeners."""
        stamps = await asyncio.to_thread(self._all_stamps)
        changed = [name for name, stamp in stamps.items() if stamp != self._stamps.get(name)]
        self._stamps = stamps
        return [name for name in changed if await self._take_over(name)]

    async def _take_over(self, name: str) -> bool:
        why = await asyncio.to_thread(mistake_in, self._listeners[name])
        if why:
            log.warning("a changed certificate is not used", listener=name, why=why, do="put a matching pair there")
            return False
        status = self._reload(name)
        if status:
            log.error("a listener is closed after its certificate has changed", listener=name, status=status)
            return False
        self.reloads += 1
        log.info("new connections get the changed certificate", listener=name)
        return True

    def _all_stamps(self) -> dict[str, Stamp]:
        return {name: tuple(map(stamp, files_of(listener))) for name, listener in self._listeners.items()}


def files_of(listener: Listener) -> list[Path]:
    return [file for file in (listener.tls_certificate, listener.tls_key, listener.tls_ca) if file is not None]


def stamp(file: Path) -> tuple[int, int, int]:
    """Changes when the file does, also where another one takes its place; zeros for no file."""
    try:
        found = os.stat(file)
    except OSError:
        return 0, 0, 0
    return found.st_mtime_ns, found.st_size, found.st_ino


def mistake_in(listener: Listener) -> str:
    """Why a listener's files cannot be used, "" for nothing."""
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(listener.tls_certificate or "", listener.tls_key, password="")
        if listener.tls_ca is not None:
            context.load_verify_locations(listener.tls_ca)
    except (OSError, ValueError) as error:
        return str(error)
    return ""
