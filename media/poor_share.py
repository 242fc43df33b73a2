"""Do too many legs of one trunk sound poor?  A sliding window over those that ended, and those that live.  Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

STEP = 5.0
"Seconds that are counted together."
CLEAR = 0.5
"The alarm is over when the share has come down to this part of what began it."


@dataclass(frozen=True, slots=True)
class Rule:
    """When it is too many."""

    window: float
    "Seconds that a leg counts after its end."
    legs: int
    "Fewer legs than these say nothing."
    share: float
    "Of poor legs, 0 to 1; 0: no alarm at all."


@dataclass(slots=True)
class _Step:
    began: float
    legs: int = 0
    poor: int = 0


class PoorShare:
    """One trunk."""

    __slots__ = ("_ended", "_poor_ended", "_steps", "alarmed", "legs", "poor")

    def __init__(self) -> None:
        self.alarmed = False
        self.legs = self.poor = 0
        "In the window at the last look."
        self._steps: deque[_Step] = deque()
        self._ended = self._poor_ended = 0

    def __repr__(self) -> str:
        return f"<{self.poor} of {self.legs} poor{', alarmed' if self.alarmed else ''}>"

    @property
    def share(self) -> float:
        """Of poor legs in the window at the last look."""
        return self.poor / self.legs if self.legs else 0.0

    def ended(self, now: float, poor: bool) -> None:
        """A leg is over."""
        if not self._steps or now - self._steps[-1].began >= STEP:
            self._steps.append(_Step(now))
        step = self._steps[-1]
        step.legs += 1
        step.poor += poor
        self._ended += 1
        self._poor_ended += poor

    def look(self, now: float, rule: Rule, live: int = 0, poor: int = 0) -> bool | None:
        """`live` legs are up, of which `poor` are poor now.

        True: the alarm begins; False: it is over; None: all as before.
        """
        while self._steps and now - self._steps[0].began > rule.window:
            gone = self._steps.popleft()
            self._ended -= gone.legs
            self._poor_ended -= gone.poor
        self.legs, self.poor = self._ended + live, self._poor_ended + poor
        if self.alarmed:
            if rule.share and self.poor and self.share > CLEAR * rule.share:
                return None
            self.alarmed = False
            return False
        if not rule.share or self.legs < rule.legs or not self.poor or self.share < rule.share:
            return None
        self.alarmed = True
        return True
