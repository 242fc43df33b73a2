"""The folder where everything built is kept, one build at a time, and only what was used last."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from .progress import Progress

TREES, WHEELS = 6, 20
"How many compiled trees (50 MB each) and wheels (3 MB each) are kept."


def folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tandem" / "pjsua2"


@contextlib.contextmanager
def locked(root: Path, progress: Progress) -> Iterator[None]:
    """One build at a time: a second one waits and then finds everything done."""
    with (root / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say("another build is running: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def touch(entry: Path, now: float | None = None) -> None:
    """Notes that the entry was used."""
    os.utime(entry, None if now is None else (now, now))


def prune(shelf: Path, keep: int) -> None:
    """Removes all but the entries used last."""
    entries = sorted(shelf.iterdir(), key=lambda entry: entry.stat().st_mtime, reverse=True)
    for entry in entries[keep:]:
        shutil.rmtree(entry, ignore_errors=True)
