"""Snapshots of a campaign: complete figures of one moment, kept for good (R3-13)."""

from typing import Any

import sqlalchemy as sa

from b2bua.jsontext import decode, encode
from b2bua.storage import campaign_rows, command_rows
from b2bua.storage.campaign_values import shown
from b2bua.storage.dial_tables import batches, campaigns, contacts, dial_commands, dial_counts, dial_snapshots
from dialer.counts import NAMES
from dialer.ports import Snapshot


def make(conn: sa.Connection, id: str, now: float, kind: str) -> Snapshot:
    """Everything about a campaign, from one view of the database. Raises NotFound."""
    campaign = campaign_rows.get(conn, id)
    times = conn.execute(
        sa.select(campaigns.c.created_at, campaigns.c.started_at, campaigns.c.ended_at).where(campaigns.c.id == id)
    ).one()
    mine, of_contacts = sa.and_(*command_rows.of_campaign(id)), contacts.c.campaign == id
    records = dial_commands.c.outcome.is_not(None)
    unfinished = [
        dict(row._mapping)
        for row in conn.execute(
            sa.select(dial_commands.c.id, dial_commands.c.contact, dial_commands.c.number, dial_commands.c.node)
            .where(mine, dial_commands.c.outcome.is_(None))
            .order_by(dial_commands.c.id)
        )
    ]
    talked = sa.and_(mine, dial_commands.c.agent != "")
    body: dict[str, Any] = {
        "campaign": shown(campaign),
        "created_at": times[0],
        "started_at": times[1],
        "ended_at": times[2],
        "contacts": _tally(conn, contacts.c.state, of_contacts),
        "reasons": _tally(conn, contacts.c.reason, of_contacts),
        "attempts_per_contact": _tally(conn, contacts.c.attempts, of_contacts),
        "commands": _one(conn, sa.select(sa.func.count()).where(mine)),
        "outcomes": _tally(conn, dial_commands.c.outcome, sa.and_(mine, records)),
        "dispositions": _tally(
            conn, dial_commands.c.disposition, sa.and_(mine, records, dial_commands.c.disposition != "")
        ),
        "agents": _tally(conn, dial_commands.c.agent, talked),
        "trunks": _tally(conn, dial_commands.c.trunk, mine),
        "unfinished": unfinished,
        "batches": [
            dict(row._mapping)
            for row in conn.execute(sa.select(batches).where(batches.c.campaign == id).order_by(batches.c.id))
        ],
        "law": [
            {name: value for name, value in row._mapping.items() if value and name != "campaign"}
            for row in conn.execute(
                sa.select(dial_counts.c.hour, *(dial_counts.c[name] for name in NAMES))
                .where(dial_counts.c.campaign == id)
                .order_by(dial_counts.c.hour)
            )
        ],
    }
    return Snapshot(id, now, kind, body)


def _tally(conn: sa.Connection, column: sa.ColumnElement[Any], where: sa.ColumnElement[bool]) -> dict[str, int]:
    query = sa.select(column, sa.func.count()).where(where).group_by(column).order_by(column)
    return {str(value): int(count) for value, count in conn.execute(query)}


def _one(conn: sa.Connection, query: sa.Select[int]) -> int:
    return int(conn.execute(query).scalar_one())


def keep(conn: sa.Connection, made: Snapshot) -> None:
    """Write it down; a second one of the same moment takes the first one's place."""
    this = (dial_snapshots.c.campaign == made.campaign, dial_snapshots.c.at == made.at)
    conn.execute(sa.delete(dial_snapshots).where(*this))
    conn.execute(
        sa.insert(dial_snapshots),
        {"campaign": made.campaign, "at": made.at, "kind": made.kind, "body": encode(made.body)},
    )


def newest(conn: sa.Connection, campaign: str) -> Snapshot | None:
    """The last one that was kept."""
    query = sa.select(dial_snapshots).where(dial_snapshots.c.campaign == campaign)
    row = conn.execute(query.order_by(dial_snapshots.c.at.desc()).limit(1)).first()
    return None if row is None else Snapshot(row.campaign, row.at, row.kind, decode(row.body))


def every(conn: sa.Connection, campaign: str) -> list[Snapshot]:
    """All that were kept, newest first."""
    query = sa.select(dial_snapshots).where(dial_snapshots.c.campaign == campaign).order_by(dial_snapshots.c.at.desc())
    return [Snapshot(of, at, kind, decode(body)) for of, at, kind, body in conn.execute(query)]
