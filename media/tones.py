"""Call progress tones as values, and the samples they make (ITU-T E.180 and E.182)."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass

FULL_SCALE_DBM0 = 3.14
"Level of the loudest sine that G.711 can carry (ITU-T G.711, A-law)."

RAMP = 0.004
"Seconds over which a tone swells and fades, so that it starts without a click."


@dataclass(frozen=True, slots=True)
class Tone:
    """One part of a cadence: these frequencies together, then silence."""

    frequencies: tuple[float, ...]
    "Hertz; empty means silence only."
    on: float
    "Seconds of sound."
    off: float = 0.0
    "Seconds of silence after it."


@dataclass(frozen=True, slots=True)
class Cadence:
    """A tone pattern that can be played once or for ever."""

    name: str
    "Word for logs and for the file it is kept in: letters, digits, hyphens."
    tones: tuple[Tone, ...]
    level: float = -12.0
    "dBm0 of each frequency."

    @property
    def seconds(self) -> float:
        """Length of one round."""
        return sum(tone.on + tone.off for tone in self.tones)


RINGBACK = Cadence("ringback", (Tone((425,), 1.0, 4.0),))
BUSY = Cadence("busy", (Tone((425,), 0.5, 0.5),))
CONGESTION = Cadence("congestion", (Tone((425,), 0.25, 0.25),))
BEEP = Cadence("beep", (Tone((1400,), 0.2),))


def amplitude(level: float) -> float:
    """Peak sample value of a sine at `level` dBm0, 16-bit samples."""
    return float(32767 * 10 ** ((level - FULL_SCALE_DBM0) / 20))


def tone_samples(tone: Tone, rate: int, level: float) -> array[int]:
    """16-bit mono samples of one tone and the silence after it."""
    count = round(tone.on * rate)
    mixed = [0.0] * count
    for frequency in tone.frequencies:
        step, peak = 2 * math.pi * frequency / rate, amplitude(level)
        for n in range(count):
            mixed[n] += peak * math.sin(step * n)
    ramp = min(int(RAMP * rate), count // 2)
    for n in range(ramp):
        mixed[n] *= n / ramp
        mixed[count - 1 - n] *= n / ramp
    made = array("h", (max(-32768, min(32767, round(value))) for value in mixed))
    made.extend([0] * round(tone.off * rate))
    return made


def cadence_samples(cadence: Cadence, rate: int) -> array[int]:
    """16-bit mono samples of one round of the cadence."""
    made = array("h")
    for tone in cadence.tones:
        made.extend(tone_samples(tone, rate, cadence.level))
    return made
