"""Things that go on until they end: a playing, a recording.  Each can be stopped, and awaited for how it ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from media import patch, wav
from media.patch import Point
from media.ports import Ending
from media.wav import WaveInfo

if TYPE_CHECKING:
    from media.sound import Desk, Sound

log = logging.getLogger("media")

MARGIN = 0.06
"Seconds from a command until its first sample is heard, at most: the conference takes commands between its frames."
FLUSH = 0.02
"Seconds between two looks at whether a recorder has closed its file."
FLUSH_LIMIT = 2.0
"Seconds after which a recorder that has not closed its file is given up."


class Going:
    """Something that ends.  A waiter that is cancelled ends nothing but its own wait."""

    __slots__ = ("_ended", "desk", "point")

    def __init__(self, desk: Desk, point: Point) -> None:
        self.desk = desk
        self.point = point
        self._ended: asyncio.Future[Ending] = desk.loop.create_future()

    def __await__(self) -> Generator[Any, None, Ending]:
        return asyncio.shield(self._ended).__await__()

    @property
    def ending(self) -> Ending | None:
        """How it ended; None while it goes on."""
        return self._ended.result() if self._ended.done() else None

    def then(self, do: Callable[[Ending], None]) -> None:
        """Call this on the loop once it has ended; soon, where it has ended already."""
        self._ended.add_done_callback(lambda ended: None if ended.cancelled() else do(ended.result()))

    def _end(self, ending: Ending) -> None:
        if not self._ended.done():
            self._ended.set_result(ending)

    def _release(self) -> None:
        line, self.point.line = self.point.line, None
        if line is not None:
            self.desk.back.release(line)


class Playing(Going):
    """A sound that one leg hears: a file once from its start, or a share in a player that goes round for ever."""

    __slots__ = ("_info", "_sound", "_timer")

    def __init__(self, desk: Desk, sound: Sound, point: Point, info: WaveInfo | None) -> None:
        super().__init__(desk, point)
        self._sound = sound
        self._info = info
        "The file that is played once; None: an endless player, which others share."
        self._timer: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<playing {self.point.name} to {self._sound.name}: {self.ending or 'on'}>"

    def stop(self) -> None:
        """End it now; harmless when it has ended."""
        self.end(Ending.STOPPED)

    def end(self, ending: Ending) -> None:
        """For this package: end it, and say so."""
        if self._ended.done():
            return
        self.pause()
        self.desk.do(patch.unhear(self._sound.point, self.point))
        self.desk.pairs.look(self._sound.point)
        if self._info is not None:
            self._release()
        self._sound.playings.discard(self)
        self._end(ending)

    def carry_on(self) -> None:
        """For this package: the leg has a line (again), the rest of the file is heard from now on."""
        self.pause()
        if self._info is not None and self.point.line is not None:
            self._timer = self.desk.loop.call_later(self._left(self._info) + MARGIN, self._due)

    def pause(self) -> None:
        """For this package: the leg has no line; nobody pulls at the player, so it stands still."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _left(self, info: WaveInfo) -> float:
        played = 0 if self.point.line is None else self.desk.back.position(self.point.line)
        return max(0.0, info.seconds - played / info.channels / info.rate)

    def _due(self) -> None:
        """The time is up by our clock; the conference's may be late.

        PJSIP's end-of-file event is not used: its queue takes 16 at a time (of 60 prompts that ended together 28 were
        never told), and it can reach a player that was deleted meanwhile.
        """
        if self.point.line is not None and self.desk.back.position(self.point.line):
            self.carry_on()
        else:
            self.end(Ending.FINISHED)


class Recording(Going):
    """What one or more legs say, in one mono file.  Awaited, it gives how it ended once the file is complete."""

    __slots__ = ("_limit", "path", "paused", "sounds")

    def __init__(self, desk: Desk, point: Point, path: Path, sounds: Iterable[Sound]) -> None:
        super().__init__(desk, point)
        self.path = path
        self.sounds = set(sounds)
        self.paused = False
        self._limit = 0.0

    def __repr__(self) -> str:
        return (
            f"<recording {self.path.name} of {len(self.sounds)}: {self.ending or ('paused' if self.paused else 'on')}>"
        )

    def stop(self) -> None:
        """End it now; harmless when it has ended."""
        self._close(Ending.STOPPED)

    def pause(self) -> None:
        """Write silence from now on: the file goes on, so that the files of one call stay in step."""
        if self.paused or self.point.line is None:
            return
        self.paused = True
        for sound in self.sounds:
            self.desk.unhear(self.point, sound.point)

    def resume(self) -> None:
        """Write what the legs say again; harmless when that is so, or when it has ended."""
        if not self.paused or self.point.line is None:
            return
        self.paused = False
        for sound in self.sounds:
            self.desk.hear(self.point, sound.point)

    def lose(self, sound: Sound) -> None:
        """For this package: one leg is gone; without any the recording ends."""
        self.sounds.discard(sound)
        if not self.sounds:
            self._close(Ending.LOST)

    def _close(self, ending: Ending) -> None:
        if self.point.line is None:
            return
        for sound in self.sounds:
            sound.recordings.discard(self)
        self.sounds.clear()
        self.desk.recordings.discard(self)
        for leg in [source for source in self.point.hears if source.drains]:
            patch.unhear(self.point, leg)  # the recorder goes at once and takes its connections along: no step
            self.desk.unheard(leg)
        self._release()
        patch.forget(self.point)
        self._limit = self.desk.loop.time() + FLUSH_LIMIT
        self._flushed(ending)

    def _flushed(self, ending: Ending) -> None:
        if wav.is_complete(self.path):
            self._end(ending)
        elif self.desk.loop.time() > self._limit:
            log.error("the recorder has not closed %s", self.path)
            self._end(Ending.LOST)
        else:
            self.desk.loop.call_later(FLUSH, self._flushed, ending)
