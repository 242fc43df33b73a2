"""When somebody talks and when not, for many calls at a time: words and pauses from 20 ms frames.

The noise floor is the quietest tenth of a second of the last 0.8 s, so it follows noise that comes and goes, and people
who talk cannot raise it beyond the gaps between their syllables.  A frame is voice above the middle between that floor
and the loudest talk.
Steady pure tones are no voice; some voices are pure, but none is steady.

Two thresholds are kept for each call: one that hears all words, and a strict one that hears the loud ones alone.  Who
talks on in the background is heard by the first only, so the second one's pauses show when the nearest voice has ended.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from media.amd_spectrum import FRAME, FRAME_SAMPLES, KEPT, QUIET, Flags, Floats, Look, look
from media.talk_spans import Numbers, Rows, Spans, TalkSpans

__all__ = ["FRAME", "FRAME_SAMPLES", "Rows", "SpeechTiming", "Step"]

PAST = 3000
"Frames of each call whose loudness is remembered: one minute."

BLOCK = 5
"Frames (0.1 s) in one block of the noise floor."
BLOCKS = 8
"Blocks that the noise floor looks back."
FLOOR_AT_FIRST = -42.0
"dBm0 that the floor does not pass in the first half second: it may begin with a word."
UNSURE_FLOOR = 25
"Frames of sound for which that holds."
PEAK_AT_FIRST = -26.0
"dBm0 that talk is taken to have until some was heard, and never less than PEAK_LEAST."
PEAK_LEAST = -34.0
PEAK_FALL = 0.03
"dB by which the loudest talk is forgotten with each frame: 1.5 dB a second."
SMOOTH = 0.5
"Weight of the newest frame in the level."
WAY_UP = 0.5
"Where between floor and loudest talk the threshold lies."
LEAST_ABOVE, MOST_BELOW = 5.0, 24.0
"dB: the threshold is at least so much above the floor, and at most so much below the loudest talk."
STAY = 5.0
"dB by which the threshold is lower inside a word: its end is often faint."
NEAR_BELOW, NEAR_STAY = 6.0, 2.0
"dB: MOST_BELOW and STAY of the strict threshold."
STEADY_HERTZ, STEADY = 8.0, 5
"A tone is no voice when it has kept its pitch so well for so many frames."
HISS_DB, HISS_CROSSINGS = 4.0, 0.35
"A hiss (s, f, sh) counts although it is so many dB under the threshold."


@dataclass(frozen=True, slots=True)
class Step:
    """One frame of some calls, in the order they were given."""

    now: Numbers
    "Frames so far, this one included, since the call's row was opened."
    look: Look
    words: Spans
    "All words."
    near: Spans
    "Loud ones alone."


class SpeechTiming:
    """Rows of state, one for each call."""

    def __init__(self, room: int = 64) -> None:
        self._kept: Floats = np.zeros((room, KEPT), dtype=np.float32)
        self._blocks: Floats = np.zeros((room, BLOCKS), dtype=np.float32)
        self._block: Floats = np.zeros(room, dtype=np.float32)
        self._level: Floats = np.zeros(room, dtype=np.float32)
        self._peak: Floats = np.zeros(room, dtype=np.float32)
        self._heard: Numbers = np.zeros(room, dtype=np.int32)
        "Frames with any sound at all: digital silence tells nothing about the noise."
        self._now: Numbers = np.zeros(room, dtype=np.int32)
        self._steady: Numbers = np.zeros(room, dtype=np.int32)
        "Frames for which a tone has kept its pitch."
        self._low: Floats = np.zeros(room, dtype=np.float32)
        self._high: Floats = np.zeros(room, dtype=np.float32)
        self._past: Floats = np.zeros((room, PAST, 3), dtype=np.float32)
        self._words, self._near = TalkSpans(room), TalkSpans(room)
        self._free = list(range(room - 1, -1, -1))

    def open(self) -> int:
        """A fresh row."""
        if not self._free:
            self._grow()
        row = self._free.pop()
        self._kept[row] = 0
        self._blocks[row] = self._block[row] = np.inf
        self._level[row], self._peak[row] = QUIET, PEAK_AT_FIRST
        for numbers in (self._heard, self._now, self._steady):
            numbers[row] = 0
        self._words.open(row)
        self._near.open(row)
        return row

    def close(self, row: int) -> None:
        self._free.append(row)

    def past(self, row: int) -> Floats:
        """Loudness (dBm0), zero crossings and 1 for a tone, of each frame of the row so far; of one minute at most."""
        return self._past[row, : self._now[row]]

    def step(self, rows: Rows, frames: npt.NDArray[np.int16]) -> Step:
        """One frame for each of these rows, none of which may come twice."""
        seen, self._kept[rows] = look(self._kept[rows], frames)
        at = np.minimum(self._now[rows], PAST - 1)
        self._past[rows, at] = np.stack([seen.level, seen.crossings, seen.tone], axis=1)
        self._now[rows] += 1
        now = self._now[rows]
        voiced, loud = self._voiced(rows, seen)
        level = self._level[rows]
        return Step(now, seen, self._words.step(rows, now, voiced, level), self._near.step(rows, now, loud, level))

    def _steady_tone(self, rows: Rows, seen: Look) -> Flags:
        """Whether a tone is on that no voice could hold."""
        kept = np.abs(seen.low - self._low[rows]) <= STEADY_HERTZ
        kept &= np.abs(seen.high - self._high[rows]) <= STEADY_HERTZ
        steady = np.where(seen.tone, np.where(kept, self._steady[rows] + 1, 1), 0).astype(np.int32)
        self._steady[rows], self._low[rows], self._high[rows] = steady, seen.low, seen.high
        found: Flags = steady >= STEADY
        return found

    def _voiced(self, rows: Rows, seen: Look) -> tuple[Flags, Flags]:
        """Above the threshold, and above the strict one."""
        sounds = seen.level > QUIET
        before = self._level[rows]
        level = np.where(before > QUIET, (1 - SMOOTH) * before + SMOOTH * seen.level, seen.level)
        level = np.where(sounds, level, before)
        self._level[rows] = level
        heard = self._heard[rows] + sounds
        self._heard[rows] = heard
        self._block[rows] = np.where(sounds, np.minimum(self._block[rows], level), self._block[rows])
        full = sounds & (heard % BLOCK == 0)
        if full.any():
            which = rows[full]
            self._blocks[which, (heard[full] // BLOCK) % BLOCKS] = self._block[which]
            self._block[which] = np.inf
        floor = np.minimum(self._blocks[rows].min(axis=1), self._block[rows])
        floor = np.where(heard < UNSURE_FLOOR, np.minimum(floor, FLOOR_AT_FIRST), floor)
        peak = np.maximum(self._peak[rows] - PEAK_FALL, PEAK_LEAST)
        tone = self._steady_tone(rows, seen)
        peak = np.where(tone, peak, np.maximum(level, peak))
        self._peak[rows] = peak
        way = np.maximum(floor + (peak - floor) * WAY_UP, floor + LEAST_ABOVE)
        found = []
        for spans, below, stay in ((self._words, MOST_BELOW, STAY), (self._near, NEAR_BELOW, NEAR_STAY)):
            threshold = np.maximum(way, peak - below)
            threshold = np.where(spans.on(rows), np.maximum(threshold - stay, floor + LEAST_ABOVE), threshold)
            hiss = (seen.level > threshold - HISS_DB) & (seen.crossings > HISS_CROSSINGS)
            found.append(((seen.level > threshold) | hiss) & ~tone)
        return found[0], found[1]

    def _grow(self) -> None:
        room = len(self._now)
        for name, value in list(vars(self).items()):
            if isinstance(value, np.ndarray):
                setattr(self, name, np.concatenate([value, np.zeros_like(value)]))
        self._words.grow()
        self._near.grow()
        self._free.extend(range(2 * room - 1, room - 1, -1))
