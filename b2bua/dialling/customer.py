"""Ring the number of a command: over the campaign's trunks, one after the other where one has a fault.

The ring time counts from the first 18x, and nobody who rings is given up before the least that the law asks for.
Whatever a trunk still says after it was given up (a late 18x, a 200 that crossed our CANCEL) is ended by the stack and
counted by the gate; the attempt is one all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from b2bua.calls.callee import Callee, invitation, number_callee
from b2bua.calls.offer import CANCELLED, RUNG_OUT
from b2bua.calls.outside import Dials, leave
from b2bua.calls.parties import Role
from b2bua.calls.screening import Barred
from b2bua.calls.session import Said
from b2bua.dialling.sip_outcome import outcome_of
from b2bua.log import logger
from b2bua.sip.engine import CannotCall, Headers
from b2bua.sip.resolver import NoAddress
from b2bua.sip.signals import Answered, Closed, Progress
from dialer.outcome import Outcome

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from b2bua.sip.engine import SipLeg

log = logger("dialler")

SETUP = 15.0
"Seconds a trunk has for its first 18x; then it has a fault."
COMMAND_HEADER = "X-Tandem-Command-ID"
SWITCHED: Headers = (("Reason", 'SIP;cause=487;text="Another trunk is tried"'),)
MUTE: Headers = (("Reason", 'SIP;cause=488;text="No answer to our offer"'),)
NOT_A_PHONE: Headers = (("Reason", 'SIP;cause=487;text="The network said no in its sound"'),)


@dataclass(frozen=True, slots=True)
class Ringing:
    """How long to ring.  Seconds."""

    ring_for: float
    "From the first 18x."
    least: float
    "The same, before which nobody is given up (47 CFR 64.1200(a)(6): 15)."
    setup: float = SETUP


@dataclass(frozen=True, slots=True)
class Missed:
    """Nobody has answered."""

    outcome: Outcome
    trunk: str
    code: int | None
    "The final status; None where there was none."
    cause: str
    "One word, for the record."


@dataclass(frozen=True, slots=True)
class Reached:
    """Somebody, or something, has answered."""

    leg: int
    trunk: str
    at: float
    "By the call's clock."


@dataclass(frozen=True, slots=True)
class Heard:
    """What the network said in its sound before any answer; delivered to the call's inbox as what was `Said`."""

    leg: int
    outcome: Outcome
    cause: str


class Customer:
    """The far end of one command while nobody has answered."""

    def __init__(
        self,
        call: Session,
        command: str,
        listen: Callable[[int], None] | None = None,
    ) -> None:
        """`listen`: called with a leg that has early media, delivers `Heard` where it hears something."""
        self.call, self.command = call, command
        self._listen = listen
        self.rang_at: float | None = None
        "When the first 18x came over any trunk, by the call's clock."

    async def ring(
        self, number: str, trunks: Sequence[str], ringing: Ringing, wanted: Callable[[], bool] = lambda: True
    ) -> Reached | Missed:
        """Until somebody answers, or nobody does.  `wanted`: whether there is still anybody to talk to him.

        Raises Ordered where the call is ended from outside.
        """
        missed = Missed(Outcome.TRUNK_FAULT, "", None, "no-trunk")
        for trunk in trunks:
            if not wanted():
                return Missed(Outcome.CANCELLED, "", 487, "not-wanted")
            if trunk not in self.call.exchange.settings.trunks:
                continue
            came = await self._over(trunk, number, ringing, wanted)
            if isinstance(came, Reached) or came.outcome is not Outcome.TRUNK_FAULT:
                return came
            missed = came
            log.info("a trunk did not take a call", call=self.call.id, trunk=trunk, cause=came.cause, status=came.code)
        return missed

    async def _over(self, trunk: str, number: str, ringing: Ringing, wanted: Callable[[], bool]) -> Reached | Missed:
        call = self.call
        callee = number_callee(number, trunk, call.exchange.settings)
        if callee is None:
            return Missed(Outcome.TRUNK_FAULT, trunk, None, "trunk-has-no-target")
        try:
            leg = await self._invite(callee, trunk)
        except NoAddress:
            return Missed(Outcome.TRUNK_FAULT, trunk, None, "no-address")
        except Barred:
            return Missed(Outcome.TRUNK_FAULT, trunk, None, "barred")  # another trunk may have a policy of its own
        except CannotCall as error:
            return Missed(Outcome.TRUNK_FAULT, trunk, None, "no-resources" if error.ours else "no-invite")
        rang: float | None = None
        began = call.clock()
        while True:
            match await call.next(_until(began, rang, ringing, wanted())):
                case None if not wanted():
                    self._give_up(leg, CANCELLED)
                    return Missed(Outcome.CANCELLED, trunk, 487, "not-wanted")
                case None if rang is None:
                    self._give_up(leg, SWITCHED)
                    return Missed(Outcome.TRUNK_FAULT, trunk, None, "no-progress")
                case None:
                    self._give_up(leg, RUNG_OUT)
                    return Missed(Outcome.NO_ANSWER, trunk, 487, "no-answer")
                case Progress(leg=who, early_media=early) if who == leg.id:
                    if rang is None:
                        rang = call.clock()
                        self._rings(trunk)
                    if early and self._listen is not None:
                        self._listen(leg.id)
                case Said(announcement=Heard(leg=who, outcome=outcome, cause=cause)) if who == leg.id:
                    self._give_up(leg, NOT_A_PHONE)
                    return Missed(outcome, trunk, None, cause)
                case Answered(leg=who) if who == leg.id:
                    if call.parties.by_leg[who].described:
                        return Reached(who, trunk, call.clock())
                    call.hang_up(who, 0, MUTE)
                    return Missed(Outcome.TRUNK_FAULT, trunk, 488, "no-media")
                case Closed(leg=who, code=code, reason=reason, local=local) if who == leg.id:
                    outcome = outcome_of(code, reason, local=local)
                    if outcome is Outcome.TRUNK_FAULT and rang is not None:
                        outcome = Outcome.NO_ANSWER  # a phone has rung: over another trunk it would ring once more
                    return Missed(outcome, trunk, code, "no-response" if local else str(outcome))

    async def _invite(self, callee: Callee, trunk: str) -> SipLeg:
        """Raises NoAddress, CannotCall, or Barred where a policy forbids the number on this trunk."""
        call = self.call
        target = await call.exchange.resolver.uri(callee.target)
        call.catch_up()  # who was told to stop while a host name was looked up rings no phone
        out = invitation(call, callee, target)
        if call.exchange.settings.trunks[trunk].command_header:
            out = replace(out, headers=(*out.headers, (COMMAND_HEADER, self.command)))
        call.dials = Dials("campaign")
        leg = leave(call, callee, lambda: call.exchange.engine.open(out, call.deliver))
        call.record.row.trunk = trunk
        call.add(leg, Role.CALLER, callee.label)
        return leg

    def _rings(self, trunk: str) -> None:
        call = self.call
        if self.rang_at is None:
            self.rang_at = call.clock()
            call.record.rang(call.clock())
            call.exchange.metrics.setup.observe(call.record.since_start(call.clock()), "ringing")
        call.state = "ringing"
        call.exchange.tell("call.ringing", call, {"extension": None, "trunk": trunk})

    def _give_up(self, leg: SipLeg, headers: Headers) -> None:
        """CANCEL.  A 200 that crosses it is answered with ACK and BYE by the stack."""
        self.call.hang_up(leg.id, 487, headers)


def _until(began: float, rang: float | None, ringing: Ringing, wanted: bool) -> float:
    """When a leg is given up that says nothing more."""
    if rang is None:
        return began + (ringing.setup if wanted else 0.0)
    return rang + (max(ringing.ring_for, ringing.least) if wanted else ringing.least)
