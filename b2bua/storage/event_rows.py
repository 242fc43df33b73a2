"""The statements behind events: storing what comes from the spool."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from b2bua.jsontext import encode
from b2bua.storage import agent_states
from b2bua.storage.hot import Hot
from b2bua.storage.tables import events

EventRow = tuple[str, int, float, str | None, str, str]
"node, number, time, call, type, data as JSON: what the events package hands to the spool, and what it gets back."

COLUMNS = ("node", "number", "time", "call", "type", "data")


def _insert(insert: Callable[[sa.Table], Any]) -> Any:
    return insert(events).on_conflict_do_nothing(index_elements=["node", "number"])


_INSERT = Hot(_insert)


def store(conn: sa.Connection, records: Sequence[EventRow | Mapping[str, Any]]) -> None:
    """Store events from the spool: rows as they were appended, or records read back from its files."""
    rows = [record if isinstance(record, tuple) else row_of(record) for record in records]
    _INSERT.rows(conn, rows)
    agent_states.store(conn, rows)


def row_of(record: Mapping[str, Any]) -> EventRow:
    node, number, time, call, type_ = (record[name] for name in COLUMNS[:5])
    return node, number, time, call, type_, encode(record["data"])
