"""Who talks on one call, heard with one threshold: whether a word is going on, when the last one ended."""

from __future__ import annotations

import math


class Talker:
    """Words so much fainter than the loudest one before are somebody else's, further from the telephone."""

    __slots__ = ("_fainter", "end", "level", "loudest", "since")

    def __init__(self, fainter: float) -> None:
        """`fainter`: in dB."""
        self._fainter = fainter
        self.since: float | None = None
        "Begin of the word that is going on; seconds since the answer, as all times here."
        self.level = 0.0
        "How loud it has been, dBm0."
        self.loudest = -math.inf
        "Of the words that are over."
        self.end: float | None = None
        "Of the last word that counts."

    def __repr__(self) -> str:
        return f"<talks since {self.since}, ended {self.end}>"

    def began(self, start: float, level: float) -> None:
        self.since, self.level = start, level

    def heard(self, level: float) -> None:
        """The loudest frame so far of the word that is going on, dBm0."""
        self.level = level

    def ended(self, start: float, end: float, level: float) -> None:
        """A word is over; it counts unless it is too faint."""
        self.since = None
        if not self.faint(level):
            self.counts(end, level)

    def counts(self, end: float, level: float) -> None:
        self.end, self.loudest = end, max(self.loudest, level)

    def faint(self, level: float) -> bool:
        return self.end is not None and level < self.loudest - self._fainter

    @property
    def talks(self) -> bool:
        """Whether a word that counts is going on."""
        return self.since is not None and not self.faint(self.level)

    def pause(self, now: float) -> float:
        """Seconds for which nobody has talked; 0 before the first word and inside each."""
        return 0.0 if self.end is None or self.talks else now - self.end
