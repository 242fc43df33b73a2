"""The tables behind the reports: counts, what the fold keeps in mind, filtered calls, and the cursors of readers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import sqlalchemy as sa

from b2bua.jsontext import decode, encode
from b2bua.storage.dialect import per_dialect
from b2bua.storage.storage import Storage
from b2bua.storage.tables import REPORT_COUNTS, cursors, events, report_calls, report_counts, report_states

FOLD = "reports"
"Name of the fold's own cursor."

KEYS = ("span", "start", "by", "key", "tenant")
SLICE = 1000
"Rows deleted in one transaction, give or take those of one quarter."
SLOW = 30.0
"Seconds that a report over a long time may take."

CellRow = tuple[str, float, str, str, str, Mapping[str, float]]
"span, start, by, key, tenant, counts."


def _added(insert: Callable[[sa.Table], Any]) -> Any:
    statement = insert(report_counts)
    new = statement.excluded

    def sum_of(name: str) -> Any:
        old = report_counts.c[name]
        if name == "wait_longest":
            return sa.case((new[name] > old, new[name]), else_=old)
        return old + new[name]

    return statement.on_conflict_do_update(
        index_elements=["node", *KEYS], set_={name: sum_of(name) for name in REPORT_COUNTS}
    )


def _kept(insert: Callable[[sa.Table], Any]) -> Any:
    statement = insert(report_states)
    return statement.on_conflict_do_update(
        index_elements=["node", "kind", "key"], set_={"body": statement.excluded.body}
    )


def _moved(insert: Callable[[sa.Table], Any]) -> Any:
    statement = insert(cursors)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["name", "node"], set_={"number": new.number, "body": new.body}
    )


_ADD, _KEEP, _MOVE = per_dialect(_added), per_dialect(_kept), per_dialect(_moved)
_SEND = per_dialect(lambda insert: insert(report_calls).on_conflict_do_nothing(index_elements=["node", "number"]))


@dataclass(frozen=True, slots=True)
class Step:
    """What some events have changed, to be stored whole or not at all."""

    serial: int
    "Counts up with each step of a node: one that was stored already is not stored twice."
    after: int
    "The number of the last event in it."
    counts: Sequence[CellRow] = ()
    states: Sequence[tuple[str, str, Any | None]] = ()
    "kind, key, what to keep in mind; None: nothing any more."
    calls: Sequence[tuple[int, float, str, str, Mapping[str, Any]]] = ()
    "number, time, tenant, call, body of the calls for the reporting servers."


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows a report has."""

    by: str
    span: str | None = None
    "None: one row for the whole time."
    since: float | None = None
    until: float | None = None
    key: str | None = None
    tenant: str | None = None
    behind: tuple[float | None, str] | None = None
    "Only rows behind this one (its start and key): the next page."


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a report, of all nodes together."""

    start: float | None
    key: str
    counts: Mapping[str, float] = field(default_factory=dict)


class Reports:
    """All methods may raise StorageUnavailable."""

    def __init__(self, storage: Storage, node: str) -> None:
        self.storage, self.node = storage, node

    # -- the fold

    async def restore(self) -> tuple[int, int, list[tuple[str, str, Any]]]:
        """Serial of the last step and the number of its last event (0: none), and what the fold kept in mind."""
        states = sa.select(report_states.c.kind, report_states.c.key, report_states.c.body).where(
            report_states.c.node == self.node
        )

        def op(conn: sa.Connection) -> tuple[int, int, list[tuple[str, str, Any]]]:
            kept = [(kind, key, decode(body)) for kind, key, body in conn.execute(states)]
            return *self._last(conn), kept

        return await self.storage.read(op, timeout=SLOW)

    async def store(self, step: Step) -> None:
        """Store a step. It may be given again after a failure: what took effect all the same is not done twice."""
        await self.storage.write(lambda conn: self._store(conn, step))

    async def begin_anew(self, since: float) -> None:
        """Forget the counts of this node from that time on (epoch seconds), and all that the fold kept in mind."""

        def op(conn: sa.Connection) -> None:
            mine = report_counts.c.node == self.node
            conn.execute(sa.delete(report_counts).where(mine, report_counts.c.start >= since))
            conn.execute(sa.delete(report_states).where(report_states.c.node == self.node))
            self._move(conn, FOLD, 0, {"serial": self._last(conn)[0]})

        await self.storage.write(op, timeout=SLOW)

    async def oldest_event(self) -> tuple[int, float] | None:
        """Number and time of the oldest event that is stored."""
        query = sa.select(events.c.number, events.c.time).where(events.c.node == self.node)
        query = query.order_by(events.c.number).limit(1)
        row = await self.storage.read(lambda conn: conn.execute(query).first())
        return None if row is None else (row[0], row[1])

    def _store(self, conn: sa.Connection, step: Step) -> None:
        if self._last(conn)[0] >= step.serial:
            return
        dialect = conn.dialect.name
        if step.counts:
            nothing = dict.fromkeys(REPORT_COUNTS, 0.0)
            conn.execute(
                _ADD(dialect),
                [
                    {"node": self.node, **dict(zip(KEYS, cell[:5], strict=True)), **nothing, **cell[5]}
                    for cell in step.counts
                ],
            )
        kept = [(kind, key, body) for kind, key, body in step.states if body is not None]
        if kept:
            rows = [{"node": self.node, "kind": kind, "key": key, "body": encode(body)} for kind, key, body in kept]
            conn.execute(_KEEP(dialect), rows)
        for kind, key, body in step.states:
            if body is None:
                s = report_states.c
                conn.execute(sa.delete(report_states).where(s.node == self.node, s.kind == kind, s.key == key))
        if step.calls:
            names = ("number", "time", "tenant", "call")
            conn.execute(
                _SEND(dialect),
                [
                    {"node": self.node, **dict(zip(names, row[:4], strict=True)), "body": encode(row[4])}
                    for row in step.calls
                ],
            )
        self._move(conn, FOLD, step.after, {"serial": step.serial})

    # -- readers

    async def cursor(self, name: str) -> tuple[int | None, Any]:
        """Where a reader is, and what else it remembers; (None, {}) for one that never was."""
        query = sa.select(cursors.c.number, cursors.c.body).where(cursors.c.name == name, cursors.c.node == self.node)
        row = await self.storage.read(lambda conn: conn.execute(query).first())
        return (None, {}) if row is None else (row[0], decode(row[1]))

    async def move(self, name: str, number: int, body: Any = None) -> None:
        """Write down where a reader is."""
        await self.storage.write(lambda conn: self._move(conn, name, number, body or {}))

    async def forget(self, names: Iterable[str]) -> None:
        """Readers that are no more."""
        gone = list(names)
        await self.storage.write(
            lambda conn: (
                conn.execute(sa.delete(cursors).where(cursors.c.node == self.node, cursors.c.name.in_(gone))).rowcount
            )
        )

    async def readers(self, prefix: str) -> dict[str, int]:
        """Where the readers are whose names begin so."""
        query = sa.select(cursors.c.name, cursors.c.number).where(
            cursors.c.node == self.node, cursors.c.name.startswith(prefix, autoescape=True)
        )
        return await self.storage.read(lambda conn: {row[0]: row[1] for row in conn.execute(query)})

    async def calls_after(self, number: int, limit: int) -> list[tuple[int, float, str, str, dict[str, Any]]]:
        """Filtered calls behind that number, oldest first: number, time, tenant, call, body."""
        c = report_calls.c
        query = sa.select(c.number, c.time, c.tenant, c.call, c.body).where(c.node == self.node, c.number > number)
        query = query.order_by(c.number).limit(limit)

        def op(conn: sa.Connection) -> list[tuple[int, float, str, str, dict[str, Any]]]:
            return [(row[0], row[1], row[2], row[3], decode(row[4])) for row in conn.execute(query)]

        return await self.storage.read(op)

    def _move(self, conn: sa.Connection, name: str, number: int, body: Any) -> None:
        values = {"name": name, "node": self.node, "number": number, "body": encode(body)}
        conn.execute(_MOVE(conn.dialect.name), values)

    def _last(self, conn: sa.Connection) -> tuple[int, int]:
        query = sa.select(cursors.c.number, cursors.c.body).where(cursors.c.name == FOLD, cursors.c.node == self.node)
        row = conn.execute(query).first()
        return (0, 0) if row is None else (decode(row[1])["serial"], row[0])

    # -- reports

    async def rows(self, wanted: Wanted, limit: int) -> list[Row]:
        """Rows of all nodes, oldest first, then by key; `limit` at most."""
        c = report_counts.c
        together = [sa.func.max(c[name]) if name == "wait_longest" else sa.func.sum(c[name]) for name in REPORT_COUNTS]
        start = [] if wanted.span is None else [c.start]
        query = sa.select(*start, c.key, *together).where(c.by == wanted.by)
        query = query.where(c.span == (wanted.span or "quarter"))
        for column, value in ((c.key, wanted.key), (c.tenant, wanted.tenant)):
            if value is not None:
                query = query.where(column == value)
        if wanted.since is not None:
            query = query.where(c.start >= wanted.since)
        if wanted.until is not None:
            query = query.where(c.start < wanted.until)
        if wanted.behind is not None:
            last, key = wanted.behind
            later = c.key > key
            query = query.where(later if last is None else sa.or_(c.start > last, sa.and_(c.start == last, later)))
        query = query.group_by(*start, c.key).order_by(*start, c.key).limit(limit)
        first = len(start)

        def op(conn: sa.Connection) -> list[Row]:
            return [
                Row(row[0] if first else None, row[first], dict(zip(REPORT_COUNTS, row[first + 1 :], strict=True)))
                for row in conn.execute(query)
            ]

        return await self.storage.read(op, timeout=SLOW)

    async def purge(self, quarters: float, calls: float) -> None:
        """Delete quarters of an hour, and filtered calls of this node, older than these times; days stay.

        In slices, oldest first: on SQLite a claim of a token waits for the one writer, and has a quarter of a second.
        """
        for node in await self.storage.read(_nodes):
            while await self.storage.write(partial(_purge_quarters, node=node, before=quarters)):
                pass
        while await self.storage.write(partial(_purge_calls, node=self.node, before=calls)):
            pass


def _nodes(conn: sa.Connection) -> list[str]:
    """Every node that ever counted, those that are no more too: looked up one by one in the key, never all rows."""
    node = report_counts.c.node
    found: list[str] = []
    following = conn.execute(sa.select(sa.func.min(node))).scalar()
    while following is not None:
        found.append(following)
        following = conn.execute(sa.select(sa.func.min(node)).where(node > following)).scalar()
    return found


def _purge_quarters(conn: sa.Connection, node: str, before: float) -> int:
    c = report_counts.c
    old = sa.and_(c.node == node, c.span == "quarter", c.start < before)
    last = conn.execute(sa.select(c.start).where(old).order_by(c.start).limit(SLICE)).scalars().all()[-1:]
    return conn.execute(sa.delete(report_counts).where(old, c.start <= last[0])).rowcount if last else 0


def _purge_calls(conn: sa.Connection, node: str, before: float) -> int:
    c = report_calls.c
    over = 0
    for number, time in conn.execute(sa.select(c.number, c.time).where(c.node == node).order_by(c.number).limit(SLICE)):
        # By number, as the events they are the ends of: there is no other key to find them by.
        if time >= before:
            break
        over = number
    return conn.execute(sa.delete(report_calls).where(c.node == node, c.number <= over)).rowcount
