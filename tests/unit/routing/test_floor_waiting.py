"""Waiting callers: their order, whom they are kept for, and who goes elsewhere."""

from dataclasses import replace

import pytest

from routing.floor import (
    Announce,
    Caller,
    Dequeued,
    Leave,
    Offer,
    Queued,
)
from routing.goal import Goal
from routing.queue import AgentProfile, Overflow, Queue, Widening
from tests.unit.routing.floor_steps import ONE, QUEUE, TWO, floor, of, offer, order, talk


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
