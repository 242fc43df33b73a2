"""SQLite without blocking the loop: one connection on one named thread writes, a second one reads.

Writing is group commit: all operations that wait when a transaction begins share it, each inside its own savepoint.
With WAL and synchronous=NORMAL a commit survives `kill -9`; `sync` makes it survive a power cut.
"""

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from b2bua.storage.errors import StorageError, StorageUnavailable

BUSY_STEP = 0.05
"Seconds SQLite itself waits for a lock before we look again whether anybody still wants the operation."

BATCH = 128
"Operations in one transaction at most, so that the first of them does not wait long for its commit."

CHECKPOINT_EVERY = 256
"Transactions between two checkpoints; the reading thread makes them, because they fsync and a claim must not wait."

AUTOCHECKPOINT_PAGES = 16_384
"Where the writer itself would make one after all, should the reader never get to it (64 MB)."

Op = Callable[[sa.Connection], Any]


def engine(url: sa.URL) -> sa.Engine:
    """An engine whose connections leave transactions to us and are set up for WAL."""
    made = sa.create_engine(
        url,
        poolclass=NullPool,
        connect_args={"timeout": BUSY_STEP, "isolation_level": None, "check_same_thread": False},
    )
    sa.event.listen(made, "connect", _prepare)
    return made


def _prepare(raw: sqlite3.Connection, _record: object) -> None:
    # Changing to WAL needs a moment alone with the file; another process may be starting on it as well.
    raw.execute("PRAGMA busy_timeout=5000")
    raw.execute("PRAGMA journal_mode=WAL")
    raw.execute("PRAGMA synchronous=NORMAL")
    raw.execute(f"PRAGMA wal_autocheckpoint={AUTOCHECKPOINT_PAGES}")
    raw.execute(f"PRAGMA busy_timeout={int(BUSY_STEP * 1000)}")


def translate(error: BaseException) -> BaseException:
    """The storage's word for an error of the database; errors of the operation itself stay what they are."""
    if _is_broken(error):
        return StorageUnavailable(f"SQLite: {getattr(error, 'orig', error)}")
    if isinstance(error, sa.exc.SQLAlchemyError | sqlite3.Error):
        return StorageError(str(error))
    return error


def _is_broken(error: BaseException) -> bool:
    """Whether the file or its disk is at fault, not the statement or the values it came with."""
    # Whatever the module has no word of its own for is a DatabaseError: a file that is damaged, or none of SQLite's.
    if isinstance(error, sa.exc.OperationalError | sa.exc.InternalError) or type(error) is sa.exc.DatabaseError:
        return True
    return isinstance(error, sqlite3.OperationalError | sqlite3.InternalError) or type(error) is sqlite3.DatabaseError


class Job:
    """An operation on its way through the thread; a finished future means that nobody waits for it any more."""

    __slots__ = ("future", "op", "timer")

    def __init__(self, op: Op, future: asyncio.Future[Any]) -> None:
        self.op, self.future = op, future
        self.timer: asyncio.TimerHandle | None = None


Outcome = tuple[Job, Any, BaseException | None]


class SqliteThread:
    """One connection on one thread, and the queue of jobs in front of it."""

    def __init__(self, engine: sa.Engine, name: str, *, writes: bool) -> None:
        self.engine, self.writes = engine, writes
        self.transactions = 0
        self.after_commit: Callable[[], None] = lambda: None
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._closing = False
        self._ended = asyncio.Event()
        self._connection: sa.Connection | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, op: Op, timeout: float) -> asyncio.Future[Any]:
        """Queue the operation; the future fails with StorageUnavailable after `timeout` seconds."""
        future = self._loop.create_future()
        if self._closing:
            future.set_exception(StorageUnavailable("the storage is closed"))
            return future
        job = Job(op, future)
        job.timer = self._loop.call_later(timeout, _give_up, job, timeout)
        self._queue.put(job)
        return future

    async def close(self) -> None:
        """Refuse what has not begun, finish what has, end the thread."""
        if not self._closing:
            self._closing = True
            self._queue.put(None)
        await self._ended.wait()
        self._thread.join()

    # --- on the thread ---

    def _run(self) -> None:
        try:
            while (job := self._queue.get()) is not None:
                self._serve(self._waiting([job]))
        finally:
            self._disconnect()
            self._refuse_rest()
            self._call(self._ended.set)

    def _waiting(self, jobs: list[Job]) -> list[Job]:
        """The given jobs and those in the queue that somebody still waits for."""
        jobs = [job for job in jobs if not job.future.done()]
        while len(jobs) < BATCH:
            try:
                job = self._queue.get_nowait()
            except Empty:
                break
            if job is None:
                self._queue.put(None)
                break
            if not job.future.done():
                jobs.append(job)
        return jobs

    def _serve(self, jobs: list[Job]) -> None:
        try:
            conn, raw = self._connect()
            while jobs and not self._begin(raw):
                jobs = self._waiting(jobs)
                if self._closing:
                    raise StorageUnavailable("the storage is closed")
            if jobs:
                self._deliver(self._transact(conn, raw, jobs))
        except Exception as error:
            # Whatever state the connection is in now, a new one is in a known one.
            self._disconnect()
            reason = translate(error)
            self._deliver([(job, None, reason) for job in jobs])

    def _begin(self, raw: sqlite3.Connection) -> bool:
        try:
            raw.execute("BEGIN IMMEDIATE" if self.writes else "BEGIN")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                return False
            raise
        return True

    def _transact(self, conn: sa.Connection, raw: sqlite3.Connection, jobs: list[Job]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for job in jobs:
            if job.future.done():
                continue  # given up while we waited for the lock: nobody would undo it
            raw.execute("SAVEPOINT job")
            try:
                outcomes.append((job, job.op(conn), None))
            except Exception as error:
                if not raw.in_transaction:
                    # A full disk or an I/O error: SQLite has rolled back everything, the others' work too.
                    raise
                raw.execute("ROLLBACK TO job")
                outcomes.append((job, None, translate(error)))
            raw.execute("RELEASE job")
        conn.commit()
        if raw.in_transaction:
            raw.execute("COMMIT")
        self.transactions += 1
        self.after_commit()
        return outcomes

    def _connect(self) -> tuple[sa.Connection, sqlite3.Connection]:
        if self._connection is None:
            self._connection = self.engine.connect()
            if not self.writes:
                self._connection.exec_driver_sql("PRAGMA query_only=ON")
            self._connection.commit()
        return self._connection, cast(sqlite3.Connection, self._connection.connection.driver_connection)

    def _disconnect(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            try:
                connection.close()
            except (sa.exc.SQLAlchemyError, sqlite3.Error):
                pass  # it is being thrown away because it is broken

    def _refuse_rest(self) -> None:
        rest: list[Outcome] = []
        while not self._queue.empty():
            if job := self._queue.get_nowait():
                rest.append((job, None, StorageUnavailable("the storage is closed")))
        self._deliver(rest)

    def _deliver(self, outcomes: list[Outcome]) -> None:
        self._call(_resolve, outcomes)

    def _call(self, function: Callable[..., None], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            pass  # the loop is closed: nobody waits any more


def _give_up(job: Job, timeout: float) -> None:
    if not job.future.done():
        job.future.set_exception(StorageUnavailable(f"SQLite: no answer within {timeout:g} s (locked or too slow)"))


def _resolve(outcomes: list[Outcome]) -> None:
    for job, value, error in outcomes:
        if job.timer is not None:
            job.timer.cancel()
        if job.future.done():
            continue
        if error is None:
            job.future.set_result(value)
        else:
            job.future.set_exception(error)


class SqliteBackend:
    """The two threads of a database file."""

    kind = "sqlite"

    def __init__(self, url: sa.URL) -> None:
        self.path = url.database or ""
        self.engine = engine(url)
        self.writer = SqliteThread(self.engine, "storage-write", writes=True)
        self.reader = SqliteThread(self.engine, "storage-read", writes=False)
        self.writer.after_commit = self._count
        self.checkpoint_every = CHECKPOINT_EVERY
        self._loop = asyncio.get_running_loop()

    def write(self, op: Op, timeout: float) -> asyncio.Future[Any]:
        return self.writer.submit(op, timeout)

    def read(self, op: Op, timeout: float) -> asyncio.Future[Any]:
        return self.reader.submit(op, timeout)

    async def sync(self) -> None:
        try:
            await self._loop.run_in_executor(None, self._fsync)
        except OSError as error:
            raise StorageUnavailable(f"SQLite: {error.strerror or error}: {self.path}-wal") from error

    async def close(self) -> None:
        await self.writer.close()
        await self.reader.close()
        self.engine.dispose()

    def _count(self) -> None:
        if self.writer.transactions % self.checkpoint_every == 0:
            try:
                self._loop.call_soon_threadsafe(self._checkpoint)
            except RuntimeError:
                pass

    def _checkpoint(self) -> None:
        # Fails only when the reader is closed or busy for a minute; the next one makes up for it.
        self.reader.submit(_checkpoint, 60.0).add_done_callback(lambda done: done.cancelled() or done.exception())

    def _fsync(self) -> None:
        # Only the WAL: a checkpoint fsyncs the main file, and closing a descriptor of that one drops SQLite's locks.
        try:
            descriptor = os.open(self.path + "-wal", os.O_RDONLY)
        except FileNotFoundError:
            return
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _checkpoint(conn: sa.Connection) -> None:
    conn.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)").close()
