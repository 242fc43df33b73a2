"""Keeps the statistics: reads the events behind its cursor, folds them, and stores what they change, each once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import tzinfo

from b2bua.events import Event, EventLog
from b2bua.log import logger
from b2bua.reports.fold import USUAL_LEVEL, AgentTime, Finished, Fold
from b2bua.reports.open_call import OpenCall
from b2bua.storage.errors import StorageUnavailable
from b2bua.storage.reports import Reports, Step
from routing.plan import Plan

log = logger("tandem.reports")

EVERY = 0.5
"Seconds between two steps: what a wallboard may lag behind, and what a step's transaction is shared by."
AT_ONCE = 64
"Events folded before others on the loop have their turn."
MOST = 5000
"Events of one step, so that its transaction stays short when much has to be caught up with."
SO_FAR = 10.0
"Seconds between two counts of the time that agents have spent in the state they are in."
PURGE = 3600.0
"Seconds between two clean-ups."
AGAIN = 1.0
"Seconds until a database that did not answer is asked again."
MOST_SKIPPED_TOLD = 20
"Events that could not be counted and are told each in the log; further ones are only counted."


class Keeper:
    """A service. The counts, the cursor and what the fold has in mind are stored together, so a crash costs nothing."""

    name = "reports"

    def __init__(
        self,
        events: EventLog,
        reports: Reports,
        plan: Callable[[], Plan],
        zone: tzinfo,
        *,
        keep_quarters: float = 400.0,
        keep_calls: float = 30.0,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`zone`: where days begin; `keep_quarters`, `keep_calls`: days after which those rows are deleted."""
        self.events, self.reports, self.plan, self.zone, self._wall = events, reports, plan, zone, wall
        self._keep = keep_quarters * 86400, keep_calls * 86400
        self._purge_at = 0.0
        self.fold = self._new_fold(0.0)
        self._began = events.last
        self.cursor = 0
        "The number of the last event that is stored in the counts."
        self.stored = asyncio.Event()
        "Set when the next step is stored, and then replaced: take it before you look, so that no step is missed."
        self._rebuild: asyncio.Future[float] | None = None
        self._muted_until = self._serial = 0
        self._advanced = 0.0
        self.skipped = 0
        "Events that could not be counted, by a fault of ours."

    def __repr__(self) -> str:
        return f"<reports at {self.cursor} of {self.events.last}: {self.fold!r}>"

    @property
    def behind(self) -> int:
        """Events that are not in the counts yet."""
        return max(self.events.last - self.cursor, 0)

    @property
    def rebuilding(self) -> bool:
        return self.cursor < self._muted_until

    @property
    def current(self) -> bool:
        """Whether the figures of the moment are of this moment: all of the last life, and of a rebuild, is counted."""
        return self.cursor >= max(self._began, self._muted_until)

    async def rebuild(self) -> float:
        """Count everything anew from the stored events; returns from when on (epoch seconds), at once.

        Days of which events were deleted for their age keep their counts. Raises StorageUnavailable.
        """
        if self._rebuild is None:
            self._rebuild = asyncio.get_running_loop().create_future()
        return await asyncio.shield(self._rebuild)

    async def run(self, ready: Callable[[], None]) -> None:
        self.fold = self._new_fold(0.0)
        ready()
        await self._restore()
        while True:
            await asyncio.sleep(EVERY)
            if self._rebuild is not None:
                await self._begin_anew(self._rebuild)
            behind = True
            while behind:
                behind = await self._step() >= MOST
            await self._purge(self._wall())

    async def _restore(self) -> None:
        while True:
            try:
                self._serial, found, kept = await self.reports.restore()
                break
            except StorageUnavailable:
                await asyncio.sleep(AGAIN)
        # An installation that counts for the first time begins with its oldest event.
        self.cursor = min(found, self.events.last)
        if found > self.events.last:
            log.warning("the statistics know more events than there are: was the database set back?", cursor=found)
        for kind, key, body in kept:
            if kind == "call":
                self.fold.calls[key] = OpenCall.of(body)
            elif kind == "agent":
                self.fold.agents[key] = AgentTime(*body)

    async def _step(self) -> int:
        """Fold and store what has happened; returns how many events that was."""
        place = self.events.subscribe(self.cursor)
        count = 0
        while count < MOST and place.after < self.events.last:
            batch = await place.next(AT_ONCE)
            for event in batch:
                self._count(event)
            count += len(batch)
            await asyncio.sleep(0)
        now = self._wall()
        if place.after == self.events.last and now - self._advanced >= SO_FAR and self.fold.agents:
            self.fold.advance(now)
            self._advanced = now
        if count or self.fold.changed:
            await self._until_stored(self._changes(place.after))
        return count

    def _count(self, event: Event) -> None:
        """An event that cannot be counted is left out: those behind it must not wait for a new version."""
        try:
            self.fold.on(event.number, event.time, event.call, event.type, event.data)
        except Exception as error:
            self.skipped += 1
            if self.skipped <= MOST_SKIPPED_TOLD:
                log.error(
                    "an event cannot be counted", event_number=event.number, type=event.type,
                    do="report the lines below as a defect", exc_info=error,
                )  # fmt: skip

    def _changes(self, after: int) -> Step:
        counts, finished = self.fold.take()
        changed, self.fold.changed = self.fold.changed, set()
        states = [(kind, key, self._state(kind, key)) for kind, key in sorted(changed)]
        sent = [_row(call) for call in finished if call.keep and call.number > self._muted_until]
        self._serial += 1
        return Step(self._serial, after, [(*cell, row) for cell, row in counts.items()], states, sent)

    def _state(self, kind: str, key: str) -> object:
        if kind == "call":
            call = self.fold.calls.get(key)
            return None if call is None else call.kept()
        agent = self.fold.agents.get(key)
        return None if agent is None else list(agent)

    async def _purge(self, now: float) -> None:
        if now < self._purge_at:
            return
        # Also when it fails: a database that is too slow for it would be kept busy with nothing else.
        self._purge_at = now + PURGE
        quarters, calls = self._keep
        try:
            await self.reports.purge(now - quarters, now - calls)
        except StorageUnavailable as error:
            log.warning("the clean-up of the statistics waits for the next hour", error=str(error))

    async def _until_stored(self, step: Step) -> None:
        """The fold has moved on already, so the step must reach the database however long that takes."""
        while True:
            try:
                await self.reports.store(step)
                break
            except StorageUnavailable:
                await asyncio.sleep(AGAIN)
        self.cursor = step.after
        stored, self.stored = self.stored, asyncio.Event()
        stored.set()

    async def _begin_anew(self, asked: asyncio.Future[float]) -> None:
        try:
            oldest = await self.reports.oldest_event()
            since = 0.0
            if oldest is None and self.events.last:
                since = self.fold.days.after(self._wall())  # all were deleted: there is nothing to count from
            elif oldest is not None and oldest[0] > 1:
                since = self.fold.days.after(oldest[1])
            await self.reports.begin_anew(since)
        except Exception as error:
            asked.set_exception(error)
            asked.exception()  # whoever asked may have gone
            if not isinstance(error, StorageUnavailable):
                raise
        else:
            self._muted_until = max(self._muted_until, self.cursor)
            self.cursor, self.fold = 0, self._new_fold(since)
            asked.set_result(since)
            log.info("the statistics are counted anew from the events", since=since, until_event=self._muted_until)
        finally:
            self._rebuild = None

    def _new_fold(self, since: float) -> Fold:
        return Fold(self.zone, self._level, since)

    def _level(self, queue: str) -> float:
        found = self.plan().queues.get(queue)
        return USUAL_LEVEL if found is None else found.service_level


def _row(call: Finished) -> tuple[int, float, str, str, dict[str, object]]:
    return call.number, call.time, call.tenant, call.call, call.body
