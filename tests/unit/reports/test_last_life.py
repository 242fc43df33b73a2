"""What is told at the start of the life before: calls that a crash cut off end, and are filtered once (R2-06)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from b2bua.events import EventLog
from b2bua.reports.last_life import LastLife
from b2bua.storage import Storage
from b2bua.storage.calls import CallRecord
from routing.filtering import FilterRule
from tests.unit.reports.test_keeper import NOON, World, opened

RULES = [
    FilterRule("repairs-unanswered", "drop", 1, queue="repairs", answered=False),
    FilterRule("tests", "drop", 2, caller="1390*"),
]


@pytest.fixture
async def world(sqlite: Storage, tmp_path: Path) -> AsyncIterator[World]:
    async with opened(sqlite, tmp_path) as made:
        yield made


def cut_off(world: World) -> None:
    """Two who wait, one who talks, one who was filtered but not told of as ended; and one whose call is over."""
    world.waits("waits")
    world.tell("new", "call.received", calling="13900000001", called="8000", trunk="carrier")
    world.waits("talks")
    world.tell("talks", "call.answered", extension="1001", tenant="acme")
    world.waits("filtered")
    world.tell("filtered", "call.filtered", rule="", keep=True, tenant="acme")
    world.call("over", 1.0)


async def start(world: World, rules: list[FilterRule]) -> list[tuple[str | None, str, dict[str, object]]]:
    """What the next life is told first."""
    assert await world.spool.drain(10)
    before = world.last
    log = EventLog("n1", world.spool, world.history, last=before, clock=lambda: NOON + 3600)
    talked = CallRecord(
        id="talks", node="n1", direction="inbound", started_at=NOON, answered_at=NOON + 5, ended_at=NOON + 20,
        tenant="acme", trunk="carrier", called="8000", effective_caller="13900000002", extension="1001",
        cause="lost", ended_by="crash", duration=20.0, talk=15.0,
    )  # fmt: skip
    life = LastLife(log, world.history, NOON + 20)
    life.tell()
    await life.end_calls([talked], rules)
    return [(event.call, event.type, dict(event.data)) for event in await log.subscribe(before).next(100)]


async def test_each_call_is_filtered_and_ends_once_with_what_was_known_of_it(world: World) -> None:
    cut_off(world)
    first, *told = await start(world, RULES)
    assert first == (None, "server.started", {"alive_until": NOON + 20})
    assert sorted((call, type_) for call, type_, _ in told) == [
        ("filtered", "call.ended"),
        *((call, type_) for call in ("new", "talks", "waits") for type_ in ("call.ended", "call.filtered")),
    ]
    verdicts = {call: (data["rule"], data["keep"]) for call, type_, data in told if type_ == "call.filtered"}
    assert verdicts == {"waits": ("repairs-unanswered", False), "new": ("tests", False), "talks": ("tests", False)}
    ended = {call: data for call, type_, data in told if type_ == "call.ended"}
    assert {(data["cause"], data["ended_by"], data["duration"]) for data in ended.values()} == {("lost", "crash", 20.0)}
    assert [ended[call].get("tenant") for call in ("waits", "new", "talks")] == ["acme", None, "acme"]
    assert [ended[call]["caller"] for call in ("waits", "new", "talks")] == ["138001", "13900000001", "13900000002"]


async def test_without_a_list_nothing_is_filtered_and_a_first_life_has_none_before_it(world: World) -> None:
    assert await start_of_nothing(world) == 0
    cut_off(world)
    assert {type_ for _, type_, _ in await start(world, [])} == {"server.started", "call.ended"}


async def start_of_nothing(world: World) -> int:
    """How many events the very first start of a node has."""
    life = LastLife(world.log, world.history, NOON)
    life.tell()
    await life.end_calls([], RULES)
    return world.log.last
