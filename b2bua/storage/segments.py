"""The files of the spool: numbered segments of JSON lines, and the thread that fsyncs them."""

import os
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path

from b2bua.log import logger

log = logger("tandem.storage")

SUFFIX = ".jsonl"
CHUNK = 256 * 1024
"Bytes read at a time from a segment."

CLOSED = -1
"The descriptor of a segment that is not written to."


class Segment:
    """One file. Only whole lines count towards `size`, whatever else a broken write has left behind them."""

    def __init__(self, path: Path, size: int, descriptor: int = CLOSED) -> None:
        self.path, self.size, self.descriptor = path, size, descriptor
        self.number = int(path.stem)

    @classmethod
    def create(cls, folder: Path, number: int) -> "Segment":
        """A new, empty file. Raises OSError."""
        path = folder / f"{number:012d}{SUFFIX}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        return cls(path, 0, os.open(path, flags, 0o600))

    @classmethod
    def existing(cls, folder: Path) -> list["Segment"]:
        """The files an earlier process left, oldest first; they are read, never written again."""
        paths = sorted(path for path in folder.glob(f"*{SUFFIX}") if path.stem.isdigit())
        return [cls(path, path.stat().st_size) for path in paths]

    def lines(self) -> int:
        """How many whole lines it has."""
        count = 0
        with self.path.open("rb", buffering=0) as file:
            while data := file.read(CHUNK):
                count += data.count(b"\n")
        return count

    def read(self, offset: int, end: int) -> tuple[bytes, int]:
        """Whole lines between two offsets, and the offset behind them; half a line at the end is passed over."""
        want = CHUNK
        with self.path.open("rb", buffering=0) as file:
            while True:
                data = os.pread(file.fileno(), min(want, end - offset), offset)
                whole = data.rfind(b"\n") + 1
                if len(data) < want:
                    return data[:whole], end
                if whole:
                    return data[:whole], offset + whole
                want *= 2

    def __repr__(self) -> str:
        return f"<Segment {self.number} {self.size} bytes>"


class Syncer:
    """The thread that fsyncs, so that nobody else waits for the disk; it alone closes descriptors."""

    def __init__(self, interval: float) -> None:
        """`interval`: seconds between two fsync."""
        self.failures = 0
        "What the disk refused: calls of fsync, files that could not be deleted."
        self._interval = interval
        self._current: Segment | None = None
        self._retired: deque[tuple[Segment, bool]] = deque()
        self._asked, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="spool-fsync", daemon=True)
        self._thread.start()

    def written(self, segment: Segment) -> None:
        """The segment has new lines."""
        self._current = segment
        if not self._asked.is_set():
            self._asked.set()

    def retire(self, segment: Segment, *, delete: bool) -> None:
        """Nothing more will be written to it: fsync and close it, or delete it."""
        self._retired.append((segment, delete))
        self._asked.set()

    def close(self) -> None:
        """Do what is left to do and end the thread; blocks for it."""
        self._stop.set()
        self._asked.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._asked.wait()
            self._asked.clear()
            self._work()
            self._stop.wait(self._interval)
        self._work()

    def _work(self) -> None:
        while self._retired:
            segment, delete = self._retired.popleft()
            if delete:
                self._try(partial(segment.path.unlink, missing_ok=True), segment)
            else:
                self._fsync(segment)
            if segment.descriptor != CLOSED:
                self._try(partial(os.close, segment.descriptor), segment)
                segment.descriptor = CLOSED
        if self._current is not None:
            self._fsync(self._current)

    def _fsync(self, segment: Segment) -> None:
        if segment.descriptor != CLOSED:
            self._try(partial(os.fsync, segment.descriptor), segment)

    def _try(self, act: Callable[[], None], segment: Segment) -> None:
        """The thread outlives whatever the disk says: without it nothing would be fsynced or deleted any more."""
        try:
            act()
        except OSError as error:
            self.failures += 1
            if self.failures == 1:
                log.error(
                    "the disk of the spool fails",
                    file=str(segment.path),
                    error=error.strerror or str(error),
                    do="see to the disk: a power cut may now cost records",
                )
