"""A floor beside the plainest possible book-keeping of what it was told and what it said: after every event both must
agree."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from routing.agent_state import OFFERED, AgentState
from routing.floor import (
    AgentChanged,
    Caller,
    Dequeued,
    Effect,
    Floor,
    Leave,
    Offer,
    Queued,
    Requeued,
    Withdraw,
)
from routing.goal import Goal
from routing.plan import Plan
from routing.queue import AgentProfile, Overflow, PriorityClass, Queue, Strategy, Widening

QUEUES = (
    Queue("repairs", "Repairs", sticky=6, reentry=30, announce_every=15, weight=5, wrap_up=8),
    Queue(
        "orders", "Orders", strategy=Strategy.RING_ALL, max_wait=90, otherwise=Goal("voicemail", "orders"), wrap_up=0
    ),
    Queue("advice", "Advice", strategy=Strategy.ROUND_ROBIN, skills={"german": 2}, widen=(Widening(20, {}),)),
    Queue(
        "night",
        "Night",
        strategy=Strategy.FEWEST_CALLS,
        max_length=6,
        overflow=(Overflow("no-agents", Goal("queue", "orders")), Overflow("wait", Goal("hangup"), 60)),
    ),
)
CLASSES = (PriorityClass("complaint", 60), PriorityClass("member", 20))
AGENTS = tuple(
    AgentProfile(
        f"10{number:02}",
        {queue.id: (number + at) % 2 for at, queue in enumerate(QUEUES) if (number + at) % 3},
        {"german": number % 4},
        wrap_up=None if number % 3 else 4.0,
    )
    for number in range(8)
)
PLAN = Plan.of(*QUEUES, *CLASSES, *AGENTS)


@dataclass(slots=True)
class Waiting:
    """A caller as he was told to us."""

    caller: Caller
    entered: float
    number: int


@dataclass(slots=True)
class World:
    """A floor and the truth."""

    floor: Floor = field(default_factory=lambda: Floor(PLAN))
    now: float = 1000.0
    waiting: dict[str, Waiting] = field(default_factory=dict)
    offers: dict[str, tuple[str, set[str]]] = field(default_factory=dict)
    "Offer -> call and those who ring."
    talking: dict[str, str] = field(default_factory=dict)
    states: dict[str, AgentState] = field(default_factory=dict)
    "By the events alone."
    resting: dict[str, float] = field(default_factory=dict)
    "Agents who have refused, and until when they are not to be asked."
    served: list[str] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    log: list[Effect] = field(default_factory=list)
    count: int = 0

    def tell(self, effects: Iterable[Effect] | None, ticked: bool = False) -> list[Effect]:
        """Take in what the floor said, and compare."""
        said = list(effects or ())
        for effect in said:
            self._take(effect)
            if isinstance(effect, Offer) and not ticked:  # in a tick an offer may end after another has begun
                for extension in effect.extensions:
                    self._first_of_his_queues(effect, extension)
        self.log += said
        self.check()
        return said

    def enter(self, caller: Caller) -> list[Effect]:
        self.count += 1
        entered = self.now if caller.entered is None else min(caller.entered, self.now)
        self.waiting[caller.call] = Waiting(caller, entered, self.count)
        said = self.tell(self.floor.enter(caller, self.now))
        place = self.floor.place(caller.call)
        if place is not None:
            self.waiting[caller.call].entered = place.entered  # an old place may have been kept for him
        return said

    def answer(self, offer: str, extension: str) -> list[Effect]:
        call, ringing = self.offers[offer]
        ringing.discard(extension)
        self.talking[extension] = call
        said = self.tell(self.floor.answered(offer, extension, self.now))
        assert offer not in self.offers
        return said

    def refuse(self, offer: str, extension: str, why: str) -> list[Effect]:
        ringing = self.offers[offer][1]
        ringing.discard(extension)
        self.resting[extension] = self.now + (30 if why == "unreachable" else 5)
        if not ringing:
            del self.offers[offer]
        return self.tell(self.floor.refused(offer, extension, why, self.now))  # type: ignore[arg-type]

    def release(self, extension: str) -> list[Effect]:
        call = self.talking.pop(extension)
        return self.tell(self.floor.released(extension, call, self.now))

    def tick(self, seconds: float) -> list[Effect]:
        self.now += seconds
        return self.tell(self.floor.tick(self.now), ticked=True)

    def _take(self, effect: Effect) -> None:
        match effect:
            case AgentChanged():
                before = self.states.get(effect.extension, AgentState.LOGGED_OUT)
                assert before is effect.before, f"{effect} after {before}"
                self.states[effect.extension] = effect.after
                if effect.reason in {"log-in", "reachable"}:
                    self.resting.pop(effect.extension, None)
            case Offer():
                ringing = {one for _, others in self.offers.values() for one in others}
                assert not ringing & set(effect.extensions), f"an agent in two offers: {effect}"
                assert not set(effect.extensions) & set(self.talking), f"a talking agent is rung: {effect}"
                assert effect.call in self.waiting, f"a caller who does not wait is offered: {effect}"
                assert effect.call not in {call for call, _ in self.offers.values()}, f"offered twice: {effect}"
                assert effect.offer not in self.offers
                assert effect.extensions
                for extension in effect.extensions:
                    assert self.now >= self.resting.get(extension, 0), f"asked too soon again: {effect}"
                self._first_of_his_class(effect)
                self.offers[effect.offer] = effect.call, set(effect.extensions)
            case Withdraw():
                call, ringing = self.offers[effect.offer]
                assert call == effect.call
                ringing -= set(effect.extensions)
                assert not ringing, "an offer that is withdrawn is over for all"
                del self.offers[effect.offer]
            case Dequeued():
                assert effect.wait >= 0
                gone = [offer for offer, (call, ringing) in self.offers.items() if call == effect.call and ringing]
                assert not gone, f"an agent still rings for a caller who left: {effect}"
                self.offers = {offer: one for offer, one in self.offers.items() if one[0] != effect.call}
                del self.waiting[effect.call]
                (self.served.append if effect.result == "answered" else self.gone.add)(effect.call)
            case Queued():
                assert effect.call in self.waiting
            case Requeued():
                assert effect.call in self.waiting
            case Leave():
                assert effect.call not in self.waiting

    def _first_of_his_queues(self, offer: Offer, extension: str) -> None:
        """One order over all queues the agent serves (R2-07)."""
        seat, mine = self.floor.agent(extension), self.floor.place(offer.call)
        assert seat is not None
        for name in seat.members if mine is not None else ():
            for place in self.floor.waiting_in(name):
                if place.offer is None and seat.can(place.need) and place.held_for in (None, extension):
                    assert mine is None or place.key > mine.key, f"{place!r} comes before {mine!r} for {seat!r}"

    def _first_of_his_class(self, offer: Offer) -> None:
        """First come, first served among those of one queue and class whom the same agents can take."""
        mine, my_place = self.waiting[offer.call], self.floor.place(offer.call)
        busy = {call for call, _ in self.offers.values()}
        for call, other in self.waiting.items():
            place = self.floor.place(call)
            if place is None or my_place is None or call in busy or call == offer.call or my_place.number < 0:
                continue
            if (other.caller.queue, other.caller.priority) != (mine.caller.queue, mine.caller.priority):
                continue
            if place.need != my_place.need or place.held_for is not None or my_place.held_for is not None:
                continue
            assert (mine.entered, mine.number) <= (other.entered, other.number) or place.offer, f"{call} came earlier"

    def check(self) -> None:
        """Counts equal the truth (R2-05), states equal their events, and nobody is left who could be served."""
        floor = self.floor
        assert floor.waiting == len(self.waiting)
        areas = Counter(one.caller.area or one.caller.queue for one in self.waiting.values())
        assert dict(floor.areas) == dict(areas)
        ringing = {extension: offer for offer, (_, who) in self.offers.items() for extension in who}
        for name, state in floor.queues.items():
            places = floor.waiting_in(name)
            mine = [one for one in self.waiting.values() if one.caller.queue == name]
            assert Counter(place.caller.call for place in places) == Counter(one.caller.call for one in mine)
            assert dict(state.areas) == dict(Counter(one.caller.area or name for one in mine))
            assert [floor.position(place.caller.call) for place in places] == [*range(1, len(places) + 1)]
            seats = [member.seat for member in state.members.values()]
            assert +state.states == Counter(seat.state for seat in seats)
            assert set(state.free) == {seat.extension for seat in seats if seat.free}
            for place in places:
                assert (place.offer in self.offers) == (place.offer is not None)
                if place.offer is None:
                    able = [
                        seat.extension
                        for seat in seats
                        if seat.free and seat.can(place.need) and place.held_for in (None, seat.extension)
                    ]
                    assert not able, f"{able} and {place!r} stand beside each other"
        for extension, shown in self.states.items():
            seat = floor.agent(extension)
            assert seat is not None
            assert seat.state is shown
            assert (shown in OFFERED) == (extension in ringing), f"{seat!r}, rings for {ringing.get(extension)}"
            if shown in OFFERED:
                assert seat.offer == ringing[extension]
                assert floor.due() is not None, "every reservation ends by itself"
            assert (shown is AgentState.TALKING) == (extension in self.talking)
            assert not seat.free or shown is AgentState.AVAILABLE
