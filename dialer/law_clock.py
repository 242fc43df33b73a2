"""The time that the law's windows go by: a wall clock that leaps must neither empty a window nor count twice."""

from __future__ import annotations

from dataclasses import dataclass

TOLERANCE = 2.0
"Seconds that the wall clock may differ without anybody asking why: small corrections of it."


@dataclass(frozen=True, slots=True)
class Reading:
    """What time it is."""

    wall: float
    "Epoch seconds, as the machine says."
    steady: float
    "Epoch seconds for windows and gaps: they never go back and never leap."

    @property
    def doubtful(self) -> bool:
        """Whether the two differ: then people are called only where both are inside the hours."""
        return abs(self.wall - self.steady) > TOLERANCE


class LawClock:
    """Follows the wall clock by way of the monotonic one.

    After a leap it runs towards the wall clock at twice or half the pace of time: a leap of a day is believed after a
    day (forward) or two (back), and no window loses more than it would have lost anyway.
    """

    def __init__(self, wall: float, monotonic: float, last: float = 0.0) -> None:
        """`last`: the newest time that was counted before a restart; it never goes back behind it."""
        self._steady = max(wall, last)
        self._monotonic = monotonic

    def read(self, wall: float, monotonic: float) -> Reading:
        """The time at `wall` (epoch seconds) and `monotonic` (seconds of any beginning)."""
        passed = max(0.0, monotonic - self._monotonic)
        self._monotonic = max(self._monotonic, monotonic)
        soonest, latest = self._steady + passed / 2, self._steady + 2 * passed
        self._steady = min(max(wall, soonest), latest)
        return Reading(wall, self._steady)
