"""Messages that callers left: a WAV file each, and a file beside it that says whose it is.  Threads read the folder."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from b2bua.log import logger
from b2bua.storage.errors import NotFound
from media import wav

log = logger("tandem.storage")

ID = re.compile(r"[0-9a-f-]{36}(?:-[0-9]{1,3})?")
CLEAN_EVERY = 3600.0
"Seconds between two looks for messages that are too old."
DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Message:
    """One message."""

    id: str
    "The call's id; a second message of the same call has -2 behind it."
    call: str
    mailbox: str
    tenant: str | None
    caller: str | None
    "The effective caller."
    at: float
    "Epoch seconds of its beginning."
    seconds: float

    @property
    def file(self) -> str:
        """Name of its sound in the folder."""
        return f"{self.id}.wav"


class Messages:
    """All messages of this node."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mended = False
        "Once in a life: what is unfinished later is being spoken."

    async def new(self, call: str) -> str:
        """An id that is free, in a folder that is there.  Raises OSError."""
        return await asyncio.to_thread(self._new, call)

    def sound(self, id: str) -> Path:
        """Where the sound of a message is, or is to be recorded."""
        return self.folder / f"{id}.wav"

    async def keep(self, message: Message) -> None:
        """Its sound is complete: from now on it is listed.  Raises OSError."""
        await asyncio.to_thread(self._keep, message)

    async def drop(self, id: str) -> None:
        """Nothing of it is left."""
        await asyncio.to_thread(self._drop, id)

    async def page(
        self, *, tenant: str | None = None, mailbox: str | None = None, before: str = "", limit: int = 100
    ) -> list[Message]:
        """The newest first, from behind the id `before` on; `tenant` and `mailbox` None: of all."""
        return await asyncio.to_thread(self._page, tenant, mailbox, before, limit)

    async def get(self, id: str, tenant: str | None = None) -> Message:
        """Raises NotFound, also where it is not this tenant's."""
        found = await asyncio.to_thread(self._read, id) if ID.fullmatch(id) else None
        if found is None or (tenant is not None and found.tenant != tenant):
            raise NotFound(f"there is no message {id}")
        return found

    async def delete(self, id: str, tenant: str | None = None) -> None:
        """Raises NotFound."""
        await self.get(id, tenant)
        await self.drop(id)

    async def keep_clean(self, keep_days: int) -> None:
        """For ever: make what a crash left unfinished a message or nothing, and delete the old ones (0 days: none)."""
        if not self._mended:
            self._mended = True
            await asyncio.to_thread(self._mend)
        while True:
            if keep_days and (gone := await asyncio.to_thread(self.purge, time.time() - keep_days * DAY)):
                log.info("old messages are deleted", messages=gone, days=keep_days)
            await asyncio.sleep(CLEAN_EVERY)

    # -- on helper threads

    def purge(self, before: float) -> int:
        """Delete the messages from before this time (epoch seconds); how many."""
        old = [one for one in self._ids() if (found := self._read(one)) is not None and found.at < before]
        try:
            for one in old:
                self._drop(one)
        except OSError as error:
            log.warning("old messages cannot be deleted", error=str(error), do="see to the folder of messages")
            return 0
        return len(old)

    def _new(self, call: str) -> str:
        self.folder.mkdir(parents=True, exist_ok=True)
        for number in range(1, 1000):
            free = call if number == 1 else f"{call}-{number}"
            if not self.sound(free).exists():
                return free
        raise OSError(f"call {call} has left too many messages")

    def _keep(self, message: Message) -> None:
        path = self._beside(message.id)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.write_text(json.dumps(asdict(message)))
        draft.replace(path)

    def _drop(self, id: str) -> None:
        self._beside(id).unlink(missing_ok=True)
        self.sound(id).unlink(missing_ok=True)

    def _page(self, tenant: str | None, mailbox: str | None, before: str, limit: int) -> list[Message]:
        page: list[Message] = []
        for one in sorted(self._ids(), reverse=True):
            if len(page) == limit:
                break
            if before and one >= before:
                continue
            found = self._read(one)
            if found is not None and tenant in (None, found.tenant) and mailbox in (None, found.mailbox):
                page.append(found)
        return page

    def _read(self, id: str) -> Message | None:
        try:
            return Message(**json.loads(self._beside(id).read_text()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            log.warning("a message cannot be read", message=id, error=str(error), do="see to the folder of messages")
            return None

    def _mend(self) -> None:
        """A crash while a caller spoke leaves a sound that nobody has: its lengths are mended for who looks for it."""
        for path in self.folder.glob("*.wav"):
            if not self._beside(path.stem).exists():
                try:
                    wav.mend(path)
                except OSError as error:
                    log.warning("a message cannot be mended", file=path.name, error=str(error))

    def _beside(self, id: str) -> Path:
        return self.folder / f"{id}.json"

    def _ids(self) -> Iterator[str]:
        """Ids begin with the time of their call, so their order is that of time."""
        for path in self.folder.glob("*.json"):
            if ID.fullmatch(path.stem):
                yield path.stem
