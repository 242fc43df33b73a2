"""One offer of a queue: ring its agents' phones, one or all at once; the first who answers has the caller.

The caller hears none of them: he goes on hearing his music until the agent is his.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from b2bua.calls.offer import CANCELLED, RUNG_OUT
from b2bua.calls.parties import Role
from b2bua.calls.reach import reach
from b2bua.calls.screen import pop_screen
from b2bua.log import logger
from b2bua.sip.engine import CannotCall, Headers
from b2bua.sip.resolver import NoAddress
from b2bua.sip.signals import Answered, Closed, Progress

if TYPE_CHECKING:
    from b2bua.calls.session import Delivery, Session
    from routing.floor import Offer, Refusal

log = logger("calls")

ELSEWHERE: Headers = (("Reason", 'SIP;cause=200;text="Call completed elsewhere"'),)
MUTE: Headers = (("Reason", 'SIP;cause=488;text="No answer to our offer"'),)

BUSY = frozenset({486, 600})
NOT_THERE = frozenset({404, 408, 410})


def refusal_of(code: int, local: bool) -> Refusal:
    """What a phone's final status says of its agent; `local`: our own stack gave up."""
    if code in BUSY:
        return "busy"
    if local or code in NOT_THERE or 500 <= code < 600:
        return "unreachable"
    return "reject"


class Round:
    """The phones of one offer, from their INVITEs to the last one's end."""

    def __init__(self, call: Session, offer: Offer) -> None:
        self.call, self.offer = call, offer
        self.until = call.clock() + offer.ring_for
        self.legs: dict[int, str] = {}
        "Those still in the running, with their agents."
        self.rang: set[int] = set()

    def __repr__(self) -> str:
        return f"<round {self.offer.offer}: {', '.join(self.legs.values()) or 'nobody'} rings>"

    async def begin(self) -> None:
        """Send the INVITEs.  Raises CallerLeft and the like where a name's look-up took its time."""
        exchange, call = self.call.exchange, self.call
        directory = exchange.directory()
        for extension in self.offer.extensions:
            agent = directory.agent(extension)
            if agent is None:
                self._refused(extension, "unreachable")
                continue
            callee = exchange.callee(agent)
            try:
                target = await exchange.resolver.uri(callee.target)
                call.check()  # who left while a host name was looked up shall not ring a phone
                if not exchange.floor.offered(self.offer.offer, extension):
                    continue
                pop_screen(call, extension)
                leg = reach(call, callee, target)
            except (NoAddress, CannotCall) as error:
                log.warning("an agent cannot be rung", call=call.id, extension=extension, error=str(error))
                # where we are short of ports or call slots, the agent's phone is not to blame
                ours = isinstance(error, CannotCall) and error.ours
                self._refused(extension, "busy" if ours else "unreachable")
                continue
            call.add(leg, Role.AGENT, extension)
            self.legs[leg.id] = extension
            self._tell("call.offered", extension)

    def on(self, delivery: Delivery) -> int | None:
        """Take in what a leg told; the leg that has won, once one has."""
        if isinstance(delivery, (Progress, Answered, Closed)) and delivery.leg in self.legs:
            match delivery:
                case Progress(leg=leg):
                    self._rings(leg)
                case Answered(leg=leg):
                    return self._answers(leg)
                case Closed(leg=leg, code=code, local=local):
                    self._refused(self.legs.pop(leg), refusal_of(code, local))
        return None

    def time_up(self) -> None:
        """They have rung long enough."""
        for leg, extension in self._taken(tuple(self.legs.values())):
            self.call.hang_up(leg, 487, RUNG_OUT)
            self._refused(extension, "no-answer" if leg in self.rang else "unreachable")

    def withdraw(self, extensions: tuple[str, ...], why: str) -> None:
        """The floor has taken these agents back."""
        for leg, _ in self._taken(extensions):
            self.call.hang_up(leg, 487, ELSEWHERE if why == "answered-elsewhere" else CANCELLED)

    def _rings(self, leg: int) -> None:
        if leg in self.rang:
            return
        self.rang.add(leg)
        call, extension = self.call, self.legs[leg]
        if call.record.rang(call.clock()):
            call.exchange.metrics.setup.observe(call.record.since_start(call.clock()), "ringing")
        call.exchange.floor.ringing(self.offer.offer, extension)
        self._tell("call.ringing", extension)

    def _answers(self, leg: int) -> int | None:
        call, extension = self.call, self.legs.pop(leg)
        if not call.parties.by_leg[leg].described:
            call.hang_up(leg, 0, MUTE)  # the caller is not given to silence
            self._refused(extension, "unreachable")
            return None
        if not call.exchange.floor.answered(self.offer.offer, extension):
            call.hang_up(leg, 0, CANCELLED)
            return None
        for loser, _ in self._taken(tuple(self.legs.values())):
            call.hang_up(loser, 487, ELSEWHERE)
        call.agents[leg] = extension
        return leg

    def _taken(self, extensions: tuple[str, ...]) -> list[tuple[int, str]]:
        """Legs of these agents, which are in the running no longer."""
        found = [(leg, extension) for leg, extension in self.legs.items() if extension in extensions]
        for leg, _ in found:
            del self.legs[leg]
        return found

    def _refused(self, extension: str, why: Refusal) -> None:
        self._tell("call.refused", extension, why=why)
        self.call.exchange.floor.refused(self.offer.offer, extension, why)

    def _tell(self, type_: str, extension: str, **more: Any) -> None:
        self.call.exchange.tell(type_, self.call, {"extension": extension, "queue": self.offer.queue, **more})
