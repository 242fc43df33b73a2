"""Campaigns as they are administered: their batches, contacts, commands, snapshots. Dialling itself: `dial_store`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa

from b2bua.storage import audit, batch_rows, campaign_rows, command_rows, contact_rows, dial_store, snapshot_rows
from b2bua.storage.batch_rows import Batch
from b2bua.storage.campaign_values import of_snapshot
from b2bua.storage.dial_tables import contact_numbers, contacts, dial_commands, dial_counts
from b2bua.storage.errors import Conflict, NotFound
from b2bua.storage.storage import Storage
from dialer.batch import RowProblem
from dialer.campaign import Campaign
from dialer.command import Command, Record
from dialer.contact import Contact, ContactState
from dialer.ports import Progress, Snapshot

SLICE = 500
"Contacts that go in one transaction."


@dataclass(frozen=True, slots=True)
class Told:
    """A contact with what is known of its way."""

    contact: Contact
    node: str
    command: str | None
    "Its newest command."


@dataclass(frozen=True, slots=True)
class Done:
    """A command and its record."""

    command: Command
    record: Record | None
    "None: the call is in progress, or its node died."


@dataclass(frozen=True, slots=True)
class ContactFilter:
    """Which contacts; empty means any."""

    state: str = ""
    batch: str = ""
    number: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CommandFilter:
    """Which commands; empty means any."""

    outcome: str = ""
    "An outcome, or `none` for those without a record."
    number: str = ""
    contact: str = ""
    agent: str = ""


class Campaigns:
    """All campaigns. Changes are audited: `by` names who asked, `now` is epoch seconds.

    All methods may raise StorageUnavailable, and NotFound where a campaign, batch or contact is named.
    """

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    async def list(self, tenant: str | None = None) -> Sequence[Campaign]:
        """By id; None: of every tenant."""
        return await self.storage.read(lambda conn: campaign_rows.every(conn, tenant))

    async def get(self, id: str) -> Campaign:
        """One of them."""
        return await self.storage.read(lambda conn: campaign_rows.get(conn, id))

    async def create(self, new: Campaign, *, by: str, now: float) -> Campaign:
        """A new draft. Raises Duplicate; Conflict where its id stands for the evidence of another tenant's."""

        def creating(conn: sa.Connection) -> Campaign:
            made = campaign_rows.create(conn, new, by=by, now=now)
            before = snapshot_rows.newest(conn, new.id)
            if before is not None and before.body["campaign"].get("tenant") != new.tenant:
                raise Conflict(f"the evidence of another tenant's campaign {new.id} is kept: take another id")
            return made

        return await self.storage.write(creating)

    async def replace(self, new: Campaign, *, by: str, now: float) -> Campaign:
        """Another definition; its state stays, and a running one goes on with it at once. Raises Conflict."""
        return await self.storage.write(lambda conn: campaign_rows.replace_(conn, new, by=by, now=now))

    async def delete(self, id: str, *, by: str, now: float) -> None:
        """Remove it with its contacts; commands stay until no law needs them, counters and snapshots for good.
        Raises Conflict while it runs.

        A removal that was broken off (a crash) is gone on with when it is asked for again.
        """
        try:
            if await self.storage.read(lambda conn: _unwitnessed(conn, id)):
                # whoever asks for its evidence later is known by the tenant that a snapshot names
                made = await self.storage.read(lambda conn: snapshot_rows.make(conn, id, now, "demand"), timeout=60.0)
                await self.storage.write(lambda conn: snapshot_rows.keep(conn, made))
            await self.storage.write(lambda conn: campaign_rows.delete(conn, id, by=by, now=now))
        except NotFound:
            if not await self.storage.read(lambda conn: campaign_rows.has_left(conn, id)):
                raise
        # in slices, because there may be a million
        while await self.storage.write(lambda conn: campaign_rows.delete_some(conn, id, SLICE)):
            pass

    async def order(self, id: str, order: str, *, node: str, reason: str, by: str, now: float) -> Campaign:
        """`start`, `pause`, `resume`, `drain` or `stop`. Raises Conflict for one that does not fit."""
        return await self.storage.write(
            lambda conn: campaign_rows.order(conn, id, order, now, reason=reason, node=node, by=by)
        )

    async def progress(self, id: str, now: float) -> Progress:
        """How far it is."""
        return await self.storage.read(lambda conn: dial_store.progress(conn, id, now))

    async def snapshots(self, id: str) -> Sequence[Snapshot]:
        """Those that were kept, newest first; also of a campaign that is deleted."""
        return await self.storage.read(lambda conn: snapshot_rows.every(conn, id))

    async def deleted(self, id: str) -> Campaign | None:
        """A campaign that is gone, as its newest snapshot has it; None: nothing is known of it."""
        kept = await self.storage.read(lambda conn: snapshot_rows.newest(conn, id))
        return None if kept is None else of_snapshot(kept.body["campaign"])

    async def batches(self, id: str) -> Sequence[Batch]:
        """Oldest first."""
        return await self.storage.read(lambda conn: batch_rows.every(conn, id))

    async def batch(self, id: str, batch: str) -> Batch:
        """One of them."""
        return await self.storage.read(lambda conn: batch_rows.get(conn, id, batch))

    async def problems(
        self, id: str, batch: str, limit: int, after: tuple[int, int] = (0, 0)
    ) -> Sequence[tuple[RowProblem, int]]:
        """What is wrong with a batch's rows, behind a place (row, number within the row)."""
        return await self.storage.read(lambda conn: batch_rows.problems(conn, id, batch, limit, after))

    async def begin_batch(self, id: str, batch: str, source: str, *, node: str, by: str, now: float) -> Batch:
        """A new batch. Raises Conflict for one that is there."""
        return await self.storage.write(lambda conn: batch_rows.begin(conn, id, batch, source, node, by, now))

    async def withdraw(self, id: str, batch: str, *, by: str, now: float) -> Batch:
        """Nobody of the batch is called any more, calls in progress end by themselves."""

        def withdrawing(conn: sa.Connection) -> Batch:
            made = batch_rows.withdraw(conn, id, batch, now)
            audit.record(conn, at=now, actor=by, action="withdraw", kind="batch", key=f"{id}/{batch}")
            return made

        made = await self.storage.write(withdrawing)
        after: int | None = 0
        while after is not None:
            after = await self.storage.write(partial(batch_rows.close_some, campaign=id, id=batch, after=after))
        return made

    async def contacts(self, id: str, wanted: ContactFilter, *, limit: int, after: str = "") -> Sequence[Contact]:
        """In the order of import, those behind an id."""
        query = sa.select(*contact_rows.VALUES).where(contacts.c.campaign == id, contacts.c.id > after)
        for name in ("state", "batch", "reason"):
            if value := getattr(wanted, name):
                query = query.where(contacts.c[name] == value)
        if wanted.number:
            having = sa.select(contact_numbers.c.contact).where(
                contact_numbers.c.campaign == id, contact_numbers.c.number == wanted.number
            )
            query = query.where(contacts.c.id.in_(having))
        query = query.order_by(contacts.c.id).limit(limit)
        return await self.storage.read(lambda conn: [contact_rows.contact(row) for row in conn.execute(query)])

    async def contact(self, campaign: str, id: str) -> Told:
        """One contact."""
        return await self.storage.write(lambda conn: _told(conn, campaign, id))

    async def change_contact(
        self, campaign: str, id: str, change: dict[str, Any], *, by: str, now: float
    ) -> Contact:  # fmt: skip
        """Set `priority`, `next_at`, `agent` or `state` (open, held, closed). Raises Conflict while it is called."""
        return await self.storage.write(lambda conn: _change_contact(conn, campaign, id, change, by, now))

    async def commands(self, id: str, wanted: CommandFilter, *, limit: int, after: str = "") -> Sequence[Done]:
        """In the order they were given, those behind an id."""
        query = _commands().where(*command_rows.of_campaign(id), dial_commands.c.id > after)
        for name in ("number", "contact", "agent"):
            if value := getattr(wanted, name):
                query = query.where(dial_commands.c[name] == value)
        if wanted.outcome == "none":
            query = query.where(dial_commands.c.outcome.is_(None))
        elif wanted.outcome:
            query = query.where(dial_commands.c.outcome == wanted.outcome)
        query = query.order_by(dial_commands.c.id).limit(limit)
        return await self.storage.read(lambda conn: [_done(row) for row in conn.execute(query)])

    async def command(self, campaign: str, id: str) -> Done:
        """One command."""
        query = _commands().where(dial_commands.c.campaign == campaign, dial_commands.c.id == id)
        row = await self.storage.read(lambda conn: conn.execute(query).first())
        if row is None:
            raise NotFound(f"campaign {campaign} has no command {id}")
        return _done(row)


def _unwitnessed(conn: sa.Connection, id: str) -> bool:
    """Whether the law has counted calls of a campaign of which there is no snapshot: its node died before its end."""
    counted = conn.execute(sa.select(dial_counts.c.hour).where(dial_counts.c.campaign == id).limit(1)).first()
    return counted is not None and snapshot_rows.newest(conn, id) is None


def _commands() -> sa.Select[Any]:
    return sa.select(*command_rows.COMMAND, dial_commands.c.record)


def _done(row: Sequence[Any]) -> Done:
    return Done(command_rows.command(row), None if row[-1] is None else command_rows.record_of(row[-1]))


def _told(conn: sa.Connection, campaign: str, id: str) -> Told:
    found = contact_rows.find(conn, id)
    if found is None or found[0].campaign != campaign:
        raise NotFound(f"campaign {campaign} has no contact {id}")
    return Told(*found)


def _change_contact(
    conn: sa.Connection, campaign: str, id: str, change: dict[str, Any], by: str, now: float
) -> Contact:  # fmt: skip
    old = _told(conn, campaign, id).contact
    if old.state is ContactState.LEASED:
        raise Conflict(f"contact {id} is being called: change it afterwards")
    if old.reason == batch_rows.STAGED:
        raise Conflict(f"contact {id} belongs to a batch that is not whole yet")
    values = dict(change)
    if change.get("agent") and "next_at" not in change:
        values["next_at"] = max(old.next_at, now)  # he is waited for from now on
    if (state := change.get("state")) is not None:
        if state == ContactState.OPEN and all(number.closed for number in old.numbers):
            raise Conflict(f"contact {id} has no number that may be called")
        values["reason"] = "" if state == ContactState.OPEN else change.get("reason") or "by hand"
    if values:
        conn.execute(sa.update(contacts).where(contacts.c.id == id).values(**values))
        audit.record(
            conn,
            at=now,
            actor=by,
            action="replace",
            kind="contact",
            key=f"{campaign}/{id}",
            before={name: asdict(old)[name] for name in values},
            after=values,
        )
    return _told(conn, campaign, id).contact
