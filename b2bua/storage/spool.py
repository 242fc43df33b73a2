"""The spool: what must not be lost is a line in a file before anything else happens, and a database row soon after."""

import asyncio
import fcntl
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from b2bua.jsontext import encode
from b2bua.log import logger
from b2bua.storage import drain
from b2bua.storage.errors import StorageError, StorageUnavailable
from b2bua.storage.filequeue import BATCH, Batch, Entry, FileQueue, Record
from b2bua.storage.storage import Storage

log = logger("tandem.storage")

RETRY = 0.5
"Seconds until an unavailable database, or a disk that refused a line, is tried again."

URGENT = frozenset({"release"})
"Kinds that do not wait for others to share their transaction: a carrier tries again at once."

REJECTED = "rejected.jsonl"


class SpoolBusy(StorageError):
    """Another process uses this data folder."""


class Spool:
    """An append-only queue on disk in front of the database. `append` belongs to the event loop's thread.

    Kinds: `event` (from the event log), `call` (`CallRecord.as_record()`, at answer and at the end), `consume` and
    `release` ({"tenant", "sequence", "call", "at"}: a token's fate). Records are idempotent, so a replay does no harm.
    """

    def __init__(
        self, folder: Path, storage: Storage, lock: int, files: FileQueue, *, memory: int, linger: float
    ) -> None:
        """Use `open`."""
        self.accepted = files.lines()
        "Records taken over, those of an earlier process included."
        self.stored = 0
        "Records that need no more care: in the database, or rejected."
        self.lost = 0
        "Records dropped because neither disk nor memory had room."
        self.torn = 0
        "Lines that cannot be read: after a crash one at most."
        self.rejected = 0
        "Records the database refused for good; they are in `rejected.jsonl`."
        self.alarm = False
        "The disk refuses lines at this moment; records are kept in memory, up to a bound."
        self.behind = False
        "The database did not take records the last time."
        self._folder, self._storage, self._lock, self._files = folder, storage, lock, files
        self._memory, self._linger = memory, linger
        self._unsaved: deque[Entry] = deque()
        "What the disk refused."
        self._undeleted = False
        "Files stay though all they hold is stored: the database's own disk does not say that it has it."
        self._draining = asyncio.Lock()
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @classmethod
    def open(
        cls,
        folder: Path,
        storage: Storage,
        *,
        segment_bytes: int = 1 << 20,
        memory: int = 10_000,
        sync_interval: float = 0.2,
        linger: float = 0.02,
        write: Callable[[int, bytes], int] = os.write,
    ) -> "Spool":
        """Open the spool in `folder`, with what an earlier process left there still pending.

        `memory`: records kept in memory besides the file; `sync_interval`: seconds between two fsync; `linger`: seconds
        the drain waits for more to put into one transaction; `write`: os.write, or a test's. Raises SpoolBusy, OSError.
        """
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # Two servers on one folder would each take the other's live calls for lost ones.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise SpoolBusy(f"another process uses {folder}") from None
        files = FileQueue(folder, segment_bytes=segment_bytes, memory=memory, sync_interval=sync_interval, write=write)
        return cls(folder, storage, lock, files, memory=memory, linger=linger)

    @property
    def pending(self) -> int:
        """Records accepted and not yet in the database."""
        return self.accepted - self.stored - self.lost

    def __repr__(self) -> str:
        state = "alarm" if self.alarm else "behind" if self.behind else "ok"
        return f"<Spool {state} pending={self.pending} lost={self.lost} torn={self.torn} rejected={self.rejected}>"

    # --- taking over ---

    def append(self, kind: str, record: Any, payload: bytes | None = None) -> None:
        """Take over the record (do not change it any more): on return it survives `kill -9`. Never blocks on fsync.

        `payload`: its JSON, when the caller has it already. Never raises for a full disk: see `alarm` and `lost`.
        """
        if payload is None:
            payload = encode(record).encode()
        entry = Entry(kind, record, b'["%b",%b]\n' % (kind.encode(), payload))
        self.accepted += 1
        if self._unsaved:
            self._save()
        if self._unsaved or not self._files.put(entry):
            self._keep(entry)
        elif self.alarm:
            self.alarm = False
        if self._loop is not None:
            if kind in URGENT and not self.behind:
                self._wake.set()
            elif self._timer is None:
                self._timer = self._loop.call_later(RETRY if self.behind else self._linger, self._ring)

    def _keep(self, entry: Entry) -> None:
        self.alarm = True
        # A call's record and a token's fate matter more than an event: the last half is for them.
        if len(self._unsaved) >= (self._memory // 2 if entry.kind == "event" else self._memory):
            self.lost += 1
        else:
            self._unsaved.append(entry)

    def _save(self) -> None:
        """Write what the disk refused earlier, as far as it takes it now."""
        while self._unsaved:
            if not self._files.put(self._unsaved[0]):
                self.alarm = True
                return
            self._unsaved.popleft()
            self.alarm = False

    def _ring(self) -> None:
        self._timer = None
        self._wake.set()

    async def search(self, kind: str, behind: int, limit: int) -> list[Any]:
        """Records of a kind with a `number`, oldest first: up to `limit` of those on disk behind that number."""
        return await self._files.search(kind, behind, limit)

    # --- storing ---

    async def run(self) -> None:
        """Drain for ever; an unavailable database is tried again and again, and nothing is lost by it."""
        self._loop = asyncio.get_running_loop()
        self._wake.set()
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self.alarm:
                self._save()
                self.alarm = bool(self._unsaved) or not self._files.probe()
            try:
                while await self._store_batch():
                    pass
            except StorageUnavailable:
                pass  # `behind` says so, and the timer brings us back
            if (self.behind or self.alarm) and self._timer is None:
                self._timer = self._loop.call_later(RETRY, self._ring)

    async def drain(self, timeout: float | None = None) -> bool:
        """Move everything appended so far into the database; False when that did not succeed within `timeout`."""
        wanted = self.accepted - self.lost
        try:
            async with asyncio.timeout(timeout):
                while self.stored < wanted:
                    try:
                        if not await self._store_batch():
                            break
                    except StorageUnavailable:
                        await asyncio.sleep(RETRY / 10)
        except TimeoutError:
            pass
        return self.stored >= wanted

    async def _store_batch(self) -> int:
        """Store the oldest records; returns how many. Raises StorageUnavailable."""
        async with self._draining:
            batch = await self._oldest() or self._from_unsaved()
            if batch is None:
                return 0
            try:
                await self._store(batch)
            except BaseException as error:
                if batch.until is None:
                    self._unsaved.extendleft(
                        Entry(kind, record, line)
                        for (kind, record), line in zip(reversed(batch.records), reversed(batch.lines), strict=True)
                    )
                self.behind = self.behind or isinstance(error, StorageUnavailable)
                raise
            self.behind = False
            self._files.done(batch)
            self.stored += len(batch.records) + batch.broken
            self.torn += batch.broken + batch.tail
            await self._delete_finished()
            return len(batch.records) + batch.broken + batch.tail

    async def _oldest(self) -> Batch | None:
        try:
            return await self._files.oldest()
        except OSError as error:
            # Too many open files, a disk that fails: what is in the file may be read a moment later.
            self.behind = True
            raise StorageUnavailable(f"the spool cannot be read: {error}") from error

    def _from_unsaved(self) -> Batch | None:
        if not self._unsaved:
            return None
        entries = [self._unsaved.popleft() for _ in range(min(BATCH, len(self._unsaved)))]
        return Batch([(entry.kind, entry.record) for entry in entries], [entry.line for entry in entries])

    async def _store(self, batch: Batch) -> None:
        try:
            await self._storage.write(lambda conn: drain.store(conn, batch.records))
        except StorageUnavailable:
            raise
        except Exception:
            # One of them is at fault, and the others must not wait behind it for ever.
            for record, line in zip(batch.records, batch.lines, strict=True):
                await self._store_single(record, line)

    async def _store_single(self, record: Record, line: bytes) -> None:
        try:
            await self._storage.write(lambda conn: drain.store(conn, [record]))
        except StorageUnavailable:
            raise
        except Exception:
            self.rejected += 1
            await asyncio.to_thread(self._reject, line)

    def _reject(self, line: bytes) -> None:
        try:
            with (self._folder / REJECTED).open("ab") as file:
                file.write(line)
        except OSError:
            pass  # counted all the same, and the disk has its own alarm

    async def _delete_finished(self) -> None:
        if finished := len(self._files.finished):
            # The rows first: a power cut must not take them while their lines are already gone.
            try:
                await self._storage.sync()
            except StorageUnavailable as error:
                if not self._undeleted:
                    log.error(
                        "stored records stay in the spool: the disk fails", error=str(error), do="see to the disk"
                    )
                self._undeleted = True
                return
            self._undeleted = False
            self._files.delete_finished(finished)

    async def close(self) -> None:
        """Fsync and let go; call `drain` before. Nothing pending is lost: the next start replays it."""
        if self._timer is not None:
            self._timer.cancel()
        self._loop = None
        self._save()
        await self._delete_finished()
        await asyncio.to_thread(self._files.close)
        os.close(self._lock)
