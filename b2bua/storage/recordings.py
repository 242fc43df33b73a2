"""The files of recordings: find, list, delete, let go of old ones.  Helper threads read the folder, never the loop."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from b2bua.log import logger
from b2bua.storage.errors import NotFound
from media import wav
from media.recording import BadSeal, Keys, index
from media.recording.mend import mend

log = logger("tandem.storage")

CALL = r"[0-9a-f-]{36}"
NAME = re.compile(rf"(?P<call>{CALL})(?:-(?P<part>\d{{1,4}})-(?P<role>[a-z]{{1,16}})\.wav|\.(?:wav|opus)(?:\.enc)?)")
"A file of a call; with a part and a role, of one of its legs, as earlier versions have written them."
INDEX = re.compile(rf"(?P<call>{CALL})\.json")
CLEAN_EVERY = 3600.0
"Seconds between two looks for files that are too old."
DAY = 86400.0

KeepDays = Callable[[str | None], int]
"Days that a tenant's recordings are kept; 0: for ever."


@dataclass(frozen=True, slots=True)
class RecordingFile:
    """One call, or one leg of one."""

    name: str
    call: str
    part: int | None
    "Number of the leg's part in the call record; None: both sides are in it."
    role: str | None
    tenant: str | None
    size: int
    "Octets."
    seconds: float
    complete: bool
    "False while it is being written."
    changed_at: float
    "Epoch seconds of the last write."
    format: str
    "wav | opus"
    encrypted: bool
    sha256: str | None
    "Of the file as it lies there; None where that was not counted."
    cut_off: str | None
    "Why it ends before its call."
    path: Path


class Recordings:
    """All recordings of this node.  A tenant's are in a folder of his own: whoever reaches one sees no other's."""

    def __init__(self, folder: Path, no_tenant: str = "_", keys: Keys | None = None) -> None:
        self.folder, self._no_tenant, self.keys = folder, no_tenant, keys
        self._cut_off_before: float | None = time.time()
        "Until when earlier lives of the server wrote; None once what they left is mended."

    async def of_call(self, call: str, tenant: str | None = None) -> list[RecordingFile]:
        """Those of one call, legs in their order; `tenant` None: any."""
        return await asyncio.to_thread(lambda: sorted(self._all(tenant, call), key=lambda file: file.part or 0))

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

    async def index(self, name: str, tenant: str | None = None) -> dict[str, Any]:
        """What stands beside one.  Raises NotFound, also where nothing does."""
        file = await self.get(name, tenant)
        found = await asyncio.to_thread(index.read, file.path.parent, file.call)
        if found is None or found["file"] != name:
            raise NotFound(f"there is no index of {name}")
        return found

    async def delete(self, name: str, tenant: str | None = None) -> None:
        """With its index.  Raises NotFound."""
        file = await self.get(name, tenant)
        await asyncio.to_thread(_remove, file.path)

    async def keep_clean(self, keep_days: KeepDays) -> None:
        """For ever: first mend what a crash left unfinished, then delete what is older than its tenant wants."""
        before, self._cut_off_before = self._cut_off_before, None
        mended = 0 if before is None else await asyncio.to_thread(self.mend, before)
        if mended:
            log.warning("recordings that a crash cut off are whole again", files=mended)
        while True:
            gone = await asyncio.to_thread(self.purge, time.time(), keep_days)
            if gone:
                log.info("old recordings are deleted", files=gone)
            await asyncio.sleep(CLEAN_EVERY)

    # -- on helper threads

    def purge(self, now: float, keep_days: KeepDays) -> int:
        """Delete what was last written longer ago than its tenant wants; how many."""
        gone = 0
        for path, owner in self._paths(None):
            days = keep_days(owner)
            try:
                if days and path.stat().st_mtime < now - days * DAY:
                    _remove(path)
                    gone += 1
            except OSError as error:
                log.warning("a recording cannot be deleted", file=path.name, error=str(error), do="see to the folder")
        return gone

    def mend(self, before: float) -> int:
        """Finish what an earlier life of the server began, and no file that was begun after `before`; how many."""
        mended = 0
        for path, _ in self._paths(None):
            try:
                data = index.read(path.parent, _call_of(path))
                if data is None or data.get("file") != path.name:
                    mended += wav.mend(path) if path.suffix == ".wav" else 0
                elif not data["complete"] and data["started_at"] < before:
                    mend(path.parent, data, self.keys)
                    mended += 1
            except (OSError, BadSeal, KeyError, TypeError, ValueError) as error:
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
            for path in folder.glob(f"{call}*") if re.fullmatch(CALL, call) else ():
                if NAME.fullmatch(path.name) and (file := _described(path, owner)) is not None:
                    yield file

    def _paths(self, tenant: str | None) -> Iterator[tuple[Path, str | None]]:
        for folder, owner in self._folders(tenant):
            try:
                with os.scandir(folder) as entries:
                    found = [entry.name for entry in entries if NAME.fullmatch(entry.name)]
            except OSError as error:
                log.warning("a folder cannot be read", folder=folder.name, error=str(error), do="see to the folder")
                continue
            for name in found:
                yield folder / name, owner

    def _folders(self, tenant: str | None) -> Iterator[tuple[Path, str | None]]:
        try:
            found = sorted(path for path in self.folder.iterdir() if path.is_dir())
        except FileNotFoundError:
            return
        except OSError as error:
            log.warning("the folder of recordings cannot be read", error=str(error), do="see to the folder")
            return
        for path in found:
            owner = None if path.name == self._no_tenant else path.name
            if tenant is None or owner == tenant:
                yield path, owner


def keys_of(file: Path | None) -> Keys | None:
    """The keys that the settings name.  Raises OSError, ValueError."""
    return None if file is None else Keys.of_file(file)


def _call_of(path: Path) -> str:
    match = NAME.fullmatch(path.name)
    assert match is not None
    return match["call"]


def _remove(path: Path) -> None:
    """A file and the index of it."""
    data = index.read(path.parent, _call_of(path))
    path.unlink(missing_ok=True)
    if data is not None and data.get("file") == path.name:
        (path.parent / f"{_call_of(path)}{index.SUFFIX}").unlink(missing_ok=True)


def _described(path: Path, tenant: str | None) -> RecordingFile | None:
    match = NAME.fullmatch(path.name)
    assert match is not None
    data = index.read(path.parent, match["call"])
    if data is None or data.get("file") != path.name:
        return _of_file(path, match, tenant)
    try:
        status = path.stat()
    except OSError:
        return None  # deleted meanwhile
    seconds = data["seconds"]
    if not data["complete"] and data["format"] == "wav":
        seconds = round(max(0, status.st_size - 44) / (4 * data["rate"]), 2)
    return RecordingFile(
        path.name, match["call"], None, None, tenant, status.st_size, seconds, data["complete"], status.st_mtime,
        data["format"], bool(data["encrypted"]), data["sha256"] or None, data["cut_off"] or None, path,
    )  # fmt: skip


def _of_file(path: Path, match: re.Match[str], tenant: str | None) -> RecordingFile | None:
    """A file without an index: the file itself is all there is to ask."""
    try:
        status = path.stat()
        complete = path.suffix != ".wav" or wav.is_complete(path)
        info = wav.inspect(path) if path.suffix == ".wav" else None
    except OSError:
        return None  # deleted meanwhile
    except wav.BadWave:
        complete, info = False, None
    seconds = 0.0
    if info is not None:
        seconds = info.seconds if complete else max(0, status.st_size - 44) / (info.rate * 2 * info.channels)
    part, sealed = match["part"], path.suffix == ".enc"
    form = (path.with_suffix("") if sealed else path).suffix.lstrip(".")
    return RecordingFile(
        path.name, match["call"], None if part is None else int(part), match["role"], tenant, status.st_size,
        round(seconds, 2), complete, status.st_mtime, form, sealed, None, None, path,
    )  # fmt: skip
