"""The worker that decides when whom to call (R3-07: scheduling).

Several times a second it looks at each campaign of this node: its state, the law's counters, its agents and calls; asks
pacing how many calls to start, takes as many contacts as that, and starts them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from b2bua.dialling.agents import queue_of, seats_of
from b2bua.dialling.flight import Phase
from b2bua.dialling.permission import Lists
from b2bua.dialling.task import MOST_AT_ONCE, Taken, Task, without_agent
from b2bua.log import logger
from b2bua.storage.errors import Conflict, NotFound, StorageUnavailable
from dialer.campaign import ALIVE, Campaign, CampaignState
from dialer.ports import DialStore
from dialer.profiles import LawProfile
from dialer.verdict import Decision
from routing.business_hours import hours_at

if TYPE_CHECKING:
    from b2bua.dialling.needs import HasFloor, Rules, Starter
    from dialer.contact import Contact
    from routing.plan import Plan

log = logger("dialler")

TICK = 0.2
"Seconds between two looks when nothing happens."
SOONEST = 0.05
"Seconds between two looks when much happens."
LOOK_AT_STORE = 0.5
"Seconds between two questions whether campaigns have changed."
STOCK = 2.0
"Seconds of the campaign's rate that are kept as contacts ready to be called."
STOCK_MOST = 500
STOCK_KEPT = 120.0
"Seconds after which a contact that was not called is given back: its lease is longer."
DRY = 1.0
"Seconds until due contacts are looked for again where there were none."
MONTH = 30 * 86_400.0
"History of the law's counters that matters, where the law does not look at the whole campaign."
FOR_INBOUND = 0.1
"Share of the node's calls that no campaign uses: people call in, too."


class Scheduling:
    """A service; owner of the tasks."""

    name = "dialler scheduling"
    stop_within = 8.0

    def __init__(
        self,
        node: str,
        store: DialStore,
        launcher: Starter,
        floor: HasFloor,
        plan: Callable[[], Plan],
        profiles: Mapping[str, LawProfile],
        room: Callable[[], int],
        most: int,
        rules: Rules,
    ) -> None:
        """`room`: calls that the node can add, of `most`."""
        self.node, self.store, self.launcher, self.floor, self.plan = node, store, launcher, floor, plan
        self.profiles, self.room, self.rules = profiles, room, rules
        self.tasks: dict[str, Task] = {}
        self.recovered = asyncio.Event()
        "What the last life left is booked; before that nothing is dialled."
        self._spare = int(most * FOR_INBOUND)
        self._clock = asyncio.get_running_loop().time
        self._wake = asyncio.Event()
        self._revision = -1
        self._looked = float("-inf")
        self._taking: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"<scheduling of {list(self.tasks.values())}>"

    def look_soon(self) -> None:
        """A campaign has been changed: do not wait for the next question."""
        self._looked = float("-inf")
        self._wake.set()

    def wake(self) -> None:
        """Something has happened: look soon."""
        self._wake.set()

    def on_effect(self, effect: object) -> None:
        """What the floor did may have freed somebody."""
        if self.tasks:
            self._wake.set()

    async def run(self, ready: Callable[[], None]) -> None:
        ready()
        await self.recovered.wait()
        try:
            while True:
                try:
                    await self._look_at_store()
                    for task in list(self.tasks.values()):
                        await self.look(task)
                except StorageUnavailable:
                    log.debug("the database does not answer: nothing new is dialled")
                except Exception as error:
                    log.error("scheduling failed by our own fault; it goes on", exc_info=error)
                try:
                    async with asyncio.timeout(TICK):
                        await self._wake.wait()
                except TimeoutError:
                    pass
                self._wake.clear()
                await asyncio.sleep(SOONEST)
        finally:
            for running in self._taking:
                running.cancel()
            await self.launcher.close()
            for task in self.tasks.values():
                await self._empty(task)

    # -- campaigns come, change and go

    async def _look_at_store(self) -> None:
        """Take over what has changed.  Raises StorageUnavailable."""
        now = self._clock()
        if now - self._looked < LOOK_AT_STORE:
            return
        self._looked = now
        revision = await self.store.revision()
        if revision == self._revision:
            return
        found = {campaign.id: campaign for campaign in await self.store.of_node(self.node)}
        for tenant in {task.campaign.tenant for task in self.tasks.values()}:
            await self._learn_lists(tenant)
        for id_, task in list(self.tasks.items()):
            if id_ not in found and task.campaign.state in ALIVE:
                await self._stopped(task)
        for id_, campaign in found.items():
            if id_ in self.tasks:
                await self._changed(self.tasks[id_], campaign)
            else:
                await self._begin(campaign)
        self._revision = revision

    async def _begin(self, campaign: Campaign) -> None:
        """A campaign was started here, or was running when this node ended."""
        if await self._refused(campaign):
            return
        profile = self.profiles[campaign.profile]
        task = Task(campaign, profile)
        since = 0.0 if "campaign" in profile.windows else self.launcher.reading().steady - MONTH
        task.restore(await self.store.counters(campaign.id, since))
        await self._learn_lists(campaign.tenant)
        self.tasks[campaign.id] = task
        state = str(campaign.state)
        self.rules.tell(campaign, "campaign.state", {"state": state, "reason": campaign.reason})
        log.info("a campaign runs here", campaign=campaign.id, mode=str(campaign.mode))

    async def _refused(self, campaign: Campaign) -> bool:
        """Check its data before the first call; where they are wrong, it is ended with all reasons (R3-12)."""
        progress = await self.store.progress(campaign.id, self._wall())
        why = list(self.rules.problems(campaign, progress.contacts))
        if why:
            log.warning("a campaign cannot begin", campaign=campaign.id, why=why)
            await self._order(campaign, "end", "; ".join(why))
            self.rules.tell(campaign, "campaign.refused", {"reasons": why})
        return bool(why)

    async def _learn_lists(self, tenant: str) -> None:
        self.launcher.lists[tenant] = Lists(await self.store.lists(tenant))

    async def _changed(self, task: Task, campaign: Campaign) -> None:
        if task.campaign.state not in ALIVE and await self._refused(campaign):
            return  # it was started again while its last calls went on
        before, task.campaign = task.campaign, campaign
        task.profile = self.profiles.get(campaign.profile, task.profile)
        if before.state is campaign.state:
            return
        self.rules.tell(campaign, "campaign.state", {"state": str(campaign.state), "reason": campaign.reason})
        if campaign.state is not CampaignState.RUNNING:
            await self._empty(task)

    async def _stopped(self, task: Task) -> None:
        """Somebody has stopped or ended it: no more calls, those on their way go on to their end."""
        current = await self._current(task.campaign)
        if current.state in ALIVE:
            current = replace(current, state=CampaignState.STOPPED, reason="deleted")
        task.campaign = current
        task.reason = "stopped"
        for flight in task.in_phase(Phase.SETTING_UP):
            flight.stop()
        self.rules.tell(current, "campaign.state", {"state": str(current.state), "reason": current.reason})
        await self._empty(task)

    async def _current(self, campaign: Campaign) -> Campaign:
        try:
            return await self.store.campaign(campaign.id)
        except NotFound:
            return campaign

    async def _order(self, campaign: Campaign, order: str, reason: str) -> bool:
        try:
            await self.store.order(campaign.id, order, self._wall(), reason=reason, node=self.node)
            return True
        except (Conflict, NotFound) as error:
            log.info("an order came too late", campaign=campaign.id, order=order, error=str(error))
            return False

    async def _empty(self, task: Task) -> None:
        """Give back what was taken and is not called."""
        contacts = [taken.contact.id for taken in task.stock]
        task.stock.clear()
        if contacts:
            try:
                await self.store.give_back(contacts, self.node)
            except StorageUnavailable:
                pass  # their leases end by themselves

    # -- one campaign

    async def look(self, task: Task) -> None:
        """Decide and act.  Raises StorageUnavailable."""
        gate = self.gate(task)
        if gate:
            task.reason = gate
            if task.campaign.state is not CampaignState.RUNNING:
                await self._empty(task)
            await self._maybe_over(task)
            return
        now = self._clock()
        began = time.perf_counter()
        decision = self._decide(task, now)
        self.rules.decided(task, time.perf_counter() - began)
        task.reason = str(decision.reason)
        if decision.calls > 0:
            self._dial(task, decision.calls, now)
        self._restock(task, decision.calls, now)
        await self._maybe_over(task)

    def gate(self, task: Task) -> str:
        """Why nothing is dialled now whatever the agents do; empty: it is."""
        campaign, wall = task.campaign, self._wall()
        if campaign.state is not CampaignState.RUNNING:
            return str(campaign.state)
        if self.rules.no_tenant(campaign):
            return "tenant"
        if campaign.starts_at is not None and wall < campaign.starts_at:
            return "before-start"
        if campaign.ends_at is not None and wall >= campaign.ends_at:
            return "over"
        if campaign.calendar:
            calendar = self.plan().calendars.get(campaign.calendar)
            if calendar is None or not hours_at(calendar, wall).open:
                return "outside-calendar"
        if self.rules.no_trunk(campaign):
            return "no-trunk"
        return "records-wait" if self.rules.records_full() else ""

    def _decide(self, task: Task, now: float) -> Decision:
        queue = queue_of(task.campaign)
        same = [one for one in self.tasks.values() if one is not task and queue and queue_of(one.campaign) == queue]
        seats = seats_of(self.floor.floor, task.campaign, task.own_calls())
        wall = self.launcher.reading().steady
        lines = self.room() - self._spare
        if (left := self.rules.trunk_room(task.campaign)) is not None:
            lines = min(lines, left - self.launcher.starting)  # these have no leg yet that a trunk could count
        most = max(0, MOST_AT_ONCE - self.launcher.starting)
        return task.decide(seats, now, wall, others=without_agent(same), lines_free=max(0, lines), most=most)

    def _dial(self, task: Task, calls: int, now: float) -> None:
        ready: list[Contact] = []
        while task.stock and len(ready) < calls:
            taken = task.stock.popleft()
            ready.append(taken.contact)
        if ready:
            task.room = max(0.0, task.room - len(ready))
            self.launcher.start(task, ready)

    def _restock(self, task: Task, wanted: int, now: float) -> None:
        """Have contacts ready; nobody waits for the database here."""
        goal = min(STOCK_MOST, max(int(task.campaign.pacing.rate * STOCK), wanted, 2))
        while task.stock and now - task.stock[0].at > STOCK_KEPT:
            self._spawn(self._return(task, task.stock.popleft()))
        if task.taking or len(task.stock) > goal // 2 or now < task.look_again:
            return
        task.taking = True
        self._spawn(self._take(task, goal - len(task.stock)))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        running = asyncio.create_task(work)
        self._taking.add(running)
        running.add_done_callback(self._taking.discard)

    async def _take(self, task: Task, n: int) -> None:
        try:
            free = seats_of(self.floor.floor, task.campaign, ()).free
            agents = [member.seat.extension for member in free]
            found = await self.store.take(task.campaign.id, n, self._wall(), node=self.node, agents=agents)
            now = self._clock()
            task.dry = not found and not task.stock
            task.look_again = now if len(found) >= n else now + DRY
            task.stock.extend(Taken(contact, now) for contact in found)
            if task.campaign.state is not CampaignState.RUNNING:
                await self._empty(task)
            if found or task.dry:
                self.wake()
        except StorageUnavailable:
            task.look_again = self._clock() + DRY
        except Exception as error:
            task.look_again = self._clock() + DRY
            log.error("no contacts were taken by our own fault", campaign=task.campaign.id, exc_info=error)
        finally:
            task.taking = False

    async def _return(self, task: Task, taken: Taken) -> None:
        try:
            await self.store.give_back([taken.contact.id], self.node)
        except StorageUnavailable:
            pass

    # -- the end

    async def _maybe_over(self, task: Task) -> None:
        """End it where nothing is left to do (R3-08).  Raises StorageUnavailable."""
        if task.flights or task.booking or task.taking:
            return
        campaign = task.campaign
        if campaign.state in (CampaignState.STOPPED, CampaignState.ENDED) or campaign.id not in self.tasks:
            await self._finish(task, "stop")
        elif campaign.state is CampaignState.DRAINING:
            if await self._order(campaign, "stop", "drained"):
                await self._finish(task, "stop")
        elif task.reason == "over":
            await self._empty(task)
            if await self._order(campaign, "end", "its time is over"):
                await self._finish(task, "end")
        elif not task.stock and self._clock() >= task.next_question:
            task.next_question = self._clock() + DRY
            # most often it is not: that is asked without a write
            if await self.store.is_done(campaign.id) and await self._end_if_done(campaign):
                await self._finish(task, "end")

    async def _end_if_done(self, campaign: Campaign) -> bool:
        try:
            return await self.store.end_if_done(campaign.id, self._wall(), node=self.node)
        except (Conflict, NotFound) as error:
            log.info("an order came too late", campaign=campaign.id, order="end", error=str(error))
            return False

    async def _finish(self, task: Task, how: str) -> None:
        self.tasks.pop(task.campaign.id, None)
        await self._empty(task)
        task.campaign = await self._current(task.campaign)
        self.rules.finished(task, how)

    def _wall(self) -> float:
        return self.launcher.reading().wall
