"""Who has answered: listens to many calls at once and says human, machine, tone or silence for each.

    listening = Listening(desk)
    watch = listening.watch(sound, settings)            # when the call is answered
    verdict = await watch                               # always comes: at the latest by the settings' limits
    if verdict.kind is Kind.MACHINE and message:
        beep = await watch.message_time()               # now; None: it is no use to speak
    watch.stop()                                        # as soon as nobody needs it; a closed leg does it too

Frames are collected in C (native/ears.c).  One task takes those of all calls together every 40 ms.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Generator
from typing import TYPE_CHECKING

import numpy as np

from media import patch
from media.amd_bank import Bank
from media.amd_values import AmdSettings, Beep, Kind, Stage, Verdict
from media.patch import Point
from media.path import Who
from media.speech_timing import FRAME_SAMPLES

if TYPE_CHECKING:
    from media.sound import Desk, Sound

__all__ = ["AmdSettings", "Beep", "Kind", "Listening", "Stage", "Verdict", "Watch"]

log = logging.getLogger("media")

EVERY = 0.04
"Seconds between two looks at what all calls have said."
GRACE = 3.0
"Seconds beyond every limit of the settings after which a watch without sound is given up."


class Watch:
    """One leg that is listened to.  Awaiting it gives the verdict, as often as one likes."""

    def __init__(self, listening: Listening, sound: Sound, settings: AmdSettings, stage: Stage, point: Point) -> None:
        self._listening = listening
        self._sound = sound
        self.settings = settings
        self.stage = stage
        self.point = point
        "For this package: where its frames are collected."
        self.row = -1
        "For this package: its row among all that are listened to; negative when it has none."
        self.verdict: Verdict | None = None
        self.ringing = False
        "Whether ringback tone was heard."
        self._decided = asyncio.Event()
        self._spoken = asyncio.Event()
        self._beep: Beep | None = None
        self._began = asyncio.get_running_loop().time()

    def __repr__(self) -> str:
        return f"<watch on {self._sound.name}, {self.verdict.kind if self.verdict else 'listening'}>"

    def __await__(self) -> Generator[None, None, Verdict]:
        return self._wait().__await__()

    async def message_time(self) -> Beep | None:
        """Wait until a machine has finished: its beep is over, or it has been quiet for long enough.

        None when neither came within the settings' longest greeting or the leg ended.  A machine that fell silent
        without a beep gives a beep of no length and frequency 0.
        """
        await self._spoken.wait()
        return self._beep

    def stop(self) -> None:
        """Listen no longer; whoever still waits gets LOST and None.  Harmless when it has ended."""
        self.decided(Verdict(Kind.LOST, "stopped" if not self._sound.closed else "leg ended"))
        self.finished(None)
        self._sound.taps.discard(self)
        self._listening.leave(self, self._sound)

    # -- for this package

    def decided(self, verdict: Verdict) -> None:
        """The first verdict counts."""
        if self.verdict is None:
            self.verdict = verdict
            self._decided.set()

    def finished(self, beep: Beep | None) -> None:
        """The machine has stopped talking, or will not."""
        if not self._spoken.is_set():
            self._beep = beep
            self._spoken.set()

    def overdue(self, now: float) -> bool:
        """Whether more time has passed than the settings allow: its sound does not come."""
        if self.stage is Stage.EARLY:
            return False  # it rings for as long as it likes
        limit = self.settings.longest_greeting
        if self.verdict is None:
            limit = max(self.settings.longest, self.settings.initial_silence)
        return now - self._began > limit + GRACE

    async def _wait(self) -> Verdict:
        await self._decided.wait()
        assert self.verdict is not None
        return self.verdict


class Listening:
    """All watches of the process; makes one pass over their new frames at a time.  Belongs to the loop's thread."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._bank = Bank()
        self._watches: dict[int, Watch] = {}
        "By the place in the conference."
        self._task: asyncio.Task[None] | None = None
        self.lost = 0
        "Frames that were lost because the loop was late by more than a second."
        self.verdicts: dict[Kind, int] = dict.fromkeys(Kind, 0)
        "How often each was said."

    def __repr__(self) -> str:
        return f"<listening to {len(self._watches)}, {self.lost} frames lost>"

    def watch(self, sound: Sound, settings: AmdSettings | None = None, stage: Stage = Stage.ANSWERED) -> Watch:
        """Listen to what this leg says from now on.  Raises SoundError when the conference is full."""
        settings = settings or AmdSettings(enabled=True)
        point = Point(f"watch on {sound.name}", who=Who.LISTENER)
        watch = Watch(self, sound, settings, stage, point)
        if sound.closed:
            watch.stop()
            return watch
        line = self._desk.back.open_ear()
        point.line = line
        watch.row = self._bank.open(settings, stage)
        self._watches[self._desk.back.place(line)] = watch
        sound.taps.add(watch)
        self._desk.hear(point, sound.point)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._listen(), name="listening for machines")
        return watch

    def close(self) -> None:
        """Stop every watch; for the end of the process."""
        for watch in list(self._watches.values()):
            watch.stop()
        if self._task is not None:
            self._task.cancel()

    # -- for this package

    def leave(self, watch: Watch, sound: Sound) -> None:
        """Take back what `watch()` took."""
        line, watch.point.line = watch.point.line, None
        if line is None:
            return
        place = self._desk.back.place(line)
        patch.unhear(watch.point, sound.point)
        self._desk.unheard(sound.point)
        patch.forget(watch.point)
        self._desk.back.release(line)
        self._watches.pop(place, None)
        self._bank.close(watch.row)
        watch.row = -1
        if watch.verdict is not None:
            self.verdicts[watch.verdict.kind] += 1

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        while self._watches:
            await asyncio.sleep(EVERY)
            try:
                self._pass(loop.time())
            except Exception:
                log.exception("answering machines are not told apart: all calls that are listened to count as people")
                for watch in list(self._watches.values()):
                    watch.decided(Verdict(Kind.HUMAN, "fault"))
                    watch.stop()

    def _pass(self, now: float) -> None:
        places, frames, lost = self._desk.back.heard()
        self.lost += lost
        numbers = np.frombuffer(places, dtype="<i4")
        sounds = np.frombuffer(frames, dtype="<i2").reshape(-1, FRAME_SAMPLES)
        rows = np.array([w.row if (w := self._watches.get(n)) else -1 for n in numbers.tolist()], dtype=np.intp)
        owners = {watch.row: watch for watch in self._watches.values()}
        for told in self._bank.feed(rows, sounds):
            watch = owners[told.row]
            watch.ringing = watch.ringing or told.ringing
            if told.verdict is not None:
                watch.decided(told.verdict)
            if told.finished:
                watch.finished(told.beep)
        for watch in owners.values():
            if watch.overdue(now):
                watch.decided(Verdict(Kind.HUMAN, "no sound"))
                watch.finished(None)
