"""Days on which nobody is called: fixed ones, ones of a single year, ones that move with Easter or a weekday."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from routing.business_hours import WEEKDAYS

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FORMS = (
    re.compile(r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"),
    re.compile(r"(?P<month>\d\d)-(?P<day>\d\d)"),
    re.compile(r"easter(?P<days>[+-]\d{1,3})?"),
    re.compile(rf"(?P<nth>[1-5]|last) (?P<weekday>{'|'.join(WEEKDAYS)}) (?P<name>{'|'.join(MONTHS)})"),
)


class BadHoliday(ValueError):
    """Text that is no holiday; the message says why."""


@dataclass(frozen=True, slots=True)
class Holiday:
    """One holiday: of the three forms exactly one is given."""

    name: str
    month: int = 0
    "Of a date, or of the weekday."
    day: int = 0
    year: int = 0
    "0: every year."
    easter: int | None = None
    "Days after Easter Sunday."
    nth: int = 0
    "Which weekday of the month; -1: the last."
    weekday: int = 0

    def falls_on(self, when: date) -> bool:
        """Whether this day is it."""
        if self.easter is not None:
            return when == easter_sunday(when.year) + timedelta(days=self.easter)
        if when.month != self.month:
            return False
        if self.nth == 0:
            return when.day == self.day and self.year in (0, when.year)
        if when.weekday() != self.weekday:
            return False
        return (when + timedelta(days=7)).month != when.month if self.nth < 0 else (when.day + 6) // 7 == self.nth


def read_holiday(text: str) -> Holiday:
    """A line such as `12-25 Christmas Day`, `2026-02-17 Spring Festival`, `easter+1 Easter Monday`, `4 thu nov`.

    What follows the day is the name; without one the day is its own name. Raises BadHoliday.
    """
    text = " ".join(text.split())
    for form in _FORMS:
        found = form.match(text.lower())
        if found is None or (len(text) > found.end() and text[found.end()] != " "):
            continue
        return _made(text[found.end() :].strip() or text, found)
    raise BadHoliday(f'"{text}" is no holiday: write 12-25, 2026-02-17, easter+1 or "last mon may", and then its name')


def _made(name: str, found: re.Match[str]) -> Holiday:
    parts = found.groupdict()
    if "days" in parts:
        return Holiday(name, easter=int(parts["days"] or 0))
    if "nth" in parts:
        nth = -1 if parts["nth"] == "last" else int(parts["nth"])
        month = MONTHS.index(parts["name"]) + 1
        return Holiday(name, month=month, nth=nth, weekday=WEEKDAYS.index(parts["weekday"]))
    year, month, day = int(parts.get("year") or 0), int(parts["month"]), int(parts["day"])
    try:
        date(year or 2000, month, day)  # 2000 had a 29 February
    except ValueError:
        raise BadHoliday(f'"{found.group()}" is no day of the calendar') from None
    return Holiday(name, month=month, day=day, year=year)


def easter_sunday(year: int) -> date:
    """Easter of the Gregorian calendar (the rule published by J. Meeus, Astronomical Algorithms, chapter 8)."""
    cycle, century, rest = year % 19, year // 100, year % 100
    leap_centuries, century_rest = divmod(century, 4)
    moon = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * cycle + century - leap_centuries - moon + 15) % 30
    weekday = (32 + 2 * century_rest + 2 * (rest // 4) - epact - rest % 4) % 7
    late = (cycle + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def holiday_on(when: date, holidays: tuple[Holiday, ...]) -> str | None:
    """Name of the holiday a day is."""
    return next((holiday.name for holiday in holidays if holiday.falls_on(when)), None)
