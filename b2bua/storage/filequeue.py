"""A queue of lines in files: put at the end, taken from the front in batches, deleted when taken for good.

What lies between the head and the end of the last segment is in the queue. Its newest entries are kept in memory as
well, so that in the usual case nothing is read back; when too many wait, memory lets go and the files are read.
"""

import asyncio
import json
import os
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from b2bua.storage.segments import CLOSED, Segment, Syncer

PROBE = b"\n" * 4096
"A whole block: what a full disk lacks."

BATCH = 256
"Entries taken at a time from memory."

Record = tuple[str, Any]
"Kind and record."


class Entry(NamedTuple):
    """A record and the line that stands for it in the file."""

    kind: str
    record: Any
    line: bytes


class Place(NamedTuple):
    """A byte in a segment."""

    segment: int
    offset: int


class Batch(NamedTuple):
    """Some entries, oldest first."""

    records: Sequence[Record]
    lines: Sequence[bytes]
    "One for each record."
    until: Place | None = None
    "Where the queue goes on behind them; None when they are in no file."
    broken: int = 0
    "Lines among them that cannot be read."
    tail: bool = False
    "Half a line followed them: what a killed process was writing."


class FileQueue:
    """The files in one folder. Not for several threads."""

    def __init__(
        self,
        folder: Path,
        *,
        segment_bytes: int,
        memory: int,
        sync_interval: float,
        write: Callable[[int, bytes], int],
    ) -> None:
        self._folder, self._segment_bytes, self._memory, self._write = folder, segment_bytes, memory, write
        self._segments = deque(Segment.existing(folder))
        self._next = self._segments[-1].number + 1 if self._segments else 1
        self.finished: deque[Segment] = deque()
        "Files whose entries are all done."
        self._writable = False
        "Whether the last segment may be written to."
        self._head = Place(self._segments[0].number if self._segments else self._next, 0)
        self._warm: deque[Entry] = deque()
        self._warm_from = Place(self._next, 0)
        "Where the first entry in memory begins."
        self.syncer = Syncer(sync_interval)

    def lines(self) -> int:
        """How many lines earlier processes left; reads all files."""
        return sum(segment.lines() for segment in self._segments)

    def put(self, entry: Entry) -> bool:
        """Write the line; False, and nothing of it in the file, when the disk does not take it."""
        if not (self._writable or self._start_segment()):
            return False
        segment, line = self._segments[-1], entry.line
        try:
            written = self._write(segment.descriptor, line)
        except OSError:
            return False
        if written != len(line):
            self._cut(segment)
            return False
        if len(self._warm) >= self._memory:
            self._warm.clear()
            self._warm_from = Place(segment.number, segment.size)
        self._warm.append(entry)
        segment.size += written
        self.syncer.written(segment)
        if segment.size >= self._segment_bytes:
            self._start_segment()
        return True

    def _cut(self, segment: Segment) -> None:
        try:
            os.ftruncate(segment.descriptor, segment.size)
        except OSError:
            self._writable = False  # half a line stays, so nothing may come behind it

    def _start_segment(self) -> bool:
        try:
            segment = Segment.create(self._folder, self._next)
        except OSError:
            return False
        if self._segments:
            self.syncer.retire(self._segments[-1], delete=False)
        self._next += 1
        self._segments.append(segment)
        self._writable = True
        if not self._warm:
            self._warm_from = Place(segment.number, 0)
        return True

    async def oldest(self) -> Batch | None:
        """The next entries; they stay in the queue until `done`. None when it is empty. Raises OSError."""
        self._settle()
        if not self._segments or self._head == Place(self._segments[-1].number, self._segments[-1].size):
            return None
        if self._head == self._warm_from:
            return self._from_memory()
        first = self._segments[0]
        end = self._warm_from.offset if self._warm_from.segment == first.number else first.size
        return await asyncio.to_thread(_from_file, first, self._head.offset, end)

    def _from_memory(self) -> Batch:
        entries = list(islice(self._warm, BATCH))
        segments = iter(self._segments)
        segment, offset = next(segments), self._head.offset
        for entry in entries:
            if offset == segment.size:
                segment, offset = next(segments), 0
            offset += len(entry.line)
        return Batch(
            [(entry.kind, entry.record) for entry in entries],
            [entry.line for entry in entries],
            Place(segment.number, offset),
        )

    def done(self, batch: Batch) -> None:
        """The entries of the batch from `oldest` are taken care of."""
        if batch.until is None:
            return
        if self._head == self._warm_from:  # else memory let go in the meantime
            for _ in batch.records:
                self._warm.popleft()
            self._warm_from = batch.until
        self._head = batch.until
        self._settle()

    def _settle(self) -> None:
        """Step over segments of which nothing is left, and end the current one when it is worth deleting."""
        while self._segments:
            first = self._segments[0]
            if first.number < self._head.segment:
                self.finished.append(self._segments.popleft())
                continue
            if self._head.offset < first.size:
                return
            is_current = self._writable and first is self._segments[-1]
            if is_current and (first.size < self._segment_bytes // 4 or not self._start_segment()):
                return
            is_warm = self._head == self._warm_from
            self.finished.append(self._segments.popleft())
            self._head = Place(self._segments[0].number if self._segments else self._next, 0)
            if is_warm:  # the end of one file and the beginning of the next are the same place
                self._warm_from = self._head

    async def search(self, kind: str, behind: int, limit: int) -> list[Any]:
        """Records of a kind whose `number` counts upwards: up to `limit` of those in the files behind a number."""
        return await asyncio.to_thread(_search, [(one, one.size) for one in self._segments], kind, behind, limit)

    def delete_finished(self, count: int) -> None:
        """Delete the oldest `count` of the finished files."""
        for _ in range(count):
            self.syncer.retire(self.finished.popleft(), delete=True)

    def probe(self) -> bool:
        """Whether the disk takes lines again, when there is none to try it with."""
        path = self._folder / "probe"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return False
        try:
            return self._write(descriptor, PROBE) == len(PROBE)
        except OSError:
            return False
        finally:
            os.close(descriptor)
            with suppress(OSError):
                path.unlink()

    def close(self) -> None:
        """Let go of the files, and delete the last one when nothing in it is left to do; blocks for fsync."""
        self._settle()
        for segment in self._segments:
            is_done = self._head == Place(segment.number, segment.size)
            if is_done or segment.descriptor != CLOSED:
                self.syncer.retire(segment, delete=is_done)
        self.syncer.close()


def _from_file(segment: Segment, offset: int, end: int) -> Batch:
    data, until = segment.read(offset, end)
    records: list[Record] = []
    lines = data.split(b"\n")[:-1]
    good: list[bytes] = []
    for line in lines:
        try:
            kind, record = json.loads(line)
        except (ValueError, TypeError):
            continue
        records.append((kind, record))
        good.append(line + b"\n")
    broken, tail = len(lines) - len(good), until > offset + len(data)
    return Batch(records, good, Place(segment.number, until), broken, tail)


def _search(segments: Sequence[tuple[Segment, int]], kind: str, behind: int, limit: int) -> list[Any]:
    found: list[Any] = []
    # Numbers grow along the files, so the newest file that begins at or before the one sought is the first to read.
    start = len(segments)
    while start > 0 and (start == len(segments) or _first(*segments[start], kind) > behind + 1):
        start -= 1
    for segment, end in segments[start:]:
        offset = 0
        while offset < end:
            batch = _try_file(segment, offset, end)
            if batch is None or batch.until is None:
                break
            offset = batch.until.offset
            found += [record for its, record in batch.records if its == kind and record["number"] > behind]
            if len(found) >= limit:
                return found[:limit]
    return found


def _first(segment: Segment, end: int, kind: str) -> float:
    """The lowest number of a kind in the first part of a file."""
    batch = _try_file(segment, 0, end)
    numbers = [record["number"] for its, record in batch.records if its == kind] if batch else []
    return numbers[0] if numbers else float("inf")


def _try_file(segment: Segment, offset: int, end: int) -> Batch | None:
    try:
        return _from_file(segment, offset, end)
    except FileNotFoundError:
        return None  # stored and deleted in the meantime
