"""What is heard behind a voice, and tones: numpy only, 8000 samples a second, mean square 1 unless said otherwise."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .resampling import RATE

Sound: TypeAlias = npt.NDArray[np.float64]

CHORDS = ((0, 4, 7), (5, 9, 12), (7, 11, 14), (9, 12, 16), (2, 5, 9))
"Half tones above the key."


def numbers(pick: random.Random) -> np.random.Generator:
    """A numpy generator that follows from a drawn number."""
    return np.random.default_rng(pick.getrandbits(64))


def even(sound: Sound) -> Sound:
    """With mean square 1."""
    power = float(np.mean(sound**2)) if len(sound) else 0.0
    return sound / power**0.5 if power else sound


def tone(frequencies: Sequence[float], seconds: float) -> Sound:
    """One or more sines with 4 ms of slope."""
    time = np.arange(round(seconds * RATE)) / RATE
    sound = np.sum([np.sin(2 * np.pi * frequency * time) for frequency in frequencies], axis=0)
    slope = min(32, len(sound) // 2)
    shape = np.ones(len(sound))
    shape[:slope] = np.linspace(0, 1, slope)
    shape[len(sound) - slope :] = np.linspace(1, 0, slope)
    return np.asarray(sound * shape * (2 / len(frequencies)) ** 0.5)


def white(count: int, pick: random.Random) -> Sound:
    return numbers(pick).normal(size=count)


def pink(count: int, pick: random.Random) -> Sound:
    return _shaped(count, pick, 0.5)


def street(count: int, pick: random.Random) -> Sound:
    """Low noise that swells as cars pass."""
    noise = _shaped(count, pick, 0.9)
    time = np.arange(count) / RATE
    swell = 1 + 0.8 * np.sin(2 * np.pi * time / pick.uniform(2, 5) + pick.uniform(0, 6))
    return even(noise * swell)


def hum(count: int, pick: random.Random) -> Sound:
    """Mains and a fan."""
    time = np.arange(count) / RATE
    mains = pick.choice((50, 60))
    tones = np.sum([np.sin(2 * np.pi * mains * n * time) / n for n in (1, 2, 3, 5, 6)], axis=0)
    return even(tones + 0.5 * pink(count, pick))


def music(count: int, pick: random.Random) -> Sound:
    """Chords with a bass, a tune and a beat."""
    beat = round(60 / pick.uniform(70, 150) * RATE)
    key = 110 * 2 ** (pick.randint(0, 11) / 12)
    harmonics = pick.randint(2, 7)
    drum = pick.uniform(0, 0.8)
    sound = np.zeros(count + beat)
    noise = numbers(pick).normal(size=beat)
    for number, start in enumerate(range(0, count, beat)):
        chord = CHORDS[(number // 4 * 7 + pick.choice((0, 0, 1))) % len(CHORDS)]
        notes = [key * 2 ** (step / 12) for step in chord] + [key * 4 * 2 ** (pick.choice(chord) / 12)]
        time = np.arange(beat) / RATE
        fade = np.exp(-time * pick.uniform(0.5, 4))
        piece = np.zeros(beat)
        for note in notes:
            for harmonic in range(1, harmonics + 1):
                piece += np.sin(2 * np.pi * note * harmonic * time) / harmonic
        sound[start : start + beat] += piece * fade
        sound[start : start + beat] += drum * 3 * noise * np.exp(-time * 30)
    return even(sound[:count])


def babble(count: int, pick: random.Random, voices: Sequence[Sound]) -> Sound:
    """A room full of people."""
    return even(np.sum([_somewhere(count, pick, voices) for _ in range(6)], axis=0))


def television(count: int, pick: random.Random, voices: Sequence[Sound]) -> Sound:
    """Somebody who talks on, further away."""
    return even(_somewhere(count, pick, voices))


def children(count: int, pick: random.Random, voices: Sequence[Sound]) -> Sound:
    """High voices that come and go, and shouts."""
    time = np.arange(count) / RATE
    sound = np.zeros(count)
    for _ in range(2):
        come = (np.sin(2 * np.pi * time / pick.uniform(1, 3) + pick.uniform(0, 6)) > pick.uniform(-0.3, 0.4)) + 0.05
        sound += _faster(_somewhere(2 * count, pick, voices), pick.uniform(1.25, 1.5))[:count] * come
    for _ in range(pick.randint(0, 3)):
        start, length = pick.randint(0, count), round(pick.uniform(0.15, 0.5) * RATE)
        pitch = pick.uniform(450, 900) * (1 + 0.1 * np.sin(np.linspace(0, 9, length)))
        phase = np.cumsum(2 * np.pi * pitch / RATE)
        shout = np.sum([np.sin(phase * n) / n**0.5 for n in range(1, 6)], axis=0) * np.hanning(length)
        sound[start : start + length] += 0.7 * shout[: count - start]
    return even(sound)


Background: TypeAlias = Callable[[int, random.Random], Sound]
PLAIN: dict[str, Background] = {"white": white, "pink": pink, "hum": hum, "street": street, "music": music}
VOICES: dict[str, Callable[[int, random.Random, Sequence[Sound]], Sound]] = {
    "babble": babble,
    "television": television,
    "children": children,
}
"Those that are made of voices."


def _shaped(count: int, pick: random.Random, fall: float) -> Sound:
    spectrum = np.fft.rfft(numbers(pick).normal(size=count))
    line = np.maximum(np.arange(len(spectrum)), 1.0)
    return even(np.fft.irfft(spectrum / line**fall, n=count))


def _somewhere(count: int, pick: random.Random, voices: Sequence[Sound]) -> Sound:
    """A stretch of one of the voices, from anywhere, round and round."""
    voice = pick.choice(voices)
    return np.asarray(np.resize(np.roll(voice, -pick.randrange(len(voice))), count))


def _faster(sound: Sound, times: float) -> Sound:
    return np.asarray(np.interp(np.arange(0, len(sound) - 1, times), np.arange(len(sound)), sound))
