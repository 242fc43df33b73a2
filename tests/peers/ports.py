"""Ports nobody else takes: each test process owns blocks of 1,000, held by file locks until it ends.

All blocks lie below the range from which the kernel gives ports by itself (32768 and up on Linux), so neither another
test process nor a stray client socket can be in the way. A bind check passes over ports of unrelated programs; where
one of them fills a whole block (a server under load with its RTP ports), the process takes another block. What has been
given is not given again for a minute: a test takes its ports long before the last of them is bound.
"""

import contextlib
import errno
import fcntl
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

LOWEST, SIZE, BLOCKS = 9_000, 1_000, 23
REST = 60.0
"Seconds after which a port that was given, and is free, may be given again."
HOSTS = ("127.0.0.1", "::1", "0.0.0.0")


class NoPorts(RuntimeError):
    """Every block is owned by another process, or every port of ours is busy."""


class Ports:
    """The ports of this process. Thread-safe; ports are given round robin, so one just freed is the last to return."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        lowest: int = LOWEST,
        size: int = SIZE,
        blocks: int = BLOCKS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = folder or Path(tempfile.gettempdir()) / f"tandem-test-ports-{os.getuid()}"
        self.lowest, self.size, self.blocks = lowest, size, blocks
        self._lock = threading.Lock()
        self._next: dict[int, int] = {}
        "First port of each block of ours -> the port to look at next."
        self._descriptors: list[int] = []
        self._kept: set[int] = set()
        self._lengths: dict[int, int] = {}
        "First port of what is kept -> how many."
        self._given: dict[int, float] = {}
        "Port -> when it was given."
        self._clock = clock

    def take(self, count: int = 1, *, even: bool = False) -> int:
        """The first of `count` neighbouring ports that are free now by UDP and TCP; `even` starts on an even one.

        Raises NoPorts.
        """
        with self._lock:
            first = self._find(count, even)
            self._given |= dict.fromkeys(range(first, first + count), self._clock())
            return first

    def keep(self, count: int, *, even: bool = False) -> int:
        """As `take`, for ports that are bound later and now and then: nobody gets them until `release`."""
        with self._lock:
            first = self._find(count, even)
            self._kept.update(range(first, first + count))
            self._lengths[first] = count
            return first

    def release(self, first: int) -> None:
        """Give back what `keep` gave."""
        with self._lock:
            self._kept.difference_update(range(first, first + self._lengths.pop(first, 0)))

    def close(self) -> None:
        """Give the blocks back; the end of the process does the same."""
        with self._lock:
            for descriptor in self._descriptors:
                os.close(descriptor)
            self._descriptors.clear()
            self._next.clear()

    def _find(self, count: int, even: bool) -> int:
        for block in list(self._next):
            if found := self._search(block, count, even):
                return found
        while True:
            if found := self._search(self._own_a_block(count), count, even):
                return found

    def _search(self, block: int, count: int, even: bool) -> int | None:
        """Once around the block, from where the last search ended."""
        looked, at, end = 0, self._next[block], block + self.size
        while looked <= self.size:
            first = at + (at % 2 if even else 0)
            if first + count > end:
                looked, at = looked + end - at, block
                if count > self.size:
                    return None
                continue
            blocked = self._last_blocked(first, count)
            if blocked is None:
                self._next[block] = first + count
                return first
            looked, at = looked + blocked + 1 - at, blocked + 1
        return None

    def _last_blocked(self, first: int, count: int) -> int | None:
        """The last port of these that is kept, was given just now or is busy."""
        rested = self._clock() - REST
        for port in range(first + count - 1, first - 1, -1):
            if port in self._kept or self._given.get(port, rested) > rested or not is_free(port):
                return port
        return None

    def _own_a_block(self, count: int) -> int:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        for number in range(self.blocks):
            first = self.lowest + number * self.size
            if first in self._next:
                continue
            descriptor = os.open(self.folder / f"{first}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                continue
            self._descriptors.append(descriptor)
            self._next[first] = first
            return first
        raise NoPorts(f"no {count} free ports in our {len(self._next)} blocks, and no block is left to take")


def is_free(port: int) -> bool:
    """Whether this port can be bound now on loopback and on all addresses, by UDP and by TCP."""
    for host in HOSTS:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            with contextlib.closing(socket.socket(family, kind)) as s:
                if kind == socket.SOCK_STREAM:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    s.bind((host, port))
                except OSError as e:
                    if e.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                        continue
                    return False
    return True


PORTS = Ports()
"The ports of this test process."
