"""The files of recordings: find, list, delete, let go of old ones.  Helper threads read the folder, never the loop."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from b2bua.log import logger
from b2bua.storage.errors import NotFound
from media import wav

log = logger("tandem.storage")

NAME = re.compile(r"(?P<call>[0-9a-f-]{36})-(?P<part>\d{1,4})-(?P<role>[a-z]{1,16})\.wav")
CLEAN_EVERY = 3600.0
"Seconds between two looks for files that are too old."
DAY = 86400.0


@dataclass(frozen=True, slots=True)
class RecordingFile:
    """One leg of one call."""

    name: str
    call: str
    part: int
    "Number of the leg's part in the call record."
    role: str
    tenant: str | None
    size: int
    "Octets."
    seconds: float
    complete: bool
    "False while it is being written."
    changed_at: float
    "Epoch seconds of the last write."
    path: Path


class Recordings:
    """All recordings of this node.  A tenant's are in a folder of his own: whoever reaches one sees no other's."""

    def __init__(self, folder: Path, no_tenant: str = "_") -> None:
        self.folder, self._no_tenant = folder, no_tenant

    async def of_call(self, call: str, tenant: str | None = None) -> list[RecordingFile]:
        """Those of one call, legs in their order; `tenant` None: any."""
        return await asyncio.to_thread(lambda: sorted(self._all(tenant, call), key=lambda file: file.part))

    async def page(self, *, tenant: str | None = None, before: str = "", limit: int = 100) -> list[RecordingFile]:
        """The newest ones first, from behind the name `before` on: names begin with the time of their call."""
        return await asyncio.to_thread(self._page, tenant, before, limit)

    async def get(self, name: str, tenant: str | None = None) -> RecordingFile:
        """One of them.  Raises NotFound, also where it is not this tenant's."""
        match = NAME.fullmatch(name)
        found = await self.of_call(match["call"], tenant) if match else []
        for file in found:
            if file.name == name:
                return file
        raise NotFound(f"there is no recording {name}")

    async def delete(self, name: str, tenant: str | None = None) -> None:
        """Raises NotFound."""
        file = await self.get(name, tenant)
        await asyncio.to_thread(file.path.unlink, missing_ok=True)

    async def keep_clean(self, keep_days: int) -> None:
        """For ever: first mend what a crash left unfinished, then delete what is older than `keep_days` (0: none)."""
        mended = await asyncio.to_thread(self._mend)
        if mended:
            log.warning("recordings that a crash cut off have their lengths again", files=mended)
        while True:
            if keep_days:
                gone = await asyncio.to_thread(self.purge, time.time() - keep_days * DAY)
                if gone:
                    log.info("old recordings are deleted", files=gone, days=keep_days)
            await asyncio.sleep(CLEAN_EVERY)

    # -- on helper threads

    def purge(self, before: float) -> int:
        """Delete what was last written before this time (epoch seconds); how many."""
        gone = 0
        for path, _ in self._paths(None):
            try:
                if path.stat().st_mtime < before:
                    path.unlink()
                    gone += 1
            except OSError as error:
                log.warning("a recording cannot be deleted", file=path.name, error=str(error), do="see to the folder")
        return gone

    def _mend(self) -> int:
        mended = 0
        for path, _ in self._paths(None):
            try:
                mended += wav.mend(path)
            except OSError as error:
                log.warning("a recording cannot be mended", file=path.name, error=str(error), do="see to the folder")
        return mended

    def _page(self, tenant: str | None, before: str, limit: int) -> list[RecordingFile]:
        paths = sorted(self._paths(tenant), key=lambda found: found[0].name, reverse=True)
        later = (found for found in paths if not before or found[0].name < before)
        page: list[RecordingFile] = []
        for path, owner in later:
            if len(page) == limit:
                break
            if (file := _described(path, owner)) is not None:
                page.append(file)
        return page

    def _all(self, tenant: str | None, call: str) -> Iterator[RecordingFile]:
        for folder, owner in self._folders(tenant):
            for path in folder.glob(f"{call}-*.wav") if re.fullmatch(r"[0-9a-f-]{36}", call) else ():
                if (file := _described(path, owner)) is not None:
                    yield file

    def _paths(self, tenant: str | None) -> Iterator[tuple[Path, str | None]]:
        for folder, owner in self._folders(tenant):
            with os.scandir(folder) as entries:
                for entry in entries:
                    if NAME.fullmatch(entry.name):
                        yield folder / entry.name, owner

    def _folders(self, tenant: str | None) -> Iterator[tuple[Path, str | None]]:
        try:
            found = sorted(path for path in self.folder.iterdir() if path.is_dir())
        except FileNotFoundError:
            return
        for path in found:
            owner = None if path.name == self._no_tenant else path.name
            if tenant is None or owner == tenant:
                yield path, owner


def _described(path: Path, tenant: str | None) -> RecordingFile | None:
    match = NAME.fullmatch(path.name)
    assert match is not None
    try:
        status = path.stat()
        complete = wav.is_complete(path)
        info = wav.inspect(path)
    except OSError:
        return None  # deleted meanwhile
    except wav.BadWave:
        complete, info = False, None
    seconds = 0.0 if info is None else info.seconds if complete else max(0, status.st_size - 44) / (info.rate * 2)
    return RecordingFile(
        path.name, match["call"], int(match["part"]), match["role"], tenant, status.st_size, round(seconds, 2),
        complete, status.st_mtime, path,
    )  # fmt: skip
