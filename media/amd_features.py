"""What the trees look at: eighteen figures about the words and pauses so far.  Seconds, counts, and dB."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

PHRASE = 0.25
"Seconds of pause that part two phrases."

TALKS = ("2.0", "3.0", "4.0", "5.0", "6.5", "8.0")
"Seconds of greeting at which a tree is asked while somebody still talks."
PAUSES = ("0.5", "0.8", "last")
"Seconds of pause at which a tree is asked; the last one's are `AmdSettings.after_greeting`."
LAST = PAUSES[-1]


class Word(NamedTuple):
    """Somebody talked without a gap.  Seconds since the answer."""

    start: float
    end: float
    level: float
    "dBm0 of its loudest frame."


NAMES = (
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
)
"In the order of `figures`.  The trees' table refers to them by number."


def figures(words: Sequence[Word]) -> tuple[float, ...]:
    """The figures about at least one word; the last one may still be going on: its end is now then."""
    lengths = [word.end - word.start for word in words]
    pauses = [after.start - before.end for before, after in itertools.pairwise(words)]
    greeting = words[-1].end - words[0].start
    talk = sum(lengths)
    phrases = _phrases(words, pauses)
    levels = [word.level for word in words]
    loudest, mean = max(levels), sum(levels) / len(levels)
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
        sum(pauses) / len(pauses) if pauses else 0.0,
        pauses[0] if pauses else 0.0,
        float(len(phrases)),
        phrases[0],
        phrases[-1],
        words[-1].level - loudest,
        min(levels) - loudest,
        (sum((level - mean) ** 2 for level in levels) / len(levels)) ** 0.5,
    )


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
