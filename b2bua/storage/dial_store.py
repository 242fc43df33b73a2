"""What dialling asks of the database: `dialer.ports.DialStore` on SQLite and PostgreSQL."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from b2bua.storage import batch_rows, campaign_rows, command_rows, contact_rows, do_not_call_rows, snapshot_rows
from b2bua.storage.campaign_values import of_row
from b2bua.storage.dial_tables import batches, contacts, dial_commands, dial_counts
from b2bua.storage.hot import Hot
from b2bua.storage.storage import Storage
from dialer.campaign import Campaign, CampaignState
from dialer.command import Command, Record
from dialer.contact import PRIORITIES, Contact, ContactState
from dialer.counts import NAMES, Counts, HourCounts, hour_of
from dialer.outcome import Outcome
from dialer.ports import Limit, NumberFacts, PastCall, Progress, Snapshot, Written
from dialer.retry import Step, after, next_step

NOBODY = -1.0
"Contacts that anybody may call because their agent has not called them since: none."


class DialStore:
    """Every method is one transaction and may raise StorageUnavailable; each may be repeated."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    async def campaign(self, id: str) -> Campaign:
        """As it is now. Raises NotFound."""
        return await self.storage.read(lambda conn: campaign_rows.get(conn, id))

    async def of_node(self, node: str) -> Sequence[Campaign]:
        """The campaigns this node runs."""
        return await self.storage.read(lambda conn: campaign_rows.of_node(conn, node))

    async def revision(self) -> int:
        """Counted up with every change of a campaign or a do-not-call list."""
        return await self.storage.read(campaign_rows.revision)

    async def take(
        self, campaign: str, n: int, now: float, *, node: str, agents: Sequence[str] = (), lease: float = 300.0
    ) -> Sequence[Contact]:
        """Up to `n` due contacts, leased to this node."""
        return await self.storage.write(lambda conn: _take(conn, campaign, n, now, node, tuple(agents), lease))

    async def take_one(self, contact: str, now: float, *, node: str, lease: float = 300.0) -> Contact | None:
        """This one, due or not."""
        return await self.storage.write(lambda conn: contact_rows.take_one(conn, contact, node, now, now + lease))

    async def write_command(self, command: Command, limits: Sequence[Limit] = ()) -> Written:
        """On disk before its INVITE."""
        given = tuple(limits)
        try:
            return await self.storage.write(lambda conn: command_rows.write(conn, command, given))
        except command_rows.NotWritten as not_written:
            return not_written.why

    async def book(self, record: Record, now: float) -> Step | None:
        """The one final record of a command."""
        return await self.storage.write(lambda conn: command_rows.book(conn, record, now))

    async def withhold(self, contact: str, node: str, cause: str, now: float, *, next_at: float | None) -> Step | None:
        """A check forbade the call before a command was written."""
        return await self.storage.write(lambda conn: _withhold(conn, contact, node, cause, now, next_at))

    async def dispose(
        self, command: str, disposition: str, now: float, *, agent: str, call_back_at: float | None = None
    ) -> Step | None:
        """What the agent says after the record is booked."""
        return await self.storage.write(
            lambda conn: command_rows.dispose(conn, command, disposition, now, agent, call_back_at)
        )

    async def unfinished(self, node: str) -> Sequence[Command]:
        """Commands of this node without a record, oldest first."""
        return await self.storage.read(
            lambda conn: [command_rows.command(row) for row in conn.execute(command_rows.UNFINISHED, {"node_": node})]
        )

    async def give_back(
        self, contacts: Sequence[str], node: str, *, next_at: float | None = None, reason: str = ""
    ) -> None:
        """Leased contacts that are not called after all."""
        rows = [{"id_": one, "node_": node, "next_at_": next_at, "reason_": reason or None} for one in sorted(contacts)]
        await self.storage.write(lambda conn: contact_rows.GIVEN_BACK.many(conn, rows))

    async def give_back_all(self, node: str) -> int:
        """After a crash: all leases without a command."""
        return await self.storage.write(lambda conn: contact_rows.give_back_all(conn, node))

    async def facts(self, campaign: str, numbers: Sequence[str], since: float) -> Mapping[str, NumberFacts]:
        """What is on record about numbers."""
        return await self.storage.read(lambda conn: _facts(conn, campaign, numbers, since))

    async def lists(self, tenant: str) -> Mapping[str, float]:
        """The imported do-not-call lists that the tenant's campaigns may name -> the day their numbers are of."""
        return await self.storage.read(lambda conn: do_not_call_rows.ages(conn, tenant))

    async def counters(self, campaign: str, since: float) -> Sequence[HourCounts]:
        """The law's counters by hour, oldest first."""
        return await self.storage.read(lambda conn: _counters(conn, campaign, since))

    async def count(self, campaign: str, at: float, counts: Counts) -> None:
        """Add to the counters what no record says."""
        await self.storage.write(lambda conn: command_rows.count(conn, campaign, at, counts))

    async def list_number(self, tenant: str, number: str, reason: str, now: float, *, list: str = "own") -> bool:
        """Put a number on a do-not-call list, from now on."""
        return await self.storage.write(lambda conn: _list_number(conn, tenant, number, reason, now, list))

    async def is_done(self, campaign: str) -> bool:
        """Whether every contact has its result, every command its record, and no batch is on its way."""
        return await self.storage.read(lambda conn: _is_done(conn, campaign))

    async def end_if_done(self, campaign: str, now: float, *, node: str) -> bool:
        """Seen and ended in one step."""
        return await self.storage.write(lambda conn: _end_if_done(conn, campaign, now, node))

    async def progress(self, campaign: str, now: float) -> Progress:
        """How far it is. Raises NotFound."""
        return await self.storage.read(lambda conn: progress(conn, campaign, now))

    async def order(
        self, campaign: str, order: str, now: float, *, reason: str = "", node: str = "", by: str = "dialler"
    ) -> Campaign:
        """`start`, `pause`, `resume`, `drain`, `stop` or `end`. Raises NotFound, Conflict."""
        return await self.storage.write(
            lambda conn: campaign_rows.order(conn, campaign, order, now, reason=reason, node=node, by=by)
        )

    async def snapshot(self, campaign: str, now: float, *, kind: str) -> Snapshot:
        """Make one and keep it (R3-13). Raises NotFound."""
        made = await self.storage.read(lambda conn: snapshot_rows.make(conn, campaign, now, kind), timeout=60.0)
        await self.storage.write(lambda conn: snapshot_rows.keep(conn, made))
        return made


_OPEN = (
    contacts.c.campaign == sa.bindparam("campaign_"),
    contacts.c.state == contact_rows.OPEN,
    contacts.c.priority == sa.bindparam("priority_"),
)
DUE = Hot(sa.select(sa.func.count()).where(*_OPEN, contacts.c.next_at <= sa.bindparam("now_", type_=sa.Double)))
FIRST = Hot(sa.select(contacts.c.next_at).where(*_OPEN).order_by(contacts.c.next_at).limit(1))


def _take(
    conn: sa.Connection, id: str, n: int, now: float, node: str, agents: Sequence[str], lease: float
) -> list[Contact]:  # fmt: skip
    row = contact_rows.RUNS.first(conn, {"id_": id})
    if row is None or row[0] != CampaignState.RUNNING:
        return []
    # an agent is waited for from the campaign's start on: before that he could not call
    started, anybody = row[2] or 0.0, now - of_row(row[1], row[0]).callback_patience
    if started > anybody:
        anybody = NOBODY
    taken = contact_rows.take(conn, id, n, now, node, agents, now + lease, anybody)
    return [replace(one, next_at=max(one.next_at, started)) if one.agent else one for one in taken]


def _withhold(
    conn: sa.Connection, id: str, node: str, cause: str, now: float, next_at: float | None
) -> Step | None:  # fmt: skip
    found = contact_rows.find(conn, id)
    if found is None or found[0].state is not ContactState.LEASED or found[1] != node:
        return None
    contact = found[0]
    row = contact_rows.RUNS.first(conn, {"id_": contact.campaign})
    if row is None:
        return None
    detail = {"never": True} if next_at is None else {"next_at": next_at}
    record = Record("", Outcome.WITHHELD, now, cause=cause, detail=detail)
    step = next_step(of_row(row[1], row[0]), contact, contact.number.number, record)
    moved = after(contact, contact.number.number, record, step)
    # a contact may wait so for days: this is counted, but is no part of its own history
    contact_rows.save(conn, replace(moved, outcomes=contact.outcomes))
    command_rows.count(conn, contact.campaign, now, Counts(withheld=1))
    return step


def _facts(conn: sa.Connection, id: str, numbers: Sequence[str], since: float) -> dict[str, NumberFacts]:
    campaign = campaign_rows.get(conn, id)
    asked = {"tenant_": campaign.tenant, "since_": since}
    return {
        number: NumberFacts(
            do_not_call_rows.listed(conn, campaign, number),
            tuple(_past(row) for row in command_rows.PAST.all(conn, {**asked, "number_": number})),
        )
        for number in dict.fromkeys(numbers)
    }


def _past(row: Sequence[Any]) -> PastCall:
    at, outcome, campaign, live, ended_at, text = row
    if not live or not text:
        return PastCall(at, None if outcome is None else Outcome(outcome), campaign, bool(live), ended_at)
    record = command_rows.record_of(text)
    connected = record.connected_at is not None
    return PastCall(at, record.outcome, campaign, True, ended_at, record.agent, connected, record.late)


def _counters(conn: sa.Connection, campaign: str, since: float) -> list[HourCounts]:
    query = (
        sa.select(dial_counts.c.hour, *(dial_counts.c[name] for name in NAMES))
        .where(dial_counts.c.campaign == campaign, dial_counts.c.hour >= hour_of(since))
        .order_by(dial_counts.c.hour)
    )
    return [HourCounts(row[0], Counts(*(int(value) for value in row[1:]))) for row in conn.execute(query)]


def _list_number(conn: sa.Connection, tenant: str, number: str, reason: str, now: float, name: str) -> bool:
    if not do_not_call_rows.add(conn, tenant, name, [number], reason, now):
        return False
    if name == do_not_call_rows.OWN:
        do_not_call_rows.close_contacts(conn, tenant, [number])
    campaign_rows.changed(conn)
    return True


def _is_done(conn: sa.Connection, campaign: str) -> bool:
    alive = sa.select(contacts.c.id).where(
        contacts.c.campaign == campaign,
        contacts.c.state.in_((ContactState.OPEN.value, ContactState.LEASED.value)),
    )
    # of a batch that is loading only those contacts are there, held, that have come so far
    loading = sa.select(batches.c.id).where(batches.c.campaign == campaign, batches.c.state == batch_rows.LOADING)
    return (
        conn.execute(alive.limit(1)).first() is None
        and conn.execute(loading.limit(1)).first() is None
        and _in_call(conn, campaign) == 0
    )


def _end_if_done(conn: sa.Connection, campaign: str, now: float, node: str) -> bool:
    campaign_rows.get(conn, campaign, lock=True)  # batches begin, and agents' words are kept, before this or after
    if not _is_done(conn, campaign):
        return False
    campaign_rows.order(conn, campaign, "end", now, reason="done", node=node, by="dialler")
    return True


def _in_call(conn: sa.Connection, campaign: str) -> int:
    """Commands without a record: few, so all nodes' are looked through by their own index."""
    nodes = sa.select(dial_commands.c.campaign).where(dial_commands.c.outcome.is_(None), dial_commands.c.node >= "")
    return sum(row[0] == campaign for row in conn.execute(nodes))


def progress(conn: sa.Connection, id: str, now: float) -> Progress:
    """How far a campaign is, on one view of the database. Raises NotFound."""
    campaign = campaign_rows.get(conn, id)
    by_state = {
        state: int(count)
        for state, count in conn.execute(
            sa.select(contacts.c.state, sa.func.count()).where(contacts.c.campaign == id).group_by(contacts.c.state)
        )
    }
    # by priority, because that is what the index over the open ones begins with
    due, next_at = 0, None
    for priority in PRIORITIES:
        row = DUE.first(conn, {"campaign_": id, "priority_": priority, "now_": now})
        assert row is not None  # an aggregate has one row
        due += int(row[0])
        first = FIRST.first(conn, {"campaign_": id, "priority_": priority})
        if first is not None and (next_at is None or first[0] < next_at):
            next_at = first[0]
    in_call = _in_call(conn, id)
    total = Counts()
    for hour in _counters(conn, id, 0.0):
        total += hour.counts
    return Progress(
        campaign=id,
        state=campaign.state,
        reason=campaign.reason,
        contacts=sum(by_state.values()),
        open=by_state.get(ContactState.OPEN.value, 0),
        leased=by_state.get(ContactState.LEASED.value, 0),
        held=by_state.get(ContactState.HELD.value, 0),
        closed=by_state.get(ContactState.CLOSED.value, 0),
        due=due,
        in_call=in_call,
        next_at=next_at,
        counts=total,
    )
