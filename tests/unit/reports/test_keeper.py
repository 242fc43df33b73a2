"""The statistics in the tables: each event counted once, over restarts, faults and rebuilds, on both databases."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from b2bua.events import EventLog
from b2bua.reports.keeper import Keeper
from b2bua.storage import Storage, StorageUnavailable
from b2bua.storage.history import EventHistory
from b2bua.storage.reports import Reports, Step, Wanted
from b2bua.storage.spool import Spool
from b2bua.storage.tables import events
from routing.plan import Plan
from routing.queue import Queue
from tests.peers.waiting import eventually
from tests.unit.web.running import running

NODE = "n1"
DAY = 86400.0
NOON = 1_767_268_800.0
"2026-01-01 12:00 UTC."


class Clock:
    """The wall clock, set by hand."""

    now = NOON

    def __call__(self) -> float:
        return self.now


class World:
    """An event log, and the keeper of its statistics."""

    def __init__(self, storage: Storage, spool: Spool, clock: Clock) -> None:
        self.storage, self.spool, self.clock = storage, spool, clock
        self.history = EventHistory(storage, NODE, spool)
        self.reports = Reports(storage, NODE)
        self.last = 0
        self.log, self.keeper = self.life()

    def life(self) -> tuple[EventLog, Keeper]:
        """The process starts (again)."""
        self.log = EventLog(NODE, self.spool, self.history, last=self.last, ring=50, clock=self.clock)
        plan = Plan(queues={"repairs": Queue("repairs", "Repairs", service_level=5.0)})
        self.keeper = Keeper(self.log, self.reports, lambda: plan, UTC, wall=self.clock)
        return self.log, self.keeper

    def tell(self, call: str | None, type: str, **data: object) -> None:
        self.log.append(type, call, data)
        self.last = self.log.last

    def call(self, id: str, wait: float, result: str = "answered") -> None:
        """A call with its whole life."""
        self.waits(id)
        self.leaves(id, wait, result)

    def waits(self, id: str) -> None:
        self.tell(id, "call.received", calling="138001", called="8000", trunk="carrier")
        self.tell(id, "call.queued", queue="repairs", tenant="acme")

    def leaves(self, id: str, wait: float, result: str = "answered") -> None:
        self.tell(id, "call.dequeued", queue="repairs", wait=wait, result=result, tenant="acme")
        self.tell(id, "call.ended", cause="normal", talk=10.0, duration=wait + 10, tenant="acme")

    async def counted(self) -> None:
        """Everything told so far is in the tables."""
        await eventually(lambda: self.keeper.behind == 0 and not self.keeper.rebuilding, "all events are counted")

    async def row(self, by: str = "queue", span: str | None = "quarter", **more: Any) -> Mapping[str, float]:
        (row,) = await self.reports.rows(Wanted(by, span, **more), 10)
        return {name: value for name, value in row.counts.items() if value}


@pytest.fixture
async def world(storage: Storage, tmp_path: Path) -> AsyncIterator[World]:
    async with opened(storage, tmp_path) as made:
        yield made


@asynccontextmanager
async def opened(storage: Storage, folder: Path) -> AsyncIterator[World]:
    """A world whose spool runs."""
    spool = Spool.open(folder / "spool", storage)
    task = asyncio.create_task(spool.run())
    try:
        yield World(storage, spool, Clock())
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await spool.close()


async def test_events_become_rows_of_quarters_and_days(world: World) -> None:
    """R2-08: with the queue's own service level, once for each interval."""
    stored = world.keeper.stored
    async with running(world.keeper):
        world.call("a", 4.0)
        world.call("b", 6.0)
        await world.counted()
        assert stored.is_set(), "whoever took it before he looked misses no step, however many look"
        assert world.keeper.stored is not stored
        world.clock.now += 900
        world.call("c", 9.0, "abandoned")
        await world.counted()
    rows = await world.reports.rows(Wanted("queue", "quarter", tenant="acme"), 10)
    assert [(row.start, row.key, row.counts["offered"], row.counts["in_time"]) for row in rows] == [
        (NOON, "repairs", 2, 1), (NOON + 900, "repairs", 1, 0),
    ]  # fmt: skip
    day = await world.row(span="day")
    assert day == {
        "offered": 3, "answered": 2, "in_time": 1, "abandoned": 1, "wait": 19, "wait_answered": 10,
        "wait_abandoned": 9, "wait_longest": 9,
    }  # fmt: skip
    assert (await world.row("total", None))["calls"] == 3
    assert (await world.row("total", None, until=NOON + 900))["calls"] == 2
    assert await world.reports.rows(Wanted("queue", "quarter", tenant="beta"), 10) == []
    (sent, *_) = await world.reports.calls_after(0, 10)
    assert (sent[2], sent[3], sent[4]["queue"], sent[4]["wait"]) == ("acme", "a", "repairs", 4.0)


async def test_an_event_that_cannot_be_counted_holds_up_none_behind_it(world: World) -> None:
    async with running(world.keeper):
        world.waits("a")
        world.tell("a", "call.dequeued", queue="repairs", wait="for ever", result="answered", tenant="acme")
        world.call("b", 4.0)
        await world.counted()
    assert world.keeper.skipped == 1
    assert (await world.row())["answered"] == 1


async def test_a_restart_in_the_middle_of_calls_counts_nothing_twice_and_loses_nothing(world: World) -> None:
    """R2-08: what happened while nobody counted is counted at the next start, also what is only in the database."""
    async with running(world.keeper):
        world.waits("a")
        world.tell(None, "agent.state", extension="1001", before="logged-out", after="available")
        await world.counted()
    world.leaves("a", 3.0)
    for n in range(60):  # more than memory holds
        world.call(f"x{n}", 1.0)
    world.clock.now += 60
    world.life()
    async with running(world.keeper):
        world.tell(None, "agent.state", extension="1001", before="available", after="paused")
        await world.counted()
    row = await world.row()
    assert (row["offered"], row["answered"], row["wait"]) == (61, 61, 63)
    assert (await world.row("agent"))["available"] == pytest.approx(60)
    world.life()
    async with running(world.keeper):
        await world.counted()
    assert await world.row() == row


async def test_the_same_step_again_changes_nothing(storage: Storage) -> None:
    """A write that was given up may have taken effect all the same."""
    reports = Reports(storage, NODE)
    cell = ("quarter", NOON, "queue", "repairs", "acme", {"offered": 1.0, "wait_longest": 7.0})
    step = Step(1, 5, [cell], [("call", "a", {"at": 1.0})], [(5, NOON, "acme", "a", {"call": "a"})])
    for _ in range(2):
        await reports.store(step)
    await reports.store(Step(2, 6, [(*cell[:5], {"offered": 1.0, "wait_longest": 3.0})], [("call", "a", None)]))
    (row,) = await reports.rows(Wanted("queue", "quarter"), 10)
    assert (row.counts["offered"], row.counts["wait_longest"]) == (2, 7)
    assert await reports.restore() == (2, 6, [])
    assert len(await reports.calls_after(0, 10)) == 1


async def test_a_database_that_is_away_delays_the_counts_only(world: World) -> None:
    store, away = world.reports.store, True

    async def sometimes(step: Step) -> None:
        await store(step)
        if away:
            raise StorageUnavailable("no answer")

    world.reports.store = sometimes  # type: ignore[method-assign]
    async with running(world.keeper):
        world.call("a", 1.0)
        await asyncio.sleep(0.8)
        assert world.keeper.behind == 4
        away = False
        await world.counted()
    assert (await world.row())["offered"] == 1


async def test_all_can_be_counted_anew_from_the_stored_events(world: World) -> None:
    """R2-08: a rebuild gives the same figures, and sends no call to a reporting server again."""
    async with running(world.keeper):
        for n in range(30):
            world.call(f"a{n}", float(n), "answered" if n % 3 else "abandoned")
            world.clock.now += 120
        world.tell(None, "agent.state", extension="1001", before="logged-out", after="available")
        world.clock.now += 1000
        world.tell(None, "agent.state", extension="1001", before="available", after="logged-out")
        await world.counted()
        assert await world.spool.drain(10)
        before = [await world.reports.rows(Wanted(by, "quarter"), 100) for by in ("total", "queue", "agent")]
        assert await world.keeper.rebuild() == 0.0
        await world.counted()
        after = [await world.reports.rows(Wanted(by, "quarter"), 100) for by in ("total", "queue", "agent")]
    assert before == after
    assert len(before[0]) == 4
    assert len(await world.reports.calls_after(0, 100)) == 30


async def test_days_without_all_their_events_keep_their_counts(world: World) -> None:
    async with running(world.keeper):
        world.call("old", 1.0)
        world.clock.now += 60
        world.call("same-day", 1.0)
        world.clock.now += DAY
        world.call("next-day", 1.0)
        await world.counted()
        assert await world.spool.drain(10)
        assert await world.history.purge(NOON + 30) == 4
        assert await world.keeper.rebuild() == NOON + DAY / 2
        await world.counted()
    rows = await world.reports.rows(Wanted("queue", "day"), 10)
    assert [row.counts["offered"] for row in rows] == [2, 1]


async def test_a_rebuild_while_no_event_is_stored_keeps_all_counts(world: World) -> None:
    async with running(world.keeper):
        world.call("old", 1.0)
        await world.counted()
        assert await world.spool.drain(10)
        await world.storage.write(lambda conn: conn.execute(sa.delete(events)))
        assert await world.keeper.rebuild() == NOON + DAY / 2
        await world.counted()
    assert (await world.row())["offered"] == 1


async def test_a_rebuild_over_a_crash_gives_the_same_times_of_agents(world: World) -> None:
    """R2-08: what agents did until the server died counts, and what they did until it was back does not."""
    async with running(world.keeper):
        world.tell(None, "agent.state", extension="1001", before="logged-out", after="paused")
        await world.counted()
        world.clock.now += 500
        so_far = world.clock.now
        await eventually(lambda: world.keeper.fold.agents["1001"].since == so_far, "his time is counted so far")
        stored = world.keeper.stored
        world.tell("x", "call.received")
        await stored.wait()
    died = world.clock.now + 3
    world.clock.now += 200
    world.life()
    world.tell(None, "server.started", alive_until=died)
    world.tell(None, "agent.state", extension="1001", before="logged-out", after="paused")
    world.clock.now += 50
    async with running(world.keeper):
        world.tell(None, "agent.state", extension="1001", before="paused", after="logged-out")
        await world.counted()
        lived = await world.row("agent")
        assert await world.spool.drain(10)
        await world.keeper.rebuild()
        await world.counted()
    assert lived["paused"] == pytest.approx(553)
    assert (await world.row("agent"))["paused"] == pytest.approx(553)


async def test_old_quarters_go_and_days_stay(world: World) -> None:
    async with running(world.keeper):
        world.call("a", 1.0)
        await world.counted()
    await world.reports.purge(NOON + 900, NOON + 900)
    assert await world.reports.rows(Wanted("queue", "quarter"), 10) == []
    assert (await world.row(span="day"))["offered"] == 1
    assert await world.reports.calls_after(0, 10) == []
