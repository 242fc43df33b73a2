"""A disk that fails under the spool or the database: nothing ends, nothing is lost, and it goes on by itself.

Security.md, Faults.  The refusals are the kernel's own: loops of links, folders where a file should be.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from b2bua.storage import Storage, StorageUnavailable
from b2bua.storage.filequeue import FileQueue
from b2bua.storage.segments import Segment, Syncer
from b2bua.storage.spool import Spool
from tests.peers.waiting import eventually
from tests.unit.storage.records import append_event, stored_numbers


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))


@contextmanager
def out_of_reach(file: Path) -> Iterator[None]:
    """To open the file is ELOOP; whoever has a descriptor of it goes on."""
    aside = file.rename(file.with_suffix(".aside"))
    file.symlink_to(file)
    yield
    file.unlink()
    aside.rename(file)


async def test_a_database_that_cannot_be_fsynced_keeps_the_files_and_ends_nothing(
    sqlite: Storage, tmp_path: Path
) -> None:
    """The rows are there, but would a power cut leave them? Until that is known the lines stay on disk."""
    spool = Spool.open(tmp_path / "spool", sqlite, segment_bytes=500)
    task = asyncio.create_task(spool.run())
    append_event(spool, 1)
    await eventually(lambda: spool.pending == 0, "the first is stored")
    with out_of_reach(tmp_path / "tandem.db-wal"):
        with pytest.raises(StorageUnavailable, match="symbolic links"):
            await sqlite.sync()
        for number in range(2, 51):
            append_event(spool, number)
        await eventually(lambda: spool.pending == 0 or task.done(), "all is stored")
        assert await stored_numbers(sqlite) == list(range(1, 51))
        assert not task.done()
        assert len(segments(tmp_path / "spool")) > 3
    append_event(spool, 51)
    await eventually(lambda: spool.pending == 0 and len(segments(tmp_path / "spool")) <= 1, "the files are gone")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await spool.close()


async def test_a_spool_that_cannot_be_read_is_read_later(sqlite: Storage, tmp_path: Path) -> None:
    """Records of an earlier process, whose file the disk does not give at this moment."""
    folder = tmp_path / "spool"
    spool = Spool.open(folder, sqlite)
    append_event(spool, 1)
    append_event(spool, 2)
    await spool.close()
    (file,) = segments(folder)
    spool = Spool.open(folder, sqlite)
    with out_of_reach(file):
        task = asyncio.create_task(spool.run())
        await eventually(lambda: spool.behind or task.done(), "the spool has noticed")
        assert not task.done()
    await eventually(lambda: spool.pending == 0, "all is stored")
    assert await stored_numbers(sqlite) == [1, 2]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await spool.close()


def test_the_thread_that_deletes_outlives_a_file_that_cannot_be_deleted(tmp_path: Path) -> None:
    """Else nothing would be fsynced or deleted any more, and nobody would know."""
    stubborn, usual = Segment.create(tmp_path, 1), Segment.create(tmp_path, 2)
    stubborn.path.unlink()
    stubborn.path.mkdir()
    syncer = Syncer(0.01)
    syncer.retire(stubborn, delete=True)
    syncer.retire(usual, delete=True)
    syncer.close()
    assert syncer.failures == 1
    assert [path.name for path in tmp_path.iterdir()] == [stubborn.path.name]
    assert [thread.name for thread in threading.enumerate() if thread.name == "spool-fsync"] == []


def test_a_probe_of_the_disk_that_leaves_its_file_is_an_answer(tmp_path: Path) -> None:
    """Room or none: a probe that another has taken away in the meantime ends nothing."""

    def write(descriptor: int, data: bytes) -> int:
        (tmp_path / "probe").unlink()
        return len(data)

    files = FileQueue(tmp_path, segment_bytes=1000, memory=10, sync_interval=0.01, write=write)
    assert files.probe()
    files.close()
