"""Whether a person is there at one instant, by his absences and shifts; time comes in as epoch seconds."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from routing.business_hours import WEEKDAYS
from routing.org import Absence, Organisation, Shift

LOOK_BACK = 7
"Days in which the shift that ended last is looked for."
REMEMBERED = 16_384
"Times that are kept once they were read: 200 colleagues with a week of shifts are looked at while a call waits."


class BadTime(ValueError):
    """Text that is no time; the message says what would be one."""


@dataclass(frozen=True, slots=True)
class Away:
    """Why somebody is not there."""

    reason: str
    "The absence's own word, `hand-over`, or `off-shift`."
    stand_in: str | None = None
    "Whom the absence or the shift names for this time."


def away(organisation: Organisation, person: str, now: float) -> Away | None:
    """Why he is not there; None when he is. With rows that cannot be read he is not: nobody absent is ever chosen."""
    try:
        for absence in organisation.absences.get(person, ()):
            begins, ends = absence_span(absence)
            if begins <= now < ends:
                return Away(absence.reason or "leave", absence.deputy)
        shifts = organisation.shifts.get(person)
        return _off(shifts, now) if shifts else None
    except (OSError, ValueError, KeyError):  # what zoneinfo raises for a zone that is gone, and BadTime
        return Away("unreadable")


def absence_span(absence: Absence) -> tuple[float, float]:
    """Its first second and the one after its last, epoch seconds. Raises BadTime."""
    return _span(absence.begins, absence.ends, absence.zone)


@lru_cache(maxsize=REMEMBERED)
def _span(begins: str, ends: str, zone: str) -> tuple[float, float]:
    return _instant(begins, zone, ends=False), _instant(ends, zone, ends=True)


def clock(text: str) -> time:
    """A time of day, `08:00`. Raises BadTime."""
    try:
        found = time.fromisoformat(text)
    except ValueError:
        raise BadTime(f"{text!r} is no time like 08:00") from None
    if found.tzinfo is not None:
        raise BadTime(f"{text!r} must have no offset: the zone is a field of its own")
    return found


def _off(shifts: tuple[Shift, ...], now: float) -> Away | None:
    hand_over: Shift | None = None
    last: tuple[float, Shift] | None = None
    for shift in shifts:
        for begins, ends in _spans(shift, now):
            if begins <= now < ends:
                if now < ends - shift.hand_over * 60:
                    return None
                hand_over = shift
            elif ends <= now and (last is None or ends > last[0]):
                last = ends, shift
    if hand_over is not None:
        return Away("hand-over", hand_over.relief)
    return Away("off-shift", last[1].relief if last is not None else None)


def _spans(shift: Shift, now: float) -> tuple[tuple[float, float], ...]:
    """Its spans of the last days and of today, epoch seconds."""
    today = datetime.fromtimestamp(now, ZoneInfo(shift.zone)).date()
    return _spans_until(shift.days, shift.begins, shift.ends, shift.zone, today)


@lru_cache(maxsize=REMEMBERED)
def _spans_until(
    days: tuple[str, ...], begins_at: str, ends_at: str, zone_name: str, today: date
) -> tuple[tuple[float, float], ...]:
    zone, begins, ends = ZoneInfo(zone_name), clock(begins_at), clock(ends_at)
    found = []
    for back in range(LOOK_BACK, -1, -1):
        day = today - timedelta(days=back)
        if WEEKDAYS[day.weekday()] in days:
            last = day if ends > begins else day + timedelta(days=1)
            # through the zone at both ends: a night in which the clocks change is an hour longer or shorter
            span = datetime.combine(day, begins, zone), datetime.combine(last, ends, zone)
            found.append((span[0].timestamp(), span[1].timestamp()))
    return tuple(found)


def _instant(text: str, zone: str, *, ends: bool) -> float:
    try:
        if len(text) == len("2026-12-24"):
            day = datetime.fromisoformat(text).date() + timedelta(days=1 if ends else 0)
            return datetime.combine(day, time(), ZoneInfo(zone)).timestamp()
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise BadTime(f"{text!r} is no time like 2026-12-24 or 2026-12-24T08:00") from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=ZoneInfo(zone))
    return found.astimezone(UTC).timestamp()
