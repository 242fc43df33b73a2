"""Events found again: in the database, in the spool, and across a restart, by way of a real event log (R0-14)."""

import asyncio
import sqlite3
from pathlib import Path

from b2bua.events import EventLog
from b2bua.storage import Storage
from b2bua.storage.agent_states import last_states
from b2bua.storage.history import EventHistory
from b2bua.storage.spool import Spool
from b2bua.storage.storage import parse_url
from tests.peers.waiting import eventually
from tests.unit.storage.records import NODE, append_event, stored_numbers


async def heard(log: EventLog, after: int, count: int) -> list[int]:
    place, numbers = log.subscribe(after), list[int]()
    async with asyncio.timeout(10):
        while len(numbers) < count:
            numbers += [event.number for event in await place.next()]
    return numbers


async def test_a_listener_hears_everything_over_a_restart(storage: Storage, tmp_path: Path) -> None:
    """R0-14: numbers go on, and a resume reaches back into the earlier life."""
    for life in range(3):
        spool = Spool.open(tmp_path / "spool", storage)
        await spool.drain()
        history = EventHistory(storage, NODE, spool)
        last = await history.last()
        assert last == life * 1000
        log = EventLog(NODE, spool, history, last=last, ring=100)
        task = asyncio.create_task(spool.run())
        listener = asyncio.create_task(heard(log, 0, (life + 1) * 1000))
        for n in range(1000):
            log.append("call.received", f"call-{n}", {"n": n, "text": "测试"})
            if n % 10 == 0:
                await asyncio.sleep(0)
        assert await listener == list(range(1, (life + 1) * 1000 + 1))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await spool.close()


async def test_stored_and_live_records_are_the_same_bytes(storage: Storage, tmp_path: Path) -> None:
    """R0-14: one documented structure, whenever it is read."""
    spool = Spool.open(tmp_path / "spool", storage)
    log = EventLog(NODE, spool, EventHistory(storage, NODE, spool), last=0, clock=lambda: 1_800_000_000.123456789)
    live = [log.append("call.dtmf", None, {"digit": "#", "é": [None, 1.5, "\ud800\x00"]}) for _ in range(3)]
    fresh = EventLog(NODE, spool, EventHistory(storage, NODE, spool), last=3)
    from_spool = await fresh.subscribe(0).next()
    assert [event.line for event in from_spool] == [event.line for event in live]
    assert await spool.drain(10)
    from_database = await fresh.subscribe(0).next()
    assert from_database == from_spool == live
    assert [event.line for event in from_database] == [event.line for event in live]
    await spool.close()


async def test_a_locked_database_is_bridged_by_the_spool(sqlite: Storage, sqlite_url: str, tmp_path: Path) -> None:
    """R0-14: part of the events is stored, part is in files only, part in memory: one row of numbers."""
    sqlite.timeout = 0.1
    spool = Spool.open(tmp_path / "spool", sqlite, memory=50, segment_bytes=5000)
    log = EventLog(NODE, spool, EventHistory(sqlite, NODE, spool), last=0, ring=20)
    for n in range(300):
        log.append("call.received", f"call-{n}", {})
    assert await spool.drain(10)
    other = sqlite3.connect(parse_url(sqlite_url).database or "", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    task = asyncio.create_task(spool.run())
    for n in range(300):
        log.append("call.received", f"call-{n}", {})
    await eventually(lambda: spool.behind, "the spool has noticed")
    assert await heard(log, 0, 600) == list(range(1, 601))
    other.execute("ROLLBACK")
    other.close()
    await eventually(lambda: spool.pending == 0, "all is stored")
    assert await heard(log, 0, 600) == list(range(1, 601))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await spool.close()


async def test_without_a_database_the_spool_alone_answers(sqlite: Storage, tmp_path: Path) -> None:
    """R0-14: not even reading is possible."""
    spool = Spool.open(tmp_path / "spool", sqlite)
    for number in range(1, 101):
        append_event(spool, number)
    history = EventHistory(sqlite, NODE, spool)
    await sqlite.close()
    assert [row[1] for row in await history.after(40, 10)] == list(range(41, 51))


async def test_old_events_are_deleted_but_never_the_newest(storage: Storage, tmp_path: Path) -> None:
    """Retention must not make a node count from 1 again, nor leave a hole when a clock was set back."""
    spool = Spool.open(tmp_path / "spool", storage)
    for number in range(1, 3001):
        append_event(spool, number)
    await spool.drain()
    await spool.close()
    history = EventHistory(storage, NODE)
    assert await history.purge(1500.0) == 1499
    assert (await stored_numbers(storage))[0] == 1500
    assert await history.purge(1e12) == 1500
    assert await stored_numbers(storage) == [3000]
    assert await history.last() == 3000
    assert await EventHistory(storage, "n2").last() == 0


async def test_a_crash_leaves_no_call_alive_for_the_listeners(storage: Storage, tmp_path: Path) -> None:
    """R0-14: calls without an end are found with what was told of them; the end of a lost one is not told twice."""
    spool = Spool.open(tmp_path / "spool", storage)
    history = EventHistory(storage, NODE, spool)
    log = EventLog(NODE, spool, history, last=0)
    for call, kind, data in (
        ("over", "call.received", {}),
        ("ringing", "call.received", {}),
        ("told", "call.answered", {"tenant": "acme"}),
        ("over", "call.ended", {}),
        ("ringing", "call.ringing", {"tenant": "acme"}),
        ("stranger", "call.received", {}),
        ("told", "call.ended", {"tenant": "acme"}),
        (None, "node.started", {}),
    ):
        log.append(kind, call, data)
    assert await spool.drain(10)
    found = await history.without_end(["told", "long ago"])
    assert {call: [row[4] for row in rows] for call, rows in found.items()} == {
        "long ago": [],
        "ringing": ["call.received", "call.ringing"],
        "stranger": ["call.received"],
    }
    await spool.close()


async def test_the_last_state_of_each_agent_is_kept_and_a_replay_changes_nothing(
    storage: Storage, tmp_path: Path
) -> None:
    """R2-05: written with the event, outlives it, and what the restart itself says of agents is passed over."""
    spool = Spool.open(tmp_path / "spool", storage)
    log = EventLog(NODE, spool, EventHistory(storage, NODE), last=0, clock=lambda: 100.0)
    paused = {"extension": "1001", "after": "paused", "reason": "lunch", "pause": "lunch", "logged_in": True}
    log.append("agent.state", None, {"extension": "1001", "after": "available"})
    log.append("agent.state", None, paused)
    log.append("agent.state", None, {"extension": "1002", "after": "talking"})
    assert await spool.drain(10)
    log.append("agent.state", None, {"extension": "1002", "after": "logged-out", "reason": "log-out"})
    log.append("agent.state", None, {"extension": "1001", "after": "logged-out", "reason": "restart"})
    assert await spool.drain(10)
    replayed = EventLog(NODE, spool, EventHistory(storage, NODE), last=2)
    replayed.append("agent.state", None, {"extension": "1002", "after": "talking"})
    assert await spool.drain(10)
    await EventHistory(storage, NODE).purge(200.0)
    found = {one.extension: one for one in await last_states(storage, NODE)}
    assert (found["1001"].time, found["1001"].data) == (100.0, paused)
    assert found["1002"].data["after"] == "logged-out"
    assert not await last_states(storage, "n2")
    await spool.close()
