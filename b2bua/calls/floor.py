"""The floor as the calls use it: gives each effect to the call it concerns, tells the listeners, and keeps time.

Every method is one step on the loop; nothing here waits.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from b2bua.calls.floor_events import told
from b2bua.log import logger
from b2bua.sip.leg import Leg
from routing.floor import (
    AgentChanged,
    AgentState,
    Announce,
    Board,
    Caller,
    Dequeued,
    Effect,
    Explanation,
    Floor,
    Leave,
    Offer,
    Refusal,
    Repaired,
    Withdraw,
)
from routing.plan import Plan

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from b2bua.events import EventLog
    from b2bua.metrics import Metrics
    from routing.ranking import Place
    from routing.seat import Seat

log = logger("floor")

RECONCILE = 1.0
"Seconds between two comparisons with the live calls."


class FloorService:
    """Owner of the node's `Floor`."""

    name = "floor"
    stop_within = 5.0

    def __init__(
        self,
        plan: Callable[[], Plan],
        sessions: Callable[[], Iterable[Session]],
        session: Callable[[str], Session | None],
        events: EventLog,
        metrics: Metrics,
        clock: Callable[[], float] | None = None,
        known: Callable[[str], bool] = lambda extension: True,
    ) -> None:
        """`session`: a live call by its id; `known`: whether an extension is an agent's who can be called."""
        self._plan, self._sessions, self._session, self._known = plan, sessions, session, known
        self._events, self._metrics = events, metrics
        self._loop = asyncio.get_running_loop()
        self.clock = clock or self._loop.time
        self.floor = Floor(plan())
        self._planned = self.floor.plan
        self._timer: asyncio.TimerHandle | None = None
        self._at_work: set[str] = set()
        "Agents who are logged in."
        self.followers: list[Callable[[Effect], None]] = []
        "Called with every effect once it is carried out; must not fail and not wait."
        self._follow(metrics)

    def __repr__(self) -> str:
        return f"<floor service of {self.floor!r}>"

    async def run(self, ready: Callable[[], None]) -> None:
        """Until cancelled: compare with the live calls each second."""
        ready()
        try:
            while True:
                await asyncio.sleep(RECONCILE)
                self.reconcile()
        finally:
            if self._timer is not None:
                self._timer.cancel()

    # -- agents: what they, or others for them, do

    def log_in(
        self, extension: str, *, pause: str | None = None, reachable: bool = True, reason: str = "log-in"
    ) -> None:
        """`reachable`: False where his line is to be called first.  A call that his phone is in is his from now on."""
        floor, call = self._now, self._live().get(extension)
        self._do(floor.log_in(extension, self.clock(), pause=pause, reachable=reachable, reason=reason, call=call))

    def log_out(self, extension: str) -> None:
        """At once, or after the offer or call he is busy with."""
        self._do(self._now.log_out(extension, self.clock()))

    def gone(self, extension: str) -> None:
        """He was at work before a restart, and is no agent any more: listeners hear that he is logged out."""
        out = AgentState.LOGGED_OUT
        self._do([AgentChanged(extension, out, out, "removed", logged_in=False)])

    def pause(self, extension: str, reason: str) -> None:
        """At once, or after the offer or call he is busy with."""
        self._do(self._now.pause(extension, reason, self.clock()))

    def resume(self, extension: str) -> None:
        self._do(self._now.resume(extension, self.clock()))

    def reachable(self, extension: str, on: bool) -> None:
        """His phone came or went."""
        self._do(self._now.reachable(extension, on, self.clock()))

    def wrap_up_over(self, extension: str) -> None:
        self._do(self._now.wrap_up_over(extension, self.clock()))

    def extend_wrap_up(self, extension: str, seconds: float) -> None:
        self._do(self._now.extend_wrap_up(extension, seconds, self.clock()))

    # -- calls

    def reserve(self, extension: str, call: str, queue: str | None = None, *, past_wrap_up: bool = False) -> bool:
        """A direct call takes an agent; False when he is not free.  One who is not logged in is nobody's: True.

        `queue`: whose call it counts as.  `past_wrap_up`: it ends his wrap-up, where he is in one.
        """
        effects = self._now.reserve(extension, call, self.clock(), queue, past_wrap_up=past_wrap_up)
        if effects is None:
            return False
        self._do(effects)
        return True

    def unreserve(self, extension: str, call: str) -> None:
        """The call does not need him after all; harmless when it has not reserved him."""
        self._do(self._now.unreserve(extension, call, self.clock()))

    def enter(self, caller: Caller) -> Leave | None:
        """He comes to a queue; where he goes instead when he may not wait there, else None."""
        effects = self._now.enter(caller, self.clock())
        sent = next((one for one in effects if isinstance(one, Leave) and one.call == caller.call), None)
        self._do([one for one in effects if one is not sent])
        return sent

    def leave(self, call: str, why: str) -> None:
        """He waits no more; harmless when he does not."""
        self._do(self._now.leave(call, why, self.clock()))

    def reprioritise(self, call: str, priority: str | None) -> bool:
        """Another class for somebody who waits; False when he does not."""
        if self.floor.place(call) is None:
            return False
        self._do(self._now.reprioritise(call, priority, self.clock()))
        return True

    def offered(self, offer: str, extension: str) -> bool:
        """Whether this offer still has this agent."""
        seat = self.floor.agent(extension)
        if seat is None:
            return False
        return seat.offer == offer or (seat.offer is None and seat.call == offer)  # a call that has reserved him

    def ringing(self, offer: str, extension: str) -> None:
        self._do(self._now.ringing(offer, extension, self.clock()))

    def answered(self, offer: str, extension: str) -> bool:
        """He has taken the call; False when the offer was over by then: hang him up."""
        seat = self.floor.agent(extension)
        if seat is None or seat.state is AgentState.LOGGED_OUT:
            return True
        effects = self._now.answered(offer, extension, self.clock())
        late = [one for one in effects if isinstance(one, Withdraw) and extension in one.extensions]
        self._do([one for one in effects if one not in late])
        return not late

    def refused(self, offer: str, extension: str, why: Refusal) -> None:
        """He has not taken it."""
        self._metrics.refused_offers.inc(why)
        self._do(self._now.refused(offer, extension, why, self.clock()))

    def released(self, extension: str, call: str) -> None:
        """The call has let him go; harmless when it has not got him."""
        self._do(self._now.released(extension, call, self.clock()))

    def has(self, extension: str, call: str) -> bool:
        """Whether the agent talks in this call."""
        seat = self._now.agent(extension)
        return seat is not None and seat.state is AgentState.TALKING and seat.call == call

    def moved(self, extension: str, before: str, after: str) -> None:
        """The call he is in goes on as another one."""
        seat = self._now.agent(extension)
        if seat is not None and seat.call == before:
            seat.call = after

    def back(self, call: str) -> bool:
        """The caller's agent is lost; whether the caller waits again, at the head."""
        self._do(self._now.back(call, self.clock()))
        return self.floor.place(call) is not None

    # -- questions

    def agent(self, extension: str) -> Seat | None:
        """To be read only; None: nobody knows him."""
        return self._now.agent(extension)

    def waits(self, call: str) -> bool:
        return self.floor.place(call) is not None

    def place(self, call: str) -> Place | None:
        """Where he waits, to be read only; None: he does not."""
        return self.floor.place(call)

    def waiting_in(self, queue: str) -> list[Place]:
        """In their order."""
        return self._now.waiting_in(queue)

    def position(self, call: str) -> int | None:
        return self.floor.position(call)

    def estimate(self, call: str) -> float | None:
        return self.floor.estimate(call, self.clock())

    def explain(self, call: str) -> Explanation | None:
        """Why he is where he is; None when he does not wait."""
        return self.floor.explain(call, self.clock()) if self.waits(call) else None

    def board(self) -> Board:
        """The wallboard as it is now."""
        return self._now.board(self.clock())

    # -- time

    def reconcile(self) -> None:
        """Compare with the legs and calls that really live; what differs is repaired."""
        try:
            ids = {session.id for session in self._sessions()}
            self._do(self._now.reconcile(self._live(), self.clock(), ids))
            for extension in [one for one in self._at_work if not self._known(one)]:
                self._do(self.floor.log_out(extension, self.clock()))
        except Exception as error:
            self._fault(error)

    def _live(self) -> dict[str, str | None]:
        """Extensions whose phones are in a call, and in which; a supervisor who was kept for it listens to one."""
        live: dict[str, str | None] = {}
        for session in self._sessions():
            if session.monitoring is not None:
                live |= session.monitoring.booked(session)
            for leg, extension in session.agents.items():
                if session.parties.state(leg) is Leg.UP:
                    live[extension] = session.id
        return live

    def _tick(self) -> None:
        self._timer = None
        try:
            self._do(self._now.tick(self.clock()))
        except Exception as error:
            self._fault(error)

    def _fault(self, error: Exception) -> None:
        self._metrics.faults.inc("floor")
        log.error("the floor failed by our own fault; it goes on", exc_info=error)

    def _arm(self) -> None:
        due = self.floor.due()
        if self._timer is not None:
            if self._timer.when() == due:
                return
            self._timer.cancel()
        self._timer = None if due is None else self._loop.call_at(due, self._tick)

    # -- effects

    @property
    def _now(self) -> Floor:
        """The floor with the plan that is in force."""
        plan = self._plan()
        if plan is not self._planned:
            self._planned = plan
            self._do(self.floor.replan(plan, self.clock()))
        return self.floor

    def _do(self, effects: list[Effect]) -> None:
        """Carry out, in order.  An offer for a call that is gone ends its wait."""
        waiting = deque(effects)
        while waiting:
            effect = waiting.popleft()
            if isinstance(effect, (Offer, Withdraw, Leave, Announce)):
                session = self._session(effect.call)
                if session is not None:
                    session.deliver(effect)
                elif isinstance(effect, Offer):
                    waiting.extend(self.floor.leave(effect.call, "abandoned", self.clock()))
            self._count(effect)
            self._tell(effect)
            for follower in self.followers:
                follower(effect)
        self._arm()

    def _tell(self, effect: Effect) -> None:
        event = told(effect, time.time())
        if event is None:
            return
        type_, call, data = event
        session = self._session(call) if call is not None else None
        if session is not None:
            session.exchange.tell(type_, session, data)
        else:
            self._events.append(type_, call, data)
            self._metrics.events.inc(type_)

    def _count(self, effect: Effect) -> None:
        """What is kept of an effect here."""
        metrics = self._metrics
        match effect:
            case Offer(queue=queue, extensions=extensions):
                metrics.offers.inc(queue, by=len(extensions))
            case AgentChanged(extension=extension, after=after):
                change = self._at_work.discard if after is AgentState.LOGGED_OUT else self._at_work.add
                change(extension)
            case Repaired(extension=extension, what=what):
                metrics.repaired.inc(what)
                log.warning("the floor was repaired", extension=extension or None, what=what)
            case Dequeued(queue=queue, result=result, wait=wait, estimate=estimate):
                metrics.dequeued.inc(queue, result)
                metrics.queue_wait.observe(wait, result)
                if result == "answered" and estimate is not None:
                    metrics.estimate_error.observe(abs(wait - estimate))
            case _:
                pass

    def _follow(self, metrics: Metrics) -> None:
        follow = metrics.follow
        follow("gauge", "queue_waiting", "Callers who wait, by queue.", self._waiting, "queue")
        follow("gauge", "queue_oldest_wait_seconds", "Longest wait of those who wait, by queue.", self._oldest, "queue")
        follow("gauge", "agents", "Agents by state.", self._states, "state")

    def _waiting(self) -> dict[str, float]:
        return {name: float(len(state.line)) for name, state in self.floor.queues.items()}

    def _oldest(self) -> dict[str, float]:
        now = self.clock()
        return {
            name: max((now - place.joined for place in state.line), default=0.0)
            for name, state in self.floor.queues.items()
        }

    def _states(self) -> dict[str, float]:
        return {str(state): float(count) for state, count in self.board().states.items()}
