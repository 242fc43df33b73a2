"""The importing process: `python -m b2bua.importing`, with the job as one line of JSON on its standard input.

Standard input stays open as long as the server wants the work: when it closes, the server is gone and so are we.
"""

import asyncio
import json
import os
import sys
import threading
from pathlib import Path

from b2bua.importing.source import Source
from b2bua.importing.work import Job, run
from b2bua.storage import StorageError

NICE = 10
"Calls come first."


def job_of(line: str) -> Job:
    """The job that a line says."""
    made = json.loads(line)
    path, source = made.pop("path", None), made.pop("source", None)
    return Job(**made, path=None if path is None else Path(path), source=None if source is None else Source(**source))


def main() -> int:
    """Run the job; 0 whether or not the batch could be imported, 1 when the database is out of reach."""
    os.nice(NICE)
    job = job_of(sys.stdin.readline())
    threading.Thread(target=_until_closed, name="server is there", daemon=True).start()
    try:
        asyncio.run(run(job))
    except StorageError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _until_closed() -> None:
    sys.stdin.read()
    os._exit(3)  # no clean-up: the next start of the server does it


if __name__ == "__main__":
    sys.exit(main())
