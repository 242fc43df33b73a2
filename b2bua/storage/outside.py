"""What was talked outside, as the call records have it: from it the policies' counts are made again after a restart."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from b2bua.jsontext import decode
from b2bua.storage.storage import Storage
from b2bua.storage.tables import calls

DETAIL = "outside"
"Key in a call's detail: a list, one entry for each leg that was answered outside."
LONGEST_CALL = 86400.0
"Seconds before the time asked for in which a call may have begun that went on after it."


@dataclass(frozen=True, slots=True)
class Talk:
    """One leg that was answered outside. Times are epoch seconds."""

    number: str
    trunk: str
    tenant: str | None
    agent: str
    origin: str
    began: float
    ended: float


class OutsideTalks:
    """Reads them."""

    def __init__(self, storage: Storage, node: str) -> None:
        self._storage, self._node = storage, node

    async def since(self, time: float) -> list[Talk]:
        """All that ended after that time, or that a crash cut off. Raises StorageUnavailable."""
        query = sa.select(calls.c.tenant, calls.c.detail, calls.c.ended_at).where(
            calls.c.node == self._node,
            calls.c.started_at >= time - LONGEST_CALL,
            calls.c.ended_at >= time,
            calls.c.detail.contains(f'"{DETAIL}"', autoescape=True),
        )
        rows = await self._storage.read(lambda conn: conn.execute(query).all())
        return [
            talk
            for tenant, detail, ended in rows
            for entry in decode(detail).get(DETAIL, ())
            if (talk := _talk(tenant, entry, ended)) is not None
        ]


def _talk(tenant: str | None, entry: Any, ended: float) -> Talk | None:
    """None for an entry that is none of ours."""
    try:
        return Talk(
            str(entry["number"]),
            str(entry["trunk"]),
            tenant,
            str(entry.get("agent") or ""),
            str(entry["origin"]),
            float(entry["answered_at"]),
            float(entry.get("ended_at") or ended),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
