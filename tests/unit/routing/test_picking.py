"""Strategies, tiers and skills."""

import pytest

from routing.picking import Member, meets, need_of, pick
from routing.queue import AgentProfile, Queue, Strategy, Widening
from routing.seat import Seat


def member(extension: str, tier: int = 0, idle: float = 0.0, calls: int = 0, began: float = 0.0) -> Member:
    seat = Seat(extension, AgentProfile(extension), 0.0, idle_since=idle)
    return Member(seat, tier, calls, began)


MEMBERS = (
    member("1001", idle=30, calls=1, began=50),
    member("1002", idle=10, calls=5, began=60),
    member("1003", idle=20, calls=3, began=40),
    member("1004", tier=1, idle=0, calls=0, began=0),
)


@pytest.mark.parametrize(
    ("strategy", "last", "expected"),
    [
        (Strategy.LONGEST_IDLE, "", ["1002"]),
        (Strategy.LEAST_RECENT, "", ["1003"]),
        (Strategy.FEWEST_CALLS, "", ["1001"]),
        (Strategy.RING_ALL, "", ["1001", "1002", "1003"]),
        (Strategy.ROUND_ROBIN, "", ["1001"]),
        (Strategy.ROUND_ROBIN, "1001", ["1002"]),
        (Strategy.ROUND_ROBIN, "1003", ["1001"]),
        (Strategy.ROUND_ROBIN, "1009", ["1001"]),
    ],
)
def test_the_strategy_says_who_is_asked_and_a_lower_tier_comes_first(
    strategy: Strategy, last: str, expected: list[str]
) -> None:
    assert [one.seat.extension for one in pick(strategy, MEMBERS, last)] == expected


@pytest.mark.parametrize("strategy", list(Strategy))
def test_a_higher_tier_is_asked_when_no_other_is_free_and_nobody_when_nobody_is(strategy: Strategy) -> None:
    assert [one.seat.extension for one in pick(strategy, MEMBERS[3:])] == ["1004"]
    assert pick(strategy, []) == []


def test_skills_are_enough_by_level_and_widen_with_the_wait() -> None:
    queue = Queue("q", "Q", skills={"german": 3}, widen=(Widening(30, {"german": 1}), Widening(60)))
    own = {"german": 1, "gas": 2}
    assert need_of(queue, 0, own) == {("german", 3), ("gas", 2)}
    assert need_of(queue, 30, own) == {("german", 1)}
    assert need_of(queue, 60, own) == frozenset()
    assert meets({"german": 1}, need_of(queue, 30, own))
    assert not meets({"german": 0}, need_of(queue, 30, own))
    assert not meets({}, need_of(queue, 30, own))
    assert meets({}, need_of(queue, 61, own))
