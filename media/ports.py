"""The seam between sound and what carries it: values, errors, and what a back end must be able to do."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from media.path import Codec
from media.tones import Cadence

Source: TypeAlias = Path | Cadence
"What can be played: a WAV file (16-bit linear, A-law or mu-law; any rate) or a tone pattern."

Port: TypeAlias = Any
"A place in the back end where sound goes in or out; only the back end looks inside."


class Ending(StrEnum):
    """How a playing or a recording came to its end."""

    FINISHED = "finished"
    "It was played to the last sample."
    STOPPED = "stopped"
    "We stopped it."
    LOST = "lost"
    "The leg ended under it."


class SoundError(Exception):
    """Sound could not be played, recorded or tapped: no such file, wrong format, disk full, no port left."""

    def __init__(self, what: object, why: str) -> None:
        super().__init__(f"{what}: {why}")
        self.what, self.why = what, why


class Line:
    """A leg's sound as the SIP engine sees it: a pjsua2 AudioMedia that goes stale without a word.

    The engine makes one for each stream and calls `gone()` inside the callback that destroys the stream.  Without that,
    a connection made between that moment and the leg's `attach(None)` could reach whoever got the place meanwhile.
    """

    __slots__ = ("alive", "call", "codec", "port", "stream")

    def __init__(self, port: Port, call: int = -1, codec: Codec | None = None, stream: int = 0) -> None:
        self.port = port
        self.call = call
        "The leg as the relay and native taps know it; -1: it has no packets of its own."
        self.codec = codec
        "What it speaks; None where that is not known."
        self.stream = stream
        "Its stream's place in memory, for native/gap.c; 0: none that this knows."
        self.alive = True

    def __repr__(self) -> str:
        return f"<line {self.port!r}{'' if self.alive else ' gone'}>"

    def gone(self) -> None:
        """The stream is no more: nothing is connected to this line from now on."""
        self.alive = False


class Listener(Protocol):
    """Something that listens to a leg and has to end with it."""

    def stop(self) -> None: ...


class Back(Protocol):
    """What carries sound.  Called on the loop's thread; every method returns at once and leaves dead lines alone."""

    clock_rate: int
    "Samples per second of everything that is mixed, recorded and tapped."

    silence: Line
    "Always there: it sends silence to those who hear it and swallows what is sent to it."

    def place(self, line: Line) -> int:
        """Number of the line's place; no two live lines have the same.  Negative: it has none."""
        ...

    def join(self, source: Line, sink: Line) -> bool:
        """Let `sink` hear `source`; harmless when it does already.  False: one of them is not there any more."""
        ...

    def cut(self, source: Line, sink: Line) -> None:
        """Take that back.  Not needed before one of them goes away."""
        ...

    def relay(self, a: Line, b: Line) -> bool:
        """Let the packets of two legs go straight to each other from now on; nothing that they say reaches the
        conference meanwhile.  Harmless when that is so already.  False: refused, everything is as it was."""
        ...

    def part(self, a: Line, b: Line) -> None:
        """Take that back: both are heard in the conference again, from the next packet on.  Harmless without it."""
        ...

    def open_player(self, path: Path, *, loop: bool) -> Line:
        """A source that plays a file from its start, and moves on only while somebody hears it.  Raises SoundError."""
        ...

    def position(self, player: Line) -> int:
        """Samples played; 0 before the first one and after the last."""
        ...

    def open_recorder(self, path: Path) -> Line:
        """A sink that writes what it hears, mono, 16 bit, at the clock rate, to a new WAV file.  Raises SoundError."""
        ...

    def open_tap(self, put: Callable[[bytes], None]) -> Line:
        """A sink that gives each 20 ms frame (16-bit, mono) to `put`, on another thread.  Raises SoundError."""
        ...

    def open_ear(self) -> Line:
        """A sink whose 20 ms frames (8000 Hz, 16-bit, mono) are kept for `heard`, 64 at most.  Raises SoundError."""
        ...

    def heard(self) -> tuple[bytes, bytes, int]:
        """What all ears have heard since the last time: each frame's place (32-bit), the frames, how many were lost.

        Frames of one ear stand together, oldest first.
        """
        ...

    def release(self, line: Line) -> None:
        """Close a player, recorder, tap or ear that nobody is to hear or feed any more."""
        ...
