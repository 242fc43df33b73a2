"""The statements behind CDRs: storing what comes from the spool, listing, deleting."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from b2bua.jsontext import decode, encode
from b2bua.storage.hot import Hot
from b2bua.storage.tables import call_parts, calls

if TYPE_CHECKING:
    from b2bua.storage.calls import CallFilter

Row = Mapping[str, Any]


def _upsert(table: sa.Table) -> Hot:
    """Insert, or put in place of what is there; but a record of a call's end never gives way to one of its middle."""

    def build(insert: Callable[[sa.Table], Any]) -> Any:
        new = insert(table)
        keys = [column.name for column in table.primary_key.columns]
        return new.on_conflict_do_update(
            index_elements=keys,
            set_={column.name: new.excluded[column.name] for column in table.columns if column.name not in keys},
            where=sa.or_(table.c.ended_at.is_(None), new.excluded.ended_at.is_not(None)),
        )

    return Hot(build)


_CALL = _upsert(calls)
_PART = _upsert(call_parts)


def store(conn: sa.Connection, records: Sequence[Row]) -> None:
    """Store records as `CallRecord.as_record()` makes them; the last one of each call counts."""
    newest: dict[str, Row] = {}
    for record in records:
        known = newest.get(record["id"])
        if known is None or known.get("ended_at") is None or record.get("ended_at") is not None:
            newest[record["id"]] = record
    _CALL.many(conn, (_with_text(record) for record in newest.values()))
    _PART.many(
        conn,
        (_with_text(part) | {"call": record["id"]} for record in newest.values() for part in record.get("parts", ())),
    )


def _with_text(record: Row) -> dict[str, Any]:
    return {**record, "detail": encode(record.get("detail") or {})}


def find(conn: sa.Connection, call_id: str) -> tuple[Row | None, list[Row]]:
    """A call's row and those of its parts."""
    found = run(conn, sa.select(calls).where(calls.c.id == call_id))
    parts = run(conn, sa.select(call_parts).where(call_parts.c.call == call_id).order_by(call_parts.c.n))
    return (found[0] if found else None), parts


def run(conn: sa.Connection, query: sa.Select[Any]) -> list[Row]:
    """The rows of a query, their details decoded."""
    return [{**row, "detail": decode(row["detail"])} for row in conn.execute(query).mappings()]


def listing(wanted: "CallFilter", limit: int, behind: tuple[float, str] | None) -> sa.Select[Any]:
    """Calls, newest first, older than the position `behind` (start, id)."""
    query = sa.select(calls).order_by(calls.c.started_at.desc(), calls.c.id.desc()).limit(limit)
    if behind is not None:
        started, call_id = behind
        query = query.where(sa.tuple_(calls.c.started_at, calls.c.id) < sa.tuple_(sa.literal(started), call_id))
    if wanted.since is not None:
        query = query.where(calls.c.started_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(calls.c.started_at < wanted.until)
    if wanted.caller is not None:
        query = query.where(sa.or_(calls.c.effective_caller == wanted.caller, calls.c.billing_number == wanted.caller))
    if wanted.answered is not None:
        query = query.where(calls.c.answered_at.is_not(None) if wanted.answered else calls.c.answered_at.is_(None))
    for name in ("tenant", "extension", "called", "cause", "correlation", "trunk"):
        if (value := getattr(wanted, name)) is not None:
            query = query.where(calls.c[name] == value)
    return query


def purge(conn: sa.Connection, before: float, limit: int) -> int:
    """Delete up to `limit` ended calls that started before that time, and their parts."""
    query = sa.select(calls.c.id).where(calls.c.started_at < before, calls.c.ended_at.is_not(None)).limit(limit)
    over = list(conn.execute(query).scalars())
    conn.execute(sa.delete(call_parts).where(call_parts.c.call.in_(over)))
    return conn.execute(sa.delete(calls).where(calls.c.id.in_(over))).rowcount


def end_open(conn: sa.Connection, node: str, alive_until: float) -> list[Row]:
    """Close this node's open calls as lost at the time the node was last alive; returns them as they are now."""
    ended = sa.case((calls.c.started_at > alive_until, calls.c.started_at), else_=sa.literal(alive_until, sa.Double))
    ended = sa.case((calls.c.answered_at > ended, calls.c.answered_at), else_=ended)
    closed = conn.execute(
        sa.update(calls)
        .where(calls.c.node == node, calls.c.ended_at.is_(None))
        .values(
            ended_at=ended,
            duration=ended - calls.c.started_at,
            talk=ended - calls.c.answered_at,
            cause="lost",
            ended_by="crash",
        )
        .returning(calls)
    )
    rows: list[Row] = [{**row, "detail": decode(row["detail"])} for row in closed.mappings()]
    ids = [row["id"] for row in rows]
    for at in range(0, len(ids), 500):
        over = ids[at : at + 500]
        conn.execute(
            sa.update(call_parts)
            .where(call_parts.c.call.in_(over), call_parts.c.ended_at.is_(None))
            .values(
                ended_at=sa.select(calls.c.ended_at).where(calls.c.id == call_parts.c.call).scalar_subquery(),
                cause="lost",
            )
        )
    return rows
