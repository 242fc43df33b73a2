"""Frames of many calls in, news of each of them out: numpy for every frame, Python only where something happens."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from media.amd_decision import Progress
from media.amd_spectrum import Floats
from media.amd_values import AmdSettings, Beep, Stage, Verdict
from media.speech_timing import FRAME, Rows, SpeechTiming, Step


@dataclass(frozen=True, slots=True)
class Told:
    """News of one call."""

    row: int
    verdict: Verdict | None
    "The verdict, when it is known; told once."
    ringing: bool
    finished: bool
    "A machine is ready for a message, or will not be; told once."
    beep: Beep | None


class Bank:
    """All calls that are listened to, one row each."""

    def __init__(self, call: Callable[[AmdSettings, Stage], Progress] = Progress) -> None:
        self._call = call
        self._timing = SpeechTiming()
        self._calls: dict[int, Progress] = {}
        self._due: npt.NDArray[np.float64] = np.full(64, math.inf)
        self._tone: npt.NDArray[np.bool_] = np.zeros(64, dtype=np.bool_)
        "Rows in which a tone is on."

    def __repr__(self) -> str:
        return f"<{len(self._calls)} calls listened to>"

    def open(self, settings: AmdSettings, stage: Stage) -> int:
        """Listen to one more call."""
        row = self._timing.open()
        if row >= len(self._due):
            more = len(self._due)
            self._due = np.concatenate([self._due, np.full(more, math.inf)])
            self._tone = np.concatenate([self._tone, np.zeros(more, dtype=np.bool_)])
        self._calls[row] = call = self._call(settings, stage)
        self._due[row], self._tone[row] = call.due, False
        return row

    def close(self, row: int) -> None:
        """Listen to it no longer; harmless when it is not listened to."""
        if self._calls.pop(row, None) is not None:
            self._timing.close(row)

    def feed(self, rows: Rows, frames: npt.NDArray[np.int16]) -> list[Told]:
        """Frames of 20 ms with the row of each, those of one row together and in order; negative rows are nobody's."""
        told: list[Told] = []
        for which in _rounds(rows):
            told += self._step(rows[which], frames[which])
        return told

    def _step(self, rows: Rows, frames: npt.NDArray[np.int16]) -> Iterator[Told]:
        step = self._timing.step(rows, frames)
        news = step.look.tone | self._tone[rows] | (step.now * FRAME >= self._due[rows] - 1e-6)
        for spans in (step.words, step.near):
            news |= spans.began | spans.ended
        for at in np.flatnonzero(news).tolist():
            row = int(rows[at])
            call = self._calls[row]
            known, finished, ringing = call.verdict is not None, call.finished, call.ringing
            _tell(call, step, at, self._timing.past(row))
            self._due[row], self._tone[row] = call.due, call.tones.on
            new = None if known else call.verdict
            if new is not None or call.finished != finished or call.ringing != ringing:
                yield Told(row, new, call.ringing, call.finished and not finished, call.beep)


def _tell(call: Progress, step: Step, at: int, past: Floats) -> None:
    """Let one call know what its frame was."""
    now = float(step.now[at]) * FRAME
    if step.look.tone[at]:
        call.tone(now - FRAME, now, (float(step.look.low[at]), float(step.look.high[at])))
    elif call.tones.on:
        call.tone(now - FRAME, now, None)
    for spans, began, level, ended in (
        (step.near, call.near.began, call.near.heard, call.near_ended),
        (step.words, call.word_began, call.level, call.word_ended),
    ):
        start, loudest = float(spans.start[at]) * FRAME, float(spans.loudest[at])
        if spans.began[at]:
            began(start, loudest)
        level(loudest)
        if spans.ended[at]:
            ended(start, float(spans.stop[at]) * FRAME, loudest)
    call.look(now, past)


def _rounds(rows: Rows) -> Iterator[Rows]:
    """Places in `rows` to take at a time: the first frame of every row, then the second of every row, and so on."""
    if not len(rows):
        return
    first = np.flatnonzero(np.diff(rows, prepend=rows[0] - 1))
    counts = np.diff(first, append=len(rows))
    rank = np.arange(len(rows)) - np.repeat(first, counts)
    known = rows >= 0
    for turn in range(int(counts.max())):
        which = np.flatnonzero((rank == turn) & known)
        if len(which):
            yield which
