"""From a contact to a call: the law's word, an agent where the mode keeps one, the command on disk, then the INVITE."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING

from b2bua.dialling.agents import choose, queue_of, seats_of
from b2bua.dialling.attempt import Attempt
from b2bua.dialling.flight import Flight, Office, Phase
from b2bua.dialling.flow import dialled
from b2bua.dialling.permission import Answer, Lists, ask, held_until, limits_of
from b2bua.dialling.preview import previewed
from b2bua.dialling.task import Taken, Task
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
        self.starting = 0
        "Calls on their way to their INVITE."
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
        self.starting += len(flights)
        self._soon(self._start(task, flights))

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
        contacts = [flight.attempt.contact for flight in flights]
        lists = self.lists.get(task.campaign.tenant, Lists())
        try:
            found = await ask(
                self.store, task.campaign, task.profile, contacts, self.reading(), lists, guaranteed=task.keeps_agent
            )
        except StorageUnavailable:
            found = []
        except Exception as error:
            await self._one_by_one(task, flights, error)
            return
        if not found:
            for flight in flights:
                self._not_now(task, flight)
            self.starting -= len(flights)
            return
        await asyncio.gather(
            *(self._start_one(task, flight, answer) for flight, answer in zip(flights, found, strict=True))
        )

    async def _one_by_one(self, task: Task, flights: Sequence[Flight], error: Exception) -> None:
        """Something about one of them cannot be judged: it alone waits, however often it is looked at."""
        if len(flights) > 1:
            for flight in flights:
                await self._start(task, [flight])
            return
        for flight in flights:
            contact = flight.attempt.contact
            log.error("a call was not started by our own fault", contact=contact.id, exc_info=error)
            task.flights.pop(flight.attempt.command.id, None)
            self.starting -= 1
            self.put_off(contact, "own-fault", HELD_BACK)

    async def _start_one(self, task: Task, flight: Flight, answer: Answer) -> None:
        """One of them; what goes wrong with it is no business of the others."""
        contact = flight.attempt.contact
        try:
            if isinstance(answer.verdict, Forbidden):
                task.flights.pop(flight.attempt.command.id, None)
                await self._withhold(contact, answer.verdict)
                return
            call = flight.call = self.calls.open(flight.attempt.command.trunk, task.campaign.tenant)
            if not self._keep_agent(task, flight):
                self._not_now(task, flight)
                return
            if task.campaign.mode is Mode.PREVIEW:
                self.calls.spawn(call, lambda session: previewed(session, flight, lambda: self.write(flight)))
                return
            written = await self.write(flight)
            if written is Written.OK:
                self.calls.spawn(call, lambda session: dialled(session, flight))
                return
            self._unkeep(flight)
            task.flights.pop(flight.attempt.command.id, None)
            await self.not_written(flight, written)
        except StorageUnavailable:
            self._doubtful(task, flight)
        except Exception as error:
            log.error("a call was not started by our own fault", contact=contact.id, exc_info=error)
            self._doubtful(task, flight)
        finally:
            self.starting -= 1

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
        """A contact that an agent has looked at waits, from soon on; it is not ours any more."""
        self._soon(self._put_off(contact, why, seconds))

    async def _put_off(self, contact: Contact, why: str, seconds: float) -> None:
        now = self._wall()
        try:
            await self.store.withhold(contact.id, self.node, why, now, next_at=now + seconds)
        except StorageUnavailable:
            pass  # its lease ends by itself

    async def _give_back(self, contact: Contact) -> None:
        try:
            await self.store.give_back([contact.id], self.node)
        except StorageUnavailable:
            pass  # its lease ends by itself

    def _soon(self, work: Coroutine[None, None, None]) -> None:
        running = asyncio.create_task(work)
        self._running.add(running)
        running.add_done_callback(self._running.discard)

    def _keep_agent(self, task: Task, flight: Flight) -> bool:
        """Reserve whoever is to have the call; False where nobody is free for it any more."""
        contact, campaign, call = flight.attempt.contact, task.campaign, flight.call
        patient = self._wall() - contact.next_at < campaign.callback_patience
        wanted = flight.only = (contact.agent if patient else "") or campaign.agent
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

    def _not_now(self, task: Task, flight: Flight) -> None:
        """Nothing was written, and nobody is free for it just now: it stays ours, and is the next one."""
        task.flights.pop(flight.attempt.command.id, None)
        self._unkeep(flight)
        contact = flight.attempt.contact
        if flight.only:
            self._soon(self._give_back(contact))  # it comes again when its agent is free
        else:
            task.stock.appendleft(Taken(contact, flight.dialled))

    def _doubtful(self, task: Task, flight: Flight) -> None:
        """Nobody knows whether the command was written, and nothing was sent: it is booked as none of its doing."""
        if task.flights.pop(flight.attempt.command.id, None) is None:
            return
        self._unkeep(flight)
        attempt = flight.attempt
        attempt.decide(Outcome.TRUNK_FAULT, "not-sent")
        self.office.ended(flight, attempt.record(self._wall()))
