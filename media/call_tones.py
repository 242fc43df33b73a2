"""Tones of the telephone network in the sound: busy, congestion, ringback, SIT, fax.

Frequencies and cadences: ITU-T E.180 and its supplement 2 (national tones), E.180 for the special information tone,
T.30 for fax.  North American SIT variants: see docs/answering-machines.md.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from enum import StrEnum

SAME = 22.0
"Hertz between which two frames have the same tone: two tones 40 Hz apart (440 and 480) beat as one."
SHORTEST = 0.06
"Seconds of the shortest tone that is kept."
HOLES = 2
"Frames in a row without the tone that end it."
KEPT_TONES = 8
"Tones that are remembered."


@dataclass(frozen=True, slots=True)
class Heard:
    """One tone, from begin to end.  Seconds and Hertz."""

    low: float
    high: float
    "0: there is one frequency only."
    start: float
    end: float
    wobble: float = 0.0
    "Hertz that a frame was away from the mean at most: 0 to 3 for a machine's tone, more for a voice."

    @property
    def length(self) -> float:
        return self.end - self.start


class Tones:
    """The tones of one call.  `frame` is called for every frame that is a tone, and until a tone has ended."""

    __slots__ = ("_count", "_end", "_high", "_holes", "_low", "_start", "_wobble", "heard")

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        "Those that are over, oldest first."
        self._count = 0
        "Frames of the one that is on."
        self._low = self._high = self._start = self._end = self._wobble = 0.0
        self._holes = 0

    def __repr__(self) -> str:
        return f"<{len(self.heard)} tones, {f'{self._low:.0f} Hz on' if self._count else 'none on'}>"

    @property
    def on(self) -> bool:
        """Whether frames without a tone are wanted too."""
        return self._count > 0

    def current(self) -> Heard | None:
        """The tone that is on, as long as it has been by now."""
        if self._end - self._start < SHORTEST - 1e-6:
            return None
        return Heard(self._low, self._high, self._start, self._end, self._wobble) if self._count else None

    def frame(self, start: float, end: float, tone: tuple[float, float] | None) -> bool:
        """One frame from `start` to `end`, with its frequencies or none.  True: a tone is over and among `heard`."""
        if tone is None:
            if not self._count:
                return False
            self._holes += 1
            return self._holes >= HOLES and self._over()
        low, high = tone
        if self._count and abs(low - self._low) <= SAME and abs(high - self._high) <= SAME:
            self._count += 1
            self._holes = 0
            self._end = end
            if self._count > 3:  # the first frames have the tone's begin in them
                self._wobble = max(self._wobble, abs(low - self._low), abs(high - self._high))
            weight = 1 / min(self._count, 10)
            self._low += (low - self._low) * weight
            self._high += (high - self._high) * weight
            return False
        over = self._over() if self._count else False
        self._low, self._high, self._start, self._end, self._wobble = low, high, start, end, 0.0
        self._count, self._holes = 1, 0
        return over

    def _over(self) -> bool:
        tone = self.current()
        self._count = self._holes = 0
        if tone is None:
            return False
        self.heard = [*self.heard[1 - KEPT_TONES :], tone]
        return True


class Signal(StrEnum):
    """What tones mean."""

    RINGBACK = "ringback"
    BUSY = "busy"
    CONGESTION = "congestion"
    FAX = "fax"
    SIT = "sit"


# First tone, second, third: Hertz and whether each is short (276 ms) or long (380 ms).
SIT_CODES: dict[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    "IC": ((913.8, 0.274), (1370.6, 0.274), (1776.7, 0.380)),
    "VC": ((985.2, 0.380), (1370.6, 0.274), (1776.7, 0.380)),
    "RO'": ((913.8, 0.274), (1428.5, 0.380), (1776.7, 0.380)),
    "NC'": ((985.2, 0.380), (1428.5, 0.380), (1776.7, 0.380)),
    "RO''": ((985.2, 0.274), (1370.6, 0.380), (1776.7, 0.380)),
    "NC''": ((913.8, 0.380), (1370.6, 0.380), (1776.7, 0.380)),
    "ITU": ((950.0, 0.330), (1400.0, 0.330), (1800.0, 0.330)),
}
SIT_BANDS = ((880.0, 1020.0), (1330.0, 1470.0), (1730.0, 1870.0))
SIT_LENGTH = (0.18, 0.50)
SIT_GAP = 0.09


def sit(tones: list[Heard]) -> str:
    """Which special information tone the last three are; empty: none."""
    three = tones[-3:]
    if len(three) < 3:
        return ""
    for tone, (least, most) in zip(three, SIT_BANDS, strict=True):
        if tone.high or not least <= tone.low <= most or not SIT_LENGTH[0] <= tone.length <= SIT_LENGTH[1]:
            return ""
    if any(after.start - before.end > SIT_GAP for before, after in itertools.pairwise(three)):
        return ""

    def distance(code: str) -> float:
        # 10 Hz count as much as 30 ms: both are about a quarter of what sets two codes apart.
        return sum(
            ((tone.low - frequency) / 10) ** 2 + ((tone.length - length) / 0.03) ** 2
            for tone, (frequency, length) in zip(three, SIT_CODES[code], strict=True)
        )

    return min(SIT_CODES, key=distance)


def is_network_tone(tone: Heard) -> bool:
    """Whether it is one of those used for busy, congestion and ringback: 350 to 500 Hz, with 550 to 650 Hz or alone."""
    return 340 <= tone.low <= 500 and (not tone.high or tone.high <= 500 or 550 <= tone.high <= 650)


CNG, CED = 1100.0, 2100.0
"Hertz of a fax that calls and of one that answers."


def fax(tones: list[Heard], current: Heard | None) -> bool:
    """A calling fax (0.5 s of 1100 Hz) or an answering one (2100 Hz for seconds, 0.8 s are enough)."""
    if current is not None and not current.high and abs(current.low - CED) <= 20 and current.length >= 0.8:
        return True
    last = tones[-1] if tones else None
    return last is not None and not last.high and abs(last.low - CNG) <= 38 and 0.4 <= last.length <= 0.65


def cadence(tones: list[Heard], now: float) -> Signal | None:
    """What the last network tones repeat, with the pause up to `now`: busy, congestion or ringback."""
    same = [tone for tone in tones if is_network_tone(tone)]
    if not same or now - same[-1].end > 6:
        return None
    last, pause = same[-1], now - same[-1].end
    gap = same[-1].start - same[-2].end if len(same) > 1 else None
    if 0.6 <= last.length <= 2.6 and pause >= 1.2 and pause >= last.length:
        return Signal.RINGBACK
    if gap is not None and pause >= 1.2 and 0.1 <= gap <= 0.35 and all(0.3 <= t.length <= 0.55 for t in same[-2:]):
        return Signal.RINGBACK  # the British double ring
    if len(same) < 3 or pause < 0.1:
        return None
    lengths = [tone.length for tone in same[-3:]]
    gaps = [after.start - before.end for before, after in zip(same[-3:], same[-2:], strict=False)]
    if max(lengths) - min(lengths) > 0.08 or max(gaps) - min(gaps) > 0.08:
        return None
    length, between = sum(lengths) / 3, sum(gaps) / 2
    if not 0.7 <= (between + 0.02) / length <= 1.4:
        return None
    if 0.15 <= length < 0.32:
        return Signal.CONGESTION
    return Signal.BUSY if 0.32 <= length <= 0.8 else None
