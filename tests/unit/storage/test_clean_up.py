"""What a crash left is mended once: a service that begins again keeps its hands off what is being written."""

import asyncio
import contextlib
import os
from collections.abc import Awaitable
from pathlib import Path

from b2bua.storage.recordings import Recordings
from media.recording import Order, index
from media.recording.one import OneRecording
from tests.peers.waiting import eventually

CALLS = [f"019b7656-7d80-7c1e-9f0a-3b6a1d2c4e{n:02d}" for n in range(2)]


async def a_while(work: Awaitable[None], done: Path) -> None:
    """One life of a service, until this file is gone: its last act."""
    task = asyncio.ensure_future(work)
    await eventually(lambda: not done.exists(), "the folder is looked through")
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def unfinished(folder: Path, call: str) -> OneRecording:
    made = OneRecording(Order(call, "acme", folder / "acme", "wav", 8000, 0, 1.0, "here", None))
    made.write(1_000_000)
    made.note()
    return made


def old(path: Path) -> Path:
    """Something that is deleted at the first look."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    os.utime(path, (1.0, 1.0))
    return path


async def test_a_recording_that_is_being_written_is_not_mended_by_a_second_life(tmp_path: Path) -> None:
    crashed = unfinished(tmp_path, CALLS[0])
    recordings = Recordings(tmp_path)
    gone = f"{'0' * 8}-0000-0000-0000-{'0' * 12}.opus"
    await a_while(recordings.keep_clean(lambda tenant: 1), old(tmp_path / "acme" / gone))
    found = index.read(crashed.path.parent, CALLS[0])
    assert found is not None
    assert (found["complete"], found["cut_off"]) == (True, "the server went down")

    live = unfinished(tmp_path, CALLS[1])
    await a_while(recordings.keep_clean(lambda tenant: 1), old(tmp_path / "acme" / gone))
    found = index.read(live.path.parent, CALLS[1])
    assert found is not None
    assert not found["complete"]
    live.close(1_000_000)
