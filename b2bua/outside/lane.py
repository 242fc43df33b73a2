"""The places one tenant's system has in our pool: so many questions at once, so many waiting, the rest is refused."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class LaneFull(Exception):
    """All places are taken, and those for waiting as well, or no place came free in time."""


class Lane:
    """At most `places` questions run and `waiting` more wait, first come first served."""

    __slots__ = ("_semaphore", "_waiting", "places", "waiting")

    def __init__(self, places: int, waiting: int) -> None:
        self.places, self.waiting = places, waiting
        self._semaphore = asyncio.Semaphore(places)
        self._waiting = 0

    @asynccontextmanager
    async def place(self, patience: float) -> AsyncIterator[None]:
        """Hold one place; LaneFull after `patience` seconds of waiting, or at once when too many wait already."""
        if self._semaphore.locked():
            if self._waiting >= self.waiting:
                raise LaneFull
            self._waiting += 1
            try:
                async with asyncio.timeout(patience):
                    await self._semaphore.acquire()
            except TimeoutError:
                raise LaneFull from None
            finally:
                self._waiting -= 1
        else:
            await self._semaphore.acquire()
        try:
            yield
        finally:
            self._semaphore.release()

    def __repr__(self) -> str:
        return f"Lane({'full' if self._semaphore.locked() else 'free'}, {self._waiting} waiting)"
