"""G.711 (ITU-T G.711) by tables, and A-law WAV files."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt


class Law:
    """One of the two laws: 256 octets, each with its 16-bit value."""

    def __init__(self, values: npt.NDArray[np.int16]) -> None:
        self._values = values
        order = np.argsort(values, kind="stable")
        self._order = order.astype(np.uint8)
        sorted_values = values[order].astype(np.int32)
        self._edges = (sorted_values[1:] + sorted_values[:-1]) / 2

    def encode(self, sound: npt.NDArray[np.int16]) -> npt.NDArray[np.uint8]:
        return self._order[np.searchsorted(self._edges, sound)]

    def decode(self, octets: npt.NDArray[np.uint8]) -> npt.NDArray[np.int16]:
        return self._values[octets]


def _alaw() -> npt.NDArray[np.int16]:
    octets = np.arange(256) ^ 0x55
    segment, step = (octets >> 4) & 7, octets & 15
    size = np.where(segment == 0, (step << 4) + 8, ((step << 4) + 0x108) << np.maximum(segment - 1, 0))
    return np.where(octets & 0x80, size, -size).astype(np.int16)


def _ulaw() -> npt.NDArray[np.int16]:
    octets = ~np.arange(256) & 0xFF
    size = ((((octets & 15) << 3) + 0x84) << ((octets >> 4) & 7)) - 0x84
    return np.where(octets & 0x80, -size, size).astype(np.int16)


ALAW, ULAW = Law(_alaw()), Law(_ulaw())


def clip(sound: npt.NDArray[np.float64]) -> npt.NDArray[np.int16]:
    """As 16-bit samples."""
    return np.clip(np.rint(sound), -32768, 32767).astype(np.int16)


HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")


def write(path: Path, sound: npt.NDArray[np.int16]) -> None:
    """An A-law WAV file of 8000 samples a second."""
    octets = ALAW.encode(sound).tobytes()
    head = HEADER.pack(
        b"RIFF", HEADER.size - 8 + len(octets), b"WAVE", b"fmt ", 16, 6, 1, 8000, 8000, 1, 8, b"data", len(octets)
    )
    path.write_bytes(head + octets)


def read(path: Path) -> npt.NDArray[np.int16]:
    """A file that `write` made."""
    return ALAW.decode(np.frombuffer(path.read_bytes()[HEADER.size :], dtype=np.uint8))
