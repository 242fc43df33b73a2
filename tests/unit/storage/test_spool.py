"""The spool: accepted means safe, and safe means stored soon, once, in order (security.md, Faults)."""

import asyncio
import errno
import json
import os
import random
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest
import sqlalchemy as sa

from b2bua.storage import Storage, StorageUnavailable
from b2bua.storage.spool import REJECTED, Spool, SpoolBusy
from b2bua.storage.storage import Backend, parse_url
from b2bua.storage.tokens import NewToken, State, Tokens
from tests.peers.waiting import eventually, eventually_true
from tests.postgres import Postgres
from tests.unit.storage.records import append_event, stored_numbers

T = TypeVar("T")
NOW = 1_800_000_000.0


class Flaky(Storage):
    """A storage that can be told to be unavailable."""

    gone = False

    def __init__(self, backend: Backend, timeout: float) -> None:
        super().__init__(backend, timeout)
        self.writes = 0

    async def write(self, op: Callable[[sa.Connection], T], *, timeout: float | None = None) -> T:
        self.writes += 1
        if self.gone:
            raise StorageUnavailable("as the test wants it")
        return await super().write(op, timeout=timeout)


class Disk:
    """Writes as os.write does, or as a disk without room for more than `room` bytes."""

    def __init__(self) -> None:
        self.room: int | None = None

    def write(self, descriptor: int, data: bytes) -> int:
        if self.room is None:
            return os.write(descriptor, data)
        if self.room == 0:
            raise OSError(errno.ENOSPC, "no room")
        part = data[: self.room]
        self.room -= len(part)
        return os.write(descriptor, part)


@pytest.fixture
async def flaky(sqlite_url: str) -> AsyncIterator[Flaky]:
    storage = await Flaky.open(sqlite_url)
    assert isinstance(storage, Flaky)
    yield storage
    await storage.close()


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))


async def closed(spool: Spool, *tasks: "asyncio.Task[None]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await spool.close()


async def test_what_is_appended_is_on_disk_at_once_and_stored_soon(storage: Storage, tmp_path: Path) -> None:
    """R0-14: the line is in the file when `append` returns; an orderly stop leaves nothing behind."""
    spool = Spool.open(tmp_path / "spool", storage)
    for number in range(1, 501):
        append_event(spool, number)
    (segment,) = segments(tmp_path / "spool")
    lines = segment.read_bytes().splitlines()
    assert [json.loads(line)[1]["number"] for line in lines] == list(range(1, 501))
    assert spool.pending == 500
    task = asyncio.create_task(spool.run())
    await eventually(lambda: spool.pending == 0, "all is stored")
    append_event(spool, 501)
    await eventually(lambda: spool.pending == 0, "the next one too, without being asked for")
    assert await stored_numbers(storage) == list(range(1, 502))
    await closed(spool, task)
    assert segments(tmp_path / "spool") == []


async def test_all_kinds_of_records_do_their_work(storage: Storage, tmp_path: Path) -> None:
    """R1-09: an answer and an unanswered end reach the token by way of the spool."""
    tokens = Tokens(storage, "n1")
    issued = await tokens.issue_many("acme", [NewToken()] * 3, width=6, ttl=300.0, now=NOW)
    one, two, three = (token.sequence for token in issued)
    for sequence, call in ((one, "call-1"), (two, "call-2")):
        await tokens.claim("acme", sequence, call, NOW)
    spool = Spool.open(tmp_path / "spool", storage)
    for _ in range(2):
        spool.append("consume", {"tenant": "acme", "sequence": one, "call": "call-1", "at": NOW + 1})
        spool.append("consume", {"tenant": "acme", "sequence": two, "call": "somebody else", "at": NOW + 1})
        spool.append("release", {"tenant": "acme", "sequence": two, "call": "call-2", "at": NOW + 1})
        spool.append("consume", {"tenant": "acme", "sequence": three, "call": "call-3", "at": NOW + 1})
        spool.append("call", {"id": "call-1", "node": "n1", "direction": "inbound", "started_at": NOW, "parts": []})
    assert await spool.drain(10)
    await spool.close()
    states = [await tokens.look_up("acme", sequence) for sequence in (one, two, three)]
    assert [token.state for token in states if token] == [State.CONSUMED, State.FREE, State.CONSUMED]
    assert states[2] is not None
    assert states[2].call == "call-3", "a claim that a power cut took away does not undo the answer"


async def test_a_new_process_stores_what_the_old_one_left(storage: Storage, tmp_path: Path) -> None:
    """After a crash: everything whole, the torn last line counted and passed over."""
    spool = Spool.open(tmp_path / "spool", storage, segment_bytes=2000)
    for number in range(1, 101):
        append_event(spool, number)
    await spool.close()
    last = segments(tmp_path / "spool")[-1]
    with last.open("ab") as file:
        file.write(b'["event",{"node":"n1","num')
    assert len(segments(tmp_path / "spool")) > 3
    spool = Spool.open(tmp_path / "spool", storage)
    assert spool.pending == 100
    append_event(spool, 101)
    assert await spool.drain(10)
    assert (spool.pending, spool.torn, spool.lost) == (0, 1, 0)
    assert await stored_numbers(storage) == list(range(1, 102))
    await spool.close()
    assert segments(tmp_path / "spool") == []


async def test_a_broken_line_costs_only_itself(storage: Storage, tmp_path: Path) -> None:
    """Bad sectors, other people's editors."""
    folder = tmp_path / "spool"
    spool = Spool.open(folder, storage)
    for number in range(1, 4):
        append_event(spool, number)
    await spool.close()
    (segment,) = segments(folder)
    first, second, third = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(first + b"\x00\xff garbage\n" + b"17\n" + second[:30] + b"\n" + third)
    spool = Spool.open(folder, storage)
    assert await spool.drain(10)
    assert (spool.pending, spool.torn) == (0, 3)
    assert await stored_numbers(storage) == [1, 3]
    await spool.close()


async def test_what_the_database_refuses_is_set_aside(storage: Storage, tmp_path: Path) -> None:
    """One bad record does not hold up the others for ever, and can still be looked at."""
    spool = Spool.open(tmp_path / "spool", storage)
    append_event(spool, 1)
    spool.append("call", {"id": None, "node": "n1"})
    spool.append("unheard-of", {"x": 1})
    spool.append("consume", {})
    spool.append("consume", {"tenant": ["acme"], "sequence": "1", "call": "c", "at": NOW})
    append_event(spool, 2)
    assert await spool.drain(10)
    assert (spool.pending, spool.rejected) == (0, 4)
    assert await stored_numbers(storage) == [1, 2]
    await spool.close()
    rejected = [json.loads(line) for line in (tmp_path / "spool" / REJECTED).read_text().splitlines()]
    assert [kind for kind, _ in rejected] == ["call", "unheard-of", "consume", "consume"]


async def test_a_locked_database_delays_and_loses_nothing(sqlite: Storage, sqlite_url: str, tmp_path: Path) -> None:
    """Another process holds the lock; afterwards everything is stored, once."""
    sqlite.timeout = 0.1
    other = sqlite3.connect(parse_url(sqlite_url).database or "", isolation_level=None)
    spool = Spool.open(tmp_path / "spool", sqlite)
    task = asyncio.create_task(spool.run())
    other.execute("BEGIN IMMEDIATE")
    for number in range(1, 301):
        append_event(spool, number)
    await eventually(lambda: spool.behind, "the spool has noticed")
    assert spool.pending == 300
    assert not spool.alarm
    other.execute("ROLLBACK")
    other.close()
    await eventually(lambda: spool.pending == 0 and not spool.behind, "all is stored")
    assert await stored_numbers(sqlite) == list(range(1, 301))
    await closed(spool, task)


async def test_a_database_that_is_gone_gets_everything_later(
    postgres: Postgres, postgres_url: str, tmp_path: Path
) -> None:
    """PostgreSQL stopped and started again."""
    storage = await Storage.open(postgres_url, timeout=2)
    spool = Spool.open(tmp_path / "spool", storage)
    task = asyncio.create_task(spool.run())
    append_event(spool, 1)
    await eventually(lambda: spool.pending == 0, "the first is stored")
    postgres.stop()
    try:
        for number in range(2, 301):
            append_event(spool, number)
        await eventually(lambda: spool.behind, "the spool has noticed")
    finally:
        postgres.start()
    await eventually(lambda: spool.pending == 0, "all is stored")
    assert await stored_numbers(storage) == list(range(1, 301))
    await closed(spool, task)
    await storage.close()


async def test_memory_stays_bounded_while_the_database_is_away(flaky: Flaky, tmp_path: Path) -> None:
    """What memory has no room for is read back from the file, in order, while new records keep coming."""
    spool = Spool.open(tmp_path / "spool", flaky, memory=20, segment_bytes=3000)
    flaky.gone = True
    for number in range(1, 1001):
        append_event(spool, number)
    assert not await spool.drain(0.01)
    assert len(spool._files._warm) <= 20
    flaky.gone = False
    task = asyncio.create_task(spool.run())
    number = 1000
    while spool.pending:
        number += 1
        if number <= 1500:
            append_event(spool, number)
        await asyncio.sleep(0)
    assert spool.torn == 0
    assert await stored_numbers(flaky) == list(range(1, min(number, 1500) + 1))
    await closed(spool, task)
    assert segments(tmp_path / "spool") == []


async def test_a_full_disk_leaves_no_half_line_and_clears_up_by_itself(sqlite: Storage, tmp_path: Path) -> None:
    """ENOSPC in the middle of a line: cut back, kept in memory, written when there is room."""
    disk = Disk()
    spool = Spool.open(tmp_path / "spool", sqlite, write=disk.write)
    append_event(spool, 1)
    disk.room = 50
    append_event(spool, 2)
    (segment,) = segments(tmp_path / "spool")
    assert [json.loads(line)[1]["number"] for line in segment.read_bytes().splitlines()] == [1]
    assert repr(spool) == "<Spool alarm pending=2 lost=0 torn=0 rejected=0>"
    disk.room = None
    append_event(spool, 3)
    assert repr(spool) == "<Spool ok pending=3 lost=0 torn=0 rejected=0>"
    assert [json.loads(line)[1]["number"] for line in segment.read_bytes().splitlines()] == [1, 2, 3]
    assert await spool.drain(10)
    assert await stored_numbers(sqlite) == [1, 2, 3]
    await spool.close()


async def test_with_a_full_disk_records_still_reach_the_database(sqlite: Storage, tmp_path: Path) -> None:
    """The spool's disk is full, the database's is not; the alarm ends without a new record having to come."""
    disk = Disk()
    spool = Spool.open(tmp_path / "spool", sqlite, write=disk.write)
    task = asyncio.create_task(spool.run())
    disk.room = 0
    for number in range(1, 301):
        append_event(spool, number)
    await eventually(lambda: spool.pending == 0, "all is stored")
    assert spool.alarm
    disk.room = None
    await eventually(lambda: not spool.alarm, "the alarm is over")
    assert await stored_numbers(sqlite) == list(range(1, 301))
    await closed(spool, task)


async def test_with_neither_disk_nor_database_events_go_first(flaky: Flaky, tmp_path: Path) -> None:
    """Memory is bounded: what is dropped is counted, and a token's fate outlives an event."""
    disk = Disk()
    disk.room = 0
    flaky.gone = True
    spool = Spool.open(tmp_path / "spool", flaky, memory=100, write=disk.write)
    for number in range(1, 101):
        append_event(spool, number)
    assert (spool.pending, spool.lost) == (50, 50)
    for _ in range(60):
        spool.append("consume", {"tenant": "acme", "sequence": "1", "call": "c", "at": NOW})
    assert (spool.pending, spool.lost) == (100, 60)
    flaky.gone = False
    disk.room = None
    assert await spool.drain(10)
    assert await stored_numbers(flaky) == list(range(1, 51))
    await spool.close()


async def test_the_spool_survives_any_mixture_of_misfortunes(flaky: Flaky, tmp_path: Path) -> None:
    """Random full disks, absent databases, restarts and small segments: everything accepted is stored exactly once."""
    for seed in range(12):
        chance, disk = random.Random(seed), Disk()
        folder = tmp_path / str(seed)
        await flaky.write(lambda conn: conn.exec_driver_sql("DELETE FROM events").close())
        number = lost = 0

        def opened(folder: Path = folder, disk: Disk = disk, chance: random.Random = chance) -> Spool:
            size, memory = chance.choice([300, 3000, 100_000]), chance.choice([50, 100, 1000])
            return Spool.open(folder, flaky, segment_bytes=size, memory=memory, write=disk.write)

        spool = opened()
        for _ in range(60):
            match chance.randrange(6):
                case 0:
                    flaky.gone = not flaky.gone
                case 1:
                    disk.room = None if disk.room is not None else chance.randrange(2000)
                case 2:
                    await spool.drain(0.001)
                case 3 if not spool.alarm and chance.random() < 0.3:
                    lost += spool.lost
                    await spool.close()
                    disk.room = None
                    spool = opened()
                case _:
                    for _ in range(chance.randrange(40)):
                        number += 1
                        append_event(spool, number, "z" * chance.randrange(300))
        flaky.gone, disk.room = False, None
        lost += spool.lost
        assert await spool.drain(10)
        numbers = await stored_numbers(flaky)
        assert numbers == sorted(set(numbers)), f"seed {seed}"
        assert len(numbers) == number - lost, f"seed {seed}"
        assert (spool.pending, spool.torn, spool.rejected) == (0, 0, 0), f"seed {seed}"
        await spool.close()
        assert segments(folder) == [], f"seed {seed}"


async def test_two_processes_cannot_use_one_folder(sqlite: Storage, tmp_path: Path) -> None:
    """A second server would take the first one's live calls for lost ones."""
    spool = Spool.open(tmp_path / "spool", sqlite)
    with pytest.raises(SpoolBusy, match="another process"):
        Spool.open(tmp_path / "spool", sqlite)
    await spool.close()
    await Spool.open(tmp_path / "spool", sqlite).close()


async def test_records_share_transactions(flaky: Flaky, tmp_path: Path) -> None:
    """What comes within the linger time is stored together."""
    spool = Spool.open(tmp_path / "spool", flaky, linger=0.05)
    task = asyncio.create_task(spool.run())
    await asyncio.sleep(0)
    before = flaky.writes
    for number in range(1, 201):
        append_event(spool, number)
    await eventually(lambda: spool.pending == 0, "all is stored")
    assert flaky.writes - before == 1
    await closed(spool, task)


async def test_events_are_found_in_the_files_by_number(flaky: Flaky, tmp_path: Path) -> None:
    """R0-14: for a listener that resumes while the database is away."""
    spool = Spool.open(tmp_path / "spool", flaky, segment_bytes=2000)
    flaky.gone = True
    for number in range(1, 301):
        append_event(spool, number)
        spool.append("consume", {"tenant": "acme", "sequence": "1", "call": "c", "at": NOW})

    async def found(behind: int, limit: int) -> Sequence[int]:
        return [record["number"] for record in await spool.search("event", behind, limit)]

    assert await found(0, 1000) == list(range(1, 301))
    assert await found(123, 5) == [124, 125, 126, 127, 128]
    assert await found(299, 5) == [300]
    assert await found(300, 5) == []
    await spool.close()


async def test_a_release_does_not_wait_for_others(flaky: Flaky, tmp_path: Path) -> None:
    """R1-09: a carrier tries again at once."""
    tokens = Tokens(flaky, "n1")
    sequence = (await tokens.issue("acme", NewToken(), width=6, ttl=300.0, now=NOW)).sequence
    await tokens.claim("acme", sequence, "call-1", NOW)
    spool = Spool.open(tmp_path / "spool", flaky, linger=3600)
    task = asyncio.create_task(spool.run())
    await asyncio.sleep(0)
    spool.append("release", {"tenant": "acme", "sequence": sequence, "call": "call-1", "at": NOW})

    async def is_free() -> bool:
        token = await tokens.look_up("acme", sequence)
        return token is not None and token.state is State.FREE

    await eventually_true(is_free, "the token is free long before the linger time is over")
    await closed(spool, task)
