"""Listeners that are sent events, or the filtered calls, by HTTP POST: started and stopped as the plan says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from b2bua.events import EventLog
from b2bua.events.event import Event, write
from b2bua.log import logger
from b2bua.outside.asking import Asker, Limits
from b2bua.reports.delivery import Delivery, Observe, Record, Source
from b2bua.reports.keeper import Keeper
from b2bua.storage.errors import StorageUnavailable
from b2bua.storage.reports import Reports
from routing.notices import Webhook, wants
from routing.plan import Plan

log = logger("tandem.webhooks")

LOOK = 0.5
"Seconds between two looks at the plan and at the places."
PREFIX = "webhook:"
REPORT = "call.report"
"Type of the record that a reporting server is sent of a finished call."
RESULTS = frozenset({"dial.result", "campaign.state", "campaign.refused", "campaign.ended"})
"What a listener to campaigns is sent of those that name it."
LIMITS = Limits(places=64, waiting=512, connections=128, failures=8, rest=1.0)


class Webhooks:
    """A service."""

    name = "webhooks"

    def __init__(
        self,
        events: EventLog,
        reports: Reports,
        keeper: Keeper,
        plan: Callable[[], Plan],
        observe: Observe = lambda hook, result: None,
        fault: Callable[[str], None] = lambda place: None,
    ) -> None:
        """`fault` is told the place of a mistake of our own."""
        self.events, self.reports, self.keeper, self.plan, self.observe = events, reports, keeper, plan, observe
        self._fault = fault
        self.asker = Asker(LIMITS)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._deliveries: dict[str, Delivery] = {}
        self._saved: dict[str, int] = {}
        self._known: dict[str, int] | None = None
        "Places of all listeners as they were stored when this began."
        self._looked_at = 0
        "The last event when the plan was looked at last: what comes later may be after a listener was added."

    def __repr__(self) -> str:
        return f"<webhooks {list(self._deliveries.values())}>"

    def behind(self) -> dict[str, float]:
        """Events that each listener has not dealt with yet."""
        return {hook: float(max(self.events.last - one.place, 0)) for hook, one in self._deliveries.items()}

    async def run(self, ready: Callable[[], None]) -> None:
        self._looked_at = self.events.last
        ready()
        async with self.asker:
            try:
                while True:
                    try:
                        await self._follow_plan()
                        await self._save()
                    except StorageUnavailable:
                        pass  # the records are safe where they are, and the places are stored next time
                    await asyncio.sleep(LOOK)
            finally:
                for id_ in list(self._tasks):
                    await self._stop(id_)

    async def _follow_plan(self) -> None:
        before, self._looked_at = self._looked_at, self.events.last
        hooks = {id_: hook for id_, hook in self.plan().webhooks.items() if hook.enabled}
        for id_ in list(self._tasks):
            task = self._tasks[id_]
            if task.done() and not task.cancelled() and (fault := task.exception()) is not None:
                self._fault("webhooks")
                log.error("a delivery failed by our own fault; it begins again", webhook=id_, exc_info=fault)
            if task.done() or hooks.get(id_) != self._deliveries[id_].hook:
                await self._stop(id_)
        for id_, hook in hooks.items():
            if id_ not in self._tasks:
                await self._start(hook, before)
        known = await self._places()
        kept = {PREFIX + id_ for id_ in self.plan().webhooks}
        if gone := known.keys() - kept:
            await self.reports.forget(gone)
            for name in gone:
                del known[name]

    async def _start(self, hook: Webhook, before: int) -> None:
        known = await self._places()
        name = PREFIX + hook.id
        if name not in known:
            # a new listener hears what happens from now on: of the time since he was added, nothing is left out
            await self.reports.move(name, before)
            known[name] = before
        place = min(known[name], self.events.last)
        source = self._calls_for(hook) if hook.sends == "calls" else self._events_for(hook)
        delivery = Delivery(hook, self.events.node, source, self.asker, place, self.observe)
        self._deliveries[hook.id], self._saved[hook.id] = delivery, place
        self._tasks[hook.id] = asyncio.create_task(delivery.run(), name=f"webhook {hook.id}")

    async def _stop(self, id_: str) -> None:
        task = self._tasks.pop(id_)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        delivery = self._deliveries.pop(id_)
        if self._known is not None:
            self._known[PREFIX + id_] = delivery.place
        self._saved.pop(id_, None)
        try:
            await self.reports.move(PREFIX + id_, delivery.place)
        except StorageUnavailable:
            log.warning("the place of a listener was not stored: some records will be sent again", webhook=id_)

    async def _save(self) -> None:
        known = await self._places()
        for id_, delivery in self._deliveries.items():
            if (place := delivery.place) != self._saved[id_]:
                await self.reports.move(PREFIX + id_, place)
                self._saved[id_] = known[PREFIX + id_] = place

    async def _places(self) -> dict[str, int]:
        if self._known is None:
            self._known = await self.reports.readers(PREFIX)
        return self._known

    # -- what there is to send

    def _events_for(self, hook: Webhook) -> Source:
        async def source(after: int, limit: int) -> Sequence[Record]:
            place = self.events.subscribe(after)
            try:
                return [self._record(hook, event) for event in await place.next(limit)]
            finally:
                place.close()

        return source

    def _calls_for(self, hook: Webhook) -> Source:
        async def source(after: int, limit: int) -> Sequence[Record]:
            while True:
                stored = self.keeper.stored
                try:
                    found = await self.reports.calls_after(after, limit)
                except StorageUnavailable:
                    await asyncio.sleep(LOOK)
                    continue
                if found:
                    return [self._report(hook, *row) for row in found]
                await stored.wait()

        return source

    def _record(self, hook: Webhook, event: Event) -> Record:
        fits = (hook.tenant is None or event.data.get("tenant") == hook.tenant) and wants(hook, event.type)
        if hook.sends == "campaigns":
            fits = fits and event.type in RESULTS and event.data.get("results_to") == hook.id
        lane = event.call or str(event.data.get("extension") or event.data.get("campaign") or "")
        return Record(event.number, event.time, lane, event.line if fits else None)

    def _report(
        self, hook: Webhook, number: int, time: float, tenant: str, call: str, body: dict[str, object]
    ) -> Record:
        line = None
        if hook.tenant is None or hook.tenant == tenant:
            line = write(self.events.node, number, time, call, REPORT, body)[0].line
        return Record(number, time, call, line)
