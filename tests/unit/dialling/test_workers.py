"""The workers: each goes on when another one stalls (R3-07), and scheduling on the floor's real agents."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from b2bua.dialling.agents import AgentInformation, seats_of
from b2bua.dialling.records import CallRecords
from b2bua.dialling.scheduling import Scheduling
from b2bua.dialling.task import Task
from dialer.campaign import Campaign, CampaignState, Mode, Pacing
from dialer.command import Command, Record
from dialer.contact import Contact, PhoneNumber
from dialer.law_clock import Reading
from dialer.outcome import Outcome
from dialer.profiles import LawProfile
from routing.effects import Effect
from routing.floor import Floor
from routing.plan import Plan
from routing.queue import AgentProfile, Queue
from tests.peers.waiting import eventually
from tests.unit.dialling.memory import MemoryStore

AGENTS = [AgentProfile(f"10{n:02}", {"q": 0}, connection="auto-answer") for n in range(5)]
PLAN = Plan.of(Queue("q", "Q", wrap_up=30), *AGENTS)
CAMPAIGN = Campaign("c", "acme", mode=Mode.PROGRESSIVE, queue="q", profile="test", state=CampaignState.RUNNING)
LAW = LawProfile("test")


def contacts(n: int) -> list[Contact]:
    return [Contact(f"x{at:03}", "c", "acme", "b", at, (PhoneNumber(f"+44207946{at:04}"),)) for at in range(n)]


class Agents:
    """The floor as the workers use it, on the loop's clock."""

    def __init__(self, *at_work: str) -> None:
        self.clock = asyncio.get_running_loop().time
        self.floor = Floor(PLAN)
        self.followers: list[Callable[[Effect], None]] = []
        for extension in at_work:
            self.do(self.floor.log_in(extension, self.clock()))

    def do(self, effects: list[Effect]) -> None:
        for effect in effects:
            for follower in self.followers:
                follower(effect)


class Started:
    """Stands for the launcher: notes what would be called, and ends nothing by itself."""

    def __init__(self) -> None:
        self.contacts: list[Contact] = []
        self.lists: dict[str, Any] = {}
        self.starting = 0
        self.wall = 1_800_014_400.0

    def reading(self) -> Reading:
        return Reading(self.wall, self.wall)

    def start(self, task: Task, contacts: Sequence[Contact]) -> None:
        self.contacts += contacts

    async def close(self) -> None:
        return None


class Rules:
    """Stands for the rest of the dialler."""

    def __init__(self) -> None:
        self.why: list[str] = []
        self.full = False
        self.trunkless = False
        self.tenantless = False
        self.events: list[tuple[str, Mapping[str, object]]] = []
        self.finished_as: list[str] = []
        self.decisions = 0
        self.lines: int | None = None

    def problems(self, campaign: Campaign, contacts: int) -> Iterator[str]:
        yield from self.why

    def no_tenant(self, campaign: Campaign) -> bool:
        return self.tenantless

    def no_trunk(self, campaign: Campaign) -> bool:
        return self.trunkless

    def trunk_room(self, campaign: Campaign) -> int | None:
        return self.lines

    def records_full(self) -> bool:
        return self.full

    def tell(self, campaign: Campaign, type_: str, data: Mapping[str, object]) -> None:
        self.events.append((type_, data))

    def decided(self, task: Task, seconds: float) -> None:
        self.decisions += 1

    def finished(self, task: Task, how: str) -> None:
        self.finished_as.append(how)


class Work:
    """Scheduling on real agents and a store in memory."""

    def __init__(self, store: MemoryStore, agents: Agents) -> None:
        self.store, self.agents, self.launcher, self.rules = store, agents, Started(), Rules()
        self.scheduling = Scheduling(
            "n1",
            store,
            self.launcher,
            agents,
            lambda: PLAN,
            {"test": LAW},
            lambda: 1000,
            1000,
            self.rules,
        )
        self.scheduling.recovered.set()
        self.running = asyncio.create_task(self.scheduling.run(lambda: None))

    async def stop(self) -> None:
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)


@pytest.fixture
async def agents() -> Agents:
    return Agents("1000", "1001", "1002")


async def test_progressive_starts_one_call_for_each_free_agent(agents: Agents) -> None:
    """R3-10, R3-14: three agents, three calls, in the order of the contacts."""
    work = Work(MemoryStore(CAMPAIGN, contacts=contacts(9)), agents)
    await eventually(lambda: len(work.launcher.contacts) >= 3, "calls are started")
    assert [one.id for one in work.launcher.contacts[:3]] == ["x000", "x001", "x002"]
    await work.stop()
    assert set(work.store.given_back).isdisjoint({"x000", "x001", "x002"})


async def test_no_more_calls_than_the_trunks_have_lines(agents: Agents) -> None:
    """Lines per trunk: what its trunks would take at this moment bounds it, calls without a leg included."""
    work = Work(MemoryStore(CAMPAIGN, contacts=contacts(9)), agents)
    work.rules.lines = 2
    await eventually(lambda: work.rules.decisions > 3, "decisions are made")
    task = work.scheduling.tasks["c"]
    assert (task.decision.calls, str(task.decision.reason.cause)) == (2, "lines")
    work.launcher.starting = 2
    decisions = work.rules.decisions
    await eventually(lambda: work.rules.decisions > decisions + 2, "more decisions are made")
    assert (task.decision.calls, str(task.decision.reason.cause)) == (0, "lines")
    await work.stop()


async def test_wrong_data_end_it_with_a_reason_and_no_call(agents: Agents) -> None:
    """R3-12."""
    work = Work(MemoryStore(CAMPAIGN, contacts=contacts(9)), agents)
    work.rules.why = ["queue: q is gone", "trunks: none"]
    await eventually(lambda: work.store.campaigns["c"].state is CampaignState.ENDED, "it is ended")
    assert work.store.campaigns["c"].reason == "queue: q is gone; trunks: none"
    assert work.launcher.contacts == []
    assert [type_ for type_, _ in work.rules.events] == ["campaign.refused"]
    await work.stop()


async def test_a_stalled_worker_stops_no_other_one(agents: Agents) -> None:
    """R3-07: while records cannot be booked, calls are started and agents' times measured; and the other way round."""
    store = MemoryStore(CAMPAIGN, contacts=contacts(50))
    store.stalled["book"] = asyncio.Event()
    store.commands["k"] = Command("k", "c", "acme", "x049", "+442079460049", 1, "n1", 0.0)
    booked: list[str] = []
    records = CallRecords(store, lambda record: booked.append(record.command))
    keeping = asyncio.create_task(records.run(lambda: None))
    records.put(Record("k", Outcome.BUSY, 1.0))
    work = Work(store, agents)
    tasks = work.scheduling.tasks
    information = AgentInformation(lambda: agents.floor, agents.clock, tasks.values, lambda t, d: None, lambda e: None)
    agents.followers.append(information.on_effect)
    await eventually(lambda: len(work.launcher.contacts) >= 3, "calls are started while records wait")
    assert (booked, records.pending) == ([], 1)
    now = agents.clock()
    agents.do(agents.floor.reserve("1000", "a", now, "q") or [])
    agents.do(agents.floor.answered("a", "1000", now))
    agents.do(agents.floor.released("1000", "a", now))
    assert repr(tasks["c"].learner).endswith("1 talks>")

    store.stalled["revision"] = store.stalled["take"] = asyncio.Event()  # now scheduling stands still
    store.stalled["book"].set()
    await eventually(lambda: booked == ["k"], "the record is booked while scheduling waits")
    await work.stop()
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


async def test_nothing_is_dialled_while_no_trunk_takes_calls(agents: Agents) -> None:
    """A dead trunk costs no contact an attempt; the campaign goes on by itself when there is one again."""
    work = Work(MemoryStore(CAMPAIGN, contacts=contacts(9)), agents)
    work.rules.trunkless = True
    await eventually(lambda: "c" in work.scheduling.tasks, "the campaign runs")
    await eventually(lambda: work.scheduling.tasks["c"].reason == "no-trunk", "it says why it waits")
    assert work.launcher.contacts == []
    work.rules.trunkless = False
    await eventually(lambda: bool(work.launcher.contacts), "it dials again")
    await work.stop()


async def test_nothing_is_dialled_for_a_tenant_that_is_disabled(agents: Agents) -> None:
    """Nobody has to think of its campaigns: they wait, say why, and go on when it is enabled again."""
    work = Work(MemoryStore(CAMPAIGN, contacts=contacts(9)), agents)
    work.rules.tenantless = True
    await eventually(lambda: "c" in work.scheduling.tasks, "the campaign runs")
    await eventually(lambda: work.scheduling.tasks["c"].reason == "tenant", "it says why it waits")
    assert work.launcher.contacts == []
    work.rules.tenantless = False
    await eventually(lambda: bool(work.launcher.contacts), "it dials again")
    await work.stop()


async def test_too_many_records_that_wait_stop_new_calls(agents: Agents) -> None:
    """Nothing is dialled whose result could not be kept."""
    work = Work(MemoryStore(CAMPAIGN, contacts=contacts(9)), agents)
    work.rules.full = True
    await eventually(lambda: "c" in work.scheduling.tasks, "the campaign runs")
    await eventually(lambda: work.scheduling.tasks["c"].reason == "records-wait", "it says why it waits")
    assert work.launcher.contacts == []
    await work.stop()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"starts_at": 1_900_000_000.0}, "before-start"),
        ({"ends_at": 1_800_000_000.0}, "over"),
        ({"calendar": "none"}, "outside-calendar"),
        ({"state": CampaignState.PAUSED}, "paused"),
    ],
)
async def test_what_keeps_a_campaign_from_dialling(agents: Agents, change: dict[str, Any], reason: str) -> None:
    """Pause, times and calendars."""
    work = Work(MemoryStore(), agents)
    task = Task(replace(CAMPAIGN, **change), LAW)
    assert work.scheduling.gate(task) == reason
    await work.stop()


async def test_agents_are_seen_as_pacing_needs_them(agents: Agents) -> None:
    """R3-14..16: idle, kept for us, busy with others, in wrap-up, paused; skills and one agent only."""
    floor, now = agents.floor, agents.clock()
    floor.log_in("1003", now)
    floor.reserve("1000", "ours", now, "q")
    floor.reserve("1001", "theirs", now)
    floor.pause("1002", "lunch", now)
    seats = seats_of(floor, CAMPAIGN, {"ours"})
    assert (seats.idle, seats.kept, len(seats.talking), list(seats.paused)) == (2, 1, 1, ["1002"])
    floor.answered("ours", "1000", now)
    floor.released("1000", "ours", now + 5)
    assert seats_of(floor, CAMPAIGN, ()).wrapping == [now + 5]
    assert seats_of(floor, replace(CAMPAIGN, agent="1003"), ()).idle == 1
    assert seats_of(floor, replace(CAMPAIGN, skills={"german": 1}), ()).on_duty == 0
    assert seats_of(floor, replace(CAMPAIGN, queue="gone"), ()).on_duty == 0


async def test_a_long_pause_is_told_once_and_ended_where_that_is_wished(agents: Agents) -> None:
    """R3-16: 119 s no, 121 s yes at a limit of 120; told once for each pause."""
    resumed: list[str] = []
    told: list[Mapping[str, object]] = []
    now = [100.0]
    pacing = Pacing(stale_pause=120.0, resume_stale=True)
    task = Task(replace(CAMPAIGN, pacing=pacing), LAW)
    floor = Floor(PLAN)
    floor.log_in("1000", 0.0)
    floor.pause("1000", "lunch", 100.0)
    information = AgentInformation(
        lambda: floor, lambda: now[0], lambda: [task], lambda type_, data: told.append(data), resumed.append
    )
    for second, expected in ((219.0, []), (221.0, ["1000"]), (400.0, ["1000"])):
        now[0] = second
        information.look()
        assert resumed == expected
    assert told[0]["seconds"] == 121.0
    floor.resume("1000", 400.0)
    information.look()
    floor.pause("1000", "lunch", 401.0)
    now[0] = 600.0
    information.look()
    assert len(told) == 2
