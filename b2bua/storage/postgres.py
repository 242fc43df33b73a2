"""PostgreSQL through asyncpg: every operation has a connection of the pool and a transaction of its own.

The server groups commits of parallel transactions by itself, so nothing is grouped here.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from b2bua.storage.errors import StorageError, StorageUnavailable

STATEMENT = ("21", "22", "23", "42", "44", "54")
"""SQLSTATE classes (PostgreSQL, appendix A) that whoever asked is to blame for: cardinality, data, constraints, syntax,
check options, limits of one statement. All others - a database that only reads, a standby, a changed password, a full
disk - are the state the database is in: the same operation succeeds once somebody has seen to it."""

STATE = ("42501", "42P01", "42703")
"Within those classes: a right that was taken away, tables or columns that are not ours (an old dump, another schema)."

AGAIN = ("40001", "40P01")
"Serialisation failure and deadlock: the transaction did nothing, so it is simply run again."

ATTEMPTS = 3

Op = Callable[[sa.Connection], Any]


def engine(url: sa.URL, pool: int) -> AsyncEngine:
    """An engine for asyncpg, whatever driver the URL names."""
    return create_async_engine(
        url.set(drivername="postgresql+asyncpg"),
        pool_size=pool,
        max_overflow=0,
        # The operation's own time limit ends the wait for a connection.
        pool_timeout=3600,
        # Compiling machine code for statements of one row costs more than it gains.
        connect_args={"server_settings": {"application_name": "tandem", "jit": "off"}},
    )


def sqlstate(error: BaseException) -> str:
    """The five letters PostgreSQL gave, or nothing."""
    if isinstance(error, sa.exc.DBAPIError):
        return str(getattr(error.orig, "sqlstate", None) or "")
    return str(getattr(error, "sqlstate", None) or "")


def is_broken(error: BaseException) -> bool:
    """Whether the database or the connection is at fault, not the statement."""
    if code := sqlstate(error):
        return code[:2] not in STATEMENT or code in STATE
    if isinstance(error, sa.exc.DBAPIError):
        return error.connection_invalidated
    broken = OSError | TimeoutError | asyncpg.InterfaceError | asyncpg.InternalClientError | sa.exc.TimeoutError
    return isinstance(error, broken)


def translate(error: BaseException) -> BaseException:
    """The storage's word for an error of the database; errors of the operation itself stay what they are."""
    if is_broken(error):
        return StorageUnavailable(f"PostgreSQL: {_sentence(error)}")
    if isinstance(error, sa.exc.SQLAlchemyError | asyncpg.PostgresError):
        return StorageError(_sentence(error))
    return error


def _sentence(error: BaseException) -> str:
    said = str(getattr(error, "orig", None) or error).strip()
    # A connection that was reset says nothing at all.
    return said.splitlines()[0] if said else type(error).__name__


class PostgresBackend:
    """A pool of connections."""

    kind = "postgresql"

    def __init__(self, url: sa.URL, pool: int) -> None:
        self.engine = engine(url, pool)
        self._closed = False
        self._tasks: set[asyncio.Task[Any]] = set()

    async def write(self, op: Op, timeout: float) -> Any:
        return await self._within(op, timeout, commit=True)

    async def read(self, op: Op, timeout: float) -> Any:
        return await self._within(op, timeout, commit=False)

    async def sync(self) -> None:
        """Nothing to do: a commit of PostgreSQL is durable."""

    async def close(self) -> None:
        self._closed = True
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.engine.dispose()

    async def _within(self, op: Op, timeout: float, *, commit: bool) -> Any:
        if self._closed:
            raise StorageUnavailable("the storage is closed")
        task = asyncio.create_task(self._attempts(op, commit=commit))
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        try:
            # Nobody waits for the cancelled task: ending a connection that does not answer takes seconds.
            await asyncio.wait({task}, timeout=timeout)
        finally:
            if not task.done():
                task.cancel()
        if not task.done():
            raise StorageUnavailable(f"PostgreSQL: no answer within {timeout:g} s")
        try:
            return task.result()
        except Exception as error:
            ours = translate(error)
            if ours is error:
                raise
            raise ours from error

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # seen, also when nobody waits for it any more

    async def _attempts(self, op: Op, *, commit: bool) -> Any:
        """Run the operation, again when it was unlucky: a deadlock, or a pooled connection of a restarted server."""
        for attempt in range(ATTEMPTS):
            committing = False
            try:
                async with self.engine.connect() as conn:
                    try:
                        value = await conn.run_sync(op)
                        if commit:
                            # From here on nobody knows whether it took effect, so it must not be run a second time.
                            committing = True
                            await conn.commit()
                        return value
                    except sa.exc.DBAPIError as error:
                        if is_broken(error) and sqlstate(error) not in AGAIN:
                            # What a session was given when it began (to read only, say) it would keep for ever.
                            await conn.invalidate(error)
                        raise
            except (sa.exc.DBAPIError, asyncpg.PostgresError) as error:
                stale = isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated and not committing
                if attempt + 1 == ATTEMPTS or (not stale and sqlstate(error) not in AGAIN):
                    raise
        raise AssertionError("the last attempt returns or raises")
