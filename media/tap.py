"""One leg's sound for Python, in batches, through a bounded ring: a slow reader loses frames, the call nothing."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from media import patch
from media.patch import Point

if TYPE_CHECKING:
    from media.sound import Desk, Sound

BATCH = 5
"Frames (20 ms each) per batch."
ROOM = 100
"Frames kept for a slow reader: 2 s."


class Ring:
    """Frames on their way from the conference's thread to the loop's.  One puts, one takes; neither ever waits."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, batch: int = BATCH, room: int = ROOM) -> None:
        self.dropped = 0
        "Frames that were lost because nobody took them."
        self._loop = loop
        self._batch = batch
        self._frames: deque[bytes] = deque(maxlen=room)
        self._called = False
        self._open = True
        self._ready = asyncio.Event()

    def put(self, frame: bytes) -> None:
        """One frame; on the conference's thread."""
        frames = self._frames
        if len(frames) == frames.maxlen:
            self.dropped += 1
        frames.append(frame)
        if len(frames) >= self._batch and not self._called:
            self._called = True
            try:
                self._loop.call_soon_threadsafe(self._ready.set)
            except RuntimeError:  # the loop is closed: nobody reads any more
                pass

    def close(self) -> None:
        """No more frames; what is in the ring can still be taken."""
        self._open = False
        self._ready.set()

    async def take(self) -> bytes:
        """The next batch as one piece; empty when the ring is closed and drained."""
        while self._open and len(self._frames) < self._batch:
            self._ready.clear()
            self._called = False
            if len(self._frames) >= self._batch:  # put between the look and the line above
                break
            await self._ready.wait()
        taken = []
        while self._frames:
            taken.append(self._frames.popleft())
        return b"".join(taken)


class Tap:
    """One leg's sound as it comes: `async for pcm in tap` gives 16-bit little-endian mono at the desk's clock rate.

    A frame costs some 20 us of Python: right for a few dozen legs at a time, not for all.
    """

    def __init__(self, desk: Desk, sound: Sound, point: Point, ring: Ring) -> None:
        self._desk = desk
        self._sound = sound
        self._point = point
        self._ring = ring

    def __repr__(self) -> str:
        return f"<tap on {self._sound.name}, {self.dropped} dropped>"

    @property
    def dropped(self) -> int:
        """Frames that were lost because the reader was slow."""
        return self._ring.dropped

    def __aiter__(self) -> Tap:
        return self

    async def __anext__(self) -> bytes:
        if pcm := await self._ring.take():
            return pcm
        raise StopAsyncIteration

    def stop(self) -> None:
        """End it; the reader gets what is left, then the loop over the tap ends.  Harmless when it has ended."""
        line, self._point.line = self._point.line, None
        if line is None:
            return
        patch.unhear(self._point, self._sound.point)
        self._desk.unheard(self._sound.point)
        patch.forget(self._point)
        self._desk.back.release(line)
        self._sound.taps.discard(self)
        self._ring.close()
