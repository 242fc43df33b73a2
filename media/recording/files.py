"""What a recording is written as: a WAV file or Ogg Opus, plain or sealed.  Both have two channels of 16 bits."""

from __future__ import annotations

import os
import secrets
import struct
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from media.recording import ogg
from media.recording.g711 import Pcm
from media.recording.ogg import OggOpus
from media.recording.opus import Encoder
from media.recording.sealed import SUFFIX, Keys, SealedFile

Form = Literal["wav", "opus"]
WAV_HEAD = 44
MOST = (1 << 32) - 1 - WAV_HEAD
"Octets of sound that a WAV file can name: 37 hours."


class Store(Protocol):
    """Where octets go.  All methods raise OSError."""

    size: int
    "Octets in it."

    def write(self, data: bytes) -> None:
        """Add to the end; what was taken before an error stays."""
        ...

    def rewrite(self, at: int, data: bytes) -> None: ...

    def flush(self) -> None: ...

    def close(self) -> None: ...


class PlainFile:
    """A new file."""

    def __init__(self, path: Path) -> None:
        """Raises OSError, FileExistsError where there is one of this name."""
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        self.size = 0

    def write(self, data: bytes) -> None:
        done = 0
        try:
            while done < len(data):
                done += os.write(self._file, data[done:])
        except OSError:  # a disk that is nearly full has taken a part
            os.ftruncate(self._file, self.size)
            raise
        self.size += done

    def rewrite(self, at: int, data: bytes) -> None:
        os.pwrite(self._file, data, at)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        os.close(self._file)


class Sink(Protocol):
    """Where sound goes."""

    def write(self, frames: Pcm) -> None:
        """Frames of two samples.  Raises OSError."""
        ...

    def flush(self) -> None:
        """What was written so far survives a crash of the process.  Raises OSError."""
        ...

    def close(self) -> None:
        """Make the file whole.  Raises OSError; it is closed all the same."""
        ...


class Wav:
    """16-bit linear PCM."""

    def __init__(self, store: Store, rate: int) -> None:
        self._store = store
        store.write(wav_head(rate, 0))
        self.flush = store.flush

    def write(self, frames: Pcm) -> None:
        self._store.write(frames.astype("<i2", copy=False).tobytes())

    def close(self) -> None:
        try:
            for at, size in wav_sizes(self._store.size - WAV_HEAD):
                self._store.rewrite(at, size)
        finally:
            self._store.close()


class Opus:
    """Ogg Opus."""

    def __init__(self, store: Store, rate: int) -> None:
        """Raises NoOpus, OSError."""
        self._store = store
        self._encoder = Encoder(rate)
        self._times = ogg.RATE // rate
        self._ogg = OggOpus(
            store.write,
            serial=secrets.randbits(32),
            rate=rate,
            channels=2,
            skip=self._encoder.ahead * self._times,
        )
        self._rest: Pcm = np.zeros((0, 2), np.int16)
        self._count = 0
        self.flush = store.flush

    def write(self, frames: Pcm) -> None:
        self._count += len(frames)
        self._encode(frames)

    def _encode(self, frames: Pcm) -> None:
        if len(self._rest):
            frames = np.concatenate((self._rest, frames))
        size, at = self._encoder.frame, 0
        while at + size <= len(frames):
            self._ogg.packet(self._encoder.encode(frames[at : at + size]), size * self._times)
            at += size
        self._rest = frames[at:]

    def close(self) -> None:
        try:
            left = -(len(self._rest) + self._encoder.ahead) % self._encoder.frame + self._encoder.ahead
            self._encode(np.zeros((left, 2), np.int16))
            self._ogg.flush(self._count * self._times)
        finally:
            self._encoder.close()
            self._store.close()


def name_of(call: str, form: Form, *, sealed: bool) -> str:
    """The name of a call's file."""
    return f"{call}.{form}{SUFFIX if sealed else ''}"


def create(path: Path, form: Form, rate: int, keys: Keys | None) -> Sink:
    """A new file, in a folder that is made where there is none.  Raises OSError, NoOpus."""
    path.parent.mkdir(parents=True, exist_ok=True)
    store: Store = PlainFile(path) if keys is None else SealedFile(path, keys)
    try:
        return Wav(store, rate) if form == "wav" else Opus(store, rate)
    except BaseException:
        store.close()
        path.unlink(missing_ok=True)
        raise


def wav_head(rate: int, size: int) -> bytes:
    """The head of a WAV file of two channels with so many octets of sound."""
    return struct.pack(
        "<4sI8sIHHIIHH4sI", b"RIFF", size + 36, b"WAVEfmt ", 16, 1, 2, rate, rate * 4, 4, 16, b"data", size
    )  # fmt: skip


def wav_sizes(size: int) -> tuple[tuple[int, bytes], tuple[int, bytes]]:
    """The two lengths in that head, each with its place."""
    size = min(size, MOST)
    return (4, struct.pack("<I", size + 36)), (40, struct.pack("<I", size))
