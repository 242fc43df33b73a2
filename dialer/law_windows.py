"""The law's counters of one campaign over its windows: the last 24 hours, the last 30 days, its whole life."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from dialer.law import NOTHING, LawCounters

if TYPE_CHECKING:
    from dialer.profiles import LawProfile, WindowName

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


class Rolling:
    """Counters of the last `length` seconds, kept by slots of `slot` seconds.

    A slot counts while any of its time is in the window, so the window is up to one slot longer than it says. Calls
    may come in any order; each is counted once, at its own time. One that is older than the window is not counted, one
    from the future is (it leaves the window when its time has).
    """

    def __init__(self, length: float, slot: float) -> None:
        self.length, self.slot = length, slot
        self._slots: dict[int, LawCounters] = {}
        self._order: list[int] = []
        "The slots' numbers, the oldest first to come out."
        self._total = NOTHING

    def __repr__(self) -> str:
        return f"<{self._total.answered_live} answers in {len(self._slots)} slots of {self.slot:g} s>"

    def add(self, at: float, counters: LawCounters) -> None:
        """Count something that happened at `at` (epoch seconds)."""
        slot = int(at // self.slot)
        if slot not in self._slots:
            self._slots[slot] = NOTHING
            heappush(self._order, slot)
        self._slots[slot] += counters
        self._total += counters

    def total(self, now: float) -> LawCounters:
        """Everything inside the window that ends at `now`; `now` never goes back (`LawClock`)."""
        while self._order and (self._order[0] + 1) * self.slot <= now - self.length:
            self._total -= self._slots.pop(heappop(self._order))
        return self._total


@dataclass(frozen=True, slots=True)
class Standing:
    """How a campaign stands against its cap."""

    shares: Mapping[WindowName, float]
    "Share abandoned, of each window that the profile looks at."
    cap: float
    none_idle: float
    "R3-15's own probability over the last 24 hours."

    @property
    def worst(self) -> float:
        """The share of the window that is nearest to the cap."""
        return max(self.shares.values(), default=0.0)

    @property
    def over(self) -> bool:
        """Whether one window is over the cap."""
        return self.worst > self.cap


class CampaignCounters:
    """All windows of one campaign."""

    def __init__(self) -> None:
        self.day = Rolling(DAY, MINUTE)
        self.month = Rolling(30 * DAY, HOUR)
        self.whole = NOTHING

    def __repr__(self) -> str:
        return f"<campaign with {self.whole.answered_live} answers, {self.whole.abandoned} abandoned>"

    def count(self, at: float, counters: LawCounters) -> None:
        """Count one call, or several of the same minute, at epoch seconds."""
        self.day.add(at, counters)
        self.month.add(at, counters)
        self.whole += counters

    def restore(self, hours: Iterable[tuple[float, LawCounters]]) -> None:
        """Count again what was kept by hours before a restart: the beginning of each, epoch seconds.

        An hour counts as if all of it had been in its last minute, so nothing leaves the last day too soon.
        """
        for hour, counters in hours:
            self.count(hour + HOUR - MINUTE, counters)

    def in_window(self, name: WindowName, now: float) -> LawCounters:
        """The counters of one window that ends at `now`."""
        match name:
            case "24h":
                return self.day.total(now)
            case "30d":
                return self.month.total(now)
            case "campaign":
                return self.whole

    def standing(self, profile: LawProfile, now: float) -> Standing:
        """The shares of the profile's windows, people taken for machines included."""
        shares = {
            name: self.in_window(name, now).share(profile.formula, profile.false_positive) for name in profile.windows
        }
        return Standing(shares, profile.cap, self.day.total(now).none_idle_share)
