"""Runs the demonstration; on failure the server's newest log lines are shown and the exit status is 1."""

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from pathlib import Path

from benching.tandem import Tandem

from .show import Show
from .story import Story

WITHIN = 45.0
"Seconds after which something hangs."


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="keep configuration, database, logs and traces there"
    )
    keep: Path | None = parser.parse_args().keep
    with tempfile.TemporaryDirectory(prefix="tandem-demo-") as scratch:
        return run(keep or Path(scratch))


def run(folder: Path) -> int:
    """Tell the story in this folder; the exit status."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # the server is ended on the way out
    show, started = Show(), time.monotonic()
    server = Tandem(folder / "server", name="demo", max_calls=20)
    try:
        show.title()
        asyncio.run(asyncio.wait_for(Story(folder, server, show).tell(), WITHIN))
    except Exception as error:  # whatever it was: the newcomer gets the server's side of it, not a trace
        show.failure(error, server.log_tail())
        return 1
    finally:
        server.close()
    show.end(time.monotonic() - started)
    return 0


if __name__ == "__main__":
    sys.exit(main())
