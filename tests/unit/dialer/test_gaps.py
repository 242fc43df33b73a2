"""How soon somebody may be called again."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.forbidden import Reason
from dialer.gaps import PastCall, gap_problem, limit_problem, recorded_problem
from dialer.outcome import Outcome
from dialer.profiles import DAY, HOUR, UK, US, US_REG_F, AttemptLimit, BadLimit, read_limit
from tests.unit.dialer.law_cases import LONDON, MIAMI, NOON, past

LIMIT = AttemptLimit(3, 100.0)


@given(st.lists(st.integers(0, 300), max_size=12), st.integers(0, 400))
def test_a_limit_is_what_counting_finds(times: list[int], now: int) -> None:
    """R3-12: n calls in a period: the next one is forbidden while n of them are younger than the period."""
    calls = [PastCall(float(time), "c1", LONDON, Outcome.BUSY) for time in times if time <= now]
    young = sum(call.at > now - LIMIT.period for call in calls)
    found = limit_problem(LIMIT, calls)
    assert (found is not None and found.until is not None and found.until > now) is (young >= LIMIT.most)


@given(st.lists(st.integers(0, 300), min_size=3, max_size=12))
def test_and_ends_when_it_says(times: list[int]) -> None:
    calls = [PastCall(float(time), "c1", LONDON, Outcome.BUSY) for time in times]
    found = limit_problem(LIMIT, calls)
    assert found is not None
    assert found.until is not None
    assert sum(call.at > found.until - LIMIT.period for call in calls) < LIMIT.most


@pytest.mark.parametrize(
    ("history", "guaranteed", "reason", "hours"),
    [
        ((), False, None, 0),
        ((past(71 * HOUR, Outcome.ABANDONED),), False, Reason.ABANDONED, 1),
        ((past(72 * HOUR, Outcome.ABANDONED),), False, None, 0),
        ((past(HOUR, Outcome.ABANDONED),), True, None, 0),
        ((past(HOUR, Outcome.ABANDONED, number=MIAMI),), False, None, 0),
        ((past(23 * HOUR, Outcome.MACHINE),), False, Reason.MACHINE, 1),
        ((past(HOUR, Outcome.MACHINE),), True, None, 0),
        ((past(HOUR, Outcome.MACHINE), past(2 * HOUR, Outcome.ABANDONED)), False, Reason.ABANDONED, 70),
        ((past(60.0, Outcome.TRUNK_FAULT), past(60.0, Outcome.WITHHELD)), False, None, 0),
    ],
)
def test_after_an_abandoned_call_the_uk_waits_72_hours(
    history: tuple[PastCall, ...], guaranteed: bool, reason: Reason | None, hours: float
) -> None:
    """R3-12: 72 h without a guaranteed agent; a fault of ours is no call."""
    found = gap_problem(LONDON, "c1", NOON, UK, (), history, guaranteed=guaranteed)
    assert (found.reason if found else None) is reason
    if found is not None:
        assert found.until == pytest.approx(NOON + hours * HOUR)


def test_seven_calls_in_seven_days_and_seven_days_after_a_talk() -> None:
    """R3-12: Reg F, 12 CFR 1006.14."""
    rule = US_REG_F.limits(LONDON)
    week = tuple(past((day + 0.5) * DAY, number=MIAMI if day % 2 else LONDON) for day in range(7))
    found = gap_problem(LONDON, "c1", NOON, US_REG_F, rule, week)
    assert found is not None
    assert (found.reason, found.until, found.detail) == (Reason.ATTEMPTS, NOON + 0.5 * DAY, "7/7d per contact")
    assert gap_problem(LONDON, "c1", NOON, US_REG_F, rule, week[:6]) is None
    assert gap_problem(LONDON, "c2", NOON, US_REG_F, rule, [replace(one, contact="c1") for one in week]) is None
    talk = (past(2 * DAY, Outcome.ANSWERED, number=MIAMI, talked=True),)
    found = gap_problem(LONDON, "c1", NOON, US_REG_F, rule, talk)
    assert found is not None
    assert (found.reason, found.until) == (Reason.TALK, NOON + 5 * DAY)
    assert gap_problem(LONDON, "c1", NOON, US, US.limits(LONDON), talk) is None


def test_the_end_of_a_call_begins_a_gap() -> None:
    """A call in progress, or lost with its node, counts from its beginning."""
    law = replace(US, redial_gap=HOUR)
    ended = replace(past(2 * HOUR, Outcome.ANSWERED), ended_at=NOON - 60.0)
    found = gap_problem(LONDON, "c1", NOON, law, (), [ended])
    assert found is not None
    assert (found.reason, found.until) == (Reason.REDIAL, NOON + HOUR - 60.0)
    found = gap_problem(LONDON, "c1", NOON, law, (), [past(60.0, Outcome.UNKNOWN)])
    assert found is not None
    assert found.until == NOON + HOUR - 60.0
    found = gap_problem(LONDON, "c1", NOON, US, (), [past(60.0)], own_gap=120.0)
    assert found is not None
    assert found.until == NOON + 60.0


def test_three_recorded_messages_in_thirty_days() -> None:
    """R3-12: prerecorded calls to a landline without consent."""
    limit = US_REG_F.recorded_without_consent
    assert limit is not None
    played = [past(day * DAY, Outcome.ANSWERED, recorded=True) for day in (1, 10, 29)]
    found = recorded_problem(LONDON, NOON, limit, played)
    assert found is not None
    assert (found.reason, found.until) == (Reason.RECORDED, NOON + DAY)
    assert recorded_problem(LONDON, NOON, limit, played[:2]) is None
    assert recorded_problem(MIAMI, NOON, limit, played) is None


@pytest.mark.parametrize("text", ["7/7d", "3/24h per number", " 3/1D  per  Number"])
def test_a_limit_is_read(text: str) -> None:
    limit = read_limit(text)
    assert read_limit(str(limit)) == limit


@pytest.mark.parametrize("text", ["", "7", "0/7d", "7/0d", "7/7w", "7 in 7 days", "7/7d per debt"])
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(BadLimit):
        read_limit(text)
