"""After a crash: every command that has no record gets one, nobody is called twice, no contact is lost (R3-13).

The event log tells what the crash left: `dial.result` carries the whole record and is on disk before the database has
it; `dial.started` is on disk before the INVITE, so a command without it has rung nobody.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from b2bua.dialling.flight import read_back
from b2bua.log import logger
from b2bua.storage.storage import Storage
from b2bua.storage.tables import events
from dialer.command import Command, Record
from dialer.outcome import Outcome
from dialer.ports import DialStore

log = logger("dialler")

RESULT, STARTED = "dial.result", "dial.started"
MARGIN = 60.0
"Seconds that the clock may have been set while the node ran."
PATIENCE = 30.0
"Seconds the search may take, once, before anything is dialled."

Left = Mapping[str, Mapping[str, Any]]
"By command: the data of its result, or of its beginning where there is no result."


async def recover(store: DialStore, storage: Storage, node: str, now: float) -> int:
    """Book what has no record and give back what was not called; returns how many were booked.

    To be called when the spool is empty, so that all events are in the database.  Raises StorageUnavailable.
    """
    unfinished = await store.unfinished(node)
    if unfinished:
        left = await left_behind(storage, node, min(command.at for command in unfinished) - MARGIN)
        for command in unfinished:
            record = record_of(command, left.get(command.id), now)
            await store.book(record, now)
            log.info("a command of the last life is booked", command=command.id, outcome=str(record.outcome))
    returned = await store.give_back_all(node)
    if unfinished or returned:
        log.warning("campaigns go on after a crash", booked=len(unfinished), given_back=returned)
    return len(unfinished)


def record_of(command: Command, data: Mapping[str, Any] | None, now: float) -> Record:
    """What is known of a command whose node has died."""
    if data is None:
        return Record(command.id, Outcome.TRUNK_FAULT, now, cause="not-sent")
    if "outcome" in data:
        try:
            return read_back(data)
        except (LookupError, TypeError, ValueError) as error:
            log.error("a result in the event log cannot be read", command=command.id, error=str(error))
    return Record(command.id, Outcome.UNKNOWN, now, cause="node-died", trunk=command.trunk)


async def left_behind(storage: Storage, node: str, since: float) -> Left:
    """The last word of the event log on each command since a time (epoch seconds)."""
    query = (
        sa.select(events.c.type, events.c.data)
        .where(events.c.node == node, events.c.time >= since, events.c.type.in_((STARTED, RESULT)))
        .order_by(events.c.number)
    )

    def op(conn: sa.Connection) -> Sequence[tuple[str, str]]:
        return [(row[0], row[1]) for row in conn.execute(query)]

    found: dict[str, Mapping[str, Any]] = {}
    for kind, text in await storage.read(op, timeout=PATIENCE):
        data = json.loads(text)
        if kind == RESULT or data["command"] not in found:
            found[data["command"]] = data
    return found
