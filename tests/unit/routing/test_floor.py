"""Agents and offers, one behaviour at a time; the random runs are in test_floor_at_random."""

from dataclasses import replace

import pytest

from routing.agent_state import AgentState
from routing.floor import (
    DIRECT_LEASE,
    AgentChanged,
    Caller,
    Dequeued,
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
from routing.queue import AgentProfile, PriorityClass, Queue, Strategy
from routing.reconciling import GRACE
from routing.staff import UNREACHABLE_DELAY
from tests.unit.routing.floor_steps import ONE, QUEUE, THREE, TWO, floor, of, offer, order, state, talk


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
    (kept,) = of(here.pause("1001", "lunch", 1), AgentChanged)
    assert (kept.before, kept.after, kept.pause) == (AgentState.RESERVED, AgentState.RESERVED, "lunch")
    assert here.answered(found.offer, "1001", 2)
    (kept,) = of(here.log_out("1001", 3), AgentChanged)
    assert (kept.after, kept.logged_in, kept.pause) == (AgentState.TALKING, False, None)
    assert here.log_out("1001", 3) == []
    here.log_in("1001", 3)
    here.pause("1001", "training", 3)
    assert state(here, "1001") is AgentState.TALKING
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
    (line,) = here.board(61).queues
    assert (line.offered, line.answered) == (4, 1), "three callers, one of whom waits a second time"


def test_a_colleague_who_was_asked_takes_no_place_of_the_caller_with_him() -> None:
    """He is reserved for the same call, answers and goes; then the agent is lost: the caller is at the head again."""
    here = floor(QUEUE, ONE, TWO)
    talk(here, "c1", 0)
    here.log_in("1002", 1)
    here.reserve("1002", "c1", 2)
    here.answered("c1", "1002", 3)
    here.released("1002", "c1", 9)
    assert state(here, "1002") is AgentState.AVAILABLE
    effects = here.back("c1", 10)
    assert of(effects, Requeued) == [Requeued("c1", "q", "agent-lost", 1)]
    assert offer(effects).extensions == ("1002",)


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


def test_a_call_that_may_end_his_wrap_up_has_him_before_anybody_who_waits() -> None:
    here = floor(replace(QUEUE, wrap_up=10), ONE)
    talk(here, "c1", 0)
    here.released("1001", "c1", 5)
    here.enter(Caller("c2", "q"), 6)
    assert here.reserve("1001", "c1", 7) is None
    effects = here.reserve("1001", "c1", 7, past_wrap_up=True)
    assert [one.after for one in of(effects, AgentChanged)] == [AgentState.AVAILABLE, AgentState.RESERVED]
    assert of(here.tick(15), Offer) == [], "he is that call's"
    here.answered("c1", "1001", 16)
    assert offer(here.released("1001", "c1", 17)).call == "c2", "a direct call has no wrap-up"


def test_a_wrap_up_is_not_ended_for_a_call_that_cannot_reach_him() -> None:
    here = floor(replace(QUEUE, wrap_up=10), ONE)
    talk(here, "c1", 0)
    here.released("1001", "c1", 5)
    here.reachable("1001", False, 6)
    assert here.reserve("1001", "c2", 7, past_wrap_up=True) is None
    assert state(here, "1001") is AgentState.WRAP_UP


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
    here.enter(Caller("c5", "q"), 33)
    here.leave("c5", "abandoned", 34)
    (later,) = here.board(34).queues
    assert (later.offered, later.abandoned, later.short_abandoned, later.service_level) == (5, 1, 1, 0.5)
    here.enter(Caller("c6", "q"), 34)
    here.leave("c6", "overflow", 40)
    (last,) = here.board(40).queues
    assert last.elsewhere == 1
    assert last.service_level == pytest.approx(1 / 3)
    assert [(one.extension, one.state, one.seconds, one.reason) for one in board.agents] == [
        ("1001", "talking", 31, "answered"),
        ("1002", "paused", 32, "lunch"),
    ]
    assert here.board(33 + 4000).queues[0].offered == 0, "the last hour only"
