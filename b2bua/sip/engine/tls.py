"""TLS: a listener's certificate is changed while it serves, and what we connect to must be who it should be.

PJSIP compares a certificate with the host of the Request-URI, which is an address here.  So it is told not to, and the
names are compared when a connection stands, before anything is sent over it (RFC 5922 section 7).
"""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import pjsua2 as pj
from cryptography.x509 import load_pem_x509_certificate

from b2bua.log import logger
from b2bua.settings import Listener, Settings, Trunk
from b2bua.sip.resolver import host_of
from b2bua.sip.trunks import TrunkTable

log = logger("tls")

LOOK = 2.0
"Seconds between two looks at the files."
SOON = 14 * 86400.0
"Seconds before its end that a certificate is warned of."
AGAIN = 86400.0
"Seconds until the same warning comes again."
REFUSED_AGAIN = 60.0
"The same for peers that refuse it."
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


def refusals() -> tuple[int, str]:
    """How often peers have refused our certificate since the start, and the address of the last one."""
    counted: dict[str, int] = pj.tandem_counters()
    return counted["certificate_refused"], str(pj.tandem_tls_refused_by())


class Certificates:
    """A service: notices that the files of a listener have changed, that its certificate is about to expire, and that
    peers refuse it."""

    name = "certificates"
    stop_within = 2.0

    def __init__(
        self,
        listeners: Mapping[str, Listener],
        reload: Callable[[str], int],
        refused: Callable[[], tuple[int, str]] = refusals,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`refused`: as `refusals`."""
        self._listeners = {name: listener for name, listener in listeners.items() if listener.transport == "tls"}
        self._reload, self._refused, self._wall = reload, refused, wall
        self._stamps: dict[str, Stamp] = {}
        self._expiries: dict[str, float] = {}
        self._told: dict[str, float] = {}
        "When each alarm was given last."
        self._seen = 0
        self.reloads = 0

    def seconds_left(self) -> dict[str, float]:
        """Until each listener's certificate expires; less than 0: since it has."""
        return {name: at - self._wall() for name, at in self._expiries.items()}

    async def run(self, ready: Callable[[], None]) -> None:
        self._stamps = await asyncio.to_thread(self._all_stamps)
        self._expiries = await asyncio.to_thread(self._all_expiries)
        ready()
        while True:
            self.warn()
            await asyncio.sleep(LOOK)
            await self.look()

    async def look(self) -> list[str]:
        """Take over what has changed since the last look; the names of those listeners."""
        stamps = await asyncio.to_thread(self._all_stamps)
        changed = [name for name, stamp in stamps.items() if stamp != self._stamps.get(name)]
        self._stamps = stamps
        if changed:
            self._expiries = await asyncio.to_thread(self._all_expiries)
        return [name for name in changed if await self._take_over(name)]

    def warn(self) -> None:
        """The alarms that are due."""
        for name, left in self.seconds_left().items():
            if left < SOON and self._is_due(name, AGAIN):
                event = "a certificate has expired" if left < 0 else "a certificate is about to expire"
                do = "put a new pair in the place of its files: it is taken over without a restart"
                log.warning(event, listener=name, days=round(left / 86400, 1), do=do)
        refused, by = self._refused()
        if refused > self._seen and self._is_due("", REFUSED_AGAIN):
            do = "see when it ends and who has signed it: openssl x509 -noout -enddate -issuer -in tls_certificate"
            log.warning("peers refuse our certificate", times=refused - self._seen, last=by, do=do)
            self._seen = refused

    def _is_due(self, alarm: str, every: float) -> bool:
        now = time.monotonic()
        if now - self._told.get(alarm, -every) < every:
            return False
        self._told[alarm] = now
        return True

    def _all_expiries(self) -> dict[str, float]:
        found = {name: expiry(listener.tls_certificate) for name, listener in self._listeners.items()}
        return {name: at for name, at in found.items() if at is not None}

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


def expiry(file: Path | None) -> float | None:
    """When the first certificate in a PEM file expires (epoch seconds); None where there is none that can be read."""
    try:
        found = load_pem_x509_certificate(file.read_bytes()) if file is not None else None
    except (OSError, ValueError):
        return None
    return found.not_valid_after_utc.timestamp() if found is not None else None


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
