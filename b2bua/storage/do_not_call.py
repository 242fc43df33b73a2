"""Do-not-call lists as they are administered: a tenant's own, and imported ones."""

from collections.abc import Sequence
from functools import partial

import sqlalchemy as sa

from b2bua.storage import audit, batch_rows, campaign_rows
from b2bua.storage import do_not_call_rows as rows
from b2bua.storage.batch_rows import Batch
from b2bua.storage.do_not_call_rows import OWN, ListInfo
from b2bua.storage.errors import NotFound
from b2bua.storage.storage import Storage

SLICE = 500
"Numbers in one transaction."


class DoNotCall:
    """All lists. A change is in force for the next call; all methods may raise StorageUnavailable."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    async def add(self, tenant: str, name: str, numbers: Sequence[str], *, reason: str, by: str, now: float) -> int:
        """Put numbers (E.164) on a list; returns how many were not on it."""
        added = 0
        for at in range(0, len(numbers), SLICE):
            part = numbers[at : at + SLICE]
            adding = partial(_add, tenant=tenant, name=name, numbers=part, reason=reason, by=by, now=now)
            added += await self.storage.write(adding)
        return added

    async def remove(self, tenant: str, name: str, numbers: Sequence[str], *, by: str, now: float) -> int:
        """Take numbers off a list; returns how many were on it."""
        return await self.storage.write(lambda conn: _remove(conn, tenant, name, numbers, by, now))

    async def page(
        self, tenant: str, name: str, *, limit: int, after: str = ""
    ) -> Sequence[tuple[str, str, float]]:  # fmt: skip
        """Number, reason and time of entries behind a number."""
        return await self.storage.read(lambda conn: rows.page(conn, tenant, name, limit, after))

    async def import_of(self, tenant: str, name: str) -> Batch:
        """The newest import of a list. Raises NotFound."""
        try:
            return await self.storage.read(lambda conn: batch_rows.get(conn, rows.LIST_BATCH + tenant, name))
        except NotFound:
            raise NotFound(f"list {name} was never imported") from None

    async def lists(self, tenant: str | None) -> Sequence[ListInfo]:
        """Imported lists: those a tenant's campaigns may name; None: all."""
        return await self.storage.read(lambda conn: rows.infos(conn, tenant))


def _add(
    conn: sa.Connection, tenant: str, name: str, numbers: Sequence[str], reason: str, by: str, now: float
) -> int:  # fmt: skip
    new = rows.add(conn, tenant, name, numbers, reason, now)
    if name == OWN and new:
        rows.close_contacts(conn, tenant, new)
    if new:
        campaign_rows.changed(conn)
        _audit(conn, "create", tenant, name, new, by, now)
    return len(new)


def _remove(conn: sa.Connection, tenant: str, name: str, numbers: Sequence[str], by: str, now: float) -> int:
    gone = rows.remove(conn, tenant, name, numbers)
    if gone:
        campaign_rows.changed(conn)
        _audit(conn, "delete", tenant, name, numbers, by, now)
    return gone


def _audit(
    conn: sa.Connection, action: str, tenant: str, name: str, numbers: Sequence[str], by: str, now: float
) -> None:  # fmt: skip
    after = {"numbers": list(numbers)}
    audit.record(conn, at=now, actor=by, action=action, kind="do_not_call", key=f"{tenant}/{name}", after=after)
