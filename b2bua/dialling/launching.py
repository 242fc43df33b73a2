"""From a contact to a call: the law's word, an agent where the mode keeps one, the command on disk, then the INVITE."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from b2bua.dialling.agents import choose, queue_of, seats_of
from b2bua.dialling.attempt import Attempt
from b2bua.dialling.flight import Flight, Office, Phase
from b2bua.dialling.flow import dialled
from b2bua.dialling.permission import Answer, Lists, ask, held_until, limits_of
from b2bua.dialling.preview import previewed
from b2bua.log import logger
from b2bua.storage.errors import StorageUnavailable
from dialer.campaign import Mode
from dialer.command import Command, CommandIds
from dialer.forbidden import Forbidden
from dialer.law_clock import LawClock, Reading
from dialer.outcome import Outcome
from dialer.ports import DialStore, Written

if TYPE_CHECKING:
    from b2bua.calls.floor import FloorService
    from b2bua.calls.live import LiveCalls
    from b2bua.dialling.task import Task
    from dialer.contact import Contact

log = logger("dialler")

HELD_BACK = 900.0
"Seconds until a contact is looked at again that the database did not let through in the last moment."
IN_CALL_PAUSE = 60.0
"The same where its number is in a call at this moment."


class Launcher:
    """Owner of everything between the decision and the call."""

    def __init__(
        self,
        node: str,
        store: DialStore,
        calls: LiveCalls,
        floor: FloorService,
        office: Office,
        withheld: Callable[[str], None],
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`withheld` is told why a contact is not called, in the law's words."""
        self.node, self.store, self.calls, self.floor, self.office = node, store, calls, floor, office
        self.lists: dict[str, Lists] = {}
        "Imported do-not-call lists, by tenant."
        self._withheld, self._wall = withheld, wall
        self._ids = CommandIds(secrets.randbits)
        self._clock = asyncio.get_running_loop().time
        self._law_clock = LawClock(wall(), self._clock())
        self._running: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"<launcher, {len(self._running)} starting>"

    def reading(self) -> Reading:
        """The time the law goes by."""
        return self._law_clock.read(self._wall(), self._clock())

    def start(self, task: Task, contacts: Sequence[Contact]) -> None:
        """Call them, soon; each counts as being set up from now on."""
        flights = [self._flight(task, contact) for contact in contacts]
        running = asyncio.create_task(self._start(task, flights), name=f"dial {task.campaign.id}")
        self._running.add(running)
        running.add_done_callback(self._running.discard)

    async def close(self) -> None:
        """Wait for what is being started."""
        if self._running:
            await asyncio.wait(self._running, timeout=5.0)

    def _flight(self, task: Task, contact: Contact) -> Flight:
        now = self._wall()
        campaign = task.campaign
        command = Command(
            self._ids.next(now),
            campaign.id,
            campaign.tenant,
            contact.id,
            contact.number.number,
            contact.attempts + 1,
            self.node,
            now,
            next(iter(campaign.trunks), ""),
        )
        attempt = Attempt(campaign, contact, command, task.terms)
        flight = Flight(self.office, attempt, task.profile, self._clock(), clock=self._clock)
        if campaign.mode is Mode.PREVIEW:
            flight.enter(Phase.PREVIEW)
        task.flights[command.id] = flight
        return flight

    async def _start(self, task: Task, flights: Sequence[Flight]) -> None:
        try:
            found = await ask(
                self.store,
                task.campaign,
                task.profile,
                [flight.attempt.contact for flight in flights],
                self.reading(),
                self.lists.get(task.campaign.tenant, Lists()),
                guaranteed=task.keeps_agent,
            )
            await asyncio.gather(
                *(self._start_one(task, flight, answer) for flight, answer in zip(flights, found, strict=True))
            )
        except StorageUnavailable:
            await self._not_now(task, flights)
        except Exception as error:
            log.error("calls were not started by our own fault", campaign=task.campaign.id, exc_info=error)
            await self._not_now(task, flights)

    async def _start_one(self, task: Task, flight: Flight, answer: Answer) -> None:
        contact = flight.attempt.contact
        if isinstance(answer.verdict, Forbidden):
            task.flights.pop(flight.attempt.command.id, None)
            await self._withhold(contact, answer.verdict)
            return
        call = flight.call = self.calls.open(flight.attempt.command.trunk, task.campaign.tenant)
        if not self._keep_agent(task, flight):
            await self._not_now(task, [flight])
            return
        if task.campaign.mode is Mode.PREVIEW:
            self.calls.spawn(call, lambda session: previewed(session, flight, lambda: self.write(flight)))
            return
        written = None
        try:
            written = await self.write(flight)
        finally:
            if written is not Written.OK:
                self._unkeep(flight)
        if written is not Written.OK:
            task.flights.pop(flight.attempt.command.id, None)
            await self.not_written(flight, written)
            return
        self.calls.spawn(call, lambda session: dialled(session, flight))

    async def write(self, flight: Flight) -> Written:
        """The command, on disk before anything is sent.  Raises StorageUnavailable."""
        attempt = flight.attempt
        now = self.reading().steady
        limits = limits_of(attempt.campaign, flight.profile, attempt.contact, now)
        return await self.store.write_command(attempt.command, limits)

    async def not_written(self, flight: Flight, why: Written) -> None:
        """The database said no: the contact waits, or is not ours any more."""
        contact = flight.attempt.contact
        log.info("a contact is not called", contact=contact.id, why=str(why))
        self._withheld(str(why))
        now = self._wall()
        match why:
            case Written.LEASE_LOST:
                return
            case Written.NOT_RUNNING:
                self.office.look_soon()
                await self.store.give_back([contact.id], self.node)
            case Written.LISTED | Written.NOT_ITS_NUMBER:
                await self.store.withhold(contact.id, self.node, str(why), now, next_at=None)
            case _:
                pause = IN_CALL_PAUSE if why is Written.IN_CALL else HELD_BACK
                await self.store.withhold(contact.id, self.node, str(why), now, next_at=now + pause)

    async def _withhold(self, contact: Contact, verdict: Forbidden) -> None:
        now = self._wall()
        self._withheld(str(verdict.reason))
        next_at = held_until(verdict, now)
        await self.store.withhold(contact.id, self.node, str(verdict.reason), now, next_at=next_at)

    def put_off(self, contact: Contact, why: str, seconds: float) -> None:
        """A contact that an agent has looked at waits, soon."""
        now = self._wall()

        async def put() -> None:
            try:
                await self.store.withhold(contact.id, self.node, why, now, next_at=now + seconds)
            except StorageUnavailable:
                pass  # its lease ends by itself

        running = asyncio.create_task(put(), name=f"put off {contact.id}")
        self._running.add(running)
        running.add_done_callback(self._running.discard)

    def _keep_agent(self, task: Task, flight: Flight) -> bool:
        """Reserve whoever is to have the call; False where nobody is free for it any more."""
        contact, campaign, call = flight.attempt.contact, task.campaign, flight.call
        wanted = contact.agent or campaign.agent
        if not (task.keeps_agent or wanted) or not campaign.has_agents or call is None:
            return True
        seats = seats_of(self.floor.floor, campaign, ())
        extension = choose(self.floor.floor, campaign, seats.free, wanted)
        if not extension or not self.floor.reserve(extension, call.id, queue_of(campaign)):
            return False
        flight.kept = extension
        return True

    def _unkeep(self, flight: Flight) -> None:
        if flight.kept and flight.call is not None:
            self.floor.unreserve(flight.kept, flight.call.id)
            flight.kept = ""

    async def _not_now(self, task: Task, flights: Sequence[Flight]) -> None:
        """These are not called after all; a command that may have been written is booked as none of their doing."""
        for flight in flights:
            if task.flights.pop(flight.attempt.command.id, None) is None:
                continue
            self._unkeep(flight)
            if flight.phase is not Phase.PREVIEW:
                attempt = flight.attempt
                attempt.decide(Outcome.TRUNK_FAULT, "not-sent")
                self.office.ended(flight, attempt.record(self._wall()))
        try:
            await self.store.give_back([flight.attempt.contact.id for flight in flights], self.node)
        except StorageUnavailable:
            pass  # their leases end by themselves
