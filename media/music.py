"""The sounds a switchboard must have of its own: music on hold (ours, so nobody's rights are touched) and ringback."""

from __future__ import annotations

import math
from array import array
from pathlib import Path

from media import tones, wav
from media.tones import RINGBACK

VERSION = 1
"Counts up when the music changes: the file name carries it, an older file is left alone."

CHORD_SECONDS = 4.0
CHORDS = (
    ("C3", "E4", "G4", "B4"),
    ("A2", "E4", "G4", "C5"),
    ("F3", "C4", "E4", "A4"),
    ("G2", "D4", "F4", "B4"),
    ("E3", "D4", "G4", "B4"),
    ("A2", "C4", "E4", "G4"),
    ("D3", "C4", "F4", "A4"),
    ("G2", "B3", "D4", "F4"),
)
"Eight chords, 32 s; the first note of each is the bass."
STEP = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
PEAK = 0.16
"Loudest sample, of full scale: well below speech."
OVERTONES = (1.0, 0.22, 0.08)
STRUM = 0.5
"Seconds between the notes of a chord."


def pitch(note: str) -> float:
    """Hertz of a note such as "A4" (440)."""
    return float(440.0 * 2 ** ((STEP[note[0]] - 9) / 12 + int(note[1]) - 4))


def music(rate: int) -> array[int]:
    """One round of the hold music, 16-bit mono; its end flows into its start."""
    total = round(len(CHORDS) * CHORD_SECONDS * rate)
    mixed = [0.0] * total
    for number, chord in enumerate(CHORDS):
        for order, note in enumerate(chord):
            start = round((number * CHORD_SECONDS + order * STRUM) * rate)
            _add_note(mixed, start, pitch(note), rate)
    scale = PEAK * 32767 / max(max(mixed), -min(mixed))
    return array("h", (round(value * scale) for value in mixed))


def _add_note(mixed: list[float], start: int, frequency: float, rate: int) -> None:
    """A soft stroke that fades; what sounds beyond the end sounds at the start."""
    total, count = len(mixed), round(1.5 * CHORD_SECONDS * rate)
    swell, fade = round(0.08 * rate), math.exp(-3.5 / count)
    for number, strength in enumerate(OVERTONES, 1):
        turn = 2 * math.pi * frequency * number / rate
        if turn >= 0.8 * math.pi:
            break
        # sin(n*turn) by recurrence: a multiplication a sample instead of a call
        double, before, value, envelope = 2 * math.cos(turn), 0.0, math.sin(turn), strength
        for n in range(count):
            mixed[(start + n) % total] += value * envelope * (min(n, count - n) / swell if n < swell else 1.0)
            before, value = value, double * value - before
            envelope *= fade


def make_sounds(folder: Path, chosen: Path | None = None, *, rate: int = 8000) -> tuple[Path, Path]:
    """Files for music on hold and ringback below `folder`, made at the first start only (about a second).

    `chosen` is the operator's own music, which is taken as it is.
    Raises OSError, or wav.BadWave when `chosen` does not play.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ringback = folder / f"{RINGBACK.name}-{rate}.wav"
    if not ringback.exists():
        wav.write(ringback, tones.cadence_samples(RINGBACK, rate), rate)
    if chosen is not None:
        wav.inspect(chosen)
        return chosen, ringback
    hold = folder / f"hold-music-{VERSION}-{rate}.wav"
    if not hold.exists():
        wav.write(hold, music(rate), rate)
    return hold, ringback
