"""What the trees look at: figures about words and pauses so far, and about the noise before, between and after them.

A recording brings noise of its own, which begins and ends with it; a room is there all the time.  Seconds, counts, dB.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from media.amd_spectrum import FRAME, QUIET, Floats

PHRASE = 0.25
"Seconds of pause that part two phrases."
PAUSE = 0.15
"Seconds of pause that are counted as one."

TALKS = ("2.0", "3.0", "4.0", "5.0", "6.5", "8.0")
"Seconds of greeting at which a tree is asked while somebody still talks."
PAUSES = ("0.5", "0.8", "near", "cut", "last")
"""Seconds of pause at which a tree is asked.  The last of silence is asked after `AmdSettings.after_greeting`; `near` a
little later than that of silence as far as the nearest voice goes, while somebody may still be heard; `cut` the same
after `AmdSettings.hard_cut`."""
NEAR, CUT, LAST = PAUSES[-3:]

UNKNOWN = -99.0
"Stands for a level where there was nothing to measure."
LEAST = 5
"Frames that a level needs."
EDGE = 2
"Frames next to a word that may still belong to it."
PICK_UP = 15
"Frames after the answer in which a handset may knock."
ONSET = 8
"Frames before the first word in which the noise of a recording may be heard already."
FADE = 8
"Frames after a word in which it dies away."
NEAR_FADE = 6
NOW = 3
"Frames in which a word may be about to begin."
LOUD = 12.0
"dB under the loudest talk that are still the voice."
PEAK = 15.0
"dB under the loudest talk up to which a swell is a syllable."


class Word(NamedTuple):
    """Somebody talked without a gap.  Seconds since the answer."""

    start: float
    end: float
    level: float
    "dBm0 of its loudest frame."


TIMING = (
    "first_silence",
    "words",
    "greeting",
    "talk",
    "talk_share",
    "longest_word",
    "mean_word",
    "first_word",
    "last_word",
    "longest_pause",
    "mean_pause",
    "first_pause",
    "phrases",
    "first_phrase",
    "last_phrase",
    "last_level",
    "quietest_level",
    "level_spread",
    "pauses",
    "pause_spread",
    "last_pause",
    "end",
)
NOISE = (
    "before",
    "before_loudest",
    "between",
    "after",
    "after_loudest",
    "between_over_before",
    "after_over_before",
    "after_over_between",
    "loudest",
    "loudest_over_before",
    "hiss",
    "faintest_talk",
    "talk_spread",
    "syllables",
    "syllables_a_second",
    "onset",
    "before_over_faintest",
    "after_over_faintest",
    "tone",
)
NEAREST = (
    "near_level",
    "near_loudest",
    "near_talk",
    "near_murmur",
    "near_over_before",
    "near_loudest_over_before",
    "near_longest",
    "near_pause",
    "now",
    "now_over_after",
)
NAMES = (*TIMING, *NOISE, *NEAREST)
"In the order of `figures`.  The trees' table refers to them by number."


def figures(words: Sequence[Word], past: Floats, near_end: float) -> tuple[float, ...]:
    """The figures about at least one word; the last one may still be going on: its end is now then.

    `past`: level, zero crossings, and 1 for a tone, of every frame up to now.  `near_end`: when the nearest voice was
    heard last.
    """
    loudest = max(word.level for word in words)
    levels = past[:, 0]
    noise = _noise(words, past, loudest)
    before, before_loudest = noise[0], noise[1]
    near = _near(levels[_frame(near_end) + NEAR_FADE :], loudest, before, before_loudest)
    now = float(levels[-NOW:].max()) if len(levels) else UNKNOWN
    pause = len(past) * FRAME - words[-1].end
    return (*_timing(words, loudest), *noise, *near, pause, now - loudest, _over(now, noise[3]))


def _timing(words: Sequence[Word], loudest: float) -> tuple[float, ...]:
    lengths = [word.end - word.start for word in words]
    pauses = [after.start - before.end for before, after in itertools.pairwise(words)]
    greeting = words[-1].end - words[0].start
    talk = sum(lengths)
    phrases = _phrases(words, pauses)
    levels = [word.level for word in words]
    mean_pause = sum(pauses) / len(pauses) if pauses else 0.0
    return (
        words[0].start,
        float(len(words)),
        greeting,
        talk,
        talk / greeting if greeting > 0 else 1.0,
        max(lengths),
        talk / len(words),
        lengths[0],
        lengths[-1],
        max(pauses, default=0.0),
        mean_pause,
        pauses[0] if pauses else 0.0,
        float(len(phrases)),
        phrases[0],
        phrases[-1],
        words[-1].level - loudest,
        min(levels) - loudest,
        _spread(levels, sum(levels) / len(levels)),
        float(sum(pause > PAUSE for pause in pauses)),
        _spread(pauses, mean_pause),
        pauses[-1] if pauses else 0.0,
        words[-1].end,
    )


def _spread(values: Sequence[float], mean: float) -> float:
    return (sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5 if values else 0.0


def _phrases(words: Sequence[Word], pauses: Sequence[float]) -> list[float]:
    """Length of each run of words that no longer pause parts."""
    lengths = []
    start = words[0].start
    for number, pause in enumerate(pauses):
        if pause >= PHRASE:
            lengths.append(words[number].end - start)
            start = words[number + 1].start
    lengths.append(words[-1].end - start)
    return lengths


def _noise(words: Sequence[Word], past: Floats, loudest: float) -> tuple[float, ...]:
    levels = past[:, 0]
    first, last = _frame(words[0].start), _frame(words[-1].end)
    quiet = levels[: max(0, first - EDGE)]
    before = _part(quiet[quiet > QUIET], 0.5)
    before_loudest = _part(quiet[PICK_UP:], 0.9)
    gaps = [levels[_frame(one.end) + EDGE + 1 : _frame(two.start) - EDGE] for one, two in itertools.pairwise(words)]
    between = _part(np.concatenate(gaps), 0.2) if gaps else UNKNOWN
    after, after_loudest = _part(levels[last + FADE :], 0.5), _part(levels[last + FADE :], 1.0)
    talk = levels[first : last + 1]
    if not len(talk):
        return (before, before_loudest, between, after, after_loudest, *[0.0] * (len(NOISE) - 5))
    loud, faintest = talk[talk > loudest - LOUD], _part(talk, 0.1)
    syllables = _syllables(talk, loudest)
    return (
        before,
        before_loudest,
        between,
        after,
        after_loudest,
        _over(between, before),
        _over(after, before),
        _over(after, between),
        loudest,
        _over(loudest, before),
        float(past[first : last + 1, 1].mean()),
        faintest - loudest,
        float(loud.std()) if len(loud) else 0.0,
        float(syllables),
        syllables / max(0.1, words[-1].end - words[0].start),
        _over(_part(quiet[-ONSET:], 0.5), before),
        _over(before, faintest),
        _over(after, faintest),
        float(past[last:, 2].sum()),
    )


def _near(levels: Floats, loudest: float, before: float, before_loudest: float) -> tuple[float, ...]:
    """What is heard since the nearest voice was heard last, beside how loud it was and what was there before it."""
    if not len(levels):
        return (0.0,) * 7
    under = levels - np.float32(loudest)
    ordered = np.sort(under)
    middle, high = float(ordered[len(ordered) // 2]), float(ordered[-3:].mean())
    longest = run = 0
    for talks in (under > -LOUD).tolist():
        run = run + 1 if talks else 0
        longest = max(longest, run)
    return (
        middle,
        high,
        float((under > -10).mean()),
        float((under > -PEAK).mean()),
        _over(middle + loudest, before),
        _over(high + loudest, before_loudest),
        float(longest),
    )


def _syllables(talk: Floats, loudest: float) -> int:
    """Swells of the voice."""
    if len(talk) < LEAST:
        return 1
    smooth = (talk[:-2] + talk[1:-1] + talk[2:]) / np.float32(3)
    middle = smooth[1:-1]
    return int(((middle > smooth[:-2]) & (middle >= smooth[2:]) & (middle > loudest - PEAK)).sum())


def _part(levels: Floats, share: float) -> float:
    """The level that this share of the frames does not pass."""
    if len(levels) < LEAST:
        return UNKNOWN
    at = min(len(levels) - 1, int(share * len(levels)))
    return float(np.partition(levels, at)[at])


def _over(level: float, other: float) -> float:
    return level - other if level > UNKNOWN and other > UNKNOWN else 0.0


def _frame(at: float) -> int:
    return round(at / FRAME)
