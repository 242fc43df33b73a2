"""What a telephone line does to sound: codecs, band limits, lost packets, pauses that are not sent.

Tuning and the held-back part have codecs of their own.
"""

from __future__ import annotations

import random
import subprocess

import numpy as np
import numpy.typing as npt

from . import g711
from .resampling import RATE
from .sounds import Sound, numbers

FRAME = 160
FULL_SCALE_DBM0 = 3.14

TUNING_LINES = ("alaw", "ulaw", "narrow", "gsm", "vox", "gsm-twice")
HELD_LINES = ("amr-4.75", "amr-7.4", "amr-12.2", "g729-like", "adpcm")

_AMR = {"amr-4.75": "0", "amr-7.4": "4", "amr-12.2": "7"}


def loudness(dbm0: float) -> float:
    """Root mean square of 16-bit samples at this level."""
    return float(32767 / 2**0.5 * 10 ** ((dbm0 - FULL_SCALE_DBM0) / 20))


def through(line: str, sound: Sound, pick: random.Random) -> npt.NDArray[np.int16]:
    """16-bit sound as it arrives behind this codec."""
    if line in ("alaw", "ulaw"):
        law = g711.ALAW if line == "alaw" else g711.ULAW
        return law.decode(law.encode(g711.clip(sound)))
    if line == "narrow":
        return through("ulaw", _band(sound, 300, 3100), pick)
    if line == "gsm":
        return _sox(g711.clip(sound), ["-t", "gsm"])
    if line == "gsm-twice":
        return _sox(through("narrow", _sox(g711.clip(sound), ["-t", "gsm"]).astype(np.float64), pick), ["-t", "gsm"])
    if line == "vox":
        return _sox(g711.clip(_band(sound, 200, 3400)), ["-t", "vox"])
    if line in _AMR:
        return _sox(g711.clip(_band(sound, 80, 3600)), ["-t", "amr-nb", "-C", _AMR[line]])
    if line == "adpcm":
        return _sox(g711.clip(sound), ["-t", "wav", "-e", "ima-adpcm"])
    # A codec with 16 dB between voice and its own noise, which follows the voice (ITU-T P.810).
    narrow = _band(sound, 150, 3300)
    noise = _band(numbers(pick).normal(size=len(sound)), 150, 3300) * 10 ** (-pick.uniform(14, 20) / 20)
    return g711.clip(narrow * (1 + noise))


def lose(sound: npt.NDArray[np.int16], share: float, burst: float, pick: random.Random) -> npt.NDArray[np.int16]:
    """Packets of 20 ms are lost, `burst` in a row on average; the one before is repeated, fainter each time."""
    made, lost, gone = sound.copy(), 0, 0.5
    for start in range(FRAME, len(sound) - FRAME, FRAME):
        if pick.random() < (1 - 1 / burst if lost else share / burst):
            lost += 1
            made[start : start + FRAME] = (made[start - FRAME : start] * (gone if lost > 1 else 0.9)).astype(np.int16)
        else:
            lost = 0
    return made


def unsent_pauses(sound: npt.NDArray[np.int16], pick: random.Random) -> npt.NDArray[np.int16]:
    """Quiet packets are not sent; silence or faint comfort noise is heard instead, after a fifth of a second."""
    pieces = sound[: len(sound) // FRAME * FRAME].reshape(-1, FRAME).astype(np.float64)
    power = (pieces**2).mean(axis=1)
    limit = 10**-3.2 * np.sort(power)[-max(1, len(power) // 10)]
    comfort = pick.choice((0.0, 4.0, 12.0))
    noise = numbers(pick).normal(size=pieces.shape) * comfort
    quiet = 0
    for number in range(len(pieces)):
        quiet = quiet + 1 if power[number] < limit else 0
        if quiet > 10:
            pieces[number] = noise[number]
    return pieces.ravel().astype(np.int16)


def _band(sound: Sound, low: float, high: float) -> Sound:
    spectrum = np.fft.rfft(sound)
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    spectrum[(hertz < low) | (hertz > high)] *= 0.01
    return np.fft.irfft(spectrum, n=len(sound))


def _sox(sound: npt.NDArray[np.int16], form: list[str]) -> npt.NDArray[np.int16]:
    """Through one of sox's codecs and back."""
    raw = ["-t", "raw", "-r", str(RATE), "-e", "signed", "-b", "16", "-c", "1", "-"]
    kind = form[:2]
    coded = subprocess.run(
        ["sox", "-D", "-V1", *raw, *form, "-"], input=sound.tobytes(), capture_output=True, check=True, timeout=60
    ).stdout
    back = subprocess.run(
        ["sox", "-D", "-V1", *kind, "-", *raw], input=coded, capture_output=True, check=True, timeout=60
    ).stdout
    decoded = np.frombuffer(back[: len(back) & ~1], dtype="<i2")
    return (
        np.resize(decoded, len(sound))
        if len(decoded) >= len(sound)
        else np.pad(decoded, (0, len(sound) - len(decoded)))
    )
