"""Commands as rows: written before the INVITE, booked once (R3-03, R3-04, R3-09)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from b2bua.jsontext import decode, encode
from b2bua.storage import contact_rows, do_not_call_rows
from b2bua.storage.campaign_values import of_row
from b2bua.storage.dial_tables import campaigns, dial_commands, dial_counts
from b2bua.storage.errors import NotFound
from b2bua.storage.hot import Hot
from dialer.campaign import CampaignState
from dialer.command import Command, Record
from dialer.contact import Contact, ContactState
from dialer.counts import NAMES, Counts, counts_of, hour_of
from dialer.outcome import Outcome
from dialer.ports import Limit, Written
from dialer.retry import Step, after, next_step

P = sa.bindparam
COMMAND = (
    dial_commands.c.id, dial_commands.c.campaign, dial_commands.c.tenant, dial_commands.c.contact,
    dial_commands.c.number, dial_commands.c.attempt, dial_commands.c.node, dial_commands.c.at, dial_commands.c.trunk,
)  # fmt: skip
"What a command is made of."

INSERT = Hot(
    lambda insert: (
        insert(dial_commands)
        .values(
            **{
                **{column.name: P(f"{column.name}_") for column in COMMAND},
                "outcome": sa.null(),
                "ended_at": sa.null(),
                "live": P("live_"),
                "agent": "",
                "disposition": "",
                "call": "",
                "record": sa.null(),
            }
        )
        .on_conflict_do_nothing()
    )
)
FIND = Hot(
    sa.select(*COMMAND, dial_commands.c.outcome, dial_commands.c.record)
    .where(dial_commands.c.id == P("id_"))
    .with_for_update()
)
OPEN = Hot(
    sa.select(dial_commands.c.id).where(
        dial_commands.c.outcome.is_(None),
        dial_commands.c.tenant == P("tenant_"),
        dial_commands.c.number == P("number_"),
    )
)
PAST = Hot(
    sa.select(
        dial_commands.c.at,
        dial_commands.c.outcome,
        dial_commands.c.campaign,
        dial_commands.c.live,
        dial_commands.c.ended_at,
        dial_commands.c.record,
    )
    .where(
        dial_commands.c.tenant == P("tenant_"),
        dial_commands.c.number == P("number_"),
        dial_commands.c.at >= P("since_", type_=sa.Double),
    )
    .order_by(dial_commands.c.at)
)
BOOK = Hot(
    sa.update(dial_commands)
    .where(dial_commands.c.id == P("id_"))
    .values(
        outcome=P("outcome_"),
        ended_at=P("ended_at_"),
        live=P("live_"),
        agent=P("agent_"),
        disposition=P("disposition_"),
        call=P("call_"),
        record=P("record_"),
    )
)
UNFINISHED = (
    sa.select(*COMMAND)
    .where(dial_commands.c.outcome.is_(None), dial_commands.c.node == P("node_"))
    .order_by(dial_commands.c.id)
)


def _add(insert: Any) -> Any:
    new = insert(dial_counts).values(
        campaign=P("campaign_"), hour=P("hour_"), **{name: P(f"{name}_") for name in NAMES}
    )
    return new.on_conflict_do_update(
        index_elements=["campaign", "hour"],
        set_={name: dial_counts.c[name] + new.excluded[name] for name in NAMES},
    )


COUNT = Hot(_add)


def of_campaign(id: str) -> tuple[sa.ColumnElement[bool], ...]:
    """Which commands are a campaign's own: those of a deleted one that had its id before are kept for the law alone."""
    created = sa.select(campaigns.c.created_at).where(campaigns.c.id == id).scalar_subquery()
    return dial_commands.c.campaign == id, dial_commands.c.at >= created


class NotWritten(Exception):
    """Rolls the transaction back; `why` is the answer."""

    def __init__(self, why: Written) -> None:
        super().__init__(why)
        self.why = why


def command(row: Sequence[Any]) -> Command:
    """A command from the columns of COMMAND."""
    return Command(*row[:9])


def record_text(record: Record) -> str:
    """A record as JSON, what is not known left out."""
    fields = {name: getattr(record, name) for name in Record.__slots__}
    return encode({name: value for name, value in fields.items() if value not in (None, "", False, {})})


def record_of(text: str) -> Record:
    """The record of a row."""
    made = decode(text)
    return Record(**{**made, "outcome": Outcome(made["outcome"])})


def write(conn: sa.Connection, new: Command, limits: Sequence[Limit]) -> Written:
    """Check, then put it on disk. Raises NotWritten where only the database itself saw the conflict."""
    before = FIND.first(conn, {"id_": new.id})
    if before is not None:
        return Written.OK if before[9] is None else Written.IN_CALL
    running = contact_rows.RUNS.first(conn, {"id_": new.campaign})
    if running is None or running[0] != CampaignState.RUNNING:
        return Written.NOT_RUNNING
    its = contact_rows.IS_ITS_NUMBER.first(conn, {"campaign_": new.campaign, "number_": new.number})
    if its is None or its[0] != new.contact:
        return Written.NOT_ITS_NUMBER
    if do_not_call_rows.listed(conn, of_row(running[1], running[0]), new.number):
        return Written.LISTED
    if OPEN.first(conn, {"tenant_": new.tenant, "number_": new.number}) is not None:
        return Written.IN_CALL
    if limits and _reached(conn, new, limits):
        return Written.LIMIT
    leased = contact_rows.CALLED.rowcount(conn, {"id_": new.contact, "node_": new.node, "command_": new.id})
    if not leased:
        return Written.LEASE_LOST
    row = {f"{column.name}_": getattr(new, column.name) for column in COMMAND}
    if not INSERT.rowcount(conn, {**row, "live_": False}):
        raise NotWritten(Written.IN_CALL)
    return Written.OK


def _reached(conn: sa.Connection, new: Command, limits: Sequence[Limit]) -> bool:
    since = min(limit.since for limit in limits)
    calls = PAST.all(conn, {"tenant_": new.tenant, "number_": new.number, "since_": since})
    for limit in limits:
        made = [
            outcome
            for at, outcome, *_ in calls
            if at >= limit.since
            and (
                (outcome is None or Outcome(outcome).is_attempt)
                if limit.outcome is None
                else outcome == limit.outcome.value
            )
        ]
        if len(made) >= limit.most:
            return True
    return False


def book(conn: sa.Connection, record: Record, now: float) -> Step | None:
    """The record, the contact's next step, the counters and the do-not-call list, or None when it is booked."""
    found = FIND.first(conn, {"id_": record.command})
    if found is None:
        raise NotFound(f"there is no command {record.command}")
    if found[9] is not None:
        return None
    of = command(found)
    _keep(conn, record)
    count(conn, of.campaign, record.ended_at, counts_of(record))
    return _step(conn, of, record, now)


def _keep(conn: sa.Connection, record: Record) -> None:
    BOOK.rowcount(
        conn,
        {
            "id_": record.command,
            "outcome_": record.outcome.value,
            "ended_at_": record.ended_at,
            "live_": record.live,
            "agent_": record.agent,
            "disposition_": record.disposition,
            "call_": record.call,
            "record_": record_text(record),
        },
    )


def _step(conn: sa.Connection, of: Command, record: Record, now: float) -> Step:
    row = contact_rows.RUNS.first(conn, {"id_": of.campaign})
    found = contact_rows.find(conn, of.contact)
    if row is None or found is None:
        if record.opted_out or record.outcome is Outcome.OPTED_OUT:
            _never_again(conn, of, "opted-out", now)
        return Step(None, 0, "deleted")
    contact = found[0]
    step = next_step(of_row(row[1], row[0]), contact, of.number, record)
    moved = after(contact, of.number, record, step)
    if contact.state is not ContactState.LEASED:
        # taken out of the campaign while it was called: that stays, the attempt counts all the same
        moved = replace(moved, state=contact.state, reason=contact.reason, next_at=contact.next_at)
    if step.list_number:
        _never_again(conn, of, step.reason, now)
    contact_rows.save(conn, moved)
    return step


def _never_again(conn: sa.Connection, of: Command, reason: str, now: float) -> None:
    """The number goes onto the tenant's own list."""
    do_not_call_rows.add(conn, of.tenant, do_not_call_rows.OWN, [of.number], reason, now)
    do_not_call_rows.close_contacts(conn, of.tenant, [of.number])


def dispose(
    conn: sa.Connection, id: str, word: str, now: float, agent: str, call_back_at: float | None
) -> Step | None:  # fmt: skip
    """What the agent says later: kept in the record, and the step is made again unless the contact has moved on.

    A number that nobody shall call again is listed in any case: what became of the contact since does not matter.
    """
    found = FIND.first(conn, {"id_": id})
    if found is None or found[10] is None:
        raise NotFound(f"there is no command {id} with a record")
    of, record = command(found), record_of(found[10])
    record = replace(record, disposition=word, agent=agent or record.agent, call_back_at=call_back_at)
    _keep(conn, record)
    row = contact_rows.RUNS.first(conn, {"id_": of.campaign})
    held = contact_rows.find(conn, of.contact)
    campaign = None if row is None else of_row(row[1], row[0])
    said = None if campaign is None else campaign.disposition(word)
    if said is not None and said.then == "do-not-call":
        _never_again(conn, of, word, now)
    if campaign is None or held is None or held[2] != id or record.outcome is not Outcome.ANSWERED:
        return None
    contact = _before(held[0], of.number)
    if contact.state not in (ContactState.OPEN, ContactState.CLOSED):
        return None
    step = next_step(campaign, contact, of.number, record)
    contact_rows.save(conn, after(contact, of.number, record, step))
    return step


def _before(contact: Contact, number: str) -> Contact:
    """The contact as it was before an answered call was counted."""
    outcomes = dict(contact.outcomes)
    outcomes[Outcome.ANSWERED.value] = max(0, outcomes.get(Outcome.ANSWERED.value, 0) - 1)
    numbers = tuple(replace(one, attempts=one.attempts - 1) if one.number == number else one for one in contact.numbers)
    return replace(contact, attempts=max(0, contact.attempts - 1), outcomes=outcomes, numbers=numbers)


def count(conn: sa.Connection, campaign: str, at: float, counts: Counts) -> None:
    """Add to the counters of the hour."""
    added = {f"{name}_": getattr(counts, name) for name in NAMES}
    COUNT.rowcount(conn, {"campaign_": campaign, "hour_": hour_of(at), **added})
