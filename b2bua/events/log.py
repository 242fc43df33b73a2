"""The event log: numbers an event, puts it on disk, then shows it to the listeners (R0-02, R0-14)."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from b2bua.events.event import Event, Row, read, write

RETRY = 0.5
"Seconds between two attempts to read older events from a database that does not answer."

PATIENCE = 6
"Attempts that find nothing where events should be, before they are taken for gone: they may be on their way."


class Journal(Protocol):
    """Where events are safe: the spool."""

    def append(self, kind: str, record: Any, payload: bytes | None = None) -> None: ...


class History(Protocol):
    """Where older events are found again: the database, and what is on its way there."""

    async def after(self, number: int, limit: int) -> Sequence[Row]: ...


class EventLog:
    """The events of this node. `append` belongs to the event loop's thread."""

    def __init__(
        self,
        node: str,
        journal: Journal,
        history: History,
        *,
        last: int,
        ring: int = 4096,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`last`: the highest number of an earlier life; `ring`: how many events stay in memory."""
        self.node, self.last = node, last
        "The highest number given."
        self._journal, self._history, self._clock = journal, history, clock
        self._ring: list[Event | None] = [None] * ring
        self._size = ring
        self._first = last + 1
        "The lowest number in memory."
        self._waiting: list[asyncio.Future[None]] = []

    def __repr__(self) -> str:
        return f"<EventLog {self.node} last={self.last}>"

    def append(self, kind: str, call: str | None, data: Mapping[str, Any]) -> Event:
        """Number it, put it on disk, show it to all listeners; returns at once. `data` must not change any more."""
        number = self.last + 1
        event, row = write(self.node, number, round(self._clock(), 6), call, kind, data)
        self._journal.append("event", row, event.line)
        self.last = number
        self._ring[number % self._size] = event
        if number - self._first >= self._size:
            self._first += 1
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for one in waiting:
                if not one.done():
                    one.set_result(None)
        return event

    def subscribe(self, after: int | None = None) -> "Subscription":
        """Listen from behind that number; None: from now on. ValueError when `after` is ahead of `last`."""
        if after is None:
            after = self.last
        if not 0 <= after <= self.last:
            raise ValueError(f"there is no event {after}: the last one of node {self.node} is {self.last}")
        return Subscription(self, after)

    async def _after(self, number: int, limit: int) -> list[Event]:
        """Events behind `number`, which exist: from memory, else from the database."""
        tries = 0
        while number + 1 < self._first:
            try:
                rows = await self._history.after(number, limit)
            except Exception:
                # Whatever is wrong with the database, this listener waits, and nobody else does.
                await asyncio.sleep(RETRY)
                continue
            if rows and (rows[0][1] == number + 1 or tries >= PATIENCE):
                return [read(row) for row in _unbroken(rows)]
            if tries >= PATIENCE:
                # Neither stored nor on the way: deleted long ago, or lost with a full disk.
                number = self._first - 1
            else:
                tries += 1
                await asyncio.sleep(RETRY / PATIENCE)
        last = min(self.last, number + limit)
        return [event for n in range(number + 1, last + 1) if (event := self._ring[n % self._size]) is not None]


def _unbroken(rows: Sequence[Row]) -> Sequence[Row]:
    """The rows up to the first hole: what is missing there may still be on its way into the database."""
    for at, row in enumerate(rows):
        if row[1] != rows[0][1] + at:
            return rows[:at]
    return rows


class Subscription:
    """A listener's place in the log. It holds a number and nothing else, so a slow listener costs no memory."""

    def __init__(self, log: EventLog, after: int) -> None:
        """Use `EventLog.subscribe`."""
        self.after = after
        "The number of the last event given out."
        self._log = log
        self._closed = False
        self._future: asyncio.Future[None] | None = None

    async def next(self, limit: int = 256) -> list[Event]:
        """The events behind `after`, oldest first, each once; waits for the first one. Safe to cancel.

        Numbers follow each other; they jump only where events are gone for good (deleted for their age).
        """
        while not self._closed:
            if self.after < self._log.last:
                if events := await self._log._after(self.after, limit):
                    self.after = events[-1].number
                    return events
            else:
                await self._change()
        return []

    async def _change(self) -> None:
        """Wait for the next event, or for `close`."""
        self._future = future = asyncio.get_running_loop().create_future()
        self._log._waiting.append(future)
        try:
            await future
        finally:
            if future in self._log._waiting:
                self._log._waiting.remove(future)

    def close(self) -> None:
        """Stop; a waiting `next` returns an empty list."""
        self._closed = True
        if self._future is not None and not self._future.done():
            self._future.set_result(None)

    def __repr__(self) -> str:
        return f"<Subscription after={self.after}>"
