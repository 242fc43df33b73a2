"""Any rate to 8000 samples a second."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

RATE = 8000


def resample(sound: npt.NDArray[np.float64], rate: int) -> npt.NDArray[np.float64]:
    """By its spectrum, so nothing above 4 kHz folds back."""
    if rate == RATE or not len(sound):
        return sound
    length = round(len(sound) * RATE / rate)
    spectrum = np.fft.rfft(sound)
    wanted = length // 2 + 1
    spectrum = spectrum[:wanted] if len(spectrum) >= wanted else np.pad(spectrum, (0, wanted - len(spectrum)))
    return np.fft.irfft(spectrum, n=length) * (length / len(sound))
