"""When people may be called: open only where the hours of every rule are open in every possible zone of the number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dialer.holidays import Holiday, holiday_on
from routing.business_hours import WEEKDAYS, BadSpan, read_span

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import date

LOOK_AHEAD = 15
"Days in which the next opening is looked for."
MOST_STEPS = 200
"From zone to zone while looking for an instant at which all are open."

Spans = tuple[tuple[int, int], ...]
"From minute to minute of a day on the local clock, the end not included."


@dataclass(frozen=True, slots=True)
class Week:
    """Spans of each weekday, Monday first."""

    days: tuple[Spans, ...] = ((),) * 7


@dataclass(frozen=True, slots=True)
class Rule:
    """Hours and holidays that hold together: of a country, of a region."""

    week: Week
    holidays: tuple[Holiday, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """What the clocks of all zones say about one instant."""

    open: bool
    zone: str = ""
    "One in which it is closed."
    holiday: str = ""
    "Name of the holiday that it is there."


OPEN = Look(True)


def read_week(lines: Iterable[str]) -> Week:
    """Lines such as `mon-fri 08:00-21:00`, `sat,sun 09:00-12:00 14:00-18:00`, `daily 08:00-20:00`.

    A day that is not named is closed. Raises BadSpan.
    """
    days: list[list[tuple[int, int]]] = [[] for _ in WEEKDAYS]
    for line in lines:
        names, *spans = line.lower().split() or [""]
        if not spans:
            raise BadSpan(f'"{line}" is no line such as "mon-fri 08:00-21:00"')
        for day in _named(names, line):
            days[day] += map(read_span, spans)
    return Week(tuple(tuple(sorted(spans)) for spans in days))


def _named(names: str, line: str) -> Iterator[int]:
    for part in names.split(","):
        if part == "daily":
            yield from range(7)
            continue
        first, _, last = part.partition("-")
        if first not in WEEKDAYS or (last or first) not in WEEKDAYS:
            raise BadSpan(f'"{line}" does not begin with days such as mon-fri, "sat,sun" or daily')
        begin = WEEKDAYS.index(first)
        # "sat-mon" goes over the end of the week
        yield from ((begin + step) % 7 for step in range((WEEKDAYS.index(last or first) - begin) % 7 + 1))


def look(rules: Collection[Rule], zones: Collection[str], now: float) -> Look:
    """Whether it is open by all rules in all zones at `now` (epoch seconds). Without a zone it is closed."""
    if not zones:
        return Look(False)
    for zone in zones:
        local = datetime.fromtimestamp(now, clock_of(zone))
        for rule in rules:
            holiday = holiday_on(local.date(), rule.holidays)
            if holiday is not None:
                return Look(False, zone, holiday)
            if not _in_spans(rule.week, local):
                return Look(False, zone)
    return OPEN


def next_open(rules: Collection[Rule], zones: Collection[str], now: float) -> float | None:
    """An instant from `now` on at which `look` says open; None where there is none in `LOOK_AHEAD` days.

    It is the first one, but for days on which a clock is put forward or back inside the hours.
    """
    if not zones:
        return None
    at, steps, end = now, 0, now + LOOK_AHEAD * 86_400
    while at <= end and steps < MOST_STEPS:
        steps += 1
        before = at
        for zone in zones:
            for rule in rules:
                found = _next(rule, clock_of(zone), at)
                if found is None:
                    return None
                at = found
        if at == before:
            return at
    return None


@cache
def clock_of(zone: str) -> ZoneInfo:
    """A zone by its name. The standard library keeps only eight of them, and reads the others from disk again."""
    return ZoneInfo(zone)


def _in_spans(week: Week, local: datetime) -> bool:
    minute = local.hour * 60 + local.minute
    return any(opens <= minute < closes for opens, closes in week.days[local.weekday()])


def _open(rule: Rule, local: datetime) -> bool:
    return _in_spans(rule.week, local) and holiday_on(local.date(), rule.holidays) is None


def _next(rule: Rule, zone: ZoneInfo, at: float) -> float | None:
    """When one rule opens next in one zone, `at` itself while it is open."""
    local = datetime.fromtimestamp(at, zone)
    if _open(rule, local):
        return at
    for ahead in range(LOOK_AHEAD + 1):
        day = (local + timedelta(days=ahead)).date()
        if holiday_on(day, rule.holidays) is None:
            found = [instant for instant in _openings(rule, day, zone) if instant > at]
            if found:
                return min(found)
    return None


def _openings(rule: Rule, day: date, zone: ZoneInfo) -> Iterator[float]:
    """The instants at which a span of this day begins: two for a time that a clock shows twice."""
    for opens, _ in rule.week.days[day.weekday()]:
        for fold in (0, 1):
            instant = datetime(
                day.year, day.month, day.day, opens // 60, opens % 60, tzinfo=zone, fold=fold
            ).timestamp()
            # a time that the clock leaps over stands for one an hour off: it must be looked at again
            if _open(rule, datetime.fromtimestamp(instant, zone)):
                yield instant
