"""Looking for the highest rate that passes: geometric steps, then bisection. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """How to search."""

    start: int
    "First rate tried: best just below what is expected."
    growth: float = 1.25
    "Factor of a step while nothing has failed (or passed) yet."
    precision: float = 0.04
    "The search ends when the lowest failed rate is at most this share above the highest passed one."
    lowest: int = 5
    highest: int = 10_000

    def next(self, tried: Mapping[int, bool]) -> int | None:
        """The rate to try after these (rate: passed?), None when the search is over."""
        if not tried:
            return self.start
        top = best(tried)
        # a rate that failed below one that passed was an accident of the machine: it does not bound the search
        failed = min((rate for rate, passed in tried.items() if not passed and rate > top), default=None)
        if failed is None:
            wanted = min(max(round(top * self.growth), top + 1), self.highest)
        elif top == 0:
            wanted = max(round(failed / self.growth), self.lowest)
        elif failed <= top * (1 + self.precision) or failed - top <= 1:
            return None
        else:
            wanted = round((top + failed) / 2)
        return None if wanted in tried else wanted


def best(tried: Mapping[int, bool]) -> int:
    """The highest rate that passed, 0 when none did."""
    return max((rate for rate, passed in tried.items() if passed), default=0)
