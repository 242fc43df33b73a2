"""What one 20 ms frame of many calls sounds like: loudness, zero crossings, and the one or two tones in it.

One numpy step for all calls.  Tones are looked for in 32 ms: the frame and the end of the one before, so that 31 Hz can
be told apart and a tone's pitch is known to 2 Hz or so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from media.tones import FULL_SCALE_DBM0

Floats: TypeAlias = npt.NDArray[np.float32]
Flags: TypeAlias = npt.NDArray[np.bool_]

RATE = 8000
FRAME_SAMPLES = 160
FRAME = FRAME_SAMPLES / RATE
"Seconds per frame."
WINDOW = 256
"Samples in which tones are looked for."
KEPT = WINDOW - FRAME_SAMPLES
"Samples of the frame before that are needed again."
BIN = RATE / WINDOW
"Hertz between two lines of the spectrum."

LOBE = 2
"Lines on each side of a tone's own that hold its energy (Hann)."
LOWEST, HIGHEST = 8, 123
"Lines that count: 250 to 3844 Hz.  Mains hum and the codec's edges do not."
QUIET = -90.0
"dBm0 that stand for no sound at all."
TONE_SHARE = 0.94
"Part of the energy that one tone or two must have."
FAINTEST_TONE = -38.0
"dBm0 of the faintest tone that counts."
SECOND = 0.08
"Energy of a second tone, as a part of the first one's, from which there are two."

_HANN = np.hanning(WINDOW + 1)[:WINDOW].astype(np.float32)
# A sine of amplitude A has a mean square of A * A / 2; the window takes away what the mean of its square says.
_SCALE = float(2.0 / (WINDOW * np.sum(_HANN.astype(np.float64) ** 2)))
_FULL = 32767.0**2 / 2


@dataclass(frozen=True, slots=True)
class Look:
    """What the frames of some calls sound like, one entry per call."""

    level: Floats
    "dBm0 between 250 and 3800 Hz; QUIET for digital silence."
    crossings: Floats
    "Part of the neighbouring samples between which the sign changes: 0.3 and more for hisses."
    tone: Flags
    "Whether it is one or two pure tones."
    low: Floats
    "Hertz of the tone, or of the lower one."
    high: Floats
    "Hertz of the higher one; 0: there is one only."


def look(kept: Floats, frames: npt.NDArray[np.int16]) -> tuple[Look, Floats]:
    """Look at one frame of each call; `kept` is what the call before gave back for the same calls (zeros at first)."""
    sound = np.concatenate([kept, frames.astype(np.float32)], axis=1)
    power = np.abs(np.fft.rfft(sound * _HANN, axis=1)) ** 2
    power = power.astype(np.float32)
    whole = power[:, LOWEST:HIGHEST].sum(axis=1) * np.float32(_SCALE)
    level = np.where(
        whole > 1e-3, FULL_SCALE_DBM0 + 10 * np.log10(np.maximum(whole, 1e-3) / np.float32(_FULL)), np.float32(QUIET)
    ).astype(np.float32)
    level = np.maximum(level, np.float32(QUIET))
    signs = frames >= 0
    crossings = (signs[:, 1:] != signs[:, :-1]).mean(axis=1, dtype=np.float32)
    tone = np.zeros(len(frames), dtype=np.bool_)
    low, high = np.zeros(len(frames), dtype=np.float32), np.zeros(len(frames), dtype=np.float32)
    loud = np.flatnonzero(level > FAINTEST_TONE)
    if len(loud):
        tone[loud], low[loud], high[loud] = _tones(power[loud], whole[loud])
    return Look(level, crossings, tone, low, high), sound[:, FRAME_SAMPLES:]


def _tones(power: Floats, whole: Floats) -> tuple[Flags, Floats, Floats]:
    """For loud frames: whether they are tones, and which."""
    total = whole / np.float32(_SCALE)
    rest = power.copy()
    rest[:, : LOWEST - LOBE] = 0
    rest[:, HIGHEST:] = 0
    first, first_energy = _take_strongest(power, rest)
    second, second_energy = _take_strongest(power, rest)
    two = second_energy > SECOND * first_energy
    share = (first_energy + np.where(two, second_energy, 0)) / total
    tone = share >= TONE_SHARE
    low = np.where(two, np.minimum(first, second), first)
    high = np.where(two, np.maximum(first, second), 0)
    return tone, low.astype(np.float32), high.astype(np.float32)


def _take_strongest(power: Floats, rest: Floats) -> tuple[Floats, Floats]:
    """Frequency and energy of the strongest line that is left, which is then taken out of `rest`."""
    peak = np.clip(rest.argmax(axis=1), LOBE + 1, power.shape[1] - LOBE - 2)
    around = peak[:, None] + np.arange(-LOBE, LOBE + 1)
    lines = np.take_along_axis(rest, around, axis=1)
    energy = lines.sum(axis=1)
    whole = np.take_along_axis(power, around, axis=1)
    logs = np.log(whole + np.float32(1e-9))
    left, middle, right = logs[:, LOBE - 1], logs[:, LOBE], logs[:, LOBE + 1]
    bend = left - 2 * middle + right
    shift = np.where(bend < -1e-6, 0.5 * (left - right) / np.where(bend < -1e-6, bend, -1), 0)
    np.put_along_axis(rest, around, 0, axis=1)
    return ((peak + np.clip(shift, -1, 1)) * np.float32(BIN)).astype(np.float32), energy
