"""WAV files: what is in one, and how one is written (RIFF; only what a player of prompts needs)."""

from __future__ import annotations

import os
import struct
import sys
import wave
from array import array
from dataclasses import dataclass
from pathlib import Path

PCM, ALAW, ULAW = 1, 6, 7


class BadWave(ValueError):
    """This file is not a WAV file we can play."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path, self.why = path, why


@dataclass(frozen=True, slots=True)
class WaveInfo:
    """What a WAV file holds."""

    rate: int
    "Samples per second and channel."
    channels: int
    bits: int
    "16 for linear samples, 8 for A-law and mu-law."
    frames: int
    "Samples per channel."

    @property
    def seconds(self) -> float:
        """Playing time."""
        return self.frames / self.rate


def inspect(path: Path) -> WaveInfo:
    """Read the header of a WAV file; the sound itself is not read.

    Raises BadWave for everything that cannot be played (also for a file that is not there).
    """
    try:
        with path.open("rb") as file:
            head, size = file.read(4096), os.fstat(file.fileno()).st_size
    except OSError as error:
        raise BadWave(path, error.strerror or "cannot be read") from error
    info, start, length = _walk(path, head)
    return _described(path, info, min(length, size - start))


def _walk(path: Path, head: bytes) -> tuple[tuple[int, ...] | None, int, int]:
    """The format, and where the sound starts and how long it says it is, in octets."""
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        raise BadWave(path, "not a WAV file")
    at, info = 12, None
    while at + 8 <= len(head):
        name, length = head[at : at + 4], int.from_bytes(head[at + 4 : at + 8], "little")
        at += 8
        if name == b"fmt " and at + 16 <= len(head):
            info = struct.unpack_from("<HHIIHH", head, at)
        elif name == b"data":
            return info, at, length
        at += length + (length & 1)
    raise BadWave(path, "no sound in it")


def _described(path: Path, info: tuple[int, ...] | None, octets: int) -> WaveInfo:
    if info is None:
        raise BadWave(path, "no format before the sound")
    kind, channels, rate, _, block, bits = info
    if (kind, bits) not in ((PCM, 16), (ALAW, 8), (ULAW, 8)):
        raise BadWave(path, f"format {kind} with {bits} bits: only 16-bit linear, A-law and mu-law play")
    if not 1 <= channels <= 2 or block != channels * bits // 8 or not 4000 <= rate <= 192000:
        raise BadWave(path, f"{channels} channels at {rate} Hz")
    return WaveInfo(rate, channels, bits, octets // block)


def is_complete(path: Path) -> bool:
    """Whether the writer of this file has finished: both lengths in its header are those it has."""
    try:
        with path.open("rb") as file:
            head, size = file.read(4096), os.fstat(file.fileno()).st_size
        _, start, length = _walk(path, head)
    except (OSError, BadWave):
        return False
    return int.from_bytes(head[4:8], "little") + 8 == size == start + length


def mend(path: Path) -> bool:
    """Give a file whose writer died the lengths it has; False where it has them already, or is no WAV file.

    What the writer still held in memory is lost.  Raises OSError.
    """
    if is_complete(path):
        return False
    with path.open("r+b") as file:
        head, size = file.read(4096), os.fstat(file.fileno()).st_size
        try:
            info, start, _ = _walk(path, head)
        except BadWave:
            return False
        block = max(1, info[4]) if info is not None else 1
        length = max(0, size - start) // block * block
        file.truncate(start + length)
        for at, value in ((4, start + length - 8), (start - 4, length)):
            file.seek(at)
            file.write(min(value, 0xFFFFFFFF).to_bytes(4, "little"))
    return True


def write(path: Path, samples: array[int], rate: int) -> None:
    """Write 16-bit mono samples; a reader sees the whole file or none of it."""
    if sys.byteorder == "big":
        samples = array("h", samples)
        samples.byteswap()
    made = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with wave.open(str(made), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(samples.tobytes())
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)
