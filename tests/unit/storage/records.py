"""Spool records for tests, and what of them is in the database."""

import json
from typing import Any

import sqlalchemy as sa

from b2bua.storage import Storage
from b2bua.storage.event_rows import EventRow
from b2bua.storage.spool import Spool
from b2bua.storage.tables import events

NODE = "n1"


def append_event(spool: Spool, number: int, text: str = "x") -> None:
    """Append an event as the event log does: a finished row, and its JSON."""
    row: EventRow = (NODE, number, float(number), f"call-{number}", "call.received", json.dumps({"text": text}))
    names = ("node", "number", "time", "call", "type")
    record: dict[str, Any] = dict(zip(names, row, strict=False)) | {"data": {"text": text}}
    spool.append("event", row, json.dumps(record).encode())


async def stored_numbers(storage: Storage) -> list[int]:
    """The numbers of all stored events, in order."""
    query = sa.select(events.c.number).order_by(events.c.number)
    return list(await storage.read(lambda conn: list(conn.execute(query).scalars())))
