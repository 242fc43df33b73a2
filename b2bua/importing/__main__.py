"""The importing process: `python -m b2bua.importing`, with jobs as lines of JSON on its standard input.

When that closes, the server is gone, or wants no more: so are we.
"""

import asyncio
import json
import os
import sys
import threading
from pathlib import Path
from queue import SimpleQueue

from b2bua.importing.job import DONE, Job
from b2bua.importing.source import Source
from b2bua.importing.work import run
from b2bua.storage import StorageError

NICE = 10
"Calls come first."


def job_of(line: str) -> Job:
    """The job that a line says."""
    made = json.loads(line)
    path, source = made.pop("path", None), made.pop("source", None)
    return Job(**made, path=None if path is None else Path(path), source=None if source is None else Source(**source))


def main() -> int:
    """One job after the other; each is answered with a line that says what kept it from being done, if anything did."""
    os.nice(NICE)
    lines: SimpleQueue[str] = SimpleQueue()
    threading.Thread(target=_read, args=(lines,), name="jobs", daemon=True).start()
    while True:
        error = ""
        try:
            asyncio.run(run(job_of(lines.get())))
        except StorageError as failed:
            error = str(failed)
        print(json.dumps({DONE: error}), flush=True)


def _read(lines: "SimpleQueue[str]") -> None:
    for line in sys.stdin:
        lines.put(line)
    os._exit(0)  # in the middle of work, too: the next start of the server cleans up


if __name__ == "__main__":
    sys.exit(main())
