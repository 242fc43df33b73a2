"""An answered call gets its agent at once: he who is kept for it, else the first free one of the campaign's queue.

The called waits at the head of the queue, for no longer than the law allows; no rule of the queue moves him.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from b2bua.calls.connect import connected, let_go, served
from b2bua.calls.offer import CANCELLED
from b2bua.calls.ring_many import Round
from b2bua.calls.talk import DEAD, conclude, conversation
from routing.floor import Caller, Leave, Offer, Withdraw
from routing.goal import Goal

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from routing.queue import Queue

HEAD = 1e6
"Seconds of head start: before everybody who calls in."


class Handover:
    """The search for one agent."""

    def __init__(
        self, call: Session, queue: Queue, *, skills: Mapping[str, int], agent: str = "", kept: str = ""
    ) -> None:
        """`agent`: only he will do; `kept`: who is reserved for this call already."""
        self.call, self.queue = call, queue
        self.floor = call.exchange.floor
        self.skills, self.agent, self.kept = skills, agent, kept
        self.round: Round | None = None
        "The phones that ring for him."

    async def find(self, until: float) -> tuple[int, str] | None:
        """The agent's leg, which is up, and his extension; None where nobody has answered by then (call's clock).

        Raises CallerLeft, Ordered or Moved as `Session.next` does; then nobody rings any more.
        """
        found = None
        self.call.journey.queue = self.queue.id
        try:
            if self.kept:
                found = await self._wait(until) if await self._ring_kept() else None
                self.kept = ""  # his reservation has become his call, or is over
            if found is None and not self.agent and self.call.clock() < until and self._enter():
                found = await self._wait(until)
            return found
        finally:
            if found is None:
                self._quiet()
                self.floor.leave(self.call.id, "no-agent")

    async def _ring_kept(self) -> bool:
        """The phone of the agent who is reserved."""
        offer = Offer(self.call.id, self.call.id, self.queue.id, (self.kept,), self.queue.ring_timeout)
        self.round = Round(self.call, offer)
        await self.round.begin()
        return bool(self.round.legs)

    def _enter(self) -> bool:
        """To the head of the queue; False where there is none any more."""
        call, row = self.call, self.call.record.row
        who = Caller(
            call.id, self.queue.id, area=call.journey.area, number=row.effective_caller, tenant=row.tenant,
            skills=self.skills, callback=True, ahead=HEAD,
        )  # fmt: skip
        return self.floor.enter(who) is None

    async def _wait(self, until: float) -> tuple[int, str] | None:
        call = self.call
        while True:
            rings = self.round is not None and bool(self.round.legs)
            if self.kept and not rings:
                return None  # the one who was kept does not take it
            match await call.next(min(until, self.round.until) if self.round is not None and rings else until):
                case None if call.clock() >= until:
                    return None
                case None if self.round is not None:
                    self.round.time_up()
                case Offer() as offer:
                    self.round = Round(call, offer)
                    await self.round.begin()
                case Withdraw(offer=offer_id, extensions=extensions, why=why):
                    if self.round is not None and self.round.offer.offer == offer_id:
                        self.round.withdraw(extensions, why)
                case Leave(queue=name) if name == self.queue.id and not self.floor.waits(call.id):
                    return None
                case news if news is not None:
                    winner = self.round.on(news) if self.round is not None else None
                    if winner is not None:
                        return winner, call.agents[winner]

    def _quiet(self) -> None:
        """Nobody rings for this call any longer."""
        if self.round is not None:
            for leg in list(self.round.legs):
                self.call.hang_up(leg, 487, CANCELLED)
            self.round.legs.clear()
        if self.kept:
            self.floor.unreserve(self.kept, self.call.id)


async def serve(call: Session, queue: Queue, leg: int, extension: str) -> Goal | None:
    """The called and the agent talk; where he goes from there, None where the call ends with it."""
    call.record.row.extension = extension
    served(call, extension)
    try:
        if not call.parties.alive(leg):
            return Goal("queue", queue.id)
        assert call.caller is not None
        call.pair(call.caller, leg)
        connected(call, extension)
        ended = await conversation(call, leg)
    finally:
        let_go(call, extension)
    if ended.agent_lost:
        call.hang_up(leg, 0, DEAD)
        return Goal("queue", queue.id)
    if ended.agent_is_done and queue.survey:
        return Goal("menu", queue.survey)
    conclude(call, ended)
    return None
