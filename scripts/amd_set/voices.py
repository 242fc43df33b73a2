"""Who speaks: espeak-ng's and flite's voices, those of tuning apart from those that are held back."""

from __future__ import annotations

import random
import subprocess
import wave
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import numpy.typing as npt

from .resampling import RATE, resample


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice with its manner."""

    engine: str
    "espeak-ng or flite."
    name: str
    language: str
    "As in sentences.LANGUAGES."
    pitch: int
    "0 to 99, 50 is usual; flite has its own."
    speed: int
    "Words a minute, 160 is usual."


# (name for espeak-ng, language of the sentences); weights by repetition.
TUNING_ACCENTS = (("en-gb", "en"), ("en-us", "en"), ("en-gb-x-gbclan", "en"), ("en-029", "en"), ("de", "de"),
                  ("fr-fr", "fr"), ("es", "es"))  # fmt: skip
TUNING_VARIANTS = ("m1", "m2", "m3", "m4", "f1", "f2", "klatt", "klatt4", "Annie", "john", "steph", "michel", "adam",
                   "Alicia", "antonio", "belinda", "david", "edward", "Gene", "Hugo", "iven", "Lee", "marcelo", "max",
                   "Michael", "pablo", "paul", "quincy", "rob", "steph2", "zac", "anika", "grandpa", "shelby", "victor",
                   "Diogo", "aunty", "klatt3")  # fmt: skip
TUNING_FLITE = ("kal", "awb")

HELD_ACCENTS = (("en-gb-scotland", "en"), ("en-us-nyc", "en"), ("en-gb-x-rp", "en"), ("en-gb-x-gbcwmd", "en"),
                ("it", "it"), ("nl", "nl"))  # fmt: skip
HELD_VARIANTS = ("m5", "m6", "m7", "m8", "f3", "f4", "f5", "klatt2", "klatt6", "linda", "Andy", "grandma", "norbert")
HELD_FLITE = ("slt", "rms")

FLITE_SHARE = 0.25
"Part of the English recordings that flite speaks."


def draw(pick: random.Random, *, held_back: bool) -> Voice:
    """Any voice of one split."""
    accents = HELD_ACCENTS if held_back else TUNING_ACCENTS
    accent, language = pick.choice(accents)
    pitch, speed = pick.randint(25, 75), round(pick.triangular(115, 215, 160))
    if language == "en" and pick.random() < FLITE_SHARE:
        name = pick.choice(HELD_FLITE if held_back else TUNING_FLITE)
        return Voice("flite", name, language, pitch, speed)
    variant = pick.choice(HELD_VARIANTS if held_back else TUNING_VARIANTS)
    return Voice("espeak-ng", f"{accent}+{variant}", language, pitch, speed)


def say(voice: Voice, text: str) -> npt.NDArray[np.float64]:
    """The text spoken: 8000 samples a second, without silence before and behind, mean square 1 where it is loud."""
    if voice.engine == "flite":
        stretch = 160 / voice.speed
        command = ["flite", "-voice", voice.name, "--setf", f"duration_stretch={stretch:.2f}", "-t", text, "-o",
                   "/dev/stdout"]  # fmt: skip
    else:
        command = ["espeak-ng", "-v", voice.name, "-p", str(voice.pitch), "-s", str(voice.speed), "--stdout", text]
    done = subprocess.run(command, capture_output=True, check=True, timeout=30)
    return trim(level(resample(*_samples(done.stdout))))


def _samples(data: bytes) -> tuple[npt.NDArray[np.float64], int]:
    """A WAV file from a pipe: its length in the header means nothing."""
    with wave.open(BytesIO(data)) as file:
        rate = file.getframerate()
    start = data.index(b"data") + 8
    sound = data[start:]
    return np.frombuffer(sound[: len(sound) & ~1], dtype="<i2").astype(np.float64), rate


def level(sound: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Mean square 1 over the loud half of its 20 ms pieces."""
    pieces = sound[: len(sound) // 160 * 160].reshape(-1, 160)
    if not len(pieces):
        return sound
    power = np.sort((pieces**2).mean(axis=1))
    loud = float(power[len(power) // 2 :].mean())
    return sound / loud**0.5 if loud else sound


def trim(sound: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Cut what is more than 35 dB under the talk at both ends."""
    smooth = np.convolve(sound**2, np.ones(80) / 80, mode="same")
    loud = np.flatnonzero(smooth > 10**-3.5)
    return sound[loud[0] : loud[-1] + 1] if len(loud) else sound[: RATE // 10]


def heard(sound: npt.NDArray[np.float64]) -> list[tuple[float, float]]:
    """Seconds between which a clean voice is no more than 25 dB under its loud parts; gaps of 0.12 s belong to it."""
    pieces = sound[: len(sound) // 160 * 160].reshape(-1, 160)
    spans: list[tuple[float, float]] = []
    for number in np.flatnonzero((pieces**2).mean(axis=1) > 10**-2.5).tolist():
        start, end = number * 0.02, (number + 1) * 0.02
        if spans and start - spans[-1][1] <= 0.121:
            start = spans.pop()[0]
        spans.append((start, end))
    return spans
