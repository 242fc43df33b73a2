"""The recorder: one thread that takes what all recorded legs have said a few times a second, and writes the files.

Nothing waits for it.  What it is told goes through a queue with the time at which it holds; the packets lie in a ring
of fixed size until it comes.  It is behind by `HOLD`, so that packets which come late or in another order find their
place, and an order of that moment is never too late for the sound of that moment.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from media.recording.index import Index, checksum
from media.recording.one import Leg, OneRecording, Order
from media.recording.opus import NoOpus
from media.recording.packets import Packet, by_tag
from media.recording.taps import Ear, Taps

log = logging.getLogger("media.recording")

TICK = 0.25
"Seconds between two rounds."
SOON = 1 << 20
"Octets that may come in one; with more of them the next one comes sooner: the ring has room for four times as many."
HOLD = 0.4
"Seconds between a packet's time and its writing."
LOOK_AT_DISK = 5.0
"Seconds between two looks at the room on the disk."
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class Began:
    """The file is there."""

    name: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Nothing more is written; what is there already is kept."""

    why: str
    full: bool
    "The disk has no room."


@dataclass(frozen=True, slots=True)
class Finished:
    """The file is whole, and so is its index."""

    index: Index


News = Began | Failed | Finished


def monotonic() -> int:
    """Microseconds of the clock by which packets arrive."""
    return time.monotonic_ns() // 1000


class Recorder:
    """Its methods are for the loop's thread, and return at once."""

    def __init__(self, taps: Taps, *, keep_free: int = 0, clock: Callable[[], int] = monotonic) -> None:
        """`keep_free`: octets of the disk that recordings leave to others; `clock`: microseconds."""
        self.taps, self.keep_free, self.clock = taps, keep_free, clock
        self.overrun = 0
        "Packets that found no room because the thread came too late."
        self.cpu = 0.0
        "Seconds of a processor that the thread has taken."
        self.running: dict[int, OneRecording] = {}
        self._told: dict[int, Callable[[News], None]] = {}
        self._ends: dict[int, int] = {}
        self._tags: dict[int, int] = {}
        "Which recording a leg belongs to."
        self._ears: dict[int, deque[Packet]] = {}
        self._orders: deque[tuple[Callable[..., None], tuple[object, ...]]] = deque()
        self._next = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._finishing = ThreadPoolExecutor(1, "recordings")
        self._looked = 0
        self._full: dict[Path, bool] = {}

    def __repr__(self) -> str:
        return f"<recorder of {len(self.running)} calls, {self.overrun} packets lost>"

    # -- for the loop's thread

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Make all files whole; waits for that."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self._finishing.shutdown()

    def begin(self, order: Order, told: Callable[[News], None]) -> int:
        """A new file; `told` is called on the recorder's threads.  Returns the number by which it is known."""
        self._next += 1
        self._put(self._begin, self._next, order, told)
        return self._next

    def tag(self) -> int:
        """One that no leg has."""
        self._next += 1
        return self._next & 0x7FFFFFFF

    def join(self, number: int, leg: Leg, ear: Ear | None = None) -> None:
        """A leg is recorded from now on; silence until its gate is opened."""
        self._put(self._join, number, leg, self.clock(), ear)

    def leave(self, tag: int) -> None:
        """A leg is recorded no longer."""
        self._put(self._of_leg, tag, OneRecording.leave, self.clock())

    def gate(self, tag: int, on: bool) -> None:
        """Whether what a leg says is written from now on."""
        self._put(self._of_leg, tag, OneRecording.gate, self.clock(), on)

    def paused(self, number: int, on: bool, by: str) -> None:
        """For the index; what is written the gates say."""
        moment = self.clock()
        if on:
            self._put(self._of, number, lambda one: one.paused(moment, by))
        else:
            self._put(self._of, number, lambda one: one.end_of(one.index.pauses, moment))

    def held(self, number: int, part: int, role: str, on: bool) -> None:
        """For the index."""
        moment = self.clock()
        self._put(self._of, number, lambda one: one.held(part, role, moment, on))

    def end(self, number: int) -> None:
        """The call is over."""
        self._put(self._end, number, self.clock())

    def _put(self, do: Callable[..., None], *args: object) -> None:
        self._orders.append((do, args))

    # -- the thread

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            taken = self._safe_round(self.clock() - round(HOLD * 1e6))
            due = max(due + TICK * min(1.0, SOON / max(1, taken)), time.monotonic())
            self.cpu = time.thread_time()
        now = self.clock()
        self._safe_round(now)
        self.cpu = time.thread_time()
        for number in list(self.running):
            self._finish(number, now)

    def _safe_round(self, upto: int) -> int:
        try:
            return self.round(upto)
        except Exception:
            log.exception("a round of the recorder failed by our own fault; the next one follows")
            return 0

    def round(self, upto: int) -> int:
        """Take what has come and write everything up to this moment (microseconds); how many octets had come."""
        records, lost = self.taps.take()
        heard = [(tag, _drained(frames)) for tag, frames in list(self._ears.items())]
        orders = self._orders
        while orders:  # whatever was ordered before the packets were taken is among them
            do, args = orders.popleft()
            try:
                do(*args)
            except Exception:
                log.exception("an order to the recorder failed by our own fault")
        if lost:
            self.overrun += lost
            for one in self.running.values():
                one.index.overrun += lost
        for tag, packets in (*by_tag(records).items(), *heard):
            number = self._tags.get(tag)
            if packets and number is not None and (found := self.running.get(number)) is not None:
                self._guarded(number, partial(found.feed, tag, packets))
        self._look_at_disk()
        for number, one in list(self.running.items()):
            ends = self._ends.get(number)
            self._guarded(number, partial(one.write, upto if ends is None else min(upto, ends)))
            if ends is not None and ends <= upto and number in self.running:
                self._finish(number, ends)
        return len(records)

    def _begin(self, number: int, order: Order, told: Callable[[News], None]) -> None:
        if self._is_full(order.folder):
            told(Failed(f"less than {self.keep_free // 1_000_000} MB are left on the disk", True))
            return
        try:
            self.running[number] = OneRecording(order)
        except (OSError, NoOpus) as error:
            told(Failed(str(error), _is_full(error)))
            return
        self._told[number] = told
        told(Began(order.name))

    def _join(self, number: int, leg: Leg, moment: int, ear: Ear | None) -> None:
        one = self.running.get(number)
        if one is None:
            return
        self._tags[leg.tag] = number
        if ear is not None:
            self._ears[leg.tag] = ear.frames
        one.join(leg, moment)
        self._guarded(number, one.note)

    def _of_leg(self, tag: int, do: Callable[..., None], moment: int, *args: object) -> None:
        one = self.running.get(self._tags.get(tag, 0))
        if one is not None:
            do(one, tag, moment, *args)

    def _of(self, number: int, do: Callable[[OneRecording], None]) -> None:
        one = self.running.get(number)
        if one is not None:
            do(one)
            self._guarded(number, one.note)

    def _end(self, number: int, moment: int) -> None:
        self._ends[number] = moment

    def _guarded(self, number: int, do: Callable[[], None]) -> None:
        """What fails here costs this recording, no other and no call."""
        try:
            do()
        except Exception as error:
            if not isinstance(error, (OSError, NoOpus)):
                log.exception("a recording failed by our own fault")
            self._fail(number, str(error), _is_full(error))

    def _fail(self, number: int, why: str, full: bool) -> None:
        told = self._told[number]
        told(Failed(why, full))
        self._finish(number, self.clock(), why)

    def _finish(self, number: int, moment: int, cut_off: str = "") -> None:
        one, told = self.running.pop(number), self._told.pop(number)
        self._ends.pop(number, None)
        for tag in [tag for tag, whose in self._tags.items() if whose == number]:
            del self._tags[tag]
            self._ears.pop(tag, None)
        try:
            one.close(moment, cut_off)
        except OSError as error:
            log.warning("a recording could not be closed: %s: %s", one.path.name, error)
            one.index.cut_off = cut_off or str(error)
        self._finishing.submit(_sum_up, one, told)

    # -- the disk

    def _look_at_disk(self) -> None:
        if not self.keep_free or self.clock() - self._looked < LOOK_AT_DISK * 1e6:
            return
        self._looked = self.clock()
        self._full.clear()
        for number, one in list(self.running.items()):
            if self._is_full(one.order.folder):
                self._fail(number, f"less than {self.keep_free // 1_000_000} MB are left on the disk", True)

    def _is_full(self, folder: Path) -> bool:
        """Whether what others need of the disk would be taken."""
        if not self.keep_free:
            return False
        there = folder
        while not there.exists() and there != there.parent:
            there = there.parent
        if there not in self._full:
            try:
                room = os.statvfs(there)
                self._full[there] = room.f_bavail * room.f_frsize < self.keep_free
            except OSError:
                self._full[there] = False
        return self._full[there]


def _drained(frames: deque[Packet]) -> list[Packet]:
    taken = []
    while frames:
        taken.append(frames.popleft())
    return taken


def _is_full(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in FULL


def _sum_up(one: OneRecording, told: Callable[[News], None]) -> None:
    """On a thread of its own: reading a long file again takes its time."""
    index = one.index
    try:
        index.size = one.path.stat().st_size
        index.sha256 = checksum(one.path)
        index.complete = True
        one.note()
    except OSError as error:
        log.warning("a recording has no checksum: %s: %s", one.path.name, error)
    told(Finished(index))
