"""The importing process as the server holds it: started for the first job, kept for the next ones."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Mapping
from typing import Any

from b2bua.importing.job import DONE

LAST_WORDS = 300
"Characters kept of what a process that failed has said."

LONGEST = 64 * 1024
"Bytes of a line it says."


class Worker:
    """One process at most."""

    def __init__(self) -> None:
        self._process: Process | None = None

    @property
    def is_there(self) -> bool:
        return self._process is not None

    @property
    def pid(self) -> int | None:
        """Of the process, while there is one."""
        return None if self._process is None else self._process.pid

    async def do(self, job: Mapping[str, Any]) -> str:
        """Have a job done; returns what kept it from being done, empty for nothing."""
        try:
            if self._process is None:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "b2bua.importing", stdin=PIPE, stdout=PIPE, stderr=STDOUT, limit=LONGEST
                )
        except OSError as error:
            return f"no process can be started: {error.strerror}"
        process, said = self._process, ""
        assert process.stdin is not None  # both are pipes, as asked for
        assert process.stdout is not None
        try:
            # the database's URL has a password in it: it goes where nobody lists it, unlike arguments and environment
            process.stdin.write(json.dumps(job).encode() + b"\n")
            while line := await process.stdout.readline():
                text = line.decode("utf-8", "replace").strip()
                if text.startswith("{") and (answer := _answer(text)) is not None:
                    return answer
                said = text or said
        except (ValueError, ConnectionError) as error:
            said = str(error)
        except asyncio.CancelledError:
            await self.end()
            raise
        await self.end()
        return said[:LAST_WORDS] or "the importing process has ended"

    async def end(self) -> None:
        """Let it go; what it is doing stays as it is."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            try:
                process.kill()
            except ProcessLookupError:
                pass  # it was quicker
        # reads what is left, else the pipes are never closed
        await process.communicate()


def _answer(text: str) -> str | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return str(found[DONE]) if isinstance(found, dict) and DONE in found else None
