"""Rows of an operator's own database: one SQL query per source, with the batch id as its parameter (R3-01)."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from b2bua.importing.reading import Row, heading_problem
from b2bua.masks import mask_url

AT_ONCE = 500
"Rows fetched together."


@dataclass(frozen=True, slots=True)
class Source:
    """A database that numbers come from."""

    name: str
    url: str = field(repr=False)
    query: str
    "SELECT with `:batch`; its columns are those of a CSV file."
    timeout: float = 60.0
    "Seconds until the first rows, and between them."


class SourceFailed(Exception):
    """The database or its query did not give rows; the message is one sentence, without secrets."""


class UnknownBatch(SourceFailed):
    """The query gave no row for this id."""


_FAILURES = (
    sa.exc.SQLAlchemyError,
    sqlite3.Error,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
    ModuleNotFoundError,
)
"""What a driver, or the lack of one, raises; SQLAlchemy does not wrap what goes wrong while rows are fetched."""


async def rows(source: Source, batch: str) -> AsyncIterator[list[Row]]:
    """The rows of a batch, some at a time. Raises UnknownBatch when there is none, SourceFailed."""
    url = sa.make_url(source.url)
    reading = _postgres(source, url, batch) if url.get_backend_name() == "postgresql" else _sync(source, url, batch)
    at = 0
    try:
        while True:
            try:
                async with asyncio.timeout(source.timeout):
                    some = await anext(reading)
            except StopAsyncIteration:
                break
            made: list[Row] = []
            for cells in some:
                at += 1
                made.append((at, {name: _plain(value) for name, value in cells.items()}))
            yield made
    except TimeoutError:
        raise SourceFailed(f"source {source.name} did not answer within {source.timeout:g} s") from None
    except _FAILURES as error:
        told = sentence(error).replace(source.url, mask_url(source.url))
        raise SourceFailed(f"source {source.name} cannot be read: {told}") from None
    if at == 0:
        raise UnknownBatch(f"source {source.name} knows no batch {batch}: its query gave no row")


def sentence(error: BaseException) -> str:
    """The first line of what an error says; its kind where it says nothing, as a connection that was reset does."""
    said = str(getattr(error, "orig", None) or error).strip()
    return said.splitlines()[0] if said else type(error).__name__


async def _postgres(source: Source, url: sa.URL, batch: str) -> AsyncIterator[Sequence[Any]]:
    engine = create_async_engine(url.set(drivername="postgresql+asyncpg"), poolclass=NullPool)
    try:
        async with engine.connect() as plain:
            conn = await plain.execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ")
            result = await conn.stream(sa.text(source.query), {"batch": batch})
            _check(source, list(result.keys()))
            async for some in result.mappings().partitions(AT_ONCE):
                yield some
    finally:
        await engine.dispose()


async def _sync(source: Source, url: sa.URL, batch: str) -> AsyncIterator[Sequence[Any]]:
    """SQLite, and whatever other driver is installed; nothing else runs in this process meanwhile."""
    engine = _sqlite(url) if url.get_backend_name() == "sqlite" else sa.create_engine(url, poolclass=NullPool)
    try:
        with engine.connect() as conn:
            result = conn.execution_options(stream_results=True).execute(sa.text(source.query), {"batch": batch})
            _check(source, list(result.keys()))
            for some in result.mappings().partitions(AT_ONCE):
                yield some
    finally:
        engine.dispose()


def _sqlite(url: sa.URL) -> sa.Engine:
    """Read only: the file is somebody else's."""
    place = f"file:{quote(url.database or '')}?mode=ro"
    return sa.create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(place, uri=True, timeout=5.0), poolclass=NullPool
    )


def _check(source: Source, columns: list[str]) -> None:
    if bad := heading_problem(columns):
        raise SourceFailed(f"source {source.name}: {bad}")


def _plain(value: Any) -> Any:
    """A cell as a file would have it; JSON columns stay what they are."""
    if value is None or isinstance(value, str | int | float | bool | dict | list | datetime):
        return value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("utf-8", "replace")
    return str(value)
