"""Requests of agents' phones that wait for a decision: is this really the phone it says it is?

Asked by the engine for every REGISTER, every INVITE of a new call, and every REFER that is in none, on the listeners
of phones.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from b2bua.log import logger
from b2bua.sip.authenticator import Authenticator, Finding
from b2bua.sip.bindings import Limits, Source
from b2bua.sip.message import BadMessage, Message
from b2bua.sip.registrar import Change, Registrar, Reply, refusal
from routing.address import BadAddress, Uri

if TYPE_CHECKING:
    from b2bua.settings import Settings
    from routing.directory import Directory

log = logger("phones")

LOG_AGAIN = 60.0
"Seconds until the same address is named again in the log."
MOST_LOGGED = 1024
"Addresses of which that is remembered."


@dataclass(frozen=True, slots=True)
class Admitted:
    """The request goes on to become a call."""

    extension: str
    "Whose phone it is; empty: an agent at a fixed contact, whom only his address tells."
    emergency: bool = False


ALLOW = "INVITE, ACK, CANCEL, BYE, PRACK, UPDATE, INFO, OPTIONS, REGISTER"
"What is served outside of calls where phones register (native/rules.c has the same for everywhere else)."

Decision = Reply | Admitted | None
"None: no answer at all."


class Phones:
    """The registrar, and the door that phones' calls come in by."""

    def __init__(
        self,
        settings: Settings,
        directory: Callable[[], Directory],
        emergency: Callable[[str], bool],
        tell: Callable[[Change], None],
        guilty: Callable[[Source], None],
        seen: Callable[[Source, float], None],
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`emergency`: whether a dialled number is one; `guilty`: counts a wrong password against its source; `seen`:
        as the registrar tells."""
        phones = settings.phones
        self._directory, self._emergency, self._guilty, self._wall = directory, emergency, guilty, wall
        self.authenticator = Authenticator(
            phones.realm,
            phones.algorithms,
            lambda extension: directory().credentials(extension),
            phones.md5_phones,
        )
        self.authenticator.nonces.lifetime = phones.nonce_lifetime
        proxies = [ip_network(one) for one in phones.proxies]
        self.registrar = Registrar(
            self.authenticator,
            Limits(phones.min_expires, phones.max_expires, phones.max_expires, phones.contacts),
            lambda address: any(ip_address(address) in one for one in proxies),
            tell,
            seen,
        )
        self.fixed: frozenset[str] = frozenset()
        "Addresses of agents who have a fixed contact and no password."
        self.counted: Counter[tuple[str, str]] = Counter()
        "Answers by method and outcome."
        self._logged: dict[str, float] = {}

    def __repr__(self) -> str:
        return f"<phones of {self.registrar!r}>"

    def decide(self, method: str, source: Source, raw: bytes, owner_of: Callable[[Message], str]) -> Decision:
        """What becomes of a request.  `owner_of`: the extension whose call a request in a dialog belongs to."""
        now = self._wall()
        try:
            message = Message.of(raw)
        except BadMessage:
            return self._done(method, Reply(400))
        if method == "REGISTER":
            return self._done(method, self.registrar.answer(message, source, now), source)
        if message.tag("to"):
            return self._done("other", self._in_dialog(message, source, now, owner_of(message)), source)
        if method == "INVITE":
            return self._done(method, self._invite(message, source, now), source)
        return self._done(method, self._other(message, source, now), source)

    def is_at(self, extension: str, address: str) -> bool:
        """Whether a phone of this extension is registered from there, whatever its port."""
        return any(one.source.address == address for one in self.registrar.bindings(extension, self._wall()))

    def _invite(self, message: Message, source: Source, now: float) -> Reply | Admitted:
        dialled, caller = user_of(message.uri), caller_in(message)
        emergency = self._emergency(dialled)
        if emergency and self.registrar.is_from(source.address, source.port, caller):
            return Admitted(caller, emergency=True)  # no time is lost with questions
        verdict = self.authenticator.check(message, (source.address, source.port), now)
        if verdict.passed:
            return Admitted(verdict.extension, emergency)
        if verdict.finding is Finding.ASKED and source.address in self.fixed:
            known = self._directory().agent(caller)
            if known is None or known.credentials is None:
                return Admitted(known.extension if known is not None and emergency else "", emergency)
        return refusal(verdict)

    def _in_dialog(self, message: Message, source: Source, now: float, owner: str) -> Reply | Admitted:
        """In a call, from an address that its far end does not have: a phone that has got another one, or a thief."""
        verdict = self.authenticator.check(message, (source.address, source.port), now)
        if not verdict.passed:
            return refusal(verdict)
        return Admitted(owner) if owner == verdict.extension else Reply(403, guilty=True)

    def _other(self, message: Message, source: Source, now: float) -> Reply:
        """A REFER outside of any call: whoever has not shown who he is learns nothing, whoever has is told that a
        transfer belongs to a call."""
        verdict = self.authenticator.check(message, (source.address, source.port), now)
        return Reply(405, (("Allow", ALLOW),)) if verdict.passed else refusal(verdict)

    def _done(self, method: str, decision: Reply | Admitted, source: Source | None = None) -> Reply | Admitted:
        if isinstance(decision, Admitted):
            outcome = "admitted"
        else:
            outcome = str(decision.code)
            if decision.guilty and source is not None:
                outcome = "guilty"
                self._guilty(source)
                self._log(method, source)
        self.counted[method if method in ("REGISTER", "INVITE") else "other", outcome] += 1
        return decision

    def _log(self, method: str, source: Source) -> None:
        """Once a minute for each address: whoever tries passwords must not fill the disk."""
        now = time.monotonic()
        if now - self._logged.get(source.address, -LOG_AGAIN) < LOG_AGAIN:
            return
        if len(self._logged) >= MOST_LOGGED:
            self._logged.clear()
        self._logged[source.address] = now
        log.warning(
            "wrong credentials from a phone",
            method=method,
            source=str(source),
            listener=source.listener,
            do="check its password, or see who tries",
        )


def user_of(uri: str) -> str:
    """The user of a URI, empty where there is none."""
    try:
        return Uri.parse(uri).user
    except BadAddress:
        return ""


def caller_in(message: Message) -> str:
    """The user in From."""
    address = message.address("from")
    return user_of(address.uri) if address is not None else ""
