"""Which caller is offered to which agent, and how an offer ends.

One order over all queues an agent serves: an agent who becomes free takes the first caller he can; a caller who may be
offered takes the free agent his queue's strategy says.  `settle` does both after every event, so neither waits for the
other.
"""

from dataclasses import dataclass, field

from routing.agent_state import AWAY, Seen
from routing.crowd import Crowd, area_of, in_order
from routing.effects import Announce, Dequeued, Effect, Leave, Offer, Repaired, Withdraw
from routing.goal import Goal
from routing.picking import Member, pick
from routing.queue import Strategy
from routing.queue_state import QueueState
from routing.ranking import Key, Place
from routing.seat import Seat
from routing.staff import Staff
from routing.timers import Timers

LEASE = 5.0
"Seconds an offer may take beyond its ringing; then it is taken back."


@dataclass(slots=True, eq=False)
class Running:
    """An offer that runs."""

    offer: str
    place: Place
    ends: float
    ringing: dict[str, Seat] = field(default_factory=dict)


class Matching:
    """Agents and callers brought together."""

    def __init__(self, queues: dict[str, QueueState], staff: Staff, crowd: Crowd, timers: Timers) -> None:
        self.queues = queues
        self.staff = staff
        self.crowd = crowd
        self.timers = timers
        self.offers: dict[str, Running] = {}
        "Those that run."
        self._count = 0

    def settle(self, effects: list[Effect], now: float) -> list[Effect]:
        """Give every freed agent and every opened caller to each other, the first caller first."""
        staff, crowd = self.staff, self.crowd
        while staff.deserted:
            effects += self._desert(staff.deserted.pop(), now)
        while staff.freed or crowd.opened:
            freed, staff.freed = staff.freed, []
            while (first := self._first_for(freed)) is not None:
                effects += self._offer(first, self.choose(first), now)
            opened, crowd.opened = crowd.opened, []
            for place in in_order(opened) if len(opened) > 1 else opened:
                if place.offer is None and crowd.places.get(place.caller.call) is place:
                    chosen = self.choose(place)
                    if chosen:
                        effects += self._offer(place, chosen, now)
        return effects

    def _first_for(self, seats: list[Seat]) -> Place | None:
        """The first caller that any of these can take."""
        found = [place for seat in seats if seat.free and (place := self._next_for(seat)) is not None]
        return found[0] if len(found) == 1 else min(found, key=lambda place: place.key, default=None)

    def _next_for(self, seat: Seat) -> Place | None:
        """The first caller he can take, over all his queues."""
        best: Place | None = None
        key: Key | None = None
        for name in seat.members:
            for _, _, place in self.queues[name].line.open:
                if key is not None and place.key >= key:
                    break
                if seat.can(place.need) and (place.held_for is None or place.held_for == seat.extension):
                    best, key = place, place.key
                    break
        return best

    def choose(self, place: Place) -> list[Member]:
        """The agents to ask for him; none when nobody is free and able."""
        state = self.queues[place.caller.queue]
        if place.held_for is not None:
            kept = state.free.get(place.held_for)
            return [kept] if kept is not None and kept.seat.can(place.need) else []
        if not state.free:
            return []
        need = place.need
        able = [one for one in state.free.values() if one.seat.can(need)] if need else state.free.values()
        return pick(state.queue.strategy, able, state.last_asked)

    def can_serve(self, place: Place) -> bool:
        """Whether anybody is free and able, whoever it will be."""
        state = self.queues[place.caller.queue]
        if place.held_for is not None:
            return bool(self.choose(place))
        return any(one.seat.can(place.need) for one in state.free.values())

    def _offer(self, place: Place, members: list[Member], now: float) -> list[Effect]:
        state, call = self.queues[place.caller.queue], place.caller.call
        self._count += 1
        running = Running(f"{call}#{self._count}", place, now + state.queue.ring_timeout + LEASE)
        self.offers[running.offer] = running
        self.crowd.offer(place, running.offer)
        effects: list[Effect] = []
        for member in members:
            seat = member.seat
            running.ringing[seat.extension] = seat
            seat.queue, seat.call, seat.offer = state.queue.id, call, running.offer
            effects += self.staff.see(seat, Seen.OFFERED, "offer", now)
        if state.queue.strategy is Strategy.ROUND_ROBIN:
            state.last_asked = members[0].seat.extension
        self.timers.at(running.ends, "offer", running.offer)
        effects.append(Offer(running.offer, call, state.queue.id, tuple(running.ringing), state.queue.ring_timeout))
        return effects

    def end_offer(self, running: Running, why: str, now: float) -> list[Effect]:
        """The offer is over; whoever still rings is withdrawn, and the caller is open again."""
        del self.offers[running.offer]
        self.crowd.offer(running.place, None)
        effects: list[Effect] = []
        if running.ringing:
            effects.append(Withdraw(running.offer, running.place.caller.call, tuple(running.ringing), why))
        for seat in running.ringing.values():
            effects += self.staff.let_go(seat, why, now)
        return effects

    def lapse(self, running: Running, now: float) -> list[Effect]:
        """Nobody has told how an offer ended: it is taken back, and its agents rest as if they had not answered."""
        ringing, running.ringing = running.ringing, {}
        effects: list[Effect] = [
            Withdraw(running.offer, running.place.caller.call, tuple(ringing), "lease"),
            *(Repaired(extension, "lease") for extension in ringing),
        ]
        for seat in ringing.values():
            effects += self.staff.refuse(seat, "no-answer", now)
        effects += self.end_offer(running, "lease", now)
        return effects + self.look(running.place, now)

    def seat_of(self, offer: str, extension: str) -> Seat | None:
        """The agent, if this offer, or this direct call, has him."""
        seat = self.staff.seats.get(extension)
        if seat is None or not (seat.offer == offer or (seat.offer is None and seat.call == offer)):
            return None
        return seat

    def look(self, place: Place, now: float) -> list[Effect]:
        """One of a caller's times has come, or an offer for him is over."""
        away = self.crowd.waited_out(place, now)
        if away is not None:
            return self.send(place, *away, now)
        effects: list[Effect] = []
        if self.crowd.look(place, now):
            state = self.queues[place.caller.queue]
            effects.append(Announce(place.caller.call, state.line.before(place.key) + 1, state.estimate_of(place)))
        self.crowd.arm(place, now)
        return effects

    def _desert(self, name: str, now: float) -> list[Effect]:
        """An agent of a queue is away: nobody is kept for him, and he may have been the last."""
        state = self.queues.get(name)
        if state is None or not len(state.line):
            return []
        for place in state.line.everybody():
            kept_for = self.staff.seats.get(place.held_for or "")
            if kept_for is not None and kept_for.rest in AWAY:
                place.held_for = None
                if place.offer is None:
                    self.crowd.opened.append(place)
        if state.manned:
            return []
        rule = next((one for one in state.queue.overflow if one.when == "no-agents"), None)
        if rule is None:
            return []
        effects: list[Effect] = []
        for place in [one for one in state.line if not one.caller.callback]:
            effects += self.send(place, "no-agents", rule.goal, now)
        return effects

    def send(self, place: Place, why: str, goal: Goal, now: float) -> list[Effect]:
        """He goes elsewhere by a rule."""
        caller = place.caller
        effects = self.remove(place, "timeout" if why == "max-wait" else "overflow", now)
        return [*effects, Leave(caller.call, caller.queue, why, goal)]

    def remove(self, place: Place, result: str, now: float, extension: str | None = None) -> list[Effect]:
        """He waits no more."""
        caller = place.caller
        state = self.queues[caller.queue]
        effects: list[Effect] = []
        running = self.offers.get(place.offer or "")
        if running is not None:
            why = {"moved": "moved", "overflow": "no-queue"}.get(result, "caller-left")
            effects += self.end_offer(running, why, now)
        self.crowd.remove(place)
        wait = now - place.joined
        state.learned.left(wait, gave_up=result == "abandoned", served=result == "answered")
        if result == "abandoned":
            self.crowd.keep_place(place, now)
            short = wait < state.queue.short_abandon
            result = "short-abandoned" if short else result
            counts = state.tally.at(now)
            counts.abandoned += not short
            counts.short += short
        elif result in ("overflow", "timeout"):
            state.tally.at(now).elsewhere += 1
        effects.append(
            Dequeued(
                caller.call,
                caller.queue,
                area_of(caller),
                caller.priority,
                wait,
                result,
                extension,
                place.estimate,
            )
        )
        return effects
