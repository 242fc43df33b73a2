"""What is put where a packet was lost: the last pitch period over and over, fading, as in ITU-T G.711 Appendix I."""

import numpy as np

from media.recording.g711 import Pcm

HISTORY = 0.0485
"Seconds of the past that are looked at (Appendix I: 390 samples of 8000)."
SHORTEST, LONGEST = 0.005, 0.015
"Pitch periods that are looked for: 200 to 66 Hz."
FULL = 0.01
"Seconds at full level; from there to `GONE` it falls to nothing."
GONE = 0.06


def conceal(history: Pcm, count: int, rate: int) -> Pcm:
    """`count` samples to follow `history`, which should be `HISTORY` long; silence where it is too short to tell."""
    made = np.zeros(count, np.int16)
    longest, gone = round(LONGEST * rate), round(GONE * rate)
    if len(history) < 2 * longest or not history.any():
        return made
    period = _pitch(history.astype(np.float64), round(SHORTEST * rate), longest)
    heard = min(count, gone)
    full = round(FULL * rate)
    place = np.arange(heard)
    level = np.clip((gone - place) / (gone - full), 0.0, 1.0)
    cycle = history[len(history) - period :]
    made[:heard] = (cycle[place % period] * level).astype(np.int16)
    return made


def _pitch(history: np.ndarray, shortest: int, longest: int) -> int:
    """The lag at which the last stretch is most like what was before it."""
    last = history[-longest:]
    lags = np.arange(shortest, longest + 1)
    before = np.lib.stride_tricks.sliding_window_view(history, longest)[len(history) - longest - lags]
    energy = np.sqrt(np.einsum("ij,ij->i", before, before)) + 1.0
    return int(lags[int(np.argmax(before @ last / energy))])
