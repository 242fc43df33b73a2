"""One INVITE over one way of a trunk: what stands in it, how long it may stay without a word, and how it went."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from b2bua.calls.callee import LONGEST_USER, UNSAFE
from b2bua.calls.outside import leave
from b2bua.sip.engine import Outgoing
from b2bua.sip.engine.profiles import trunk_profile
from b2bua.sip.engine.values import Headers
from b2bua.sip.resolver import split_host_port
from b2bua.sip.signals import Closed
from routing.caller_id import ANONYMOUS, identity
from routing.failover import Attempt, tries_next

if TYPE_CHECKING:
    from b2bua.calls.callee import Callee
    from b2bua.calls.parties import Role
    from b2bua.calls.session import Session
    from b2bua.settings import Settings
    from b2bua.sip.engine import CannotCall, SipLeg
    from b2bua.sip.signals import Signal
    from b2bua.sip.trunk_line import Line, Way

SWITCHED: Headers = (("Reason", 'SIP;cause=487;text="Another trunk is tried"'),)


class TrunkLeg:
    """A try; the step that makes it waits until `due`, and tells it what comes."""

    def __init__(self, call: Session, callee: Callee, way: Way) -> None:
        self.call, self.way = call, way
        self.line: Line = call.exchange.trunks.lines[way.trunk]
        self.callee = over(callee, way, call.exchange.settings)
        self.leg: SipLeg | None = None
        self.rang: float | None = None
        "When the first 18x came, by the call's clock."
        self._began = 0.0
        self._heard = False

    def __repr__(self) -> str:
        return f"<try of {self.callee.label} over {self.way.trunk} at {self.way.destination}>"

    def send(self, role: Role, headers: Headers = ()) -> SipLeg:
        """The INVITE.  Raises CannotCall, or Barred where a policy forbids the number on this trunk."""
        call = self.call
        out = trunk_invitation(call, self.callee, self.way, self.line)
        if headers:
            out = replace(out, headers=(*out.headers, *headers))
        self.leg = leave(call, self.callee, lambda: call.exchange.engine.open(out, call.deliver))
        self._began = call.clock()
        if self.line.settings.transfers:
            self.leg.owner = f"trunk {self.way.trunk}"
        if call.record.row.direction == "outbound":
            call.record.row.trunk = self.way.trunk
        call.add(self.leg, role, self.callee.label)
        return self.leg

    @property
    def due(self) -> float:
        """Until when something must come, by the call's clock, while nothing has rung: any response at first, then
        ringing, early media or an answer."""
        settings = self.line.settings
        return self._began + (settings.progress_timeout if self._heard else settings.first_response)

    def still_tries(self) -> bool:
        """At `due`: a 100 has come, so it may go on until the next `due`."""
        if self._heard or self.leg is None or not self.leg.trying:
            return False
        self._heard = True
        return True

    def progress(self) -> None:
        """An 18x has come."""
        if self.rang is None:
            self.rang = self.call.clock()
            self.heard()

    def heard(self) -> None:
        """Something has come."""
        if not self._heard:
            self._heard = True
            self.call.exchange.trunks.heard(self.way)

    def give_up(self, headers: Headers = SWITCHED) -> Attempt:
        """CANCEL; nobody waits for what still comes: a late 18x is cancelled, a late 200 ended, both are counted."""
        assert self.leg is not None
        leave_to_stack(self.call, self.leg, headers)
        attempt = Attempt(0, rang=self.rang is not None)
        if self.rang is None:
            self.call.exchange.trunks.failed(self.way, Attempt(408) if self._heard else attempt)
        return attempt

    def ended(self, closed: Closed) -> Attempt:
        """It was refused, or has failed."""
        attempt = Attempt(closed.code, closed.local, self.rang is not None)
        self.call.exchange.trunks.failed(self.way, attempt, closed.retry_after)
        return attempt

    def not_sent(self, error: CannotCall) -> None:
        """It could not even be sent.  Where that is the address's fault the call goes on as from a silent one."""
        if error.unreachable:
            attempt = Attempt(503, local=True)
            self.call.exchange.trunks.failed(self.way, attempt)
            self.goes_on(attempt)

    def goes_on(self, attempt: Attempt) -> bool:
        """Whether the next way is tried; if so it is told and written down."""
        if not tries_next(attempt, self.line.settings.failover_codes):
            return False
        call, trunk = self.call, self.way.trunk
        call.exchange.metrics.trunk_failovers.inc(trunk, attempt.word)
        call.record.row.detail.setdefault("trunks_failed", []).append({"trunk": trunk, "why": attempt.word})
        call.exchange.tell("call.trunk-failed", call, {"trunk": trunk, "why": attempt.word})
        return True


def leave_to_stack(call: Session, leg: SipLeg, headers: Headers) -> None:
    """CANCEL a leg that may never have got there, and wait for nothing of it any more: whatever it still says is
    answered by the stack and counted by the gate."""
    leg.sink = _unheard
    call.hang_up(leg.id, 487, headers)
    call.exchange.trunks.closed(leg.id)
    call.deliver(Closed(leg.id, 487, by_peer=False, local=True))


def _unheard(signal: Signal) -> None:
    """For legs that nobody waits for."""


def over(callee: Callee, way: Way, settings: Settings) -> Callee:
    """The same number by this way."""
    profile = trunk_profile(settings, way.trunk)
    return replace(callee, trunk=way.trunk, listener=settings.trunks[way.trunk].listener, profile=profile)


def trunk_invitation(call: Session, callee: Callee, way: Way, line: Line) -> Outgoing:
    """The INVITE: number and caller as the trunk writes them, and of the headers that came with the call those that may
    go there."""
    exchange, trunk = call.exchange, line.settings
    here = exchange.engine.signalling_address(callee.listener, split_host_port(way.destination)[0])
    transport = exchange.settings.listeners[callee.listener].transport
    user = UNSAFE.sub("", line.numbers.called_out.apply(callee.label))[:LONGEST_USER]
    target = f"sip:{user}@{trunk.domain or way.destination}" + ("" if transport == "udp" else f";transport={transport}")
    shown = line.policy.number(call.shown_number, call.record.row.tenant)
    private = call.private or shown == ANONYMOUS
    who = identity(line.policy, line.numbers.caller_out.apply(shown), call.shown_name, here, private=private)
    return Outgoing(
        target=target,
        listener=callee.listener,
        from_uri=who.from_,
        headers=(
            *who.headers,
            ("Max-Forwards", str(call.max_forwards)),
            *line.headers_out.passed_on(call.carried),
        ),
        profile=callee.profile,
        offer=callee.offer,
        trunk=way.trunk,
        destination=way.destination,
    )
