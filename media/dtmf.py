"""Keys as tones in the sound (ITU-T Q.23, Q.24): found by the energy at eight frequencies (Goertzel, 1958).

For callers whose side has no telephone events.  Speech and music must not be keys: a key is two pure tones, one of each
group, that hold for 40 ms and leave next to no energy elsewhere.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

LOW = (697.0, 770.0, 852.0, 941.0)
HIGH = (1209.0, 1336.0, 1477.0, 1633.0)
KEYS = ("123A", "456B", "789C", "*0#D")
"By row (low group) and column (high group)."

HOP = 0.01
"Seconds between two looks."
WINDOW = 0.026
"Seconds that each look takes in: the rows are 73 Hz and more apart."
BEGINS = 3
"Looks in a row that must see a key: 46 ms of it; Q.24 wants 40 ms taken and 23 ms refused."
ENDS = 2
"Looks in a row without it that end it, so that the same key can come again."
FAINTEST = 3.0e5
"Mean square of the faintest tone that counts: some -30 dBm0."
PURE = 0.82
"Share of the energy that the two tones must have."
OFF_PITCH = (0.988, 1.0, 1.012)
"Each frequency is looked for here: Q.24 wants 1.5 % off taken, and a window this short hears 1 % as half the power."
TWIST = 10.0
"How many times stronger one tone may be than the other (10 dB)."


def key_tones(key: str) -> tuple[float, float]:
    """The two frequencies of a key, in Hertz."""
    for row, keys in enumerate(KEYS):
        if key in keys and key:
            return LOW[row], HIGH[keys.index(key)]
    raise ValueError(f"{key!r} is no key")


class DtmfDetector:
    """Takes sound in pieces of any length and gives the keys that begin in them."""

    def __init__(self, rate: int = 8000) -> None:
        self._hop, self._window = round(HOP * rate), round(WINDOW * rate)
        steps = np.arange(self._window) * (-2j * np.pi / rate)
        frequencies = np.outer(np.array(LOW + HIGH), np.array(OFF_PITCH)).ravel()
        self._turns: npt.NDArray[np.complex128] = np.exp(np.outer(frequencies, steps))
        self._kept = np.zeros(0)
        self._key = ""
        "The key that is on."
        self._seen, self._looks = "", 0
        "What the last looks saw, and how many of them."

    def __repr__(self) -> str:
        return f"<keys as tones, {self._key or 'none'} on>"

    def feed(self, pcm: bytes) -> str:
        """Keys that began in this piece: 16-bit little-endian mono sound."""
        sound = np.frombuffer(pcm[: len(pcm) & ~1], dtype="<i2").astype(np.float64)
        kept = np.concatenate([self._kept, sound])
        count = (len(kept) - self._window) // self._hop + 1
        if count <= 0:
            self._kept = kept
            return ""
        windows = np.lib.stride_tricks.sliding_window_view(kept, self._window)[: count * self._hop : self._hop]
        self._kept = kept[count * self._hop :]
        found = ""
        for seen in self._look(windows):
            found += self._take(seen)
        return found

    def _look(self, windows: npt.NDArray[np.float64]) -> list[str]:
        """The key in each window, or none."""
        size = self._window
        whole = np.einsum("ij,ij->i", windows, windows)
        if whole.max() / size < FAINTEST:
            return [""] * len(windows)
        each = 2 * np.abs(windows @ self._turns.T) ** 2 / size
        power = each.reshape(len(windows), len(LOW + HIGH), len(OFF_PITCH)).max(2)
        low, high = power[:, :4], power[:, 4:]
        rows, columns = low.argmax(1), high.argmax(1)
        at = np.arange(len(windows))
        a, b = low[at, rows], high[at, columns]
        is_key = (whole / size >= FAINTEST) & (a + b >= PURE * whole) & (a <= TWIST * b) & (b <= TWIST * a)
        return [KEYS[rows[n]][columns[n]] if is_key[n] else "" for n in range(len(windows))]

    def _take(self, seen: str) -> str:
        """A key begins after BEGINS looks that agree, and is over after ENDS looks that do not see it."""
        self._looks = self._looks + 1 if seen == self._seen else 1
        self._seen = seen
        if seen != self._key and not seen and self._looks >= ENDS:
            self._key = ""
        if seen and seen != self._key and self._looks >= BEGINS:
            self._key = seen
            return seen
        return ""
