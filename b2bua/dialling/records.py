"""The worker that keeps the one final record of each command (R3-07: call records, R3-09).

A record is in the event log (`dial.result`, on disk) before it comes here, so what a crash takes away from this queue
is read back from there.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from b2bua.log import logger
from b2bua.storage.errors import NotFound, StorageUnavailable
from dialer.command import Record
from dialer.ports import DialStore

log = logger("dialler")

AT_ONCE = 32
"Records that are stored together: they share their transactions."
PAUSE = 0.5
"Seconds until a database that did not answer is asked again."
MOST = 2000
"Records that may wait; with more of them nothing is dialled."


class CallRecords:
    """A service."""

    name = "dialler records"
    stop_within = 5.0

    def __init__(
        self,
        store: DialStore,
        booked: Callable[[Record], None],
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`booked`: called once the database has a record."""
        self._store, self._booked, self._wall = store, booked, wall
        self._waiting: deque[Record] = deque()
        self._wake = asyncio.Event()
        self.behind = False
        "The database did not take the last ones."

    def __repr__(self) -> str:
        return f"<{len(self._waiting)} records wait>"

    @property
    def pending(self) -> int:
        """Records that are not in the database yet."""
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """So many wait that nothing more should be dialled."""
        return len(self._waiting) >= MOST

    def put(self, record: Record) -> None:
        """Take one over; never waits."""
        self._waiting.append(record)
        self._wake.set()

    async def run(self, ready: Callable[[], None]) -> None:
        ready()
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._waiting:
                    await self._store_some()
        finally:
            # the calls have ended before: what they left is small, and the log has it in any case
            for _ in range(len(self._waiting)):
                await self._store_some()
                if not self._waiting or self.behind:
                    break

    async def _store_some(self) -> None:
        some = [self._waiting[number] for number in range(min(AT_ONCE, len(self._waiting)))]
        done = await asyncio.gather(*map(self._book, some))
        failed = [record for record, ok in zip(some, done, strict=True) if not ok]
        for _ in some:
            self._waiting.popleft()
        self._waiting.extendleft(reversed(failed))
        self.behind = bool(failed)
        if failed:
            await asyncio.sleep(PAUSE)

    async def _book(self, record: Record) -> bool:
        """Whether it needs no more care."""
        try:
            await self._store.book(record, self._wall())
        except StorageUnavailable:
            return False
        except NotFound:
            # its command was never written: the contact is still leased, and comes back by itself
            log.warning("a record without a command is left out", command=record.command)
        except Exception as error:
            log.error("a record could not be kept by our own fault", command=record.command, exc_info=error)
        self._booked(record)
        return True
