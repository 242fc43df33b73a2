"""Records on their way to one listener over HTTP: each until it is taken, in order for each call, none forgotten.

A record that is not taken holds up those of its own call only. The place that survives a restart is behind the last
record up to which all are done, so after a crash some are sent again, and none is left out.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from b2bua.events.event import VERSION
from b2bua.log import logger
from b2bua.outside.asking import Asker, PullFailed
from b2bua.outside.question import PLAIN, Request
from b2bua.reports.signature import HEADER, sign
from routing.notices import Webhook
from routing.url_template import fill_url

log = logger("tandem.webhooks")

WINDOW = 512
"Records read and not done: behind as many nothing more is read, and the log holds the place."
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 30.0
"Seconds before a record is sent again: doubled each time."
ANSWER = 16 * 1024
"Bytes of a listener's answer, which nobody reads."
TAKEN = frozenset(range(200, 300))


@dataclass(frozen=True, slots=True)
class Record:
    """Something to be sent."""

    number: int
    time: float
    "Epoch seconds."
    lane: str
    "Records of one lane are sent one behind the other: the call, or the agent where there is none."
    line: bytes | None
    "As JSON; None: not for this listener."


Source = Callable[[int, int], Awaitable[Sequence[Record]]]
"The records behind a number, oldest first, so many at most; waits for the first one."
Observe = Callable[[str, str], None]
"Told of the listener and what came of a try: delivered, failed or given-up."


class Delivery:
    """One listener. `place` is the number up to which everything is done."""

    def __init__(
        self,
        hook: Webhook,
        node: str,
        source: Source,
        asker: Asker,
        place: int,
        observe: Observe,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.hook, self.place = hook, place
        self._node, self._source, self._asker, self._observe, self._wall = node, source, asker, observe, wall
        self._open: deque[int] = deque()
        "Numbers that were read and lie behind `place`, in order."
        self._done: set[int] = set()
        self._lanes: dict[str, deque[Record]] = {}
        self._slots = asyncio.Semaphore(hook.parallel)
        self._room = asyncio.Event()
        self._began = wall()

    def __repr__(self) -> str:
        return f"<delivery to {self.hook.id} at {self.place}, {len(self._open)} open>"

    async def run(self) -> None:
        """Until cancelled."""
        read = self.place
        async with asyncio.TaskGroup() as lanes:
            while True:
                while len(self._open) >= WINDOW:
                    self._room.clear()
                    await self._room.wait()
                for record in await self._source(read, WINDOW - len(self._open)):
                    read = record.number
                    self._open.append(record.number)
                    if record.line is None:
                        self._finish(record.number)
                    elif record.lane in self._lanes:
                        self._lanes[record.lane].append(record)
                    else:
                        self._lanes[record.lane] = deque([record])
                        lanes.create_task(self._lane(record.lane), name=f"webhook {self.hook.id}")

    async def _lane(self, lane: str) -> None:
        waiting = self._lanes[lane]
        while waiting:
            await self._send(waiting[0])
            self._finish(waiting.popleft().number)
        del self._lanes[lane]

    async def _send(self, record: Record) -> None:
        """Until it is taken, or given up."""
        pause, tries = FIRST_PAUSE, 0
        # what waited while the server was away has its time from the start on
        until = max(record.time, self._began) + self.hook.retry_for
        while True:
            tries += 1
            async with self._slots:
                failure = await self._try(record, tries)
            if failure is None:
                self._observe(self.hook.id, "delivered")
                return
            if self._wall() + pause > until:
                self._observe(self.hook.id, "given-up")
                log.warning(
                    "a listener did not take a record; it is given up", webhook=self.hook.id, number=record.number,
                    tries=tries, reason=failure, do="see to the listener; the event stays in the log",
                )  # fmt: skip
                return
            self._observe(self.hook.id, "failed")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _try(self, record: Record, tries: int) -> str | None:
        hook, body = self.hook, record.line or b""
        headers = [*PLAIN, ("Content-Type", "application/json"), ("Tandem-Record", f"{self._node}/{record.number}")]
        headers += [("Tandem-Version", str(VERSION)), ("Tandem-Attempt", str(tries))]
        if hook.secret:
            headers.append((HEADER, sign(hook.secret, body, int(self._wall()))))
        request = Request("POST", fill_url(hook.url, {}), tuple(headers), body)
        try:
            await self._asker.ask(
                f"webhook {hook.id}", request, lambda body: None, hook.timeout, max_bytes=ANSWER, statuses=TAKEN
            )
        except PullFailed as failed:
            return str(failed)
        return None

    def _finish(self, number: int) -> None:
        self._done.add(number)
        while self._open and self._open[0] in self._done:
            self.place = self._open.popleft()
            self._done.discard(self.place)
        self._room.set()
