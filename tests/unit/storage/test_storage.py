"""The door to the database: group commit, failures that stay where they belong, deadlines (security.md, Faults)."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from b2bua.storage import NotFound, SchemaOutdated, Storage, StorageError, StorageUnavailable
from b2bua.storage.sqlite import SqliteBackend
from b2bua.storage.storage import parse_url
from b2bua.storage.tables import routes
from tests.peers.waiting import eventually, eventually_true
from tests.postgres import Postgres


def add(name: str, extension: str = "801") -> Callable[[sa.Connection], None]:
    def op(conn: sa.Connection) -> None:
        conn.execute(sa.insert(routes).values(name=name, extension=extension))

    return op


def hold_up(entered: threading.Event, go: threading.Event) -> Callable[[sa.Connection], None]:
    def op(conn: sa.Connection) -> None:
        entered.set()
        go.wait(10)

    return op


def names(conn: sa.Connection) -> list[str]:
    return list(conn.execute(sa.select(routes.c.name).order_by(routes.c.name)).scalars())


async def test_a_finished_write_is_seen_by_the_next_read(storage: Storage) -> None:
    """R1-02."""
    for n in range(20):
        await storage.write(add(f"route-{n:02}"))
        assert len(await storage.read(names)) == n + 1


async def test_an_operation_that_fails_takes_nobody_with_it(storage: Storage) -> None:
    """Operations share a commit, but each one's failure is its own, and only its own changes are undone."""

    def fails(conn: sa.Connection) -> None:
        add("never")(conn)
        raise NotFound("by design")

    def twice(conn: sa.Connection) -> None:
        add("twice")(conn)
        add("twice")(conn)

    ops = [add("route-1"), fails, add("route-2"), twice, add("route-3")]
    results = await asyncio.gather(*map(storage.write, ops), return_exceptions=True)
    assert [type(result) for result in results] == [type(None), NotFound, type(None), StorageError, type(None)]
    assert await storage.read(names) == ["route-1", "route-2", "route-3"]


async def test_a_value_that_no_database_takes_is_not_its_absence(storage: Storage) -> None:
    """Whoever tries an unavailable database again must not try for ever what can never succeed."""
    values: list[Any] = [{}, [1], "a\ud800"]
    for wrong in values:
        with pytest.raises((StorageError, ValueError)) as caught:
            await storage.write(add("route", wrong))
        assert not isinstance(caught.value, StorageUnavailable), wrong
    assert await storage.read(names) == []


async def test_waiting_operations_share_a_transaction(sqlite: Storage) -> None:
    """Group commit: what waits while the writer is busy costs one commit together."""
    assert isinstance(sqlite.backend, SqliteBackend)
    before = sqlite.backend.writer.transactions
    entered, go = threading.Event(), threading.Event()

    first = asyncio.ensure_future(sqlite.write(hold_up(entered, go)))
    await eventually(entered.is_set, "the writer is busy")
    rest = [asyncio.ensure_future(sqlite.write(lambda conn: conn.execute(sa.select(1)).scalar())) for _ in range(50)]
    await asyncio.sleep(0)
    go.set()
    assert await asyncio.gather(*rest) == [1] * 50
    await first
    assert sqlite.backend.writer.transactions - before == 2


async def test_the_loop_goes_on_while_the_database_works(storage: Storage) -> None:
    """Storage never blocks the loop: a slow statement of another one leaves its ticks alone."""
    slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000) SELECT count(*) FROM n"
    running = asyncio.ensure_future(storage.read(lambda conn: conn.exec_driver_sql(slow).scalar(), timeout=30))
    ticks = 0
    while not running.done():
        await asyncio.sleep(0)
        ticks += 1
    assert await running == 2_000_000
    assert ticks > 50


async def test_a_locked_database_is_an_error_in_time_and_recovers(sqlite: Storage, sqlite_url: str) -> None:
    """Another process holds the write lock: bounded wait, reads go on, and afterwards everything works again."""
    other = sqlite3.connect(parse_url(sqlite_url).database or "", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    loop = asyncio.get_running_loop()
    started = loop.time()
    with pytest.raises(StorageUnavailable, match="locked"):
        await sqlite.write(add("late"), timeout=0.25)
    assert loop.time() - started >= 0.25
    assert await sqlite.read(names) == []
    other.execute("ROLLBACK")
    other.close()
    await sqlite.write(add("now"))
    assert await sqlite.read(names) == ["now"], "what was given up was not done behind our back"


async def test_a_cancelled_operation_is_not_run_and_disturbs_nobody(sqlite: Storage) -> None:
    """A caller hung up while his claim waited."""
    entered, go = threading.Event(), threading.Event()
    first = asyncio.ensure_future(sqlite.write(hold_up(entered, go)))
    await eventually(entered.is_set, "the writer is busy")
    cancelled = asyncio.ensure_future(sqlite.write(add("cancelled")))
    kept = asyncio.ensure_future(sqlite.write(add("kept")))
    await asyncio.sleep(0)
    cancelled.cancel()
    go.set()
    await asyncio.gather(first, kept)
    assert cancelled.cancelled()
    assert await sqlite.read(names) == ["kept"]


async def test_cancelled_operations_leave_the_pool_whole(postgres_url: str) -> None:
    """PostgreSQL: a statement cut off in the middle does not spoil its connection for the next one."""
    storage = await Storage.open(postgres_url, pool=2)
    sleeping = [
        asyncio.ensure_future(storage.read(lambda conn: conn.exec_driver_sql("SELECT pg_sleep(30)").scalar()))
        for _ in range(2)
    ]
    watcher = await Storage.open(postgres_url, pool=1)

    async def both_run() -> bool:
        query = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"
        return bool(await watcher.read(lambda conn: conn.exec_driver_sql(query).scalar()) == 2)

    await eventually_true(both_run, "both connections are busy")
    for task in sleeping:
        task.cancel()
    await asyncio.gather(*sleeping, return_exceptions=True)
    assert await asyncio.gather(*(storage.read(lambda conn: conn.execute(sa.select(1)).scalar()) for _ in range(4)))
    await watcher.close()
    await storage.close()


async def test_a_full_pool_is_an_error_in_time(postgres_url: str) -> None:
    """PostgreSQL: who finds no free connection waits no longer than he said."""
    storage = await Storage.open(postgres_url, pool=1)
    busy = asyncio.ensure_future(storage.read(lambda conn: conn.exec_driver_sql("SELECT pg_sleep(30)").scalar()))
    await asyncio.sleep(0)
    with pytest.raises(StorageUnavailable, match="no answer"):
        await storage.write(add("late"), timeout=0.25)
    busy.cancel()
    await asyncio.gather(busy, return_exceptions=True)
    await storage.write(add("now"))
    assert await storage.read(names) == ["now"]
    await storage.close()


async def test_a_restarted_server_is_found_again(postgres: Postgres, postgres_url: str) -> None:
    """PostgreSQL gone: errors of ours; back again: the next operation works, though all pooled connections are dead."""
    storage = await Storage.open(postgres_url, pool=3)
    await asyncio.gather(*(storage.read(names) for _ in range(3)))
    postgres.stop()
    try:
        with pytest.raises(StorageUnavailable):
            await storage.write(add("gone"))
    finally:
        postgres.start()
    await storage.write(add("back"))
    assert await asyncio.gather(*(storage.read(names) for _ in range(3))) == [["back"]] * 3
    await storage.close()


async def test_a_frozen_server_is_an_error_in_time(postgres: Postgres, postgres_url: str) -> None:
    """PostgreSQL slow: whoever waits is told so, and what was asked for is not lost on the next one."""
    storage = await Storage.open(postgres_url, pool=2)
    await storage.read(names)
    postgres.pause(True)
    late = asyncio.ensure_future(storage.write(add("slow"), timeout=0.25))
    try:
        # Not after the two seconds in which the driver tries to end the connection in good order.
        done, _ = await asyncio.wait({late}, timeout=1.5)
        assert late in done
        assert isinstance(late.exception(), StorageUnavailable)
    finally:
        postgres.pause(False)
    await storage.write(add("fast"))
    assert "fast" in await storage.read(names)
    await storage.close()


async def test_a_full_disk_fails_the_write_and_nothing_else(sqlite: Storage) -> None:
    """Disk full: the operation fails as unavailable, the file stays sound, and with room again writing goes on."""

    def pages(limit: int) -> None:
        assert isinstance(sqlite.backend, SqliteBackend)
        connection = sqlite.backend.writer._connection
        assert connection is not None
        connection.exec_driver_sql(f"PRAGMA max_page_count={limit}")

    await sqlite.write(add("first"))
    await sqlite.write(lambda conn: pages(1))
    big = "x" * 1_000_000
    results = await asyncio.gather(
        sqlite.write(add("small")),
        sqlite.write(add("big", big)),
        return_exceptions=True,
    )
    assert isinstance(results[1], StorageUnavailable)
    assert "full" in str(results[1])
    await sqlite.write(lambda conn: pages(1_000_000))
    await sqlite.write(add("after", big))
    assert {"first", "after"} <= set(await sqlite.read(names))
    assert "big" not in await sqlite.read(names)
    assert await sqlite.read(lambda conn: conn.exec_driver_sql("PRAGMA integrity_check").scalar()) == "ok"


async def test_checkpoints_are_made_by_the_reading_thread(sqlite: Storage) -> None:
    """The write-ahead log is emptied without a claim ever waiting for that fsync."""
    assert isinstance(sqlite.backend, SqliteBackend)
    sqlite.backend.checkpoint_every = 4
    for n in range(40):
        await sqlite.write(add(f"route-{n:02}"))

    async def emptied() -> bool:
        query = "PRAGMA wal_checkpoint(PASSIVE)"
        _, in_log, moved = await sqlite.read(lambda conn: tuple(conn.exec_driver_sql(query).one()))
        return bool(in_log == moved and in_log >= 0)

    await eventually_true(emptied, "everything in the log is in the file")
    await sqlite.sync()


async def test_a_closed_storage_refuses_and_closes_twice(storage: Storage) -> None:
    """Nothing hangs at the end."""
    await storage.close()
    await storage.close()
    with pytest.raises(StorageUnavailable, match="closed"):
        await storage.write(lambda conn: None)
    with pytest.raises(StorageUnavailable, match="closed"):
        await storage.read(lambda conn: None)


async def test_closing_answers_everybody_who_waits(sqlite_url: str) -> None:
    """Whoever waits at the end is told, not left."""
    storage = await Storage.open(sqlite_url)
    entered, go = threading.Event(), threading.Event()
    first = asyncio.ensure_future(storage.write(hold_up(entered, go)))
    await eventually(entered.is_set, "the writer is busy")
    closing = asyncio.ensure_future(storage.close())
    await asyncio.sleep(0)
    go.set()
    await closing
    await first
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("storage-")] == []


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mysql://host/name", "mysql"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("nonsense", "not a database URL"),
    ],
)
async def test_a_url_we_cannot_use_is_refused_in_words(url: str, why: str) -> None:
    """Configuration mistakes are said, not shown as a stack trace."""
    with pytest.raises(ValueError, match=why):
        await Storage.open(url)


async def test_a_database_that_cannot_be_opened_is_unavailable(tmp_path: Path, postgres: Postgres) -> None:
    """A missing folder, a port without a server, a database that does not exist."""
    for url in (
        f"sqlite:///{tmp_path}/missing/tandem.db",
        "postgresql://tandem@127.0.0.1:1/x",
        postgres.url("missing"),
    ):
        with pytest.raises(StorageError):
            await Storage.open(url)


async def test_postgresql_without_our_schema_is_refused(postgres: Postgres) -> None:
    """The operator decides when a shared database changes."""
    url = postgres.create("empty")
    try:
        with pytest.raises(SchemaOutdated, match="none"):
            await Storage.open(url)
        storage = await Storage.open(url, upgrade=True)
        assert await storage.read(names) == []
        await storage.close()
    finally:
        postgres.drop("empty")


async def test_time_limits_do_not_pile_up(sqlite: Storage) -> None:
    """A finished operation leaves no timer behind that would keep its data alive."""
    for _ in range(300):
        await sqlite.write(lambda conn: None, timeout=3600)
    scheduled = [handle for handle in asyncio.get_running_loop()._scheduled if not handle.cancelled()]  # type: ignore[attr-defined]
    assert len(scheduled) < 10
