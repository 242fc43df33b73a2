"""When a calendar is open: zones, holidays, change of the clocks."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.business_hours import DAY, BadSpan, Hours, hours_at, is_open, opens_next, read_span
from routing.calendar import Calendar

OFFICE = Calendar(
    "office",
    "Europe/Berlin",
    dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ("08:00-12:30", "13:30-18:00")) | {"sat": ("22:00-24:00",)},
    {"2026-12-25": "Christmas"},
)


def at(text: str, zone: str = "Europe/Berlin") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02T07:59:59", False),
        ("2026-03-02T08:00:00", True),
        ("2026-03-02T12:29:59", True),
        ("2026-03-02T12:30:00", False),
        ("2026-03-07T10:00:00", False),
        ("2026-03-07T23:59:59", True),
        ("2026-03-08T00:00:00", False),
        ("2026-03-30T08:30:00", True),
    ],
)
def test_open_from_the_first_minute_to_the_last(text: str, expected: bool) -> None:
    assert is_open(OFFICE, at(text)) is expected


def test_the_clock_is_that_of_the_calendar() -> None:
    """A tenant in Shanghai opens when it is still night here."""
    shanghai = Calendar("cn", "Asia/Shanghai", {"mon": ("09:00-18:00",)})
    assert is_open(shanghai, at("2026-03-02T02:00:00"))
    assert not is_open(OFFICE, at("2026-03-02T02:00:00"))


def test_a_holiday_is_closed_and_named() -> None:
    assert hours_at(OFFICE, at("2026-12-25T10:00:00")) == Hours(False, "Christmas")


def test_the_next_opening_skips_holidays_and_nights() -> None:
    assert opens_next(OFFICE, at("2026-12-24T20:00:00")) == at("2026-12-26T22:00:00")
    assert opens_next(OFFICE, at("2026-03-02T12:45:00")) == at("2026-03-02T13:30:00")
    assert opens_next(OFFICE, now := at("2026-03-02T09:00:00")) == now
    assert opens_next(OFFICE, at("2026-03-28T23:59:59") + 2) == at("2026-03-30T08:00:00")
    assert opens_next(Calendar("never"), 0.0) is None


@pytest.mark.parametrize(
    "text", ["", "8-12", "08:00", "12:00-08:00", "08:00-08:00", "08:60-09:00", "08:00-24:01", "a-b"]
)
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(BadSpan):
        read_span(text)


@given(st.integers(0, DAY - 1), st.integers(1, DAY))
def test_a_span_that_is_written_is_read(opens: int, length: int) -> None:
    closes = min(opens + length, DAY)
    text = f"{opens // 60:02}:{opens % 60:02}-{closes // 60:02}:{closes % 60:02}"
    assert read_span(text) == (opens, closes)


@given(st.floats(1_700_000_000, 1_900_000_000))
def test_whoever_waits_for_the_next_opening_finds_it_open(when: float) -> None:
    opening = opens_next(OFFICE, when)
    assert opening is not None
    assert opening >= when
    assert is_open(OFFICE, opening)
