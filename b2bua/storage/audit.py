"""The audit log: who changed what, before and after, without secrets. Rows are only ever added."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from b2bua.jsontext import decode, encode
from b2bua.storage.storage import Storage
from b2bua.storage.tables import audit

SECRET = frozenset({"secret", "password", "hash", "token", "md5", "sha256"})
"Names of fields whose values are never written down."

BLOT = "***"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change."""

    id: int
    at: float
    actor: str
    action: str
    "create | replace | delete | revoke | hangup ..."
    kind: str
    "tenant | access_number | agent | route | api_key | token | call ..."
    key: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def record(
    conn: sa.Connection,
    *,
    at: float,
    actor: str,
    action: str,
    kind: str,
    key: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry in the transaction of the change itself; secrets in before and after are blotted out."""
    conn.execute(sa.insert(audit), {"at": at, "actor": actor, "action": action, **_told(kind, key, before, after)})


class Change(NamedTuple):
    """One of many things that were changed together; without `before` it is new, without `after` it is gone."""

    kind: str
    key: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def action(self) -> str:
        if self.before is None:
            return "create"
        return "delete" if self.after is None else "replace"


def record_all(conn: sa.Connection, changes: Sequence[Change], *, at: float, actor: str) -> None:
    """An entry for each, in the transaction of the change itself."""
    if changes:
        entries = [{"at": at, "actor": actor, "action": one.action, **_told(*one)} for one in changes]
        conn.execute(sa.insert(audit), entries)


def _told(
    kind: str, key: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> dict[str, str | None]:
    return {
        "kind": kind,
        "key": key,
        "before": None if before is None else encode(blotted(before)),
        "after": None if after is None else encode(blotted(after)),
    }


def blotted(value: Any) -> Any:
    """The value without what must stay secret, however deep it is in there."""
    if isinstance(value, Mapping):
        return {name: BLOT if name in SECRET and inner else blotted(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [blotted(inner) for inner in value]
    return value


class Audit:
    """The log. All methods may raise StorageUnavailable."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    async def note(
        self, *, at: float, actor: str, action: str, kind: str, key: str, after: Mapping[str, Any] | None = None
    ) -> None:
        """Add an entry for something that changes no table (a call hung up by hand)."""
        await self.storage.write(
            lambda conn: record(conn, at=at, actor=actor, action=action, kind=kind, key=key, after=after)
        )

    async def page(
        self, *, limit: int = 100, before: int | None = None, kind: str | None = None, key: str | None = None
    ) -> list[AuditEntry]:
        """Newest first, those with an id below `before`."""
        query = sa.select(audit).order_by(audit.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(audit.c.id < before)
        if kind is not None:
            query = query.where(audit.c.kind == kind)
        if key is not None:
            query = query.where(audit.c.key == key)
        return await self.storage.read(lambda conn: [_entry(dict(row)) for row in conn.execute(query).mappings()])


def _entry(row: Mapping[str, Any]) -> AuditEntry:
    return AuditEntry(**{**row, "before": decode(row["before"]), "after": decode(row["after"])})
