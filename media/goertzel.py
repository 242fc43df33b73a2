"""Which tone is in a piece of sound, and how loud (Goertzel, 1958).  Needs numpy, which the server itself does not."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from media.tones import FULL_SCALE_DBM0

Samples: TypeAlias = npt.NDArray[np.float64]


def samples(pcm: bytes) -> Samples:
    """16-bit little-endian mono sound as numbers."""
    return np.frombuffer(pcm[: len(pcm) & ~1], dtype="<i2").astype(np.float64)


def share(sound: Samples, frequency: float, rate: int) -> float:
    """Part of the energy at `frequency`: 0.99 and up for a clean tone of ten periods or more, 0 for silence."""
    energy = float(np.dot(sound, sound))
    if not energy:
        return 0.0
    turn = np.exp(-2j * np.pi * frequency / rate * np.arange(len(sound)))
    return float(min(1.0, 2 * abs(np.dot(sound, turn)) ** 2 / (len(sound) * energy)))


def strongest(sound: Samples, rate: int) -> float:
    """Frequency in Hertz that carries most energy, to a fraction of a bin; 0 for silence."""
    if not np.any(sound):
        return 0.0
    size = np.abs(np.fft.rfft((sound - sound.mean()) * np.hanning(len(sound))))
    peak = int(size.argmax())
    if 0 < peak < len(size) - 1:
        left, middle, right = np.log(size[peak - 1 : peak + 2] + 1e-12)
        return float((peak + 0.5 * (left - right) / (left - 2 * middle + right)) * rate / len(sound))
    return float(peak * rate / len(sound))


def level(sound: Samples) -> float:
    """Level in dBm0 (a full-scale sine is +3.14); minus infinity for silence."""
    power = float(np.mean(sound**2)) if len(sound) else 0.0
    return FULL_SCALE_DBM0 + 10 * float(np.log10(power * 2 / 32767**2)) if power else -np.inf
