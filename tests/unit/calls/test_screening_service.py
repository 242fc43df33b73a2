"""The policies' service: permits, events, alarms, ended calls, and what the records of the last day bring back."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from b2bua.calls.screening import Barred, Screening
from b2bua.metrics import Metrics
from b2bua.settings import Settings
from b2bua.settings.screening import Screening as Table
from b2bua.settings.sip import Trunk
from b2bua.storage import Storage, StorageUnavailable
from b2bua.storage.calls import CallRecord
from b2bua.storage.outside import OutsideTalks, Talk
from b2bua.storage.spool import Spool
from routing.org import Person, Team
from routing.plan import Plan
from routing.policy import Policy

NOON = 1_774_353_600.0


@dataclass
class World:
    """A screening with all around it in our hands."""

    policies: list[Policy]
    talks: list[Talk] = field(default_factory=list)
    away: int = 0
    "Times the database does not answer."
    wall: float = NOON
    hangs: bool = False
    "After these times it says nothing at all."
    asked_again: bool = False

    def __post_init__(self) -> None:
        self.events: list[tuple[str, str | None, Mapping[str, Any]]] = []
        self.ended: list[tuple[str, str]] = []
        self.warned: list[str] = []
        self.metrics = Metrics()
        persons = [Person("p1", extension="1001", team="north"), Person("p2", extension="1002", team="south")]
        self.plan = Plan.of(*self.policies, *persons, Team("all"), Team("north", parent="all"), Team("south"))
        self.settings = Settings(screening=Table(never=["+882"]))
        self.screening = Screening(
            lambda: self.settings,
            lambda: self.plan,
            self.metrics,
            lambda type_, call, data: self.events.append((type_, call, data)),
            self.spent,
            self.end,
            self.warned.append,
            lambda: self.wall,
        )

    def end(self, call: str, by: str) -> bool:
        self.ended.append((call, by))
        return True

    async def spent(self, since: float) -> list[Talk]:
        assert since == self.wall - 86400
        if self.away:
            self.away -= 1
            raise StorageUnavailable("gone")
        self.asked_again = True
        if self.hangs:
            await asyncio.Event().wait()
        return self.talks

    def dial(self, number: str, agent: str = "1001", call: str | None = "c1") -> Any:
        outside = self.screening.outside(number, "north", "acme", agent, "phone")
        return self.screening.screen_outgoing(outside, call)


def test_a_number_that_is_not_dialled_is_told_with_its_reason() -> None:
    world = World([Policy("cap", calls=0, teams=("all",))])
    with pytest.raises(Barred) as barred:
        world.dial("+49891")
    assert (barred.value.sip_code, barred.value.denied.policy, barred.value.denied.why) == (403, "cap", "calls")
    assert world.events == [
        ("outside.refused", "c1", {
            "policy": "cap", "why": "calls", "number": "+49891", "trunk": "north", "agent": "1001", "origin": "phone",
            "tenant": "acme",
        })
    ]  # fmt: skip
    assert world.metrics.barred.value("cap", "calls") == 1
    assert world.dial("+49891", agent="1002"), "who is in no such team may"
    with pytest.raises(Barred, match="node: never"):
        world.dial("+8821")


def test_other_policies_and_settings_count_from_the_next_call_on() -> None:
    world = World([Policy("cap", calls=0)])
    world.plan = Plan()
    assert world.dial("+49891")
    world.settings = Settings(screening=Table(closed=True))
    with pytest.raises(Barred, match="node: not-allowed"):
        world.dial("+49891")
    assert world.dial("112").emergency
    assert world.events[-1][0] == "outside.emergency"


def test_a_running_call_that_uses_its_minutes_up_is_ended_and_one_that_is_over_is_not() -> None:
    world = World([Policy("cap", per="agent", minutes=10)])
    first, second = world.dial("+49891"), world.dial("+49892", agent="1002", call="c2")
    for permit in (first, second):
        world.screening.answered(permit)
    bucket = world.screening.screen.ledger.buckets["cap", "1001"]
    bucket.add(550, 0)
    world.screening.review()
    assert [(type_, data["key"], data["level"]) for type_, _, data in world.events] == [
        ("outside.alarm", "1001", "near")
    ]
    assert world.ended == []
    bucket.add(100, 0)
    world.screening.over(second)
    world.screening.review()
    assert world.events[-1][2]["level"] == "reached"
    assert world.ended == [("c1", "policy cap")]
    assert world.metrics.policy_ended.value("cap") == 1
    world.screening.over(first)
    world.screening.review()
    assert len(world.ended) == 1


def test_a_limit_that_only_warns_is_heard_once_by_every_running_call() -> None:
    world = World([Policy("cap", minutes=10, at_limit="warn")])
    for call in ("c1", "c2"):
        world.screening.answered(world.dial("+49891", call=call))
    world.screening.screen.ledger.buckets["cap", ""].add(601, 0)
    world.screening.review()
    world.screening.review()
    assert (world.warned, world.ended) == (["c1", "c2"], [])
    with pytest.raises(Barred, match="minutes"):
        world.dial("+49891")


async def test_a_database_that_is_away_at_the_start_is_asked_again() -> None:
    talk = Talk("+49891", "north", "acme", "1001", "api", NOON - 90, NOON - 30)
    world = World([Policy("cap", minutes=10)], [talk], away=1)
    ready = asyncio.Event()
    world.screening.look_every = 0.001
    task = asyncio.create_task(world.screening.run(ready.set))
    await ready.wait()
    assert world.screening.counts() == []
    async with asyncio.timeout(5):
        while not world.screening.counts():
            await asyncio.sleep(0)
    assert [(one.policy, one.minutes) for one in world.screening.counts()] == [("cap", 1.0)]
    task.cancel()


async def test_calls_of_this_life_that_the_records_have_too_are_counted_once() -> None:
    """The database comes back after a call has ended and was stored."""
    talk = Talk("+49891", "north", "acme", "1001", "api", NOON - 90, NOON - 30)
    world = World([Policy("cap", minutes=10)], [talk, replace(talk, began=NOON + 60, ended=NOON + 120)], away=1)
    world.screening.look_every = 0.001
    task = asyncio.create_task(world.screening.run(lambda: None))
    async with asyncio.timeout(5):
        while not world.screening.counts():
            await asyncio.sleep(0)
    assert [one.minutes for one in world.screening.counts()] == [1.0]
    task.cancel()


async def test_calls_are_looked_at_while_the_database_hangs() -> None:
    world = World([Policy("cap", minutes=10)], away=1, hangs=True)
    world.screening.look_every = 0.001
    task = asyncio.create_task(world.screening.run(lambda: None))
    async with asyncio.timeout(5):
        while not world.asked_again:
            await asyncio.sleep(0)
        world.screening.answered(world.dial("+49891"))
        world.screening.screen.ledger.buckets["cap", ""].add(601, 0)
        while not world.ended:
            await asyncio.sleep(0)
    assert world.screening.counts()[0].minutes > 10
    task.cancel()


def test_one_trunk_of_several_that_may_is_enough() -> None:
    world = World([Policy("north", trunks=("north",), deny=("+49",)), Policy("all", deny=("+33",))])
    ways = [world.screening.outside("+49891", trunk, "acme", "1001", "api") for trunk in ("north", "south")]
    world.screening.check(ways)
    world.screening.check([])
    assert world.events == []
    with pytest.raises(Barred, match="north: denied"):
        world.screening.check(ways[:1])
    assert len(world.events) == 1


def test_what_a_trunk_takes_off_the_front_hides_no_number() -> None:
    world = World([Policy("p", deny=("+4990",))])
    steps = ["strip 0", "e164"]
    carrier = Trunk(listener="out", addresses=["192.0.2.1"], country_code="49", national_prefix="0", called_out=steps)
    world.settings = replace(world.settings, trunks={"north": carrier})
    for number, why in (("0008821", "node: never"), ("0090012", "p: denied")):
        with pytest.raises(Barred, match=why):
            world.dial(number)
    assert world.dial("0089123456")


async def test_talk_outside_is_found_again_in_the_records(tmp_path: Path) -> None:
    """Ended calls, and those that a crash cut off: their talk ends with the call."""
    storage = await Storage.open(f"sqlite:///{tmp_path / 'tandem.db'}")
    spool = Spool.open(tmp_path / "spool", storage, linger=0.0)
    entry = {"number": "+49891", "trunk": "north", "agent": "1001", "origin": "api", "answered_at": NOON - 60}
    rows = [
        CallRecord(
            "a", "n", "outbound", NOON - 70, "acme", ended_at=NOON, detail={"outside": [entry | {"ended_at": NOON - 5}]}
        ),
        CallRecord("b", "n", "outbound", NOON - 70, None, ended_at=NOON - 1, detail={"outside": [entry, {"odd": 1}]}),
        CallRecord("c", "n", "inbound", NOON - 70, None, ended_at=NOON, detail={"note": "no talk outside"}),
        CallRecord("d", "other", "outbound", NOON - 70, None, ended_at=NOON, detail={"outside": [entry]}),
        CallRecord("e", "n", "outbound", NOON - 90_000, None, ended_at=NOON - 89_000, detail={"outside": [entry]}),
    ]
    for row in rows:
        spool.append("call", row.as_record())
    running = asyncio.create_task(spool.run())
    assert await spool.drain(10)
    found = await OutsideTalks(storage, "n").since(NOON - 86400)
    assert sorted((talk.tenant or "", talk.began, talk.ended) for talk in found) == [
        ("", NOON - 60, NOON - 1),
        ("acme", NOON - 60, NOON - 5),
    ]
    running.cancel()
    await asyncio.wait([running])
    await spool.close()
    await storage.close()
