"""Sound of calls for tests of who has answered: talk-like noise, pauses, tones.  Numpy only, the same every time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from media.amd_bank import Bank, Told
from media.amd_values import AmdSettings, Stage

RATE = 8000
FRAME = 160
ON = AmdSettings(enabled=True)


def quiet(seconds: float, seed: int = 1) -> npt.NDArray[np.float64]:
    """A quiet line."""
    return np.random.default_rng(seed).normal(0, 15, round(seconds * RATE))


def talk(seconds: float, seed: int = 2) -> npt.NDArray[np.float64]:
    """Syllables: noise with a voice's pitch and four swells a second."""
    count = round(seconds * RATE)
    time = np.arange(count) / RATE
    pitch = np.sum([np.sin(2 * np.pi * 120 * n * time + n) for n in range(2, 20)], axis=0)
    swell = 0.35 + 0.65 * np.abs(np.sin(np.pi * 4 * time))
    return np.asarray(swell * (600 * pitch + np.random.default_rng(seed).normal(0, 700, count)))


def tone(seconds: float, *frequencies: float, strength: float = 5000) -> npt.NDArray[np.float64]:
    time = np.arange(round(seconds * RATE)) / RATE
    return np.asarray(np.sum([strength * np.sin(2 * np.pi * frequency * time) for frequency in frequencies], axis=0))


def call(*pieces: npt.NDArray[np.float64]) -> npt.NDArray[np.int16]:
    """Pieces one after another, on a line that is never quite silent."""
    sound = np.concatenate(pieces)
    return np.clip(sound + quiet(len(sound) / RATE, 3)[: len(sound)], -32768, 32767).astype(np.int16)


def told(sound: npt.NDArray[np.int16], settings: AmdSettings = ON, stage: Stage = Stage.ANSWERED) -> list[Told]:
    """All that is said about one call."""
    bank = Bank()
    row = bank.open(settings, stage)
    frames = sound[: len(sound) // FRAME * FRAME].reshape(-1, FRAME)
    return bank.feed(np.full(len(frames), row, dtype=np.intp), frames)
