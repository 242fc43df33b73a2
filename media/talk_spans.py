"""Words from flags: one begins after some voiced frames in a row and ends after some silent ones; for many calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from media.amd_spectrum import QUIET, Flags, Floats

Rows: TypeAlias = npt.NDArray[np.intp]
Numbers: TypeAlias = npt.NDArray[np.int32]

BEGIN = 3
"Frames in a row that begin a word: 60 ms."
END = 6
"Frames in a row that end one: gaps up to 120 ms are inside words."


@dataclass(frozen=True, slots=True)
class Spans:
    """What one frame did to the words of some calls.  Times are in frames since the call's row was opened."""

    began: Flags
    "A word has begun: at `start`."
    ended: Flags
    "A word has ended: it lasted from `start` to `stop`."
    start: Numbers
    stop: Numbers
    loudest: Floats
    "dBm0 of the loudest frame of the word."


class TalkSpans:
    """Rows of state, one for each call."""

    def __init__(self, room: int) -> None:
        self._run: Numbers = np.zeros(room, dtype=np.int32)
        "Voiced frames in a row; negative: silent ones."
        self._word: Flags = np.zeros(room, dtype=np.bool_)
        self._loudest: Floats = np.zeros(room, dtype=np.float32)
        self._start: Numbers = np.zeros(room, dtype=np.int32)
        self._stop: Numbers = np.zeros(room, dtype=np.int32)

    def open(self, row: int) -> None:
        """A row as if new."""
        for numbers in (self._run, self._start, self._stop):
            numbers[row] = 0
        self._word[row] = False

    def grow(self) -> None:
        """Twice as many rows."""
        for name, value in list(vars(self).items()):
            setattr(self, name, np.concatenate([value, np.zeros_like(value)]))

    def on(self, rows: Rows) -> Flags:
        """Whether a word is going on in these."""
        found: Flags = self._word[rows]
        return found

    def step(self, rows: Rows, now: Numbers, voiced: Flags, level: Floats) -> Spans:
        """One frame for each of these rows: its number from 1, whether somebody talks in it, how loud it is."""
        run = self._run[rows]
        run = np.where(voiced, np.maximum(run, 0) + 1, np.minimum(run, 0) - 1).astype(np.int32)
        self._run[rows] = run
        word = self._word[rows]
        began = ~word & (run == BEGIN)
        self._start[rows] = np.where(began, now - BEGIN, self._start[rows])
        word |= began
        ended = word & (run == -END)
        self._stop[rows] = np.where(word & voiced, now, self._stop[rows])
        self._word[rows] = word & ~ended
        loudest = np.where(run == 1, np.where(word, self._loudest[rows], QUIET), self._loudest[rows])
        loudest = np.where(voiced, np.maximum(loudest, level), loudest)
        self._loudest[rows] = loudest
        return Spans(began, ended, self._start[rows], self._stop[rows], loudest)
