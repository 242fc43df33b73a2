"""What the floor promises, one behaviour at a time; the random runs are in test_floor_at_random."""

from dataclasses import replace
from typing import TypeVar

import pytest

from routing.agent_state import AgentState
from routing.floor import (
    DIRECT_LEASE,
    GRACE,
    AgentChanged,
    Announce,
    Caller,
    Dequeued,
    Effect,
    Floor,
    Leave,
    Offer,
    Queued,
    Repaired,
    Requeued,
    Withdraw,
)
from routing.goal import Goal
from routing.matching import LEASE
from routing.plan import Plan
from routing.queue import AgentProfile, Overflow, PriorityClass, Queue, Strategy, Widening
from routing.staff import UNREACHABLE_DELAY

T = TypeVar("T")

QUEUE = Queue("q", "Q", wrap_up=0)
ONE, TWO, THREE = (AgentProfile(extension, {"q": 0}) for extension in ("1001", "1002", "1003"))
CLASSES = (PriorityClass("complaint", 60), PriorityClass("repair", 30))


def floor(*values: object, at_work: tuple[str, ...] = ("1001",)) -> Floor:
    made = Floor(Plan.of(*(values or (QUEUE, ONE)), *CLASSES))
    for number, extension in enumerate(at_work):
        made.log_in(extension, number / 100)
    return made


def of(effects: list[Effect] | None, kind: type[T]) -> list[T]:
    return [effect for effect in effects or () if isinstance(effect, kind)]


def offer(effects: list[Effect] | None) -> Offer:
    (found,) = of(effects, Offer)
    return found


def state(of_floor: Floor, extension: str) -> AgentState:
    seat = of_floor.agent(extension)
    assert seat is not None
    return seat.state


def talk(of_floor: Floor, call: str, now: float, queue: str = "q") -> None:
    found = offer(of_floor.enter(Caller(call, queue), now))
    of_floor.answered(found.offer, found.extensions[0], now)


def order(of_floor: Floor, queue: str = "q") -> list[str]:
    return [place.caller.call for place in of_floor.waiting_in(queue)]


def test_a_caller_and_a_free_agent_are_taken_in_one_step() -> None:
    here = floor()
    effects = here.enter(Caller("c1", "q", area="north", vdn="7001"), 5.0)
    assert effects == [
        Queued("c1", "q", "north", "7001", None, 1, 0.0),
        AgentChanged("1001", AgentState.AVAILABLE, AgentState.RESERVED, "offer", "q", "c1"),
        Offer("c1#1", "c1", "q", ("1001",), 20.0),
    ]
    assert state(here, "1001") is AgentState.RESERVED
    here.ringing("c1#1", "1001", 5.1)
    assert state(here, "1001") is AgentState.RINGING
    assert here.waiting == 1, "he waits until somebody answers"
    assert here.answered("c1#1", "1001", 8.0) == [
        AgentChanged("1001", AgentState.RINGING, AgentState.TALKING, "answered", "q", "c1"),
        Dequeued("c1", "q", "north", None, 3.0, "answered", "1001", 0.0),
    ]
    assert (here.waiting, dict(here.areas)) == (0, {})


def test_listed_classes_overtake_and_a_class_is_first_come_first_served() -> None:
    """R2-07: repairs and complaints overtake those of no class; who has waited the head start is not overtaken."""
    here = floor()
    talk(here, "busy", 0)
    for at, (call, priority) in enumerate(
        [("plain1", None), ("plain2", None), ("repair1", "repair"), ("complaint", "complaint"), ("repair2", "repair")]
    ):
        here.enter(Caller(call, "q", priority=priority), 10.0 + at)
    assert order(here) == ["complaint", "repair1", "repair2", "plain1", "plain2"]
    here.enter(Caller("late", "q", priority="repair"), 50.0)
    assert order(here)[-1] == "late", "plain1 and plain2 have waited longer than the head start"
    why = here.explain("plain2", 52.0)
    assert (why.position, why.before_in_all, why.waiting) == (5, 4, 6)
    assert [(one.call, one.why) for one in why.before] == [
        ("complaint", "class"),
        ("repair1", "class"),
        ("repair2", "class"),
        ("plain1", "came-earlier"),
    ]
    assert dict(why.agents) == {"busy": 1}
    assert "plain2 is number 5 of 6 in q: 41 s waited, 0 s head start of no class; 4 before him" in str(why)


def test_a_waiting_caller_gets_another_class_at_once() -> None:
    """R2-07."""
    here = floor()
    talk(here, "busy", 0)
    here.enter(Caller("a", "q"), 1)
    here.enter(Caller("b", "q"), 2)
    here.reprioritise("b", "complaint", 3)
    assert order(here) == ["b", "a"]
    assert offer(here.released("1001", "busy", 4)).call == "b"


def test_one_order_over_all_queues_an_agent_serves() -> None:
    """R2-07: by time of arrival, and a queue's weight is a head start."""
    plan = (Queue("q", "Q", wrap_up=0), Queue("r", "R", weight=10, wrap_up=0), AgentProfile("1001", {"q": 0, "r": 1}))
    here = floor(*plan)
    talk(here, "busy", 0)
    here.enter(Caller("q1", "q"), 1)
    here.enter(Caller("r1", "r"), 5)
    here.enter(Caller("q2", "q"), 2.5)
    here.enter(Caller("r2", "r"), 12)
    served = []
    call = "busy"
    for at in range(4):
        found = offer(here.released("1001", call, 20 + at))
        here.answered(found.offer, "1001", 20 + at)
        served.append(call := found.call)
    assert served == ["r1", "q1", "r2", "q2"]


def test_ring_all_rings_everybody_and_the_losers_are_withdrawn() -> None:
    here = floor(replace(QUEUE, strategy=Strategy.RING_ALL), ONE, TWO, THREE, at_work=("1001", "1002", "1003"))
    found = offer(here.enter(Caller("c1", "q"), 1))
    assert found.extensions == ("1001", "1002", "1003")
    assert of(here.refused(found.offer, "1003", "reject", 2), Offer) == [], "two still ring"
    effects = here.answered(found.offer, "1002", 3)
    assert of(effects, Withdraw) == [Withdraw(found.offer, "c1", ("1001",), "answered-elsewhere")]
    assert state(here, "1001") is AgentState.AVAILABLE
    assert here.answered(found.offer, "1001", 3) == [Withdraw(found.offer, "c1", ("1001",), "caller-left")]
    assert state(here, "1001") is AgentState.AVAILABLE, "his answer crossed the CANCEL"


def test_a_caller_who_leaves_stops_the_ringing_at_once_and_the_next_is_offered() -> None:
    here = floor()
    first = offer(here.enter(Caller("c1", "q"), 1))
    here.enter(Caller("c2", "q"), 2)
    effects = here.leave("c1", "abandoned", 9)
    assert effects[0] == Withdraw(first.offer, "c1", ("1001",), "caller-left")
    assert of(effects, Dequeued) == [Dequeued("c1", "q", "q", None, 8, "abandoned", None, 0.0)]
    assert offer(effects).call == "c2"
    (short,) = of(here.leave("c2", "abandoned", 4 + 2), Dequeued)
    assert short.result == "short-abandoned"
    assert here.leave("c2", "abandoned", 10) == []


@pytest.mark.parametrize(("why", "rests"), [("reject", 5.0), ("busy", 10.0), ("no-answer", 10.0)])
def test_who_refuses_is_not_asked_for_a_while_and_another_is(why: str, rests: float) -> None:
    here = floor(QUEUE, ONE, TWO, at_work=("1001", "1002"))
    first = offer(here.enter(Caller("c1", "q"), 1))
    second = offer(here.refused(first.offer, "1001", why, 2))  # type: ignore[arg-type]
    assert second.extensions == ("1002",)
    assert of(here.refused(second.offer, "1002", why, 2), Offer) == []  # type: ignore[arg-type]
    assert of(here.tick(1.9 + rests), Offer) == []
    assert offer(here.tick(2 + rests)).extensions == ("1001",)


def test_an_agent_who_misses_three_calls_in_a_row_is_paused() -> None:
    here = floor()
    effects = here.enter(Caller("c1", "q"), 0)
    now = 0.0
    for _ in range(3):
        found = offer(effects)
        now += 20
        last = here.refused(found.offer, "1001", "no-answer", now)
        now += 10
        effects = here.tick(now)
    assert of(last, AgentChanged)[-1].after is AgentState.PAUSED
    assert of(last, AgentChanged)[-1].reason == "missed-calls"
    assert of(effects, Offer) == []
    assert offer(here.resume("1001", now)).call == "c1"


def test_an_unreachable_phone_is_tried_again_after_a_while() -> None:
    here = floor()
    found = offer(here.enter(Caller("c1", "q"), 0))
    (changed,) = of(here.refused(found.offer, "1001", "unreachable", 1), AgentChanged)
    assert changed.after is AgentState.UNREACHABLE
    assert offer(here.tick(1 + UNREACHABLE_DELAY)).call == "c1"


def test_a_status_change_during_an_offer_or_call_is_kept_until_it_is_over() -> None:
    here = floor()
    found = offer(here.enter(Caller("c1", "q"), 0))
    assert here.pause("1001", "lunch", 1) == []
    assert here.answered(found.offer, "1001", 2)
    assert here.log_out("1001", 3) == []
    assert here.log_in("1001", 3) == []
    assert here.pause("1001", "training", 3) == []
    (changed,) = of(here.released("1001", "c1", 4), AgentChanged)
    assert (changed.after, changed.reason) == (AgentState.PAUSED, "training")
    (again,) = of(here.pause("1001", "lunch", 5), AgentChanged)
    assert (again.before, again.after, again.reason) == (AgentState.PAUSED, AgentState.PAUSED, "lunch")


def test_wrap_up_ends_by_itself_early_or_at_its_ceiling() -> None:
    here = floor(replace(QUEUE, wrap_up=10, wrap_up_most=25), ONE)
    talk(here, "c1", 0)
    (changed,) = of(here.released("1001", "c1", 100), AgentChanged)
    assert changed.after is AgentState.WRAP_UP
    here.extend_wrap_up("1001", 60, 105)
    assert of(here.tick(124.9), AgentChanged) == []
    assert of(here.tick(125), AgentChanged)[0].after is AgentState.AVAILABLE
    talk(here, "c2", 200)
    here.released("1001", "c2", 210)
    assert of(here.wrap_up_over("1001", 211), AgentChanged)[0].after is AgentState.AVAILABLE
    talk(here, "c3", 300)
    here.released("1001", "c3", 310)
    assert of(here.pause("1001", "lunch", 311), AgentChanged)[0].after is AgentState.PAUSED, "a pause ends wrap-up"


def test_a_caller_whose_agent_is_lost_is_at_the_head_again_with_his_class() -> None:
    here = floor(QUEUE, ONE, TWO)
    talk(here, "c1", 0)
    here.enter(Caller("complaint", "q", priority="complaint"), 45)
    here.enter(Caller("plain", "q", entered=-10.0), 50)
    effects = here.back("c1", 60)
    assert of(effects, Requeued) == [Requeued("c1", "q", "agent-lost", 2)]
    assert state(here, "1001") is AgentState.UNREACHABLE
    assert order(here) == ["complaint", "c1", "plain"]
    assert offer(here.log_in("1002", 61)).call == "complaint"
    assert here.board(61).queues[0].answered == 1


def test_an_agent_lost_while_he_rings_costs_the_caller_nothing() -> None:
    here = floor(QUEUE, ONE, TWO, at_work=("1001", "1002"))
    offer(here.enter(Caller("c1", "q"), 0))
    assert offer(here.back("c1", 1)).extensions == ("1002",)
    assert state(here, "1001") is AgentState.UNREACHABLE


def test_a_direct_call_takes_a_free_agent_only_and_its_lease_ends() -> None:
    here = floor()
    assert here.reserve("1001", "d1", 0)
    assert here.reserve("1001", "d2", 0) is None
    here.ringing("d1", "1001", 1)
    assert of(here.enter(Caller("c1", "q"), 1), Offer) == []
    effects = here.tick(DIRECT_LEASE)
    assert effects[0] == Repaired("1001", "lease")
    assert offer(effects).call == "c1"
    assert here.reserve("1002", "d3", 1) == [], "nobody is logged in there: not the floor's"
    assert here.reserve("1002", "d4", 1) == []


def test_a_direct_call_is_answered_and_released() -> None:
    here = floor()
    here.reserve("1001", "d1", 0)
    here.answered("d1", "1001", 2)
    assert state(here, "1001") is AgentState.TALKING
    here.released("1001", "d1", 9)
    assert state(here, "1001") is AgentState.AVAILABLE
    here.reserve("1001", "d2", 10)
    assert offer([*here.enter(Caller("c1", "q"), 11), *here.refused("d2", "1001", "reject", 12)]).call == "c1"


def test_an_offer_that_nobody_ends_is_taken_back_by_its_lease() -> None:
    here = floor(QUEUE, ONE, TWO, at_work=("1001", "1002"))
    first = offer(here.enter(Caller("c1", "q"), 0))
    assert here.due() == 20 + LEASE
    effects = here.tick(20 + LEASE)
    assert effects[:2] == [Withdraw(first.offer, "c1", ("1001",), "lease"), Repaired("1001", "lease")]
    assert offer(effects).extensions == ("1002",)


def test_the_reconciler_repairs_what_differs_for_longer_than_news_take() -> None:
    here = floor(QUEUE, ONE, TWO, at_work=("1001", "1002"))
    talk(here, "c1", 10)
    assert here.reconcile({"1001": "c1"}, 20) == []
    assert here.reconcile({}, 10 + GRACE / 2) == []
    (repaired,) = of(here.reconcile({}, 20), Repaired)
    assert (repaired, state(here, "1001")) == (Repaired("1001", "no-call"), AgentState.AVAILABLE)
    (repaired,) = of(here.reconcile({"1002": "x"}, 30), Repaired)
    assert (repaired, state(here, "1002")) == (Repaired("1002", "in-call"), AgentState.TALKING)
    (repaired,) = of(here.reconcile({"1002": "y"}, 40), Repaired)
    assert (repaired, state(here, "1002")) == (Repaired("1002", "other-call"), AgentState.TALKING)
    assert here.reconcile({"1002": "y"}, 50) == []
    here.pause("1001", "lunch", 50)
    here.enter(Caller("gone", "q"), 50)
    here.enter(Caller("waits-at-home", "q", callback=True), 50)
    effects = here.reconcile({"1002": "y"}, 60, calls={"y"})
    assert of(effects, Repaired) == [Repaired("", "caller-gone")]
    assert order(here) == ["waits-at-home"]


def test_skills_widen_over_time_until_somebody_can_take_him() -> None:
    queue = replace(QUEUE, skills={"german": 2}, widen=(Widening(30, {"german": 1}), Widening(60)))
    here = floor(queue, replace(ONE, skills={"german": 1}), TWO, at_work=("1001", "1002"))
    assert of(here.enter(Caller("c1", "q"), 0), Offer) == []
    assert dict(here.explain("c1", 1).agents) == {"without-skill": 2}
    assert here.due() == 30
    found = offer(here.tick(30))
    assert found.extensions == ("1001",)
    here.answered(found.offer, "1001", 31)
    assert of(here.enter(Caller("c2", "q"), 40), Offer) == []
    here.tick(70)
    assert offer(here.tick(100)).extensions == ("1002",)


def test_a_caller_is_kept_for_the_agent_who_served_him_last_but_not_for_ever() -> None:
    here = floor(replace(QUEUE, sticky=15), ONE, TWO, at_work=("1001", "1002"))
    found = offer(here.enter(Caller("c1", "q", number="+4930123"), 0))
    here.answered(found.offer, "1001", 1)
    here.released("1001", "c1", 2)
    talk(here, "c2", 3)  # 1002 has been free for longer
    here.released("1002", "c2", 4)
    assert offer(here.enter(Caller("c3", "q", number="+4930123"), 5)).extensions == ("1001",)
    assert of(here.enter(Caller("c4", "q", last_agent="1001"), 6), Offer) == [], "1002 is free, 1001 rings"
    assert here.explain("c4", 7).held_for == "1001"
    assert offer(here.tick(21)).extensions == ("1002",)


def test_nobody_is_kept_for_an_agent_who_goes() -> None:
    here = floor(replace(QUEUE, sticky=60), ONE, TWO, at_work=("1001", "1002"))
    here.reserve("1001", "d1", 1)
    assert of(here.enter(Caller("c1", "q", last_agent="1001"), 2), Offer) == []
    here.log_out("1001", 3)
    assert offer(here.released("1001", "d1", 4)).extensions == ("1002",)


GOALS = {when: Goal("voicemail", when) for when in ("size", "wait", "estimate", "no-agents")}


def test_overflow_by_size_wait_and_no_agents() -> None:
    rules = (
        Overflow("size", GOALS["size"], 2),
        Overflow("wait", GOALS["wait"], 30),
        Overflow("no-agents", GOALS["no-agents"]),
    )
    here = floor(replace(QUEUE, overflow=rules), ONE)
    talk(here, "busy", 0)
    for call in ("c1", "c2", "c3"):
        assert of(here.enter(Caller(call, "q"), 1), Leave) == []
    effects = here.enter(Caller("c4", "q"), 2)
    assert of(effects, Leave) == [Leave("c4", "q", "size", GOALS["size"])]
    assert of(effects, Dequeued)[0].result == "overflow"
    here.enter(Caller("back-home", "q", callback=True), 3)
    assert [one.call for one in of(here.tick(31), Leave)] == ["c1", "c2", "c3"]
    here.enter(Caller("c5", "q"), 32)
    here.log_out("1001", 33)
    assert of(here.released("1001", "busy", 34), Leave) == [Leave("c5", "q", "no-agents", GOALS["no-agents"])]
    assert of(here.enter(Caller("c6", "q"), 35), Leave) == [Leave("c6", "q", "no-agents", GOALS["no-agents"])]
    assert order(here) == ["back-home"], "who is called back keeps his place"


def test_overflow_by_estimate() -> None:
    here = floor(replace(QUEUE, overflow=(Overflow("estimate", GOALS["estimate"], 150),)), ONE)
    now = 0.0
    for number in range(6):
        talk(here, f"c{number}", now)
        here.released("1001", f"c{number}", now + 100)
        now += 100
    talk(here, "busy", now)
    assert of(here.enter(Caller("a", "q"), now), Queued)[0].estimate == pytest.approx(100)
    assert here.estimate("a", now) == pytest.approx(100)
    assert of(here.enter(Caller("b", "q"), now), Leave) == [Leave("b", "q", "estimate", GOALS["estimate"])]


def test_who_waits_too_long_or_in_too_long_a_line_is_sent_on() -> None:
    night = Goal("voicemail", "night")
    here = floor(replace(QUEUE, max_wait=60, max_length=1, otherwise=night), ONE)
    talk(here, "busy", 0)
    here.enter(Caller("c1", "q"), 1)
    assert of(here.enter(Caller("c2", "q"), 2), Leave) == [Leave("c2", "q", "max-length", night)]
    found = offer(here.released("1001", "busy", 50))
    assert of(here.tick(61), Leave) == [], "nobody is sent away while an agent's phone rings for him"
    effects = here.refused(found.offer, "1001", "no-answer", 65)
    assert of(effects, Leave) == [Leave("c1", "q", "max-wait", night)]
    assert of(effects, Dequeued)[0].result == "timeout"


def test_who_hangs_up_and_comes_back_in_time_has_his_old_place() -> None:
    here = floor(replace(QUEUE, reentry=60), ONE)
    talk(here, "busy", 0)
    here.enter(Caller("c1", "q", number="+4930123"), 1)
    here.enter(Caller("c2", "q"), 2)
    here.leave("c1", "abandoned", 10)
    here.enter(Caller("c3", "q", number="+4930123"), 40)
    assert order(here) == ["c3", "c2"]
    here.leave("c3", "abandoned", 50)
    here.enter(Caller("c4", "q", number="+4930123"), 111)
    assert order(here) == ["c2", "c4"], "too late"


def test_a_call_back_keeps_its_place() -> None:
    here = floor()
    talk(here, "busy", 0)
    here.enter(Caller("c1", "q"), 1)
    here.enter(Caller("c2", "q"), 2)
    place = here.place("c1")
    assert place is not None
    (left,) = of(here.leave("c1", "callback", 5), Dequeued)
    assert left.result == "callback"
    here.enter(Caller("back-1", "q", entered=place.entered, callback=True), 6)
    assert order(here) == ["back-1", "c2"]


def test_waiting_callers_are_told_where_they_stand() -> None:
    here = floor(replace(QUEUE, announce_every=20), ONE)
    talk(here, "busy", 0)
    here.enter(Caller("c1", "q"), 1)
    here.enter(Caller("c2", "q"), 5)
    assert here.tick(20.9) == []
    assert here.tick(25) == [Announce("c1", 1, 0.0), Announce("c2", 2, 0.0)]
    here.leave("c1", "abandoned", 30)
    assert here.tick(45) == [Announce("c2", 1, 0.0)]


def test_another_plan_takes_effect_at_once_and_places_are_kept() -> None:
    here = floor(
        QUEUE, Queue("r", "R", wrap_up=0, otherwise=Goal("queue", "q")), AgentProfile("1001", {"q": 0, "r": 0})
    )
    talk(here, "busy", 0)
    here.enter(Caller("r1", "r"), 1)
    here.enter(Caller("q1", "q"), 2)
    here.enter(Caller("q2", "q", priority="repair"), 40)
    assert order(here) == ["q1", "q2"]
    two = AgentProfile("1002", {"q": 0})
    here.log_in("1002", 40)
    effects = here.replan(Plan.of(QUEUE, ONE, two, PriorityClass("repair", 100)), 41)
    assert of(effects, Leave) == [Leave("r1", "r", "no-queue", Goal("queue", "q"))]
    assert offer(effects) == Offer("q2#2", "q2", "q", ("1002",), 20.0)
    assert here.replan(here.plan, 42) == []
    assert of(here.replan(Plan.of(ONE, two), 43), Leave) == [
        Leave("q2", "q", "no-queue", Goal("hangup")),
        Leave("q1", "q", "no-queue", Goal("hangup")),
    ]
    assert of(here.enter(Caller("q3", "q"), 44), Leave) == [Leave("q3", "q", "no-queue", None)]
    here.released("1001", "busy", 45)
    assert state(here, "1001") is AgentState.AVAILABLE


def test_the_board_shows_everything_at_one_moment() -> None:
    here = floor(QUEUE, ONE, TWO, at_work=("1001", "1002"))
    here.pause("1002", "lunch", 1)
    talk(here, "c1", 2)
    here.enter(Caller("c2", "q", area="north", priority="repair"), 3)
    here.enter(Caller("c3", "q", area="south"), 4)
    here.enter(Caller("c4", "q", area="north"), 5)
    here.leave("c4", "abandoned", 25)
    board = here.board(33)
    assert (board.waiting, board.areas) == (2, {"north": 1, "south": 1})
    assert board.states == {"talking": 1, "paused": 1}
    (line,) = board.queues
    assert (line.waiting, line.oldest, line.areas, line.priorities) == (2, 30, board.areas, {"repair": 1, "": 1})
    assert (line.offered, line.answered, line.abandoned, line.service_level) == (4, 1, 1, 0.5)
    assert [(one.extension, one.state, one.seconds, one.reason) for one in board.agents] == [
        ("1001", "talking", 31, "answered"),
        ("1002", "paused", 32, "lunch"),
    ]
    assert here.board(33 + 4000).queues[0].offered == 0, "the last hour only"
