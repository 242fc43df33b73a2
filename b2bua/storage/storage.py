"""The one door to the database: `write` and `read` run an operation, whatever the database is."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa

from b2bua.storage.errors import SchemaOutdated, StorageUnavailable
from b2bua.storage.postgres import PostgresBackend
from b2bua.storage.sqlite import SqliteBackend
from b2bua.storage.upgrade import HEAD, revision, upgrade

T = TypeVar("T")


class Backend(Protocol):
    """What a database must offer; every error that comes out of it is a StorageError or the operation's own."""

    kind: str

    def write(self, op: Callable[[sa.Connection], Any], timeout: float) -> Awaitable[Any]: ...

    def read(self, op: Callable[[sa.Connection], Any], timeout: float) -> Awaitable[Any]: ...

    async def sync(self) -> None: ...

    async def close(self) -> None: ...


Observe = Callable[[str, str, float], None]
"`read` or `write`; `ok`, `refused` (by the operation itself) or `unavailable`; seconds from request to result."


class Storage:
    """An open database. Every method belongs to the event loop that opened it."""

    def __init__(self, backend: Backend, timeout: float) -> None:
        self.backend, self.timeout = backend, timeout
        self.kind = backend.kind
        "`sqlite` or `postgresql`."
        self.observe: Observe | None = None
        "Told how each operation went."

    @classmethod
    async def open(cls, url: str, *, timeout: float = 5.0, pool: int = 5, upgrade: bool | None = None) -> "Storage":
        """Connect to `sqlite:///path` or `postgresql://user@host/name`.

        `timeout`: seconds an operation may take when it does not say; `pool`: PostgreSQL connections.
        `upgrade`: make the schema ours first; None does it for SQLite only. Raises StorageUnavailable, SchemaOutdated,
        and ValueError for a URL that names neither.
        """
        parsed = parse_url(url)
        storage = cls(_connect(parsed, pool), timeout)
        try:
            found = await storage.read(revision)
            if found != HEAD:
                if not (storage.kind == "sqlite" if upgrade is None else upgrade):
                    raise SchemaOutdated(f"the database has schema {found or 'none'}, this program needs {HEAD}")
                await asyncio.to_thread(_upgrade, url)
        except BaseException:
            await storage.close()
            raise
        return storage

    async def write(self, op: Callable[[sa.Connection], T], *, timeout: float | None = None) -> T:
        """Run `op` in a transaction and commit it, together with other waiting operations; return what it returned.

        What `op` raises reaches only its own caller, and only its own changes are undone. StorageUnavailable comes
        within `timeout` seconds (None: the storage's own); the operation may then still take effect later.
        """
        result: T = await self._observed("write", self.backend.write(op, self.timeout if timeout is None else timeout))
        return result

    async def read(self, op: Callable[[sa.Connection], T], *, timeout: float | None = None) -> T:
        """Run `op`, which only reads, on one consistent view that holds every finished `write`."""
        result: T = await self._observed("read", self.backend.read(op, self.timeout if timeout is None else timeout))
        return result

    async def sync(self) -> None:
        """Return when everything committed so far survives a power cut, not only a killed process.

        Raises StorageUnavailable when nobody can know that.
        """
        await self.backend.sync()

    async def close(self) -> None:
        """Finish what is running, refuse what is waiting, close all connections. May be called twice."""
        await self.backend.close()

    async def _observed(self, kind: str, operation: Awaitable[Any]) -> Any:
        began, went = time.perf_counter(), "refused"
        try:
            result = await operation
            went = "ok"
            return result
        except StorageUnavailable:
            went = "unavailable"
            raise
        finally:
            if self.observe is not None:
                self.observe(kind, went, time.perf_counter() - began)

    def __repr__(self) -> str:
        return f"<Storage {self.kind}>"


def parse_url(url: str) -> sa.URL:
    """The URL in parts. Raises ValueError with a sentence for whoever wrote it."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise ValueError("not a database URL: write sqlite:///file or postgresql://user@host/name") from None
    match parsed.get_backend_name():
        case "sqlite":
            if parsed.database in (None, "", ":memory:"):
                raise ValueError("SQLite needs a file: sqlite:///path")
            return parsed.set(drivername="sqlite")
        case "postgresql" | "postgres":
            return parsed.set(drivername="postgresql+asyncpg")
        case other:
            raise ValueError(f"no storage for {other}: use sqlite or postgresql")


def _connect(url: sa.URL, pool: int) -> Backend:
    return SqliteBackend(url) if url.drivername == "sqlite" else PostgresBackend(url, pool)


_upgrade = upgrade
"Under another name, because `open` has an argument called upgrade."
