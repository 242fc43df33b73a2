"""A store in memory behind `dialer.ports.DialStore`, for the workers alone; the real one has tests of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from dialer.campaign import ALIVE, NEXT, Campaign, CampaignState
from dialer.command import Command, Record
from dialer.contact import Contact, ContactState
from dialer.counts import Counts, HourCounts, counts_of
from dialer.ports import Limit, NumberFacts, Progress, Snapshot, Written
from dialer.retry import Step, after, next_step


class MemoryStore:
    """One process, one tenant, no clock of its own."""

    def __init__(self, *campaigns: Campaign, contacts: Sequence[Contact] = ()) -> None:
        self.campaigns = {campaign.id: campaign for campaign in campaigns}
        self.contacts = {contact.id: contact for contact in contacts}
        self.commands: dict[str, Command] = {}
        self.records: dict[str, Record] = {}
        self.withheld: list[tuple[str, str, float | None]] = []
        self.given_back: list[str] = []
        self.snapshots: list[tuple[str, str]] = []
        self.listed: set[str] = set()
        self.changes = 1
        self.stalled: dict[str, asyncio.Event] = {}
        "Methods that do not come back until their event is set."

    async def _pass(self, method: str) -> None:
        if method in self.stalled:
            await self.stalled[method].wait()
        await asyncio.sleep(0)

    async def campaign(self, id: str) -> Campaign:
        return self.campaigns[id]

    async def of_node(self, node: str) -> Sequence[Campaign]:
        return [one for one in self.campaigns.values() if one.state in ALIVE]

    async def revision(self) -> int:
        await self._pass("revision")
        return self.changes

    async def take(
        self, campaign: str, n: int, now: float, *, node: str, agents: Sequence[str] = (), lease: float = 300.0
    ) -> Sequence[Contact]:
        await self._pass("take")
        if self.campaigns[campaign].state is not CampaignState.RUNNING:
            return []
        due = [
            one
            for one in self.contacts.values()
            if one.state is ContactState.OPEN and one.next_at <= now and (not one.agent or one.agent in agents)
        ]
        found = sorted(due, key=lambda one: (-one.priority, one.next_at, one.id))[:n]
        for one in found:
            self.contacts[one.id] = replace(one, state=ContactState.LEASED)
        return found

    async def take_one(self, contact: str, now: float, *, node: str, lease: float = 300.0) -> Contact | None:
        return self.contacts.get(contact)

    async def write_command(self, command: Command, limits: Sequence[Limit] = ()) -> Written:
        await self._pass("write_command")
        if self.campaigns[command.campaign].state is not CampaignState.RUNNING:
            return Written.NOT_RUNNING
        open_ = [one for one in self.commands.values() if one.id not in self.records]
        if any(one.number == command.number for one in open_):
            return Written.IN_CALL
        self.commands[command.id] = command
        return Written.OK

    async def book(self, record: Record, now: float) -> Step | None:
        await self._pass("book")
        if record.command in self.records:
            return None
        command = self.commands[record.command]
        contact = self.contacts[command.contact]
        self.records[record.command] = record
        step = next_step(self.campaigns[command.campaign], contact, command.number, record)
        self.contacts[contact.id] = after(contact, command.number, record, step)
        return step

    async def withhold(self, contact: str, node: str, cause: str, now: float, *, next_at: float | None) -> Step | None:
        self.withheld.append((contact, cause, next_at))
        found = self.contacts[contact]
        state = ContactState.CLOSED if next_at is None else ContactState.OPEN
        self.contacts[contact] = replace(found, state=state, reason=cause, next_at=next_at or 0.0)
        return Step(next_at, 0, cause)

    async def dispose(
        self, command: str, disposition: str, now: float, *, agent: str, call_back_at: float | None = None
    ) -> Step | None:
        return None

    async def unfinished(self, node: str) -> Sequence[Command]:
        return [one for one in self.commands.values() if one.id not in self.records]

    async def give_back(
        self, contacts: Sequence[str], node: str, *, next_at: float | None = None, reason: str = ""
    ) -> None:
        self.given_back += contacts
        for one in contacts:
            self.contacts[one] = replace(self.contacts[one], state=ContactState.OPEN)

    async def give_back_all(self, node: str) -> int:
        return 0

    async def lists(self, tenant: str) -> Mapping[str, float]:
        return {}

    async def facts(self, campaign: str, numbers: Sequence[str], since: float) -> Mapping[str, NumberFacts]:
        await self._pass("facts")
        return {number: NumberFacts("own" if number in self.listed else "") for number in numbers}

    async def counters(self, campaign: str, since: float) -> Sequence[HourCounts]:
        return []

    async def count(self, campaign: str, at: float, counts: Counts) -> None:
        return None

    async def list_number(self, tenant: str, number: str, reason: str, now: float, *, list: str = "own") -> bool:
        self.listed.add(number)
        return True

    async def is_done(self, campaign: str) -> bool:
        return all(one.state in (ContactState.CLOSED, ContactState.HELD) for one in self.contacts.values())

    async def end_if_done(self, campaign: str, now: float, *, node: str) -> bool:
        if not await self.is_done(campaign):
            return False
        await self.order(campaign, "end", now, reason="done", node=node)
        return True

    async def progress(self, campaign: str, now: float) -> Progress:
        states = [one.state for one in self.contacts.values()]
        total = Counts()
        for record in self.records.values():
            total += counts_of(record)
        found = self.campaigns[campaign]
        return Progress(
            campaign, found.state, found.reason, len(states), states.count(ContactState.OPEN),
            states.count(ContactState.LEASED), 0, states.count(ContactState.CLOSED), 0, 0, None, total,
        )  # fmt: skip

    async def order(
        self, campaign: str, order: str, now: float, *, reason: str = "", node: str = "", by: str = "dialler"
    ) -> Campaign:
        found = self.campaigns[campaign]
        self.campaigns[campaign] = replace(found, state=NEXT[found.state, order], reason=reason, node=node)
        self.changes += 1
        return self.campaigns[campaign]

    async def snapshot(self, campaign: str, now: float, *, kind: str) -> Snapshot:
        self.snapshots.append((campaign, kind))
        return Snapshot(campaign, now, kind, {})
