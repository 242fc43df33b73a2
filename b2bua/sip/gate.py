"""The gate in front of the SIP stack (native/gate.c) as Python sees it.

Who may pass is decided in C, before anything is allocated.  What C cannot decide, a REGISTER or an INVITE that has to
show credentials, waits there as a copy and comes up here as `Asked`; exactly one of `answer`, `admit` and `drop` ends
it.  All of this belongs to the thread that polls PJSIP, between two of its events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import ip_address, ip_network

import pjsua2 as pj

from b2bua.settings import Listener, Security, Settings
from b2bua.sip.bans import Ban, CannotBan
from b2bua.sip.trunks import TrunkTable

TRY_LATER = 503
MISTAKE = 500
CODES = (503, 480, 486)
"What a trunk may be told instead of 503."
MOST_TRUNKS = 1024 - len(CODES)
"Trunks that the gate keeps a bucket for; the numbers behind them stand for several trunks with the same code."
PROTECTED = 70020
"PJ_EIGNORED: what the gate says of an address that is never banned."


class Kind(IntEnum):
    """Who a source is, by its address and the listener it came to."""

    UNKNOWN = 0
    PHONE = 1
    OFFICE = 2
    TRUNK = 3


class Strangers(IntEnum):
    """What a listener does with a request of a source that is neither trunk nor office."""

    PASS = 0
    DROP = 1
    REFUSE = 2
    ASK = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that waits for a decision.  It costs no transaction, dialog or call slot."""

    handle: int
    method: str
    "REGISTER, or INVITE outside a dialog."
    arrived_on: tuple[str, str, int]
    "Transport, address and port of ours, as `Listeners.at` takes them."
    source: str
    "The sender's address."
    source_port: int
    kind: Kind
    message: bytes
    "The whole request as it came."


Headers = tuple[tuple[str, str], ...]


class Gate:
    """What the gate offers to the parts behind it."""

    def __init__(self) -> None:
        self.decide: Callable[[Asked], None] | None = None
        """Takes what `Strangers.ASK` lets up; without it nobody is asked about.

        Called between two of PJSIP's events: it may decide at once, or hand on and let the decision follow within five
        seconds, after which the request may be gone."""

    # -- who is who

    def guard(self, settings: Settings, table: TrunkTable) -> None:
        """Go by these settings and these sources of trunks from now on."""
        security, numbers = settings.security, {name: n for n, name in enumerate(settings.trunks)}
        for name, value in limits_of(security, settings.node.max_calls).items():
            if pj.tandem_gate_limit(name, value):
                raise ValueError(f"the gate knows no limit called {name}")
        pj.tandem_gate_scanners(tuple(security.scanners))
        for name, trunk in settings.trunks.items():
            if numbers[name] < MOST_TRUNKS:
                cps = trunk.cps_in or 0.0  # twice as many may begin at once, as `routing.trunk_limits` has it
                pj.tandem_gate_trunk(numbers[name], cps, max(1.0, 2 * cps), trunk.refusal_code)
        for n, code in enumerate(CODES):
            pj.tandem_gate_trunk(MOST_TRUNKS + n, 0.0, 1.0, code)
        for name, listener in settings.listeners.items():
            place = self._listen(listener, self._strangers(settings, name))
            for cidr, trunks in table.networks(name).items():
                number = numbers.get(trunks[0], -1)
                if number >= MOST_TRUNKS:
                    number = -1
                if len(trunks) > 1:  # they are told apart, and each is held to its own rate, behind the gate
                    codes = {settings.trunks[one].refusal_code for one in trunks if one in numbers}
                    number = MOST_TRUNKS + CODES.index(codes.pop()) if len(codes) == 1 else -1
                self._network(place, cidr, Kind.TRUNK, number)
            proxies = settings.phones.proxies if name in settings.phone_listeners else []
            for cidr in (*security.offices, *proxies):  # behind one address of a proxy are the phones of many
                self._network(place, cidr, Kind.OFFICE, -1)

    def phone(self, address: str, port: int, seconds: float) -> None:
        """A phone has registered from there, for so long; 0: no longer.  It has a budget of its own from now on."""
        pj.tandem_gate_phone(address, port, seconds)

    def fault(self, address: str, reason: str) -> bool:
        """A fault that the gate cannot see, such as a wrong password.  True where that was one too many: banned."""
        return pj.tandem_gate_fault(address, reason) == 1

    # -- bans

    def bans(self) -> list[Ban]:
        """All of them, the latest first."""
        found = [Ban(*row[:5], automatic=bool(row[5])) for row in pj.tandem_gate_bans()]
        return sorted(found, key=lambda ban: ban.since, reverse=True)

    def ban(self, address: str, reason: str, seconds: float) -> None:
        """Raises CannotBan, and ValueError for what is no address."""
        status = pj.tandem_gate_ban(str(ip_address(address)), reason, seconds)
        if status == PROTECTED:
            raise CannotBan(f"{address} is an address of a trunk or an office: it can be forged, so it is never banned")
        if status:
            raise CannotBan("the table of bans is full: lift some")

    def lift(self, address: str) -> bool:
        """False where there was none.  Raises ValueError for what is no address."""
        return pj.tandem_gate_lift(str(ip_address(address))) == 0

    def tick(self) -> list[tuple[str, str, float]]:
        """Ten times a second: ends what is over; new bans of the gate's own as (address, reason, seconds)."""
        pj.tandem_gate_tick()
        news = []
        while (one := pj.tandem_gate_news()) is not None:
            news.append(one)
        return news

    @staticmethod
    def half_open() -> int:
        """Calls that wait for their final answer."""
        return pj.tandem_gate_half_open()

    @staticmethod
    def connections() -> int:
        """TCP and TLS connections that others have made to us."""
        return pj.tandem_gate_connections()

    @staticmethod
    def kernel_drops() -> int:
        """Packets that the kernel has thrown away at our UDP sockets: banned, or more than we could read."""
        return pj.tandem_gate_kernel_drops()

    # -- decisions

    def answer(self, asked: Asked, code: int, headers: Headers = (), reason: str = "") -> bool:
        """Answer without state.  False where the request is gone: cancelled, or too old."""
        return pj.tandem_asked_answer(asked.handle, code, reason, headers) == 0

    def admit(self, asked: Asked) -> bool:
        """Let an INVITE on to the stack, as if it had just come in: the engine has its leg when this returns.

        False where it is gone, or was refused with 503 because the house is full by now."""
        return pj.tandem_asked_admit(asked.handle) == 0

    def drop(self, asked: Asked) -> None:
        """Never answer it."""
        pj.tandem_asked_drop(asked.handle)

    def serve(self) -> None:
        """Hand out what waits; for the engine, after each of PJSIP's turns."""
        while (found := pj.tandem_asked_next()) is not None:
            handle, method, arrived_on, source, port, kind, message = found
            asked = Asked(handle, method, arrived_on, source, port, Kind(kind), message)
            if self.decide is None:
                self.answer(asked, TRY_LATER, (("Retry-After", "5"),))
            else:
                try:
                    self.decide(asked)
                except Exception:
                    self.answer(asked, MISTAKE)  # where it is not ended yet: nobody else would
                    raise

    @staticmethod
    def waiting() -> int:
        """How many requests wait for `serve`."""
        return pj.tandem_asked_waiting()

    def _strangers(self, settings: Settings, name: str) -> Strangers:
        if name in settings.phone_listeners and self.decide is not None:
            return Strangers.ASK  # phones register here, and nobody knows a phone before it has
        inside = settings.listeners[name].side == "inside"
        rule = settings.security.inside_strangers if inside else settings.security.outside_strangers
        return {"drop": Strangers.DROP, "refuse": Strangers.REFUSE, "challenge": Strangers.PASS}[rule]

    @staticmethod
    def _listen(listener: Listener, strangers: Strangers) -> int:
        place = pj.tandem_gate_listener(listener.transport, listener.address, listener.port, strangers)
        if place < 0:
            raise ValueError(f"the gate has no room for {listener.transport} {listener.address}:{listener.port}")
        return place

    @staticmethod
    def _network(place: int, cidr: str, kind: Kind, number: int) -> None:
        network = ip_network(cidr)
        if pj.tandem_gate_network(place, str(network.network_address), network.prefixlen, kind, number):
            raise ValueError(f"the gate has no room for the network {cidr}")


def limits_of(security: Security, max_calls: int) -> dict[str, float]:
    """The gate's limits by their names in native/tandem.h."""
    named: Iterable[str] = (
        *(f"{kind}_{what}" for kind in ("stranger", "phone", "office", "trunk") for what in ("rate", "burst")),
        *("connections", "connection_rate", "connection_burst", "connection_first", "connection_idle"),
        *("half_open_reserved", "faults", "fault_window", "ban_seconds"),
    )
    return {
        **{name: float(getattr(security, name)) for name in named},
        "connections_source": security.connections_per_source,
        "half_open": max_calls,
        "half_open_source": security.half_open_per_source,
        "message": security.max_message,
    }
