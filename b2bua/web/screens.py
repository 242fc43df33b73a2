"""Who watches which agent: one reader of the events wakes the few pages that an event concerns, not all of them."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterator

from starlette.requests import HTTPConnection

from b2bua.events import Event, EventLog

OF_A_CALL = frozenset({"call.answered", "call.connected", "call.ended", "call.recording", "call.held", "call.resumed"})
"Events without an extension that may change what an agent sees."


class Watcher:
    """One open page."""

    def __init__(self, extension: str) -> None:
        self.extension = extension
        self.call: str | None = None
        "The call it shows."
        self._changed = asyncio.Event()

    def __repr__(self) -> str:
        return f"<watcher of {self.extension}, call {self.call}>"

    def shows(self, call: str | None) -> None:
        """What comes from now on is a change."""
        self.call = call
        self._changed.clear()

    def wake(self) -> None:
        self._changed.set()

    async def change(self, within: float) -> None:
        """Until something may have changed, `within` seconds at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._changed.wait()


class Screens:
    """All open pages of agents; reads the events while there are any."""

    def __init__(self, events: EventLog) -> None:
        self._events = events
        self._of: defaultdict[str, set[Watcher]] = defaultdict(set)
        self._reader: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<screens of {len(self._of)} agents>"

    @contextlib.contextmanager
    def watch(self, extension: str) -> Iterator[Watcher]:
        """A page of this agent is open inside the block."""
        watcher = Watcher(extension)
        self._of[extension].add(watcher)
        if self._reader is None:
            self._reader = asyncio.create_task(self._read(), name="agents' pages")
        try:
            yield watcher
        finally:
            self._of[extension].discard(watcher)
            if not self._of[extension]:
                del self._of[extension]
            if not self._of:
                self._reader.cancel()
                self._reader = None

    async def _read(self) -> None:
        place = self._events.subscribe()
        try:
            while True:
                for event in await place.next():
                    self.told(event)
        finally:
            place.close()

    def told(self, event: Event) -> None:
        """Wake the pages that this concerns."""
        for watcher in self._of.get(event.data.get("extension", ""), ()):
            watcher.wake()
        if event.type in OF_A_CALL:
            for watchers in self._of.values():
                for watcher in watchers:
                    if watcher.call == event.call:
                        watcher.wake()


def screens_of(connection: HTTPConnection) -> Screens:
    """The app's."""
    screens: Screens = connection.app.state.screens
    return screens
