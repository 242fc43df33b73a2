"""A leg to several phones: one wins, the others hear why, and the next group rings when all of one have failed."""

from __future__ import annotations

from typing import Any

import pytest

from b2bua.calls.forked_leg import ELSEWHERE, ForkedLeg
from b2bua.sip.engine import CannotCall, Outgoing
from b2bua.sip.signals import Answered, Closed, Progress, Signal, Sound


class FakeLeg:
    """A phone's own leg."""

    def __init__(self, number: int, sink: Any) -> None:
        self.id, self.sink, self.owner = number, sink, ""
        self.sip_call_id, self.source, self.trying = f"call-{number}", "192.0.2.1", False
        self.redirected: tuple[str, ...] = ()
        self.ended: list[tuple[int, object]] = []

    def hang_up(self, code: int = 0, headers: object = ()) -> bool:
        self.ended.append((code, headers))
        return True

    def native_id(self) -> int:
        return 100 + self.id


class FakeEngine:
    """Opens legs; a target that begins with `dead` cannot be called."""

    def __init__(self) -> None:
        self.legs: dict[str, FakeLeg] = {}
        self._numbers = 0

    def number(self) -> int:
        self._numbers += 1
        return self._numbers

    def open(self, out: Outgoing, sink: Any) -> FakeLeg:
        if out.target.startswith("dead"):
            raise CannotCall("no such transport", ours=False)
        leg = self.legs[out.target] = FakeLeg(self.number(), sink)
        return leg


def _fork(*groups: str) -> tuple[ForkedLeg, dict[str, FakeLeg], list[Signal]]:
    """Groups are words: `"a b"` rings a and b together."""
    engine, told = FakeEngine(), list[Signal]()
    wanted = [[Outgoing(target, "inside", "<sip:x@y>") for target in group.split()] for group in groups]
    return ForkedLeg(engine, wanted, told.append, "1001"), engine.legs, told  # type: ignore[arg-type]


def test_the_first_to_answer_wins_and_is_heard() -> None:
    fork, legs, told = _fork("a b", "c")
    assert set(legs) == {"a", "b"}
    assert legs["a"].owner == "1001"
    legs["a"].sink(Progress(legs["a"].id, 183, True))
    legs["b"].sink(Sound(legs["b"].id, "line"))
    legs["b"].sink(Answered(legs["b"].id))
    assert told == [Progress(fork.id, 183, False), Sound(fork.id, "line"), Answered(fork.id)]
    assert legs["a"].ended == [(487, ELSEWHERE)]
    assert fork.native_id() == 100 + legs["b"].id
    legs["a"].sink(Closed(legs["a"].id, 487, False))
    assert len(told) == 3
    legs["b"].sink(Closed(legs["b"].id, 200, True))
    assert told[3:] == [Closed(fork.id, 200, True)]
    assert not fork.alive
    assert set(legs) == {"a", "b"}, "nobody else is rung after an answer"


def test_the_next_group_rings_when_all_of_one_have_failed() -> None:
    fork, legs, told = _fork("a b", "dead c")
    legs["a"].sink(Closed(legs["a"].id, 486, True))
    assert "c" not in legs
    legs["b"].sink(Closed(legs["b"].id, 408, False, local=True))
    assert "c" in legs
    legs["c"].sink(Closed(legs["c"].id, 480, True))
    assert told == [Closed(fork.id, 486, True)], "a refusal says more than silence"
    assert not fork.alive


def test_a_hang_up_ends_all_and_rings_nobody_else() -> None:
    fork, legs, told = _fork("a b", "c")
    assert fork.hang_up(487)
    assert not fork.hang_up(487)
    for leg in (legs["a"], legs["b"]):
        assert leg.ended == [(487, ())]
        leg.sink(Closed(leg.id, 487, False))
    assert told == [Closed(fork.id, 487, False)]
    assert "c" not in legs


def test_where_nobody_can_be_rung_there_is_no_leg() -> None:
    with pytest.raises(CannotCall):
        _fork("dead", "dead2")
    fork, legs, _ = _fork("dead", "b")
    assert fork.sip_call_id == legs["b"].sip_call_id
