"""Events that are in the database: for listeners that resume from further back than memory reaches."""

from collections.abc import Collection

import sqlalchemy as sa

from b2bua.storage.errors import StorageUnavailable
from b2bua.storage.event_rows import COLUMNS, EventRow, row_of
from b2bua.storage.spool import Spool
from b2bua.storage.storage import Storage
from b2bua.storage.tables import events

END = "call.ended"
RECENT = 20_000
"Events looked through for calls without an end: a call that was answered before them has a row in `calls`."
SLOW = 10.0
"Seconds that this may take, once, before the server is ready."

SLICE = 1000
"Events deleted in one transaction."


class EventHistory:
    """This node's events, oldest first. All methods may raise StorageUnavailable."""

    def __init__(self, storage: Storage, node: str, spool: Spool | None = None) -> None:
        """`spool`: where events are that the database does not have yet."""
        self.storage, self.node, self.spool = storage, node, spool

    async def after(self, number: int, limit: int) -> list[EventRow]:
        """Up to `limit` events behind `number`, wherever they are. None of them: they are gone, or only in memory."""
        try:
            stored = await self._stored(number, limit)
        except StorageUnavailable:
            if self.spool is None or not (spooled := await self._spooled(number, limit)):
                raise
            return spooled
        if self.spool is None or (stored and stored[0][1] == number + 1):
            return stored
        spooled = await self._spooled(number, limit)
        if not spooled or spooled[0][1] > number + 1:
            # What was in neither a moment ago may have been on its way from one to the other.
            stored = await self._stored(number, limit)
        return min((rows for rows in (stored, spooled) if rows), key=lambda rows: rows[0][1], default=[])

    async def _spooled(self, number: int, limit: int) -> list[EventRow]:
        found = await self.spool.search("event", number, limit) if self.spool is not None else []
        return [row_of(record) for record in found if record["node"] == self.node]

    async def _stored(self, number: int, limit: int) -> list[EventRow]:
        query = (
            sa.select(*(events.c[name] for name in COLUMNS))
            .where(events.c.node == self.node, events.c.number > number)
            .order_by(events.c.number)
            .limit(limit)
        )

        def op(conn: sa.Connection) -> list[EventRow]:
            return [(row[0], row[1], row[2], row[3], row[4], row[5]) for row in conn.execute(query)]

        return await self.storage.read(op)

    async def last(self) -> int:
        """The highest number stored, 0 when there is none."""
        query = sa.select(sa.func.max(events.c.number)).where(events.c.node == self.node)
        return await self.storage.read(lambda conn: conn.execute(query).scalar() or 0)

    async def without_end(self, lost: Collection[str]) -> dict[str, list[EventRow]]:
        """Calls that listeners believe alive, with what they were told of late: the lost ones, and the unanswered."""

        def op(conn: sa.Connection) -> dict[str, list[EventRow]]:
            mine = events.c.node == self.node
            newest = sa.select(sa.func.max(events.c.number)).where(mine).scalar_subquery()
            recent = sa.select(*(events.c[name] for name in COLUMNS)).where(mine, events.c.number > newest - RECENT)
            told: dict[str, list[EventRow]] = {call: [] for call in lost}
            for node, number, time, call, kind, data in conn.execute(recent.order_by(events.c.number)):
                if kind == END:
                    # Of a lost call too: the process may have died between this and the end of its record.
                    told.pop(call, None)
                elif call is not None:
                    told.setdefault(call, []).append((node, number, time, call, kind, data))
            return told

        return await self.storage.read(op, timeout=SLOW)

    async def purge(self, before: float) -> int:
        """Delete events older than that time, oldest first, but never the newest; returns how many."""
        newest = await self.last()
        total = 0
        while deleted := await self.storage.write(lambda conn: self._purge(conn, before, newest)):
            total += deleted
        return total

    def _purge(self, conn: sa.Connection, before: float, newest: int) -> int:
        mine = events.c.node == self.node
        oldest = sa.select(events.c.number, events.c.time).where(mine, events.c.number < newest)
        over = 0
        for number, time in conn.execute(oldest.order_by(events.c.number).limit(SLICE)):
            # By number, not by time: a clock set back must not leave a hole in the middle.
            if time >= before:
                break
            over = number
        return conn.execute(sa.delete(events).where(mine, events.c.number <= over)).rowcount
