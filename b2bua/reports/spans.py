"""Quarters of an hour and days as they begin in a time zone. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta, tzinfo
from typing import Literal

Span = Literal["quarter", "day"]

QUARTER = 900.0
"Seconds. Every time zone in use differs from UTC by a multiple of it, so quarters are the same everywhere."


def quarter(at: float) -> float:
    """The beginning of the quarter of an hour that `at` (epoch seconds) lies in."""
    return at - at % QUARTER


class Days:
    """Beginnings of days in a time zone. The last day is remembered: events come in order."""

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self._from = self._until = 0.0

    def begin(self, at: float) -> float:
        """Midnight before `at`, epoch seconds; a day has 23 or 25 hours where the clock is changed."""
        if not self._from <= at < self._until:
            date = datetime.fromtimestamp(at, self.zone).date()
            self._from = datetime.combine(date, time(), self.zone).timestamp()
            self._until = datetime.combine(date + timedelta(days=1), time(), self.zone).timestamp()
        return self._from

    def after(self, at: float) -> float:
        """The first midnight at or behind `at`."""
        return at if self.begin(at) == at else self._until


def pieces(begin: float, end: float) -> Iterator[tuple[float, float]]:
    """A stretch of time cut at the quarters: where each piece begins, and its seconds."""
    while begin < end:
        cut = min(end, quarter(begin) + QUARTER)
        yield begin, cut - begin
        begin = cut
