"""From spool records to rows: what each kind of record does to the database. Doing it twice changes nothing."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from b2bua.storage import call_rows, event_rows, token_rows
from b2bua.storage.filequeue import Record

STORE: dict[str, Callable[[sa.Connection, Sequence[Any]], None]] = {
    "consume": token_rows.consume_late,
    "release": token_rows.release_late,
    "call": call_rows.store,
    "event": event_rows.store,
}
"In this order within one transaction."


class UnknownKind(ValueError):
    """A record of a kind this program does not know: another version wrote it."""


def store(conn: sa.Connection, records: Iterable[Record]) -> None:
    """Store records of any kinds. Whatever is raised, nothing was stored."""
    by_kind: dict[str, list[Any]] = {}
    for kind, record in records:
        by_kind.setdefault(kind, []).append(record)
    if unknown := by_kind.keys() - STORE.keys():
        raise UnknownKind(f"no place for {sorted(unknown)}")
    for kind, function in STORE.items():
        if kind in by_kind:
            function(conn, by_kind[kind])
