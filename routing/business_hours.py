"""Whether somebody is there: a calendar's hours at one instant, in its own time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from routing.calendar import Calendar

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = 24 * 60
"Minutes of a day on the clock."
LOOK_AHEAD = 15
"Days in which `opens_next` looks for the next opening; who is closed for longer has no answer."


class BadSpan(ValueError):
    """Text that is no span of a day; the message says why."""


@dataclass(frozen=True, slots=True)
class Hours:
    """What a calendar says about one instant."""

    open: bool
    holiday: str | None = None
    "Name of the holiday this day is."


def read_span(text: str) -> tuple[int, int]:
    """Minutes after midnight at which a span like `08:00-12:30` opens and closes. Raises BadSpan."""
    opens, dash, closes = text.partition("-")
    if not dash:
        raise BadSpan(f"{text!r} is no span like 08:00-12:30")
    found = _minutes(opens, text), _minutes(closes, text)
    if found[0] >= found[1]:
        raise BadSpan(f"{text} ends before it begins; a night is two spans, up to 24:00 and from 00:00")
    return found


def _minutes(text: str, span: str) -> int:
    hours, colon, minutes = text.strip().partition(":")
    if not (colon and hours.isdecimal() and minutes.isdecimal() and len(minutes) == 2 and len(hours) <= 2):
        raise BadSpan(f"{span!r} is no span like 08:00-12:30")
    found = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or found > DAY:
        raise BadSpan(f"{span!r} has a time that no clock shows")
    return found


def hours_at(calendar: Calendar, when: float) -> Hours:
    """Whether it is open at `when` (epoch seconds)."""
    local = datetime.fromtimestamp(when, ZoneInfo(calendar.zone))
    holiday = calendar.holidays.get(local.date().isoformat())
    if holiday is not None:
        return Hours(False, holiday)
    minute = local.hour * 60 + local.minute
    return Hours(any(opens <= minute < closes for opens, closes in _spans(calendar, local.weekday())))


def is_open(calendar: Calendar, when: float) -> bool:
    """The same as one word."""
    return hours_at(calendar, when).open


def opens_next(calendar: Calendar, when: float) -> float | None:
    """When it opens next (epoch seconds), `when` itself while it is open; None when not within two weeks."""
    if is_open(calendar, when):
        return when
    zone = ZoneInfo(calendar.zone)
    local = datetime.fromtimestamp(when, zone)
    for ahead in range(LOOK_AHEAD):
        day = (local + timedelta(days=ahead)).date()
        if day.isoformat() in calendar.holidays:
            continue
        for opens, _ in sorted(_spans(calendar, day.weekday())):
            at = datetime(day.year, day.month, day.day, opens // 60, opens % 60, tzinfo=zone)
            if at.astimezone(UTC).timestamp() > when:
                return at.timestamp()
    return None


def _spans(calendar: Calendar, weekday: int) -> list[tuple[int, int]]:
    return [read_span(span) for span in calendar.hours.get(WEEKDAYS[weekday], ())]
