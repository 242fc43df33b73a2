"""Ring the number of a command: over the campaign's trunks, one after the other where one has a fault.

The ring time counts from the first 18x, and nobody who rings is given up before the least that the law asks for.
Whatever a trunk still says after it was given up (a late 18x, a 200 that crossed our CANCEL) is ended by the stack and
counted by the gate; the attempt is one all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from b2bua.calls.callee import number_callee
from b2bua.calls.offer import CANCELLED, RUNG_OUT
from b2bua.calls.outside import Dials
from b2bua.calls.parties import Role
from b2bua.calls.screening import Barred
from b2bua.calls.session import Said
from b2bua.calls.trunk_leg import TrunkLeg
from b2bua.dialling.sip_outcome import outcome_of
from b2bua.log import logger
from b2bua.sip.engine import CannotCall, Headers
from b2bua.sip.signals import Answered, Closed, Progress
from dialer.outcome import Outcome

if TYPE_CHECKING:
    from b2bua.calls.session import Session

log = logger("dialler")

COMMAND_HEADER = "X-Tandem-Command-ID"
MUTE: Headers = (("Reason", 'SIP;cause=488;text="No answer to our offer"'),)
NOT_A_PHONE: Headers = (("Reason", 'SIP;cause=487;text="The network said no in its sound"'),)


@dataclass(frozen=True, slots=True)
class Ringing:
    """How long to ring.  Seconds."""

    ring_for: float
    "From the first 18x."
    least: float
    "The same, before which nobody is given up (47 CFR 64.1200(a)(6): 15)."


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
        call = self.call
        missed = Missed(Outcome.TRUNK_FAULT, "", None, "no-trunk")
        for way in call.exchange.trunks.ways(trunks):
            if not wanted():
                return Missed(Outcome.CANCELLED, "", 487, "not-wanted")
            callee = number_callee(number, way.trunk, call.exchange.settings)
            assert callee is not None  # a way leads somewhere
            trying = TrunkLeg(call, callee, way)
            came, again = await self._over(trying, ringing, wanted)
            if isinstance(came, Reached) or not again:
                return came
            missed = came
            log.info("a trunk did not take a call", call=call.id, trunk=way.trunk, cause=came.cause, status=came.code)
        return missed

    async def _over(
        self, trying: TrunkLeg, ringing: Ringing, wanted: Callable[[], bool]
    ) -> tuple[Reached | Missed, bool]:
        """What came of one try, and whether the next way is to be tried."""
        call, trunk = self.call, trying.way.trunk
        call.catch_up()  # who was told to stop meanwhile rings no phone
        call.dials = Dials("campaign")
        try:
            marked = trying.line.settings.command_header
            leg = trying.send(Role.CALLER, ((COMMAND_HEADER, self.command),) if marked else ())
        except Barred:
            return Missed(Outcome.WITHHELD, trunk, None, "barred"), True  # another may have a policy of its own
        except CannotCall as error:
            trying.not_sent(error)
            return Missed(Outcome.TRUNK_FAULT, trunk, None, "no-resources" if error.ours else "no-invite"), True
        while True:
            match await call.next(_until(trying, ringing, wanted())):
                case None if not wanted():
                    call.hang_up(leg.id, 487, CANCELLED)
                    return Missed(Outcome.CANCELLED, trunk, 487, "not-wanted"), False
                case None if trying.rang is None and trying.still_tries():
                    continue
                case None if trying.rang is None:
                    again = trying.goes_on(trying.give_up())
                    return Missed(Outcome.TRUNK_FAULT, trunk, None, "no-progress"), again
                case None:
                    call.hang_up(leg.id, 487, RUNG_OUT)
                    return Missed(Outcome.NO_ANSWER, trunk, 487, "no-answer"), False
                case Progress(leg=who, early_media=early) if who == leg.id:
                    if trying.rang is None:
                        trying.progress()
                        self._rings(trunk)
                    if early and self._listen is not None:
                        self._listen(leg.id)
                case Said(announcement=Heard(leg=who, outcome=outcome, cause=cause)) if who == leg.id:
                    call.hang_up(leg.id, 487, NOT_A_PHONE)
                    return Missed(outcome, trunk, None, cause), False
                case Answered(leg=who) if who == leg.id:
                    trying.heard()
                    if call.parties.by_leg[who].described:
                        return Reached(who, trunk, call.clock()), False
                    call.hang_up(who, 0, MUTE)
                    return Missed(Outcome.TRUNK_FAULT, trunk, 488, "no-media"), False
                case Closed(leg=who, code=code, reason=reason, local=local) as closed if who == leg.id:
                    again = trying.goes_on(trying.ended(closed))
                    outcome = outcome_of(code, reason, local=local)
                    if outcome is Outcome.TRUNK_FAULT and trying.rang is not None:
                        outcome = Outcome.NO_ANSWER  # a phone has rung: over another trunk it would ring once more
                    return Missed(outcome, trunk, code, "no-response" if local else str(outcome)), again

    def _rings(self, trunk: str) -> None:
        call = self.call
        if self.rang_at is None:
            self.rang_at = call.clock()
            call.record.rang(call.clock())
            call.exchange.metrics.setup.observe(call.record.since_start(call.clock()), "ringing")
        call.state = "ringing"
        call.exchange.tell("call.ringing", call, {"extension": None, "trunk": trunk})


def _until(trying: TrunkLeg, ringing: Ringing, wanted: bool) -> float:
    """When a leg is given up that says nothing more, by the call's clock."""
    if trying.rang is None:
        return trying.due if wanted else 0.0
    return trying.rang + (max(ringing.ring_for, ringing.least) if wanted else ringing.least)
