"""The plan in the database: checked with everything else, audited, counted, read again by every node."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from b2bua.storage import Conflict, Duplicate, NotFound, Storage, tables
from b2bua.storage.audit import Audit
from b2bua.storage.catalogue import agents
from b2bua.storage.directory import DirectoryFeed, load_plan
from b2bua.storage.plan import Done, Plans
from b2bua.storage.plan_values import BadValue, SecretNeeded, plain, read, with_kept_secrets
from routing.directory import Agent
from routing.goal import Goal
from routing.plan import KINDS, Plan
from routing.queue import AgentProfile, Overflow, PriorityClass, Queue, Strategy, Widening
from routing.services import Service
from routing.vdn import Vdn

NOW = 1_800_000_000.0
AGENT = Agent("801", "Desk", "sip:801@192.0.2.5", "inside")
QUEUE = Queue(
    "repairs", "Repairs 测试", strategy=Strategy.ROUND_ROBIN, skills={"gas": 2}, widen=(Widening(20, {"gas": 1}),),
    overflow=(Overflow("wait", Goal("agent", "801"), 60.0),), max_wait=300.0, otherwise=Goal("number", "+86211"),
)  # fmt: skip
VDN = Vdn("3", "Repairs", Goal("queue", "repairs"))
PROFILE = AgentProfile("801", {"repairs": 1}, pin="4711")


async def test_values_come_back_as_they_were_stored_and_reach_the_calls(storage: Storage) -> None:
    """R2-03, R2-05: one revision for directory and plan; a second look finds nothing new."""
    plans, feed = Plans(storage), DirectoryFeed(storage)
    await agents(storage).create(AGENT, by="admin", now=NOW)
    for value in (QUEUE, VDN, PROFILE):
        await plans.create(value, by="admin", now=NOW)
    assert await feed.refresh()
    assert feed.plan == Plan.of(QUEUE, VDN, PROFILE) == await load_plan(storage)
    assert feed.current.agents == {"801": AGENT}
    assert not await feed.refresh()
    await plans.replace(replace(QUEUE, weight=5), by="admin", now=NOW)
    await plans.delete(KINDS["vdns"], "3", by="admin", now=NOW)
    assert await feed.refresh()
    assert (feed.plan.vdns, feed.plan.queues["repairs"].weight) == ({}, 5)
    assert await plans.list(KINDS["queues"]) == [replace(QUEUE, weight=5)]
    assert await plans.get(KINDS["agent-profiles"], "801") == PROFILE
    told = [(one.action, one.kind, one.key) for one in await Audit(storage).page()]
    assert told[:2] == [("delete", "vdn", "3"), ("replace", "queue", "repairs")]
    assert "4711" not in str(await Audit(storage).page())


async def test_a_change_that_breaks_something_is_refused(storage: Storage) -> None:
    """What is named stays, and nothing names what there is not; an agent is named by the plan too."""
    plans = Plans(storage)
    await agents(storage).create(AGENT, by="admin", now=NOW)
    with pytest.raises(Conflict, match="no queue repairs"):
        await plans.create(VDN, by="admin", now=NOW)
    await plans.put_all([VDN, QUEUE], by="admin", now=NOW)
    with pytest.raises(Conflict) as refused:
        await plans.delete(KINDS["queues"], "repairs", by="admin", now=NOW)
    assert [(one.entity, one.field) for one in refused.value.problems] == [("vdn 3", "goal")]
    with pytest.raises(Conflict, match=r"overflow\.0\.goal"):
        await agents(storage).delete("801", by="admin", now=NOW)
    with pytest.raises(Duplicate, match="queue repairs"):
        await plans.create(QUEUE, by="admin", now=NOW)
    for unknown in (plans.replace(PriorityClass("a", 1), by="x", now=NOW), plans.get(KINDS["queues"], "none")):
        with pytest.raises(NotFound):
            await unknown
    with pytest.raises(NotFound, match="calendar none"):
        await plans.delete(KINDS["calendars"], "none", by="x", now=NOW)


async def test_many_values_are_one_change(storage: Storage) -> None:
    """All or none; a rehearsal leaves no trace."""
    plans = Plans(storage)
    everything: list[Any] = [QUEUE, VDN, PROFILE]
    assert await plans.put_all(everything, [AGENT], by="x", now=NOW, rehearse=True) == Done(created=4)
    assert await load_plan(storage) == Plan()
    assert await Audit(storage).page() == []
    assert await plans.put_all(everything, [AGENT], by="x", now=NOW) == Done(created=4)
    moved = [replace(QUEUE, name="New"), VDN]
    assert await plans.put_all(moved, [replace(AGENT, name="B")], by="x", now=NOW) == Done(replaced=2, unchanged=1)
    with pytest.raises(Conflict):
        await plans.put_all([replace(QUEUE, name="Newer"), replace(VDN, priority="none")], by="x", now=NOW)
    assert (await load_plan(storage)).queues["repairs"].name == "New"


async def test_a_row_that_this_program_cannot_read_is_left_out(sqlite: Storage) -> None:
    """A newer program, or a hand, has written it: calls go on without it, and it can be replaced."""
    row = {"kind": "queues", "key": "repairs", "tenant": None, "body": '{"id":"repairs","colour":1}', "changed_at": NOW}
    rows = [row, {**row, "kind": "pigs"}]
    await sqlite.write(lambda conn: conn.execute(sa.insert(tables.plan), rows) and None)
    assert await load_plan(sqlite) == Plan()
    await Plans(sqlite).create(Queue("repairs", "Repairs"), by="x", now=NOW)
    assert list((await load_plan(sqlite)).queues) == ["repairs"]


def test_unknown_fields_are_refused_at_every_depth() -> None:
    data = plain(QUEUE)
    assert read(KINDS["queues"], data) == QUEUE
    data["widen"][0]["afer"] = 3
    data["colour"] = "red"
    data["sticky"] = float("inf")
    with pytest.raises(BadValue) as refused:
        read(KINDS["queues"], data)
    assert {".".join(map(str, one["loc"])) for one in refused.value.errors} == {"widen.0.afer", "colour", "sticky"}
    deep: Any = "x"
    for _ in range(20):
        deep = [deep]
    for bad in (deep, "a\x00b", "a\ud800b", "a\rb"):
        with pytest.raises(BadValue):
            read(KINDS["queues"], {"id": "a", "name": bad})


def test_a_secret_stays_where_it_was_sent() -> None:
    """Whoever may change a URL does not get the secret that was meant for another host."""
    old = Service("crm", "acme", "member", "https://crm.example.com/a", secret="s3cret")
    shown = plain(old)
    assert shown["secret"] == "***"
    kept = with_kept_secrets({**shown, "url": "https://crm.example.com/b"}, Service, old)
    assert kept["secret"] == "s3cret"
    assert with_kept_secrets({**shown, "secret": None}, Service, old)["secret"] is None
    assert with_kept_secrets({**shown, "secret": "new", "url": "https://b.example"}, Service, old)["secret"] == "new"
    for data, before in (({**shown, "url": "https://evil.example.com/a"}, old), (shown, None)):
        with pytest.raises(SecretNeeded):
            with_kept_secrets(data, Service, before)


def test_a_node_that_is_of_no_kind_is_told_of_once() -> None:
    """A menu's node is what its `kind` says; nobody wants to hear why it is none of the others."""
    nodes = {"ask": {"kind": "choice", "say": ["q"], "keys": {}, "othrwise": "bye"}, "none": {}, "bad": 7}
    with pytest.raises(BadValue) as refused:
        read(KINDS["menus"], {"id": "main", "name": "Main", "start": "ask", "nodes": nodes})
    assert [(".".join(map(str, one["loc"])), one["msg"]) for one in refused.value.errors] == [
        ("nodes.ask.otherwise", "is missing"),
        ("nodes.ask.othrwise", "there is no such field"),
        ("nodes.none.kind", "is missing"),
        ("nodes.bad", "must be a table of fields"),
    ]


async def test_of_two_changes_at_once_that_exclude_each_other_one_is_refused(storage: Storage) -> None:
    """Each is judged before its transaction; whoever comes second is judged again by what is there then."""
    plans = Plans(storage)
    for _ in range(5):
        await plans.put_all([Queue("repairs", "Repairs")], by="x", now=NOW)
        both = (plans.delete(KINDS["queues"], "repairs", by="x", now=NOW), plans.put_all([VDN], by="x", now=NOW))
        refused = [one for one in await asyncio.gather(*both, return_exceptions=True) if isinstance(one, Exception)]
        assert [type(one) for one in refused] == [Conflict]
        plan = await load_plan(storage)
        assert len(plan.queues) == len(plan.vdns)
        if plan.vdns:
            await plans.delete(KINDS["vdns"], "3", by="x", now=NOW)
