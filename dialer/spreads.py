"""How long things last, learned from what was measured: ringing, talk, work after a call.

A `Spread` counts in which age a phase ended and by what; older counts fade, so that a change is followed.  A `Curve` is
what the counts say at one moment: Kaplan and Meier's estimate with competing risks.  Phases that still run count as
"not ended so far": after a change of talk time the short talks end first, and without that they alone would be seen.

An age that few have reached says little, so each hazard is mixed with the mean one, and neighbouring ages are averaged:
with no data at all a curve is exponential.
"""

from collections.abc import Iterable
from math import exp

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BELIEF = 4.0
"Phases that must have reached an age before they weigh as much as the mean hazard."
EDGE = 1e-9


class Spread:
    """Counts of ends by age, the older the less.

    `width` is seconds of one bin and `bins` their number; ages beyond share the last one.  `causes` are the ways to
    end.  Counts fade with a time constant of `memory` seconds, but never below about `least` of them.  `blur` is the
    number of bins to each side that are averaged.
    """

    def __init__(
        self, width: float, bins: int, causes: int = 1, *, memory: float = 1200.0, least: int = 250, blur: int = 0
    ) -> None:
        self.width, self.bins, self.blur = width, bins, blur
        self.memory, self.least = memory, least
        self.count = 0
        "Ends seen, none forgotten."
        self._ended = np.zeros((causes, bins))
        self._last = 0.0

    def __repr__(self) -> str:
        return f"<Spread {self.count} seen, weight {self._ended.sum():.0f}>"

    def ended(self, seconds: float, now: float, cause: int = 0) -> None:
        """A phase of so many seconds has ended."""
        since = max(0.0, now - self._last)
        self._last = max(self._last, now)
        self._ended *= max(exp(-since / self.memory), 1 - 1 / self.least)
        self._ended[cause, min(self.bins - 1, max(0, int(seconds / self.width)))] += 1
        self.count += 1

    def curve(self, running: Iterable[float] = (), reach: float = 60.0) -> "Curve":
        """What is believed now; `running` are ages of phases that have not ended, `reach` seconds to look ahead."""
        ages = np.asarray(tuple(running), dtype=float)
        ended = self._ended
        at_risk = np.cumsum(ended.sum(0)[::-1])[::-1].copy()
        if ages.size:
            passed = np.bincount(_bin(ages, self.width, self.bins), minlength=self.bins + 1)
            at_risk += np.cumsum(passed[::-1])[::-1][1:]
        # The mean is that of the ages, each weighed by those who reached it: ends per bin of life.
        mean = ended.sum(1, keepdims=True) / max(EDGE, at_risk.sum())
        if self.blur:
            box = np.ones(2 * self.blur + 1)
            ended = np.stack([np.convolve(one, box, "same") for one in ended])
            at_risk = np.convolve(at_risk, box, "same")
        hazards = (ended + BELIEF * mean) / (at_risk + BELIEF)
        hazards[:, -1] = hazards[:, -2]  # the last bin holds all later ends, of however many bins of life
        return Curve(self.width, hazards, reach)


class Curve:
    """Chances of a phase to end, by its age, for ages of 0 to `bins` bins."""

    def __init__(self, width: float, hazards: Floats, reach: float) -> None:
        self.width, self.bins = width, hazards.shape[1]
        self.beyond = int(reach / width) + 2
        hazards = np.clip(hazards, 0.0, 1.0)
        last = np.repeat(hazards[:, -1:], self.beyond, axis=1)
        by_cause = np.concatenate([hazards, last], axis=1)
        stays = np.clip(1 - by_cause.sum(0), EDGE, 1.0)
        self.alive: Floats = np.concatenate([[1.0], np.cumprod(stays)])
        "Chance to last until the begin of a bin."
        self.ends: Floats = by_cause * self.alive[:-1]
        "Chance to end in a bin, by cause."
        self._cumulated: Floats = np.concatenate([np.zeros((len(by_cause), 1)), np.cumsum(self.ends, axis=1)], axis=1)

    @property
    def mean(self) -> float:
        """Seconds a phase lasts."""
        return float((self.alive[:-1].sum() - 0.5) * self.width)

    def share(self, cause: int = 0) -> float:
        """Part of the phases that end so."""
        return float(self._cumulated[cause, self.bins])

    def within(self, seconds: float, cause: int = 0) -> Floats:
        """By age in bins, 0 to `bins`: the chance to end by that cause in the next `seconds`."""
        whole, part = divmod(min(seconds / self.width, self.beyond - 1), 1.0)
        at = np.arange(self.bins + 1) + int(whole)
        cumulated = self._cumulated[cause]
        then = cumulated[at] * (1 - part) + cumulated[at + 1] * part
        return _part(then - cumulated[: self.bins + 1], self.alive[: self.bins + 1])

    def quantile(self, part: float, cause: int = 0) -> float:
        """Age by which so large a part of those who end by this cause has ended."""
        cumulated = self._cumulated[cause]
        return float(np.interp(part * cumulated[self.bins], cumulated, np.arange(len(cumulated)) * self.width))

    def mean_of(self, cause: int) -> float:
        """Mean seconds of the phases that end so."""
        ends = self.ends[cause, : self.bins]
        return float((ends * (np.arange(self.bins) + 0.5)).sum() * self.width / max(EDGE, ends.sum()))

    def within_and(self, after: "Curve | None", seconds: float) -> Floats:
        """By age: the chance that this phase and then `after` both end in the next `seconds`."""
        if after is None:
            return self.within(seconds)
        whole, part = divmod(min(seconds / self.width, self.beyond - 1), 1.0)
        count = int(whole) + (part > 0)
        left = np.maximum(0.0, seconds - (np.arange(count) + 0.5) * self.width)
        done = np.interp(left, np.arange(after.bins + 1) * after.width, 1 - after.alive[: after.bins + 1])
        both = np.correlate(self.ends.sum(0)[: self.bins + count], done, "valid") if count else np.zeros(self.bins + 1)
        return _part(both[: self.bins + 1], self.alive[: self.bins + 1])


class Chances:
    """Expected number and variance, for several horizons, of phases of given ages that end: one look-up for all."""

    def __init__(self, width: float, by_horizon: list[Floats]) -> None:
        chances = np.stack(by_horizon)
        self.width, self.last = width, chances.shape[1] - 1
        self.first: tuple[float, ...] = tuple(chances[:, 0].tolist())
        "Chances of a phase that begins now."
        self._table: Floats = np.concatenate([chances, chances * (1 - chances)]).T.copy()

    def sum(self, now: float, since: Iterable[float]) -> Floats:
        """Expectations, then variances, by horizon."""
        began = np.asarray(since if isinstance(since, list | tuple) else tuple(since), dtype=float)
        if not began.size:
            return np.zeros(self._table.shape[1])
        counts = np.bincount(_bin(now - began, self.width, self.last), minlength=self.last + 1)
        total: Floats = counts @ self._table
        return total


def _bin(ages: Floats, width: float, last: int) -> NDArray[np.intp]:
    """The nearest boundary between bins; a clock that went back is age 0."""
    found = (ages / width + 0.5).astype(np.intp)
    np.minimum(found, last, out=found)
    np.maximum(found, 0, out=found)
    return found


def _part(chance: Floats, of: Floats) -> Floats:
    return np.clip(chance / np.maximum(of, EDGE), 0.0, 1.0)
