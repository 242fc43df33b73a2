"""The waiting callers of the floor: their places, the counts of them, and when each must be looked at again."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from routing.agent_state import AgentState
from routing.effects import Caller
from routing.goal import Goal
from routing.picking import need_of
from routing.queue import Overflow, PriorityClass, Queue
from routing.queue_state import QueueState
from routing.ranking import Place, rank
from routing.seat import Seat
from routing.timers import Timers

K = TypeVar("K")
V = TypeVar("V")

REMEMBERED = 20_000
"Callers whose last place, or last agent, is remembered."
CLOCK = 1e-6
"What sums of seconds may be wrong by."


class Crowd:
    """All waiting callers."""

    def __init__(self, queues: dict[str, QueueState], timers: Timers) -> None:
        self.queues = queues
        self.timers = timers
        self.classes: Mapping[str, PriorityClass] = {}
        self.places: dict[str, Place] = {}
        "By call."
        self.areas: Counter[str] = Counter()
        "Waiting callers by area, over all queues."
        self.opened: list[Place] = []
        "Who may be offered now and could not before."
        self._numbers = 0
        self._left: dict[tuple[str, str], tuple[float, float]] = {}
        "Queue and number of somebody who hung up -> what his place counted from, and until when it is kept."
        self._served: dict[tuple[str | None, str], str] = {}
        "Tenant and number -> who served him last."

    def make(self, caller: Caller, seats: Mapping[str, Seat], now: float) -> Place:
        """A place for him, not yet taken."""
        queue = self.queues[caller.queue].queue
        entered = caller.entered
        if entered is None and caller.number:
            kept, until = self._left.pop((queue.id, caller.number), (now, 0.0))
            entered = kept if now <= until else now
        entered = now if entered is None else min(entered, now)
        self._numbers += 1
        place = Place(caller, self._numbers, entered, now, self._rank(caller, entered, queue))
        place.need = need_of(queue, now - entered + CLOCK, caller.skills)
        self._hold(place, queue, seats, now)
        if queue.announce_every > 0 and (queue.announce_position or queue.announce_estimate):
            place.announce_at = now + queue.announce_every
        return place

    def _rank(self, caller: Caller, entered: float, queue: Queue) -> float:
        known = self.classes.get(caller.priority or "")
        return rank(entered, (known.ahead if known else 0.0) + caller.ahead, queue.weight)

    def _hold(self, place: Place, queue: Queue, seats: Mapping[str, Seat], now: float) -> None:
        """Keep him for the agent who served him last, if that one is at work and can serve him."""
        if queue.sticky <= 0:
            return
        caller = place.caller
        last = caller.last_agent or self._served.get((caller.tenant, caller.number or ""))
        seat = seats.get(last or "")
        if seat is None or queue.id not in seat.members or not seat.can(place.need):
            return
        if seat.rest is AgentState.AVAILABLE:
            place.held_for, place.held_until = seat.extension, now + queue.sticky

    def add(self, place: Place) -> None:
        """He waits."""
        caller = place.caller
        state = self.queues[caller.queue]
        state.line.add(place)
        state.areas[area_of(caller)] += 1
        self.areas[area_of(caller)] += 1
        self.places[caller.call] = place
        self.opened.append(place)
        self.arm(place, place.joined)

    def remove(self, place: Place) -> None:
        """He waits no more."""
        caller = place.caller
        state = self.queues[caller.queue]
        state.line.remove(place)
        del self.places[caller.call]
        for counter in (state.areas, self.areas):
            counter[area_of(caller)] -= 1
            if not counter[area_of(caller)]:
                del counter[area_of(caller)]

    def offer(self, place: Place, offer: str | None) -> None:
        """An offer has begun for him, or is over."""
        self.queues[place.caller.queue].line.offer(place, offer)
        if offer is None:
            self.opened.append(place)

    def reprioritise(self, place: Place, priority: str | None) -> None:
        """Another class; his time of arrival stays."""
        self._again(place, replace(place.caller, priority=priority))

    def replan(self) -> None:
        """Queues or classes have changed."""
        for place in list(self.places.values()):
            self._again(place, place.caller)
            self.arm(place, place.joined)

    def _again(self, place: Place, caller: Caller) -> None:
        state = self.queues[caller.queue]
        state.line.remove(place)
        place.caller, place.rank = caller, self._rank(caller, place.entered, state.queue)
        state.line.add(place)

    def to_the_head(self, place: Place, now: float) -> None:
        """A caller whom an agent had waits again, before everybody of his class in his queue."""
        caller = place.caller
        state = self.queues[caller.queue]
        place.rank = self._rank(caller, place.entered, state.queue)
        same = (other.rank for other in state.line if other.caller.priority == caller.priority)
        place.rank = min(place.rank, next(same, place.rank))
        self._numbers += 1
        place.number, place.joined, place.offer, place.held_for = -self._numbers, now, None, None
        place.need = need_of(state.queue, now - place.entered + CLOCK, caller.skills)
        place.estimate = None  # what he was told when he came was of his first wait
        if place.announce_at is not None:
            place.announce_at = now + state.queue.announce_every
        self.add(place)

    def keep_place(self, place: Place, now: float) -> None:
        """He has hung up; his place is his for a while."""
        queue, number = self.queues[place.caller.queue].queue, place.caller.number
        if queue.reentry > 0 and number:
            _remember(self._left, (queue.id, number), (place.entered, now + queue.reentry))

    def served(self, caller: Caller, extension: str) -> None:
        """Who serves him, for the next time."""
        if caller.number:
            _remember(self._served, (caller.tenant, caller.number), extension)

    # Time.

    def arm(self, place: Place, now: float) -> None:
        """Wake him when the next thing happens to him."""
        times = [at for at in self._times(place) if at > now]
        if times:
            self.timers.at(min(times), "caller", place.caller.call)

    def _times(self, place: Place) -> Iterator[float]:
        queue = self.queues[place.caller.queue].queue
        for widening in queue.widen:
            yield place.entered + widening.after
        if place.held_for is not None:
            yield place.held_until
        if place.announce_at is not None:
            yield place.announce_at
        if not place.caller.callback:
            yield from (place.joined + rule.more_than for rule in queue.overflow if rule.when == "wait")
            if queue.max_wait is not None:
                yield place.joined + queue.max_wait

    def look(self, place: Place, now: float) -> bool:
        """One of his times has come; whether he is to be told where he stands."""
        queue = self.queues[place.caller.queue].queue
        need = need_of(queue, now - place.entered + CLOCK, place.caller.skills)
        over = place.held_for is not None and now >= place.held_until
        if over or need != place.need:
            place.need = need
            place.held_for = None if over else place.held_for
            if place.offer is None:
                self.opened.append(place)
        announce = place.announce_at is not None and now >= place.announce_at
        if announce:
            place.announce_at = now + queue.announce_every
        return announce and place.offer is None  # nobody is talked to while an agent's phone rings for him

    def waited_out(self, place: Place, now: float) -> tuple[str, Goal] | None:
        """Why and where he must go because of his wait; None: he may stay."""
        queue = self.queues[place.caller.queue].queue
        if place.caller.callback or place.offer is not None:
            return None
        for rule in queue.overflow:
            if rule.when == "wait" and now >= place.joined + rule.more_than:
                return rule.when, rule.goal
        if queue.max_wait is not None and now >= place.joined + queue.max_wait:
            return "max-wait", queue.otherwise
        return None

    def turned_away(self, caller: Caller, place: Place, able: bool) -> tuple[str, Goal] | None:
        """Why and where he must go instead of waiting; None: he may wait.  `able`: an agent is free for him."""
        state = self.queues[caller.queue]
        queue = state.queue
        if caller.callback:
            return None
        for rule in queue.overflow:
            if self._applies(rule, state, place):
                return rule.when, rule.goal
        if queue.max_length is not None and len(state.line) >= queue.max_length and not able:
            return "max-length", queue.otherwise
        return None

    def _applies(self, rule: Overflow, state: QueueState, place: Place) -> bool:
        match rule.when:
            case "size":
                return len(state.line) > rule.more_than
            case "estimate":
                return (place.estimate or 0.0) > rule.more_than
            case "no-agents":
                return not state.manned
            case _:
                return False


def area_of(caller: Caller) -> str:
    """The area he is counted in."""
    return caller.area or caller.queue


def _remember(kept: dict[K, V], key: K, value: V) -> None:
    """The newest stands last; the oldest goes when there are too many."""
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > REMEMBERED:
        del kept[next(iter(kept))]


def in_order(places: Iterable[Place]) -> list[Place]:
    """Who comes first, first."""
    return sorted(places, key=lambda place: place.key)
