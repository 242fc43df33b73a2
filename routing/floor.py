"""The floor: all queues, agents and waiting callers of a node, and who is offered to whom.  No I/O, no clock.

Time comes in as `now` (monotonic seconds, never going back); every method returns the effects to carry out, in order.
A caller and an agent are taken in one step: when a method returns, no free agent stands beside a caller whom he could
take.  Whoever carries the effects out tells `ringing`, `answered` or `refused` of each offer, `released` when a call
has ended, and calls `tick` when `due` says so.

An agent who is not logged in is nobody's: a direct call may ring his phone, and the floor keeps no state of it.
"""

from collections import Counter
from collections.abc import Collection, Mapping

from routing.agent_state import OFFERED, AgentState, Seen
from routing.board import Board
from routing.crowd import Crowd, area_of
from routing.effects import (
    AgentChanged,
    Announce,
    Caller,
    Dequeued,
    Effect,
    Leave,
    Offer,
    Queued,
    Refusal,
    Repaired,
    Requeued,
    Withdraw,
)
from routing.explanation import Explanation, explain
from routing.matching import Matching
from routing.plan import Plan
from routing.queue import AgentProfile
from routing.queue_state import QueueState
from routing.ranking import Place
from routing.reconciling import agents_as_they_are, callers_as_they_are
from routing.seat import Seat
from routing.staff import Staff
from routing.timers import Timers

__all__ = [
    "AgentChanged",
    "AgentState",
    "Announce",
    "Board",
    "Caller",
    "Dequeued",
    "Effect",
    "Explanation",
    "Floor",
    "Leave",
    "Offer",
    "Queued",
    "Refusal",
    "Repaired",
    "Requeued",
    "Withdraw",
]

DIRECT_LEASE = 190.0
"Seconds a direct call may hold an agent without an answer: longer than any phone rings (`calls.ring_timeout`)."


class Floor:
    """Everything of one node.  Only one task may use it."""

    def __init__(self, plan: Plan) -> None:
        self.plan = Plan()
        self.queues: dict[str, QueueState] = {}
        self._timers = Timers()
        self._staff = Staff(self.queues, self._timers)
        self._crowd = Crowd(self.queues, self._timers)
        self._matching = Matching(self.queues, self._staff, self._crowd, self._timers)
        self._talking: dict[str, Place] = {}
        "The places of callers an agent has, by call: `back` gives them back."
        self.replan(plan, 0.0)

    def __repr__(self) -> str:
        return (
            f"<Floor {len(self.queues)} queues, {len(self._staff.seats)} agents, {self.waiting} waiting, "
            f"{len(self._matching.offers)} offers>"
        )

    def replan(self, plan: Plan, now: float) -> list[Effect]:
        """Other business data.  Callers of a queue that is gone leave it; the others keep their place."""
        before, self.plan = self.plan, plan
        if (before.queues, before.agent_profiles, before.priority_classes) == (
            plan.queues,
            plan.agent_profiles,
            plan.priority_classes,
        ):
            return []
        effects: list[Effect] = []
        self._crowd.classes = plan.priority_classes
        gone = [state for name, state in self.queues.items() if name not in plan.queues]
        for state in gone:
            for place in list(state.line):
                effects += self._matching.send(place, "no-queue", state.queue.otherwise, now)
        for state in gone:  # not sooner: an agent whose offer was taken back may serve several of them
            del self.queues[state.queue.id]
        for name, queue in plan.queues.items():
            if name in self.queues:
                self.queues[name].queue = queue
            else:
                self.queues[name] = QueueState(queue, self.queues)
        seats = self._staff.seats
        for extension in [*plan.agent_profiles, *(one for one in seats if one not in plan.agent_profiles)]:
            profile = plan.agent_profiles.get(extension) or AgentProfile(extension)
            self._staff.link(self._staff.seat(extension, now), profile)
        for state in self.queues.values():
            state.unshare()
        self._crowd.replan()
        for place in self._crowd.places.values():
            self._crowd.look(place, now)
        self._crowd.opened = [place for place in self._crowd.places.values() if place.offer is None]
        self._staff.deserted.extend(self.queues)
        return self._matching.settle(effects, now)

    # Agents.

    def log_in(
        self,
        extension: str,
        now: float,
        *,
        pause: str | None = None,
        reachable: bool = True,
        reason: str = "log-in",
        call: str | None = None,
    ) -> list[Effect]:
        """He takes calls from now on: once `reachable` is told where his line is not there yet, and once the `call` is
        over that his phone is in."""
        seat = self._staff.seat(extension, now)
        return self._matching.settle(self._staff.log_in(seat, now, pause, reachable, reason, call), now)

    def log_out(self, extension: str, now: float) -> list[Effect]:
        """At once, or after the offer or call he is busy with."""
        return self._matching.settle(self._staff.log_out(self._staff.seat(extension, now), now), now)

    def pause(self, extension: str, reason: str, now: float) -> list[Effect]:
        """At once, or after the offer or call he is busy with."""
        return self._matching.settle(self._staff.pause(self._staff.seat(extension, now), reason, now), now)

    def resume(self, extension: str, now: float) -> list[Effect]:
        return self._matching.settle(self._staff.resume(self._staff.seat(extension, now), now), now)

    def reachable(self, extension: str, on: bool, now: float) -> list[Effect]:
        """His line came or went: what is gone comes back by the same word, and not by itself."""
        return self._matching.settle(self._staff.reachable(self._staff.seat(extension, now), on, now), now)

    def wrap_up_over(self, extension: str, now: float) -> list[Effect]:
        """He has ended his wrap-up early."""
        return self._matching.settle(self._staff.end_wrap_up(self._staff.seat(extension, now), now), now)

    def extend_wrap_up(self, extension: str, seconds: float, now: float) -> list[Effect]:
        return self._staff.extend(self._staff.seat(extension, now), seconds, now)

    def reserve(
        self, extension: str, call: str, now: float, queue: str | None = None, *, past_wrap_up: bool = False
    ) -> list[Effect] | None:
        """A direct call takes the agent; None when he is not free.

        Its call id then stands for the offer in `ringing`, `answered` and `refused`.  `queue`: a queue of his whose
        call it counts as (its wrap-up, its turns); None, or one he does not serve: of none.  `past_wrap_up`: an agent
        in his wrap-up is free for it, and nobody else gets him in between.
        """
        seat = self._staff.seats.get(extension)
        if seat is None or seat.state is AgentState.LOGGED_OUT:
            return []
        ended = self._staff.end_wrap_up(seat, now) if past_wrap_up and seat.rest is AgentState.AVAILABLE else []
        if seat.state is not AgentState.AVAILABLE:
            return None
        seat.queue = queue if queue in seat.members else None
        seat.call, seat.offer, seat.lease = call, None, now + DIRECT_LEASE
        self._timers.at(seat.lease, "lease", extension)
        return ended + self._staff.see(seat, Seen.OFFERED, "direct", now)

    def unreserve(self, extension: str, call: str, now: float) -> list[Effect]:
        """A reservation ends without his fault: he is free again, and keeps his turn.  None he has: nothing."""
        seat = self._staff.seats.get(extension)
        if seat is None or seat.call != call or seat.offer is not None or seat.state not in OFFERED:
            return []
        return self._matching.settle(self._staff.let_go(seat, "unreserved", now), now)

    # Callers.

    def enter(self, caller: Caller, now: float) -> list[Effect]:
        """A caller comes to a queue: he is offered, waits, or is sent elsewhere."""
        effects: list[Effect] = []
        if caller.call in self._crowd.places:
            effects += self._matching.remove(self._crowd.places[caller.call], "moved", now)
        state = self.queues.get(caller.queue)
        if state is None:
            return self._matching.settle([*effects, Leave(caller.call, caller.queue, "no-queue", None)], now)
        place = self._crowd.make(caller, self._staff.seats, now)
        before = state.line.before(place.key)
        able = self._matching.can_serve(place)
        place.estimate = 0.0 if able else state.estimate(place.key)
        away = self._crowd.turned_away(caller, place, able)
        self._crowd.add(place)
        state.tally.at(now).offered += 1
        effects.append(
            Queued(
                caller.call,
                caller.queue,
                area_of(caller),
                caller.vdn,
                caller.priority,
                before + 1,
                place.estimate,
            )
        )
        if away is not None:
            effects += self._matching.send(place, *away, now)
        return self._matching.settle(effects, now)

    def leave(self, call: str, why: str, now: float) -> list[Effect]:
        """A caller goes: abandoned, moved, callback and the like.  An offer that runs for him is taken back at once."""
        self._talking.pop(call, None)
        place = self._crowd.places.get(call)
        return [] if place is None else self._matching.settle(self._matching.remove(place, why, now), now)

    def reprioritise(self, call: str, priority: str | None, now: float) -> list[Effect]:
        """Another class for somebody who waits, at once."""
        place = self._crowd.places.get(call)
        if place is not None:
            self._crowd.reprioritise(place, priority)
        return []

    # Offers and calls.

    def ringing(self, offer: str, extension: str, now: float) -> list[Effect]:
        """His phone rings."""
        seat = self._matching.seat_of(offer, extension)
        if seat is None or seat.state not in OFFERED:
            return []
        return self._staff.see(seat, Seen.RANG, "ringing", now)

    def answered(self, offer: str, extension: str, now: float) -> list[Effect]:
        """He has taken the call.  When the offer is over by then, he is withdrawn: hang him up."""
        running, seat = self._matching.offers.get(offer), self._matching.seat_of(offer, extension)
        if seat is None or seat.state not in OFFERED:
            return [Withdraw(offer, offer.rpartition("#")[0] or offer, (extension,), "caller-left")]  # too late
        if running is None:
            return self._staff.talk(seat, now)
        del running.ringing[extension]
        effects = self._matching.end_offer(running, "answered-elsewhere", now)
        place, caller = running.place, running.place.caller
        effects += self._staff.talk(seat, now)
        self._crowd.served(caller, extension)
        state = self.queues[caller.queue]
        self._talking[caller.call] = place
        counts = state.tally.at(now)
        counts.answered += 1
        counts.in_time += now - place.joined <= state.queue.service_level
        effects += self._matching.remove(place, "answered", now, extension)
        return self._matching.settle(effects, now)

    def refused(self, offer: str, extension: str, why: Refusal, now: float) -> list[Effect]:
        """He has not taken the call.  After the last phone of the offer the caller is offered anew."""
        running, seat = self._matching.offers.get(offer), self._matching.seat_of(offer, extension)
        if seat is None or seat.state not in OFFERED:
            return []
        effects = self._staff.refuse(seat, why, now)
        if running is not None:
            del running.ringing[extension]
            if not running.ringing:
                effects += self._matching.end_offer(running, "refused", now)
                effects += self._matching.look(running.place, now)
        return self._matching.settle(effects, now)

    def released(self, extension: str, call: str, now: float) -> list[Effect]:
        """His call has ended."""
        seat = self._staff.seats.get(extension)
        if seat is None or seat.call != call or seat.state is AgentState.WRAP_UP:
            return []
        if seat.state in OFFERED and seat.offer is None:
            return self._matching.settle(self._staff.let_go(seat, "released", now), now)
        if seat.state in OFFERED:
            return self.refused(seat.offer or call, extension, "reject", now)
        if seat.queue is not None:  # a colleague who was only asked takes nobody's place with him
            self._talking.pop(call, None)
        return self._matching.settle(self._staff.hang_up(seat, "call-ended", now), now)

    def back(self, call: str, now: float) -> list[Effect]:
        """The caller's agent is lost, while he rang or while they talked: the caller waits again, at the head."""
        effects: list[Effect] = []
        waiting = self._crowd.places.get(call)
        if waiting is not None:
            running = self._matching.offers.get(waiting.offer or "")
            if running is None:
                return []
            if len(running.ringing) == 1:
                (extension,) = running.ringing
                return self.refused(running.offer, extension, "unreachable", now)
            return self._matching.settle(self._matching.end_offer(running, "agent-lost", now), now)
        place = self._talking.pop(call, None)
        for seat in self._staff.seats.values():
            if seat.call == call and seat.state is AgentState.TALKING:
                self._staff.lost(seat, now)
                effects += self._staff.hang_up(seat, "agent-lost", now)
        if place is not None and place.caller.queue in self.queues:
            self._crowd.to_the_head(place, now)
            line, tally = self.queues[place.caller.queue].line, self.queues[place.caller.queue].tally
            tally.at(now).offered += 1  # his second wait ends in a way of its own: the reports count it so as well
            effects.append(Requeued(call, place.caller.queue, "agent-lost", line.before(place.key) + 1))
        return self._matching.settle(effects, now)

    # Time and truth.

    def due(self) -> float | None:
        """When `tick` has something to do; it may be called sooner, or find nothing."""
        return self._timers.due()

    def tick(self, now: float) -> list[Effect]:
        """Everything whose time has come."""
        effects: list[Effect] = []
        for kind, key in self._timers.pop(now):
            if kind == "caller" and (place := self._crowd.places.get(key)) is not None:
                effects += self._matching.look(place, now)
            elif kind == "agent":
                effects += self._staff.look(self._staff.seat(key, now), now)
            elif kind == "offer" and (running := self._matching.offers.get(key)) is not None:
                effects += self._matching.lapse(running, now)
            elif kind == "lease":
                seat = self._staff.seat(key, now)
                if seat.state in OFFERED and seat.lease is not None and now >= seat.lease:
                    effects.append(Repaired(key, "lease"))
                    effects += self._staff.let_go(seat, "lease", now)
            effects = self._matching.settle(effects, now)
        return effects

    def reconcile(
        self, live: Mapping[str, str | None], now: float, calls: Collection[str] | None = None
    ) -> list[Effect]:
        """Compare with what is: extension -> the call his phone is really in, and the ids of all live calls.

        What differs for longer than news may take is repaired: an agent in a call that is gone, an agent at rest whose
        phone is in a call, a waiting caller without a call.  Reservations end by their lease.
        """
        effects = agents_as_they_are(self._staff, self._talking, live, now)
        if calls is not None:
            effects += callers_as_they_are(self._matching, self._talking, calls, now)
        return self._matching.settle(effects, now)

    # Questions.

    @property
    def waiting(self) -> int:
        """All waiting callers (R2-05)."""
        return len(self._crowd.places)

    @property
    def areas(self) -> Mapping[str, int]:
        """Waiting callers by queue area (R2-05)."""
        return self._crowd.areas

    @property
    def states(self) -> Mapping[str, int]:
        """Agents by state."""
        return dict(Counter(seat.state.value for seat in self._staff.seats.values()))

    def waiting_in(self, queue: str) -> list[Place]:
        """The callers of a queue in their order; none of a queue there is not."""
        state = self.queues.get(queue)
        return [] if state is None else list(state.line)

    def place(self, call: str) -> Place | None:
        """Where a caller waits; None: he does not."""
        return self._crowd.places.get(call)

    def agent(self, extension: str) -> Seat | None:
        """An agent, to be read only; None: nobody knows him."""
        return self._staff.seats.get(extension)

    def position(self, call: str) -> int | None:
        """1 is next in his queue; None: he does not wait."""
        place = self._crowd.places.get(call)
        return None if place is None else self.queues[place.caller.queue].line.before(place.key) + 1

    def estimate(self, call: str, now: float) -> float | None:
        """Seconds until an agent is there for him; None: he does not wait, or nothing is known yet."""
        place = self._crowd.places.get(call)
        return None if place is None else self.queues[place.caller.queue].estimate_of(place)

    def explain(self, call: str, now: float) -> Explanation:
        """Why he is where he is.  Raises LookupError when he does not wait."""
        place = self._crowd.places[call]
        running = self._matching.offers.get(place.offer or "")
        return explain(place, self.queues, self.plan.priority_classes, tuple(running.ringing) if running else (), now)

    def board(self, now: float) -> Board:
        """The wallboard."""
        agents = tuple(seat.line(now) for seat in self._staff.seats.values())
        waiting = {name: len(state.line) for name, state in self.queues.items()}
        queues = tuple(state.on_board(now, waiting) for state in self.queues.values())
        return Board(self.waiting, dict(self._crowd.areas), queues, agents, self.states)
