"""Imports of a node: one process each, one after the other; a service."""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from b2bua.importing.source import Source
from b2bua.importing.work import clear
from b2bua.log import logger
from b2bua.storage import Conflict, NotFound, Storage, StorageError, StorageUnavailable, batch_rows
from b2bua.storage.batch_rows import Batch

log = logger("tandem.importing")

MOST_WAITING = 20
"Imports that wait for their turn; a further one is refused."
TRY_AGAIN = 5.0
"Seconds until the database is asked again."
LAST_WORDS = 300
"Characters of what a process that failed has said."


class Busy(Conflict):
    """Too many imports wait."""


class Imports:
    """The queue of imports, and the process that works for its first."""

    name = "imports"

    def __init__(self, storage: Storage, database: str, node: str, folder: Path) -> None:
        self.storage, self.node = storage, node
        self.folder = folder
        "Files wait here; what is in it belongs to nobody else."
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

    async def run(self, ready: Callable[[], None]) -> None:
        """Until cancelled: first what died with an earlier process, then one import after the other."""
        await asyncio.to_thread(self._sweep)
        ready()
        await self._mend()
        while True:
            begun, job = await self._waiting.get()
            try:
                await self._import(begun, job)
            except OSError as error:
                await self._fail(begun, f"no process can be started: {error.strerror}")
            finally:
                if path := job.get("path"):
                    await asyncio.to_thread(Path(path).unlink, missing_ok=True)

    async def _import(self, begun: Batch, job: dict[str, Any]) -> None:
        began = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "b2bua.importing",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None  # both are pipes, as asked for
        assert process.stderr is not None
        try:
            # the URL has a password in it: it goes where nobody lists it, unlike arguments and environment
            process.stdin.write(json.dumps({"database": self._database, **job}).encode() + b"\n")
            said = await process.stderr.read()
            code = await process.wait()
        finally:
            process.stdin.close()
            if process.returncode is None:
                process.kill()
                await process.wait()
        if code:
            told = said.decode("utf-8", "replace").strip().splitlines()
            error = (told[-1] if told else f"the importing process ended with status {code}")[:LAST_WORDS]
            await self._fail(begun, error)
        log.info(
            "a batch was imported" if code == 0 else "a batch could not be imported",
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
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in self.folder.iterdir():
            left.unlink()
