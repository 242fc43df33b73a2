"""The gate in front of the SIP stack (native/gate.c) as Python sees it.

Who may pass is decided in C, before anything is allocated.  What C cannot decide, a REGISTER or an INVITE that has to
show credentials, waits there as a copy and comes up here as `Asked`; exactly one of `answer`, `admit` and `drop` ends
it.  All of this belongs to the thread that polls PJSIP, between two of its events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import ip_network

import pjsua2 as pj

from b2bua.settings import Listener

TRY_LATER = 503


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
        """Takes what `Strangers.ASK` lets up; without it everybody is told to come back later.

        Called between two of PJSIP's events: it may decide at once, or hand on and let the decision follow within five
        seconds, after which the request may be gone."""

    def listen(self, listener: Listener, strangers: Strangers, trunks: Mapping[str, int], offices: list[str]) -> None:
        """Tell of a listener: what it does with strangers, and the networks that are none.

        `trunks` are networks (CIDR) with their trunk's number.  Told again, the listener is changed."""
        place = pj.tandem_gate_listener(listener.transport, listener.address, listener.port, strangers)
        if place < 0:
            raise ValueError(f"the gate has no room for {listener.transport} {listener.address}:{listener.port}")
        for cidr, number in trunks.items():
            self._network(place, cidr, Kind.TRUNK, number)
        for cidr in offices:
            self._network(place, cidr, Kind.OFFICE, -1)

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
                self.decide(asked)

    @staticmethod
    def waiting() -> int:
        """How many requests wait for `serve`."""
        return pj.tandem_asked_waiting()

    @staticmethod
    def _network(place: int, cidr: str, kind: Kind, number: int) -> None:
        network = ip_network(cidr)
        if pj.tandem_gate_network(place, str(network.network_address), network.prefixlen, kind, number):
            raise ValueError(f"the gate has no room for the network {cidr}")
