"""Imports of a node, one after the other, by a process of their own."""

import asyncio
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from b2bua.importing.source import Source
from b2bua.importing.work import clear
from b2bua.importing.worker import Worker
from b2bua.log import logger
from b2bua.storage import Conflict, NotFound, Storage, StorageError, StorageUnavailable, batch_rows
from b2bua.storage.batch_rows import Batch
from b2bua.storage.do_not_call_rows import LIST_BATCH

log = logger("tandem.importing")

MOST_WAITING = 20
"Imports that wait for their turn; a further one is refused."
IDLE = 30.0
"Seconds the process stays for further imports: starting it costs a second."
TRY_AGAIN = 5.0
"Seconds until the database is asked again."


class Busy(Conflict):
    """Too many imports wait."""


class Imports:
    """The queue of imports, and the process that works for its first."""

    def __init__(self, storage: Storage, database: str, node: str, folder: Path) -> None:
        self.storage, self.node = storage, node
        self.folder = folder
        "Files wait here; what is in it belongs to nobody else."
        self.worker = Worker()
        self._database = database
        self._since = time.time()
        self._waiting: asyncio.Queue[tuple[Batch, dict[str, Any]]] = asyncio.Queue(MOST_WAITING)

    def __repr__(self) -> str:
        return f"<imports: {self._waiting.qsize()} waiting>"

    async def start(
        self,
        campaign: str,
        batch: str,
        form: str,
        *,
        by: str,
        path: Path | None = None,
        source: Source | None = None,
        priority: int = 5,
    ) -> Batch:
        """Begin a batch; its row tells how it goes. The file is removed afterwards.

        Raises NotFound without the campaign, Conflict for a batch that is there, Busy, StorageUnavailable.
        """
        if self._waiting.full():
            raise Busy(f"{MOST_WAITING} imports are waiting already: try again later")
        named = f"sql {source.name}" if source is not None else form
        begun = await self.storage.write(
            lambda conn: batch_rows.begin(conn, campaign, batch, named, self.node, by, time.time())
        )
        job = {"campaign": campaign, "batch": batch, "form": form, "priority": priority}
        job |= {"path": str(path)} if path is not None else {}
        job |= {"source": asdict(source)} if source is not None else {}
        await self._waiting.put((begun, job))
        return begun

    async def start_list(
        self, tenant: str, name: str, form: str, *, by: str, path: Path, region: str, as_of: float, force: bool = False
    ) -> Batch:
        """Begin the import of a do-not-call list. Raises Conflict while one is under way, Busy, StorageUnavailable."""
        if self._waiting.full():
            raise Busy(f"{MOST_WAITING} imports are waiting already: try again later")
        key = LIST_BATCH + tenant
        begun = await self.storage.write(
            lambda conn: batch_rows.begin_list(conn, key, name, form, self.node, by, time.time())
        )
        job: dict[str, Any] = {"campaign": key, "batch": name, "form": form, "path": str(path)}
        job |= {"region": region, "as_of": as_of, "force": force}
        await self._waiting.put((begun, job))
        return begun

    async def run(self) -> None:
        """Until cancelled: first what died with an earlier process, then one import after the other."""
        await asyncio.to_thread(self._sweep)
        await self._mend()
        worker = self.worker
        try:
            while True:
                try:
                    async with asyncio.timeout(IDLE if worker.is_there else None):
                        begun, job = await self._waiting.get()
                except TimeoutError:
                    await worker.end()
                    continue
                try:
                    await self._import(begun, job)
                finally:
                    if path := job.get("path"):
                        await asyncio.to_thread(_remove, Path(path))
        finally:
            await worker.end()

    async def _import(self, begun: Batch, job: dict[str, Any]) -> None:
        began = time.monotonic()
        if error := await self.worker.do({"database": self._database, **job}):
            await self._fail(begun, error)
        log.info(
            "a batch could not be imported" if error else "a batch was imported",
            campaign=begun.campaign,
            batch=begun.id,
            seconds=round(time.monotonic() - began, 1),
        )

    async def _mend(self) -> None:
        """Imports that died with an earlier process are failed, and leave nothing."""
        while True:
            try:
                for lost in await self.storage.read(lambda conn: batch_rows.loading(conn, self.node)):
                    if lost.began_at < self._since:
                        await self._fail(lost, "the server ended while it was imported: import it again")
                return
            except StorageUnavailable:
                await asyncio.sleep(TRY_AGAIN)

    async def _fail(self, batch: Batch, error: str) -> None:
        try:
            await clear(self.storage, batch.campaign, batch.id)
            await self.storage.write(
                lambda conn: batch_rows.finish(conn, batch.campaign, batch.id, time.time(), error=error)
            )
        except NotFound:
            pass  # its campaign was deleted meanwhile
        except StorageError as unavailable:
            log.error(
                "a batch stays loading", batch=batch.id, error=str(unavailable), do="nothing: the next start does"
            )

    def _sweep(self) -> None:
        """Remove files that an earlier process left."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            found = [left for left in self.folder.iterdir() if left.lstat().st_mtime < self._since]
        except OSError as error:
            _tell(self.folder, error)
            return
        for left in found:
            _remove(left)


def _remove(file: Path) -> None:
    """What cannot be removed stays: neither an import nor the server, on which calls stand, ends for it."""
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        _tell(file, error)


def _tell(path: Path, error: OSError) -> None:
    why = error.strerror or str(error)
    log.warning("left in the folder of imports", path=str(path), error=why, do="see to the folder, or remove it")
