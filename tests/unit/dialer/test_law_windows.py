"""The windows of the law's counters, and the clock they go by."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.law import NOTHING, LawCounters
from dialer.law_clock import TOLERANCE, LawClock
from dialer.law_windows import DAY, HOUR, MINUTE, CampaignCounters, Rolling
from dialer.profiles import UK, US

GOOD, BAD = LawCounters(live=1, connected=1), LawCounters(live=1, abandoned=1, none_idle=1)
T0 = 1_780_000_000.0
EVENTS = st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 3000), st.booleans()), max_size=60)


@given(EVENTS, st.sampled_from([60.0, 300.0, 1000.0]), st.sampled_from([1.0, 7.0, 60.0]))
@settings(max_examples=300, deadline=None)
def test_a_window_is_what_counting_finds(events: list[tuple[int, int, bool]], length: float, slot: float) -> None:
    """R3-12: calls come in any order (told at their end), the time goes on; each is in the window exactly while a
    part of its slot is."""
    window, told = Rolling(length, slot), []
    for at, end, bad in sorted(events, key=lambda event: event[1]):
        counters = BAD if bad else GOOD
        window.add(at, counters)
        told.append((at, counters))
        inside = (one for when, one in told if (when // slot + 1) * slot > end - length)
        assert window.total(end) == sum(inside, NOTHING)


def test_the_windows_of_a_campaign() -> None:
    """24 hours, 30 days, all of it; the cap holds in those that the law names."""
    counters = CampaignCounters()
    counters.count(T0, BAD)
    for hour in range(1, 40 * 24):
        counters.count(T0 + hour * HOUR, GOOD)
    now = T0 + 40 * 24 * HOUR
    assert counters.in_window("campaign", now) == LawCounters(live=960, connected=959, abandoned=1, none_idle=1)
    assert counters.in_window("30d", now).live == pytest.approx(720, abs=1)
    assert counters.in_window("24h", now).live == pytest.approx(24, abs=1)
    assert counters.in_window("24h", now).abandoned == 0


def test_a_campaign_stands_over_its_cap_in_one_window_and_under_it_in_another() -> None:
    counters = CampaignCounters()
    counters.count(T0, replace(GOOD, live=1000, connected=1000))
    now = T0 + 2 * DAY
    counters.count(now, replace(GOOD, live=96, connected=96))
    counters.count(now, LawCounters(live=4, abandoned=4, none_idle=4))
    uk, us = counters.standing(UK, now), counters.standing(US, now)
    assert uk.shares == {"24h": pytest.approx(0.04)}
    assert (uk.over, us.over) == (True, False)
    assert us.shares == {"30d": pytest.approx(4 / 1100)}
    assert uk.none_idle == pytest.approx(0.04)
    assert counters.standing(replace(UK, windows=()), now).worst == 0.0


def test_hours_that_were_kept_leave_the_last_day_no_sooner() -> None:
    """Counters outlive a restart: an hour is known, not its minutes."""
    counters = CampaignCounters()
    hour = T0 // HOUR * HOUR
    counters.restore([(hour, BAD)])
    assert counters.in_window("24h", hour + DAY + HOUR - MINUTE).abandoned == 1
    assert counters.in_window("24h", hour + DAY + HOUR).abandoned == 0
    assert counters.in_window("30d", hour + DAY + HOUR).abandoned == 1


TICKS = st.lists(st.tuples(st.floats(0.01, 3600), st.floats(-1e8, 1e8)), min_size=1, max_size=30)


@given(TICKS)
def test_no_leap_of_the_clock_breaks_a_window(ticks: list[tuple[float, float]]) -> None:
    """Bad input: clock jumps. The time of the windows goes on at half to twice the pace, whatever that clock says."""
    clock, monotonic, before = LawClock(T0, 50.0), 50.0, T0
    for passed, leap in ticks:
        monotonic += passed
        now = clock.read(T0 + monotonic + leap, monotonic).steady
        assert before + passed / 2 - 1e-3 <= now <= before + passed * 2 + 1e-3
        before = now


def test_a_leap_is_doubted_and_believed_in_the_end() -> None:
    clock = LawClock(T0, 0.0)
    assert not clock.read(T0 + 10.0 + TOLERANCE / 2, 10.0).doubtful
    leapt = clock.read(T0 + 20.0 + DAY, 20.0)
    assert leapt.doubtful
    assert leapt.steady <= T0 + 40.0
    assert clock.read(T0 + 30 * DAY + DAY, 30 * DAY).steady == T0 + 31 * DAY
    back = clock.read(T0 + 30 * DAY + 10.0, 30 * DAY + 10.0)
    assert back.doubtful
    assert back.steady > T0 + 31 * DAY


def test_after_a_restart_it_goes_on_from_what_was_counted() -> None:
    """A clock that was put back meanwhile counts nothing twice and reopens no window."""
    assert LawClock(T0 - DAY, 0.0, last=T0).read(T0 - DAY + 10.0, 10.0).steady == T0 + 5.0
    assert LawClock(T0, 0.0, last=T0 - DAY).read(T0 + 10.0, 10.0).steady == T0 + 10.0
