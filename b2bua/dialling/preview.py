"""Preview: an agent sees the contact first.  Who picks his phone up, or says so, starts the call; who does not, skips.

The agent's leg is there before anybody is dialled, so such a call is never abandoned.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from b2bua.calls.connect import connected, let_go
from b2bua.calls.follow import follow
from b2bua.calls.session import Said
from b2bua.calls.talk import conclude, conversation
from b2bua.dialling.flight import Phase
from b2bua.dialling.flow import Course, prepare
from b2bua.dialling.handover import Handover
from b2bua.sip.signals import Closed
from b2bua.storage.errors import StorageUnavailable
from dialer.outcome import Outcome
from dialer.ports import Written
from routing.goal import Goal

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from b2bua.dialling.flight import Flight


@dataclass(frozen=True, slots=True)
class Choice:
    """What the agent says of a contact he looks at; delivered as what was `Said`."""

    dial: bool


async def previewed(call: Session, flight: Flight, write: Callable[[], Awaitable[Written]]) -> None:
    """Raises as every call does.  `write` puts the command on disk, after the agent has said yes."""
    attempt, exchange = flight.attempt, call.exchange
    queue = exchange.plan().queues.get(attempt.campaign.queue)
    prepare(call, attempt)
    row = call.record.row
    exchange.tell("call.received", call, {"calling": row.billing_number, "called": row.called, "trunk": row.trunk})
    leg, extension = 0, flight.kept
    skipped, course = "skipped", None
    try:
        flight.tell(call, "dial.preview", {"extension": extension, "fields": dict(attempt.contact.fields)})
        if queue is not None:
            handover = Handover(call, queue, skills=attempt.campaign.skills, agent=extension, kept=extension)
            flight.kept = ""
            found = await handover.find(call.clock() + attempt.campaign.preview_for)
            if found is not None:
                leg, extension = found
                call.talk_began = call.clock()
                if await _says_yes(call, extension, leg, attempt.campaign.preview_for):
                    written = await _written(write)
                    if written is Written.OK:
                        flight.enter(Phase.SETTING_UP)
                        course = _Preview(call, flight, leg, extension)
                        await course.run()
                        return
                    if written is None:
                        # nobody knows whether the command is on disk, so it gets its record; nothing was sent
                        attempt.decide(Outcome.TRUNK_FAULT, "not-sent")
                        flight.enter(Phase.SETTING_UP)
                        call.record.end(call.clock(), "no-storage", 480, "tandem")
                        return
                    skipped = str(written)
        call.record.end(call.clock(), skipped, 480, "agent")
    finally:
        if leg and not (course is not None and course.let_go):
            let_go(call, extension)
        if flight.phase is Phase.PREVIEW:
            flight.skipped(call, skipped)
        else:
            flight.over(call)


async def _written(write: Callable[[], Awaitable[Written]]) -> Written | None:
    """None where the database does not answer."""
    try:
        return await write()
    except StorageUnavailable:
        return None


async def _says_yes(call: Session, extension: str, leg: int, within: float) -> bool:
    """Who picks up a phone that rings has said yes; the others do by the API or their page."""
    profile = call.exchange.plan().agent_profiles.get(extension)
    if profile is None or profile.connection == "ring":
        return True
    until = call.clock() + within
    while True:
        match await call.next(until):
            case None:
                return False
            case Said(announcement=Choice(dial=dial)):
                return dial
            case Closed(leg=who) if who == leg:
                return False


class _Preview(Course):
    """The customer is rung while the agent listens to the ringing."""

    def __init__(self, call: Session, flight: Flight, leg: int, extension: str) -> None:
        super().__init__(call, flight)
        self.leg, self.extension, self.let_go = leg, extension, False
        self._ringback = call.sounds[leg].play(call.exchange.ringback, loop=True)

    def wanted(self) -> bool:
        """Whether the agent is still there."""
        return super().wanted() and self.call.parties.alive(self.leg)

    async def run(self) -> None:
        try:
            await super().run()
        finally:
            self._ringback.stop()

    async def _to_somebody(self) -> None:
        call = self.call
        self._ringback.stop()
        if not self.call.parties.alive(self.leg):
            await super()._to_somebody()  # somebody else's agent, or the message
            return
        self._through(self.extension)
        assert call.caller is not None
        call.record.row.extension = self.extension
        call.state = "talking"
        call.exchange.tell("call.answered", call, {"extension": self.extension, "queue": call.journey.queue or None})
        call.pair(call.caller, self.leg)
        connected(call, self.extension)
        await follow(call, Goal("agent", self.extension), self._talk)

    async def _talk(self, call: Session, goal: Goal) -> Goal | None:
        """The first step; where they send each other is what follows it."""
        self.let_go = True
        try:
            conclude(call, await conversation(call, self.leg))
        finally:
            let_go(call, self.extension)
        return None
