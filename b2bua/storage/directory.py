"""The directory and the plan, read from the tables as one snapshot and kept fresh by polling one number."""

import asyncio

import sqlalchemy as sa

from b2bua.log import logger
from b2bua.storage import business
from b2bua.storage.errors import StorageError, StorageUnavailable
from b2bua.storage.storage import Storage
from routing.directory import Directory
from routing.plan import Plan

log = logger("tandem.storage")


async def load_directory(storage: Storage) -> tuple[int, Directory]:
    """The revision and the directory of that revision. Raises StorageUnavailable."""
    revision, found = await storage.read(_both)
    return revision, found.directory()


async def load_plan(storage: Storage) -> Plan:
    """The plan as it is kept now. Raises StorageUnavailable."""
    return await storage.read(business.read_plan)


def _both(conn: sa.Connection) -> tuple[int, business.Business]:
    # The number first: on PostgreSQL each statement has its own view, and a directory newer than its number is only
    # loaded once more than needed.
    return business.revision(conn), business.read(conn)


class DirectoryFeed:
    """The newest directory and plan in memory: reading them never waits, so calls go on when the database is gone."""

    def __init__(self, storage: Storage, *, interval: float = 1.0) -> None:
        """`interval`: seconds between two looks at the revision."""
        self.storage, self.interval = storage, interval
        self.current = Directory()
        self.plan = Plan()
        "Of the same revision as `current`."
        self.revision = 0
        self._told = ""
        "The last thing that was said about tables that cannot be read."

    async def refresh(self) -> bool:
        """Look now; True when a newer directory or plan was loaded. Raises StorageUnavailable."""
        if await self.storage.read(business.revision) == self.revision:
            return False
        self.revision, found = await self.storage.read(_both)
        self.current, self.plan = found.directory(), found.plan
        return True

    async def run(self) -> None:
        """Refresh for ever; a database that cannot be read leaves the last directory in place."""
        while True:
            await asyncio.sleep(self.interval)
            try:
                await self.refresh()
                self._told = ""
            except StorageUnavailable:
                pass  # the next look comes soon, and readiness is somebody else's question
            except StorageError as error:
                # Whatever is wrong with the tables: what is in memory was right, and calls stand on it.
                if str(error) != self._told:
                    self._told = str(error)
                    log.error("the directory cannot be read; the last one stays in force", error=self._told)

    def __repr__(self) -> str:
        return f"<DirectoryFeed revision {self.revision}: {self.current!r}>"
