"""Who is at work again after a restart, from the last state of each agent; and that the floor tells enough for it."""

from typing import Any

import pytest

from routing.comeback import Back, LastState, who_comes_back
from routing.effects import AgentChanged, Caller
from routing.floor import AgentState, Floor
from routing.plan import Plan
from routing.queue import AgentProfile, Queue

BUSY = [AgentState.RESERVED, AgentState.RINGING, AgentState.TALKING, AgentState.WRAP_UP]


def state(extension: str, after: str, reason: str = "", at: float = 100.0, **more: object) -> LastState:
    return LastState(extension, at, {"extension": extension, "after": after, "reason": reason, **more})


def back(*last: LastState) -> tuple[list[Back], list[str]]:
    return who_comes_back(last, lambda extension: extension != "1999")


@pytest.mark.parametrize("after", BUSY)
def test_a_call_does_not_outlive_the_server(after: AgentState) -> None:
    """R2-05: whoever was busy is free again; what he had asked for meanwhile comes into force."""
    assert back(state("1001", after, logged_in=True, pause=None)) == ([Back("1001", None)], [])
    assert back(state("1001", after, logged_in=True, pause="lunch")) == ([Back("1001", "lunch")], [])
    assert back(state("1001", after, logged_in=False, pause=None)) == ([], [])


def test_who_rested_rests_as_he_did() -> None:
    """R2-05: paused with the reason; unreachable phones are tried again; who was out stays out; events of an earlier
    version, which say less, are enough."""
    asked: dict[str, Any] = {"logged_in": True, "pause": None}
    assert back(state("1001", "available", **asked), state("1002", "unreachable", **asked)) == (
        [Back("1001", None), Back("1002", None)],
        [],
    )
    assert back(state("1001", "unreachable", logged_in=True, pause="lunch")) == ([Back("1001", "lunch")], [])
    assert back(state("1001", "paused", "lunch"), state("1002", "paused")) == (
        [Back("1001", "lunch"), Back("1002", "pause")],
        [],
    )
    assert back(state("1001", "logged-out"), state("1002", "logged-out", logged_in=False)) == ([], [])


def test_the_longest_idle_is_first_and_the_removed_are_named() -> None:
    """R2-05: the order of their last events; who is no agent any more stays out."""
    last = (state("1001", "available", at=300.0), state("1999", "available"), state("1002", "available", at=200.0))
    assert back(*last) == ([Back("1002", None), Back("1001", None)], ["1999"])
    assert back(state("1999", "logged-out")) == ([], [])


def test_what_is_asked_for_while_he_is_busy_is_told_at_once() -> None:
    """R2-05: a pause in the middle of a talk would be lost with a crash if nobody heard of it before its end."""
    floor = Floor(Plan.of(Queue("q", "q", wrap_up=0.0), AgentProfile("1001", {"q": 1})))
    told = [one for one in floor.log_in("1001", 0.0) if isinstance(one, AgentChanged)]
    floor.enter(Caller("c1", "q"), 1.0)
    offer = floor.place("c1")
    assert offer is not None
    assert offer.offer is not None
    floor.answered(offer.offer, "1001", 2.0)
    for effects in (floor.pause("1001", "lunch", 3.0), floor.pause("1001", "lunch", 4.0), floor.log_out("1001", 5.0)):
        told += [one for one in effects if isinstance(one, AgentChanged)]
    assert [(one.before, one.after, one.logged_in, one.pause) for one in told] == [
        ("logged-out", "available", True, None),
        ("talking", "talking", True, "lunch"),
        ("talking", "talking", False, None),
    ]
    seat = floor.agent("1001")
    assert seat is not None
    assert seat.reason == "answered", "what he does now is what it was"
    (gone,) = floor.released("1001", "c1", 6.0)
    assert isinstance(gone, AgentChanged)
    assert (gone.after, gone.logged_in) == (AgentState.LOGGED_OUT, False)
