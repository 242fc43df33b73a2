"""Where agents' phones have registered with a node: written in batches behind the answers, read once at a start."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from b2bua.storage.hot import Hot
from b2bua.storage.tables import registrations

if TYPE_CHECKING:
    from b2bua.storage.storage import Storage


@dataclass(frozen=True, slots=True)
class Registered:
    """One contact of an extension; `body` is its owner's, as JSON can hold it."""

    extension: str
    uri: str
    expires_at: float
    "Epoch seconds."
    body: Mapping[str, Any]


def _insert(insert: Callable[[sa.Table], Any]) -> Any:
    return insert(registrations)


_INSERT = Hot(_insert)
_DELETE = Hot(
    sa.delete(registrations).where(
        registrations.c.node == sa.bindparam("node"), registrations.c.extension == sa.bindparam("extension")
    )
)


async def keep(storage: "Storage", node: str, found: Mapping[str, Sequence[Registered]]) -> None:
    """Put what each of these extensions has in place of what was kept. Raises StorageUnavailable."""

    def op(conn: sa.Connection) -> None:
        _DELETE.many(conn, [{"node": node, "extension": extension} for extension in found])
        rows = [
            {
                "node": node,
                "extension": one.extension,
                "uri": one.uri,
                "expires_at": one.expires_at,
                "body": json.dumps(dict(one.body)),
            }
            for theirs in found.values()
            for one in theirs
        ]
        if rows:
            _INSERT.many(conn, rows)

    await storage.write(op)


async def kept(storage: "Storage", node: str, now: float) -> list[Registered]:
    """What has not expired yet. Raises StorageUnavailable."""
    columns = registrations.c
    query = sa.select(columns.extension, columns.uri, columns.expires_at, columns.body).where(
        columns.node == node, columns.expires_at > now
    )

    def op(conn: sa.Connection) -> list[Registered]:
        return [Registered(extension, uri, at, json.loads(body)) for extension, uri, at, body in conn.execute(query)]

    return await storage.read(op)
