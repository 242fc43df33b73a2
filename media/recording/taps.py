"""Where recorded packets come from: the native tap on the sockets of all legs, or ears in the conference."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Protocol

from media import patch
from media.patch import Point
from media.path import Who
from media.recording.packets import LINEAR, Packet

if TYPE_CHECKING:
    from media.sound import Sound

ROOM = 150
"Frames of an ear that wait for the writer: 3 s."
TAPPED = frozenset({"PCMA", "PCMU"})
"Codecs whose packets are read as they come."


class Taps(Protocol):
    """The native tap.  `open` and `close` on the loop's thread, `take` on any."""

    def open(self, call: int, tag: int) -> bool:
        """Keep the packets that this leg sends; False where that cannot be.  Ends with the leg."""
        ...

    def close(self, tag: int) -> None:
        """Harmless where it has ended."""
        ...

    def take(self) -> tuple[bytes, int]:
        """What was kept since the last time, as `packets.by_tag` reads it, and how many packets found no room."""
        ...


class Ear:
    """Listens to a leg in the conference: for codecs that the recorder does not read itself."""

    def __init__(self, tag: int, sound: Sound) -> None:
        """Raises SoundError."""
        self.frames: deque[Packet] = deque(maxlen=ROOM)
        self._tag, self._sound = tag, sound
        self._count = 0
        desk = sound.desk
        self._point = Point(f"recorder of {sound.name}", desk.back.open_tap(self.put), who=Who.RECORDER)
        sound.taps.add(self)
        desk.hear(self._point, sound.point)

    def put(self, frame: bytes) -> None:
        """One frame of 20 ms; on the conference's thread."""
        number, self._count = self._count, self._count + 1
        timestamp = number * (len(frame) // 2) & 0xFFFFFFFF
        self.frames.append(Packet(self._tag, timestamp, number & 0xFFFF, LINEAR, time.monotonic_ns() // 1000, frame))

    def stop(self) -> None:
        """End it; harmless when it has ended."""
        line, self._point.line = self._point.line, None
        if line is None:
            return
        desk = self._sound.desk
        patch.unhear(self._point, self._sound.point)
        desk.unheard(self._sound.point)
        patch.forget(self._point)
        desk.back.release(line)
        self._sound.taps.discard(self)
