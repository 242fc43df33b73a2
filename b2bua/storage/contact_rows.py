"""Contacts as rows: how they lie in their table, are taken by a node, and given back."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from b2bua.jsontext import decode, encode
from b2bua.storage.dial_tables import campaigns, contact_numbers, contacts
from b2bua.storage.hot import Hot
from dialer.batch import Prepared
from dialer.campaign import CampaignState
from dialer.contact import PRIORITIES, Consent, Contact, ContactState, PhoneNumber
from dialer.numbers import is_e164

P = sa.bindparam
OPEN: sa.ColumnElement[str] = sa.literal_column("'open'")
LEASED: sa.ColumnElement[str] = sa.literal_column("'leased'")
"Written out in the statement: else no database would use its indexes over a part of the table."

VALUES = (
    contacts.c.id, contacts.c.campaign, contacts.c.tenant, contacts.c.batch, contacts.c.row, contacts.c.numbers,
    contacts.c.at_number, contacts.c.priority, contacts.c.fields, contacts.c.zone, contacts.c.place,
    contacts.c.consent, contacts.c.attempts, contacts.c.outcomes, contacts.c.next_at, contacts.c.agent,
    contacts.c.state, contacts.c.reason,
)  # fmt: skip
"The columns a contact is made of, in this order."

FIND = Hot(sa.select(*VALUES, contacts.c.node, contacts.c.command).where(contacts.c.id == P("id_")).with_for_update())

BOOKED = Hot(
    sa.update(contacts)
    .where(contacts.c.id == P("id_"))
    .values(
        numbers=P("numbers_"),
        at_number=P("at_number_"),
        attempts=P("attempts_"),
        outcomes=P("outcomes_"),
        next_at=P("next_at_"),
        agent=P("agent_"),
        state=P("state_"),
        reason=P("reason_"),
        node="",
        lease_until=None,
    )
)

CALLED = Hot(
    sa.update(contacts)
    .where(
        contacts.c.id == P("id_"),
        contacts.c.state == LEASED,
        contacts.c.node == P("node_"),
    )
    .values(lease_until=None, command=P("command_"))
)
"A command is on disk: the lease lasts until its record."

GIVEN_BACK = Hot(
    sa.update(contacts)
    .where(
        contacts.c.id == P("id_"),
        contacts.c.state == LEASED,
        contacts.c.node == P("node_"),
        contacts.c.lease_until.is_not(None),
    )
    .values(
        state=ContactState.OPEN.value,
        node="",
        lease_until=None,
        next_at=sa.func.coalesce(P("next_at_", type_=sa.Double), contacts.c.next_at),
        reason=sa.func.coalesce(P("reason_", type_=sa.Text), contacts.c.reason),
    )
)

OVER = Hot(
    sa.update(contacts)
    .where(
        contacts.c.campaign == P("campaign_"),
        contacts.c.state == LEASED,
        contacts.c.lease_until < P("now_", type_=sa.Double),
    )
    .values(state=ContactState.OPEN.value, node="", lease_until=None)
)
"Leases that ended without a command."

RUNS = Hot(
    sa.select(campaigns.c.state, campaigns.c.body, campaigns.c.started_at)
    .where(campaigns.c.id == P("id_"))
    .with_for_update(read=True)
)

IS_ITS_NUMBER = Hot(
    sa.select(contact_numbers.c.contact).where(
        contact_numbers.c.campaign == P("campaign_"), contact_numbers.c.number == P("number_")
    )
)


def contact(row: Sequence[Any]) -> Contact:
    """A contact from the columns of VALUES; more columns behind them are not looked at."""
    numbers, consent = decode(row[5]), decode(row[11])
    return Contact(
        id=row[0],
        campaign=row[1],
        tenant=row[2],
        batch=row[3],
        row=row[4],
        numbers=tuple(PhoneNumber(*one) for one in numbers),
        at_number=row[6],
        priority=row[7],
        fields=decode(row[8]),
        zone=row[9],
        place=row[10],
        consent=None if consent is None else Consent(*consent),
        attempts=row[12],
        outcomes=decode(row[13]),
        next_at=float(row[14]),
        agent=row[15],
        state=ContactState(row[16]),
        reason=row[17],
    )


def numbers_text(numbers: Sequence[PhoneNumber]) -> str:
    """The numbers as their column has them."""
    if len(numbers) == 1:
        one = numbers[0]
        if not (one.kind or one.zone or one.attempts or one.closed) and one.last_at is None and is_e164(one.number):
            return f'[["{one.number}","","",0,null,""]]'  # nearly all of an import; the same as below, and quicker
    return encode([[one.number, one.kind, one.zone, one.attempts, one.last_at, one.closed] for one in numbers])


def staged(
    one: Prepared, id: str, campaign: str, tenant: str, batch: str, numbers: Sequence[PhoneNumber], reason: str,
    now: float,
) -> tuple[Any, ...]:  # fmt: skip
    """A new contact, held for `reason`, as a row in the order of the table's columns.

    Who has an agent but no time waits for him from `now` on: else patience would be over before it began.
    """
    consent = one.consent
    return (
        id,
        campaign,
        tenant,
        batch,
        one.row,
        numbers_text(numbers),
        0,
        one.priority,
        encode(one.fields),
        one.zone,
        one.place,
        None if consent is None else encode([consent.at, consent.source, consent.proof, consent.until]),
        0,
        "{}",
        one.next_at or (now if one.agent else 0.0),
        one.agent,
        ContactState.HELD.value,
        reason,
        "",
        None,
        None,
    )


def save(conn: sa.Connection, one: Contact) -> None:
    """Write what a call has changed, and end the lease."""
    BOOKED.rowcount(
        conn,
        {
            "id_": one.id,
            "numbers_": numbers_text(one.numbers),
            "at_number_": one.at_number,
            "attempts_": one.attempts,
            "outcomes_": encode(one.outcomes),
            "next_at_": one.next_at,
            "agent_": one.agent,
            "state_": one.state.value,
            "reason_": one.reason,
        },
    )


def find(conn: sa.Connection, id: str) -> tuple[Contact, str, str | None] | None:
    """A contact, locked until the transaction ends, with the node that has it and its newest command."""
    row = FIND.first(conn, {"id_": id})
    return None if row is None else (contact(row), row[-2], row[-1])


def _due(agents: Sequence[str]) -> sa.UpdateBase:
    """The statement that takes contacts of one priority."""
    whose = sa.or_(
        contacts.c.agent == "", contacts.c.agent.in_(agents), contacts.c.next_at <= P("patience_", type_=sa.Double)
    )
    chosen = (
        sa.select(contacts.c.id)
        .where(
            contacts.c.campaign == P("campaign_"),
            contacts.c.state == OPEN,
            contacts.c.priority == P("priority_"),
            contacts.c.next_at <= P("now_", type_=sa.Double),
            whose,
        )
        .order_by(contacts.c.next_at, contacts.c.id)
        .limit(P("n_"))
        .with_for_update(skip_locked=True)
    )
    return (
        sa.update(contacts)
        .where(contacts.c.id.in_(chosen))
        .values(state=ContactState.LEASED.value, node=P("node_"), lease_until=P("until_"))
        .returning(*VALUES)
    )


def take(
    conn: sa.Connection, campaign: str, n: int, now: float, node: str, agents: Sequence[str], until: float,
    anybody: float,
) -> list[Contact]:  # fmt: skip
    """Lease up to `n` due contacts, those of a higher priority first.

    `anybody`: who has waited for his agent since then is called by anybody.
    """
    OVER.rowcount(conn, {"campaign_": campaign, "now_": now})
    statement = _due(agents)
    found: list[Contact] = []
    for priority in reversed(PRIORITIES):
        if n <= len(found):
            break
        given = {
            "campaign_": campaign,
            "priority_": priority,
            "now_": now,
            "patience_": anybody,
            "n_": n - len(found),
            "node_": node,
            "until_": until,
        }
        taken = [contact(row) for row in conn.execute(statement, given)]
        found += sorted(taken, key=lambda one: (one.next_at, one.id))
    return found


def take_one(conn: sa.Connection, id: str, node: str, now: float, until: float) -> Contact | None:
    """Lease this one, due or not, unless it is closed, held or somebody's."""
    free = sa.or_(
        contacts.c.state == OPEN,
        sa.and_(contacts.c.state == LEASED, contacts.c.lease_until < now),
    )
    running = sa.select(campaigns.c.id).where(campaigns.c.state == CampaignState.RUNNING.value)
    taken = conn.execute(
        sa.update(contacts)
        .where(contacts.c.id == id, free, contacts.c.campaign.in_(running))
        .values(state=ContactState.LEASED.value, node=node, lease_until=until)
        .returning(*VALUES)
    ).first()
    return None if taken is None else contact(taken)


def give_back_all(conn: sa.Connection, node: str) -> int:
    """All leases of a node that have no command under way."""
    return conn.execute(
        sa.update(contacts)
        .where(
            contacts.c.state == LEASED,
            contacts.c.node == node,
            contacts.c.lease_until.is_not(None),
        )
        .values(state=ContactState.OPEN.value, node="", lease_until=None)
    ).rowcount
