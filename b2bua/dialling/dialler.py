"""The dialler of a node: its workers, and what they and its calls tell one another."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from b2bua.calls.session import Said, Session
from b2bua.dialling.agents import AgentInformation, seats_of
from b2bua.dialling.checks import problems
from b2bua.dialling.flight import Flight, Phase
from b2bua.dialling.gave_up import InboundAbandoned
from b2bua.dialling.launching import HELD_BACK, Launcher
from b2bua.dialling.metrics import show
from b2bua.dialling.preview import Choice
from b2bua.dialling.records import CallRecords
from b2bua.dialling.recovery import recover
from b2bua.dialling.scheduling import Scheduling
from b2bua.dialling.task import Task
from b2bua.dialling.view import TaskView, view_of
from b2bua.log import logger
from b2bua.storage.dial_store import DialStore
from b2bua.storage.errors import NotFound, StorageUnavailable
from dialer import zones
from dialer.law import LawCounters
from media import Desk
from media.amd import Listening

if TYPE_CHECKING:
    from b2bua.calls.exchange import Exchange
    from b2bua.calls.live import LiveCalls
    from b2bua.storage.storage import Storage
    from dialer.campaign import Campaign
    from dialer.command import Command, Record

log = logger("dialler")

TELL_EVERY = 10.0
"Seconds between two log lines about a campaign's pace at least: the metric counts every decision."
RETRY = 1.0
"Seconds until a database that does not answer is asked again what the last life left."


class Dialler:
    """Owner of the workers; all that is public may be called from anywhere on the loop."""

    def __init__(self, exchange: Exchange, calls: LiveCalls, storage: Storage) -> None:
        self.exchange, self.calls = exchange, calls
        self.store = store = DialStore(storage)
        self._storage = storage
        self.node = exchange.settings.node.name
        metrics = exchange.metrics
        self.metrics = metrics
        self._listening: Listening | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._results: dict[str, str] = {}
        "Campaigns of records that are being booked, by command."
        self.records = CallRecords(store, self._booked)
        self.launcher = Launcher(self.node, store, calls, exchange.floor, self, metrics.dial_withheld.inc)
        self.scheduling = Scheduling(
            self.node,
            store,
            self.launcher,
            exchange.floor,
            exchange.plan,
            exchange.settings.laws(),
            lambda: calls.room,
            exchange.settings.node.max_calls,
            self,
        )
        self.agents = AgentInformation(
            lambda: exchange.floor.floor,
            exchange.floor.clock,
            lambda: self.scheduling.tasks.values(),
            self._tell_plain,
            exchange.floor.resume,
        )
        self.inbound = InboundAbandoned(
            self.scheduling.tasks, store, lambda: self.launcher.reading().steady, self._soon
        )
        exchange.floor.followers += [self.agents.on_effect, self.scheduling.on_effect, self.inbound.on_effect]
        show(metrics, self.scheduling.tasks, exchange.floor, lambda: self.launcher.reading().steady, self.records)

    def __repr__(self) -> str:
        return f"<dialler of {self.node}: {self.scheduling!r}, {self.records!r}>"

    async def run(self) -> None:
        """Put the last life in order; until that is done nothing is dialled.  Then until cancelled."""
        await self._recover()
        await asyncio.Event().wait()

    async def _recover(self) -> None:
        """A database that is away is waited for."""
        await asyncio.to_thread(zones.ready)
        while True:
            try:
                await recover(self.store, self._storage, self.node, time.time())
                break
            except StorageUnavailable:
                await asyncio.sleep(RETRY)
        self.scheduling.recovered.set()

    # -- for the API

    def view(self, campaign: str) -> TaskView | None:
        """A campaign as it is now; None: it does not run here."""
        task = self.scheduling.tasks.get(campaign)
        return None if task is None else self._view(task)

    def look_soon(self) -> None:
        """A campaign was ordered to do something: do not wait for the next look."""
        self.scheduling.look_soon()

    def choose(self, campaign: str, command: str, dial: bool, agent: str = "") -> bool:
        """What an agent says of a contact of this campaign that he looks at; False where he looks at none under this
        command (any more)."""
        task = self.scheduling.tasks.get(campaign)
        flight = None if task is None else task.flights.get(command)
        if flight is None or flight.call is None or flight.phase is not Phase.PREVIEW:
            return False
        if agent and agent not in (flight.kept, *flight.call.agents.values()):
            return False
        flight.call.deliver(Said(Choice(dial)))
        return True

    def disposition(self, command: str, code: str, call_back_at: float | None = None, agent: str = "") -> bool:
        """An agent's word while he still talks; False where the call is over: then it belongs to the record."""
        flight = self._flight(command)
        if flight is None or flight.phase is not Phase.CONNECTED or agent not in ("", flight.attempt.agent):
            return False
        flight.attempt.disposition, flight.attempt.call_back_at = code, call_back_at
        return True

    def _flight(self, command: str) -> Flight | None:
        found = (task.flights.get(command) for task in self.scheduling.tasks.values())
        return next((flight for flight in found if flight is not None), None)

    def _view(self, task: Task) -> TaskView:
        seats = seats_of(self.exchange.floor.floor, task.campaign, task.own_calls())
        reading = self.launcher.reading()
        return view_of(task, seats, self.exchange.floor.clock(), reading.steady)

    # -- for the calls (Office)

    def listening(self) -> Listening:
        """Who tells people from machines."""
        if self._listening is None:
            assert Desk.current is not None
            self._listening = Listening(Desk.current)
        return self._listening

    def leave_alone(self, command: Command) -> None:
        self._soon(self._list(command), f"do not call {command.id}")

    async def _list(self, command: Command) -> None:
        try:
            await self.store.list_number(command.tenant, command.number, "opted-out", time.time())
        except StorageUnavailable:
            log.warning("a number is put on the do-not-call list with its record only", command=command.id)

    def idle(self, campaign: Campaign) -> int:
        return len(seats_of(self.exchange.floor.floor, campaign, ()).free)

    def resolved(self, flight: Flight, live: bool) -> None:
        task = self._task_of(flight)
        if task is not None:
            now = self.exchange.floor.clock()
            task.learner.resolved(max(0.0, now - flight.dialled), live, now)

    def connected(self, flight: Flight) -> None:
        self._count(flight)

    def abandoned(self, flight: Flight) -> None:
        self._count(flight)

    def ended(self, flight: Flight, record: Record) -> None:
        """Its record goes to the database; the task is over when that has it."""
        task = self._task_of(flight)
        self._count(flight, record)
        if task is not None:
            task.flights.pop(record.command, None)
            task.booking += 1
            task.records[str(record.outcome)] += 1
        self._results[record.command] = flight.attempt.campaign.id
        self.metrics.dial_results.inc(flight.attempt.campaign.id, str(record.outcome))
        self.records.put(record)
        self.scheduling.wake()

    def skipped(self, flight: Flight, why: str) -> None:
        task = self._task_of(flight)
        if task is not None:
            task.flights.pop(flight.attempt.command.id, None)
        gap = flight.attempt.campaign.redial_gap if why == "skipped" else HELD_BACK
        self.launcher.put_off(flight.attempt.contact, why, gap)
        self.scheduling.wake()

    def tell(self, call: Session | Campaign | None, type_: str, data: Mapping[str, Any]) -> None:
        """An event of a call, or of a campaign."""
        if isinstance(call, Session):
            self.exchange.tell(type_, call, data)
            return
        if call is not None:
            data = {"campaign": call.id, "tenant": call.tenant, **data}
            if call.results_to:
                data = {**data, "results_to": call.results_to}
        self._tell_plain(type_, data)

    def _tell_plain(self, type_: str, data: Mapping[str, Any]) -> None:
        self.exchange.events.append(type_, None, data)
        self.metrics.events.inc(type_)

    def _task_of(self, flight: Flight) -> Task | None:
        return self.scheduling.tasks.get(flight.attempt.campaign.id)

    def _count(self, flight: Flight, record: Record | None = None) -> None:
        """Once for each call, as soon as it is known what the law counts it as."""
        task = self._task_of(flight)
        if flight.counted or task is None:
            return
        flight.counted = True
        wall = self.launcher.reading().steady
        made = record or flight.attempt.record(wall)
        task.count(wall, LawCounters.of_record(made, task.profile, recorded=not task.campaign.has_agents))

    # -- for the workers

    def problems(self, campaign: Campaign, contacts: int) -> Iterator[str]:
        exchange = self.exchange
        folder = exchange.settings.sounds
        return problems(
            campaign,
            plan=exchange.plan(),
            directory=exchange.directory(),
            dials_over=exchange.trunks.dials_over,
            profiles=self.scheduling.profiles,
            is_sound=lambda name: any((at / name).is_file() for at in (folder, folder / "en")),
            contacts=contacts,
        )

    def no_tenant(self, campaign: Campaign) -> bool:
        found = self.exchange.directory().tenants.get(campaign.tenant)
        return found is None or not found.enabled

    def no_trunk(self, campaign: Campaign) -> bool:
        return not self.exchange.trunks.takes_calls(campaign.trunks)

    def trunk_room(self, campaign: Campaign) -> int | None:
        return self.exchange.trunks.room(campaign.trunks)

    def records_full(self) -> bool:
        return self.records.full

    def decided(self, task: Task, seconds: float) -> None:
        cause = str(task.decision.reason.cause)
        self.metrics.dial_decisions.inc(task.campaign.id, cause)
        self.metrics.dial_decision_seconds.observe(seconds)
        now = self.exchange.floor.clock()
        if cause != task.told_reason and now - task.told_at >= TELL_EVERY:
            task.told_reason, task.told_at = cause, now
            figure = task.decision.reason.figure
            log.info("pacing", campaign=task.campaign.id, reason=cause, calls=task.decision.calls, figure=figure)

    def finished(self, task: Task, how: str) -> None:
        """A snapshot of it, and then a word that it is over."""
        self._soon(self._farewell(task, how), f"the end of {task.campaign.id}")

    async def _farewell(self, task: Task, how: str) -> None:
        campaign = task.campaign
        await self._snapshot(campaign.id, how)
        data = {"state": str(campaign.state), "reason": campaign.reason, "outcomes": dict(task.records)}
        self.tell(campaign, "campaign.ended", data)
        log.info("a campaign is over here", campaign=campaign.id, state=str(campaign.state), outcomes=data["outcomes"])

    def _soon(self, work: Coroutine[None, None, None], name: str) -> None:
        running = asyncio.create_task(work, name=name)
        self._running.add(running)
        running.add_done_callback(self._running.discard)

    async def _snapshot(self, campaign: str, how: str) -> None:
        while True:
            try:
                await self.store.snapshot(campaign, time.time(), kind=how)
                return
            except StorageUnavailable:
                await asyncio.sleep(RETRY)
            except NotFound:
                return  # deleted meanwhile

    def _booked(self, record: Record) -> None:
        task = self.scheduling.tasks.get(self._results.pop(record.command, ""))
        if task is not None:
            task.booking = max(0, task.booking - 1)
            task.next_question = 0.0
            task.look_again = 0.0
        self.scheduling.wake()
