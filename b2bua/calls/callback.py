"""Called back instead of waiting: the caller has hung up, his place waits on; an agent takes it, then he is dialled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from b2bua.calls.callee import number_callee
from b2bua.calls.connect import served
from b2bua.calls.follow import follow, may_be_moved, move_on
from b2bua.calls.offer import ring
from b2bua.calls.outside import Dials
from b2bua.calls.parties import Role
from b2bua.calls.refusals import AgentGone
from b2bua.calls.session import Moved
from b2bua.calls.waiting import Stay
from routing.floor import Caller
from routing.refusals import Refused

if TYPE_CHECKING:
    from b2bua.calls.callee import Callee
    from b2bua.calls.session import Session
    from routing.queue import Queue


@dataclass(frozen=True, slots=True)
class CallBack:
    """Whom to call, and the place he keeps."""

    of: str
    "The call in which he asked for it."
    callee: Callee
    queue: Queue
    entered: float
    "Monotonic seconds his place counts from."


class KeptPlace(Stay):
    """A stay without a caller: the place of somebody who is dialled once an agent is there for him."""

    def __init__(self, call: Session, wish: CallBack) -> None:
        super().__init__(call, wish.queue)
        self.wish = wish

    def _caller(self) -> Caller:
        self.call.journey.entered = self.wish.entered
        return replace(super()._caller(), callback=True)

    async def _reach(self, leg: int, extension: str) -> None:
        """The agent hears the caller's phone ring.  Raises an AgentFailed where nobody takes the call there.

        Where the agent goes meanwhile, the place waits on; who is on the line already, and has lost his agent, is not
        dialled again.
        """
        call, row = self.call, self.call.record.row
        if call.caller is not None:
            await super()._reach(leg, extension)
            return
        self.tell("dialling", extension=extension)
        call.dials = Dials("callback", extension)
        call.show(row.called or row.billing_number or "", "")
        ringback = call.sounds[leg].play(call.exchange.ringback, loop=True)
        try:
            call.caller = await ring(call, self.wish.callee, Role.CALLER, beside=leg)
        except AgentGone:
            return
        finally:
            ringback.stop()
        self.tell("connected", extension=extension)
        may_be_moved(call)
        served(call, extension)

    def tell(self, state: str, **more: str) -> None:
        data = {"state": state, "of": self.wish.of, "queue": self.queue.id, "number": self.wish.callee.label}
        self.call.exchange.tell("call.callback", self.call, data | more)


def wish_of(call: Session, queue: Queue) -> CallBack | None:
    """None where the caller's number is not known, or his trunk takes no outbound calls."""
    row, place = call.record.row, call.exchange.floor.place(call.id)
    if not row.effective_caller or not row.trunk or place is None:
        return None
    callee = number_callee(row.effective_caller, row.trunk, call.exchange.settings)
    return None if callee is None or not callee.label else CallBack(call.id, callee, queue, place.entered)


async def call_back(call: Session, wish: CallBack) -> None:
    """From the moment he has hung up.  Raises a Refused where he cannot be reached when it is his turn."""
    exchange, row = call.exchange, call.record.row
    exchange.tell("call.received", call, {"calling": row.called, "called": wish.callee.label, "trunk": row.trunk})
    call.show(wish.callee.label, "")  # the agent's phone shows whom he is about to talk to
    place = KeptPlace(call, wish)
    place.tell("waiting")
    step = None
    try:
        goal = await place.run()
    except Moved as moved:
        move_on(call, moved)
        goal, step = moved.goal, moved.step
    except Refused as refusal:
        place.tell("failed", cause=refusal.cause)
        raise
    if goal is None:
        return
    if call.caller is None:  # the queue is gone, and nobody is there to be sent elsewhere
        place.tell("failed", cause="no-queue")
        call.record.end(call.clock(), "turned-away", 480, "tandem")
        return
    await follow(call, goal, step)
