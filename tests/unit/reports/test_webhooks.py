"""Listeners over HTTP: signed, retried, in order for each call, resumed after a restart (R0-14, R2-06)."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from b2bua.reports.signature import HEADER, sign, verify
from b2bua.reports.webhooks import Webhooks
from b2bua.storage import Storage
from routing.notices import Webhook
from routing.plan import Plan
from tests.peers.receiver import Got, Receiver, receiver
from tests.peers.waiting import eventually
from tests.unit.reports.test_keeper import World, opened
from tests.unit.web.running import running


@pytest.fixture
def listener() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


class Sending(World):
    """An event log whose records go to the listeners of a plan."""

    hooks: tuple[Webhook, ...] = ()
    results: Counter[tuple[str, str]]

    def service(self, *hooks: Webhook) -> Webhooks:
        """The service, for these listeners."""
        self.hooks, self.results = hooks, Counter()
        return Webhooks(self.log, self.reports, self.keeper, self.plan, self.observe)

    def plan(self) -> Plan:
        return Plan(webhooks={hook.id: hook for hook in self.hooks})

    def observe(self, hook: str, result: str) -> None:
        self.results[hook, result] += 1


@pytest.fixture
async def world(sqlite: Storage, tmp_path: Path) -> AsyncIterator[Sending]:
    async with opened(sqlite, tmp_path) as made:
        made.clock.now = time.time()
        sending = Sending(made.storage, made.spool, made.clock)
        yield sending


@asynccontextmanager
async def listening(world: Sending, *hooks: Webhook) -> AsyncIterator[Webhooks]:
    """The service runs, and its listeners are known."""
    service = world.service(*hooks)
    async with running(service):
        await eventually(lambda: len(service._deliveries) == len(hooks), "the listeners are known")
        yield service


def numbers(got: list[Got]) -> list[int]:
    return [one.json["number"] for one in got]


async def test_each_record_is_sent_as_the_log_has_it_and_signed(world: Sending, listener: Receiver) -> None:
    """R0-14: the same bytes as on the sockets; whoever knows the key can tell that they are ours."""
    hook = Webhook("crm", f"{listener.url}/events?x=1", secret="s3cret")
    world.tell("old", "call.received")
    async with listening(world, hook):
        world.call("a", 1.0)
        got = await listener.expect(4)
    assert [one.json["type"] for one in got] == ["call.received", "call.queued", "call.dequeued", "call.ended"]
    first = got[0]
    event = (await world.log.subscribe(1).next())[0]
    assert first.body == event.line
    assert (first.path, first.headers["tandem-record"], first.headers["tandem-attempt"]) == ("/events?x=1", "n1/2", "1")
    assert verify("s3cret", first.body, first.headers[HEADER.lower()], time.time())
    assert not verify("other", first.body, first.headers[HEADER.lower()], time.time())
    assert not verify("s3cret", first.body + b" ", first.headers[HEADER.lower()], time.time())


def test_an_old_signature_is_worth_nothing() -> None:
    value = sign("key", b"{}", 1000)
    assert verify("key", b"{}", value, 1300.0)
    assert not verify("key", b"{}", value, 1301.0)
    assert not verify("key", b"{}", "nonsense", 1000.0)


async def test_a_call_that_is_refused_holds_up_no_other_and_stays_in_order(world: Sending, listener: Receiver) -> None:
    """R0-14: retried until taken; its own records wait behind it, the others come through."""
    refusals = Counter[int]()

    def moody(got: Got) -> int:
        refusals[got.json["number"]] += got.json["call"] == "a"
        return 500 if got.json["call"] == "a" and refusals[got.json["number"]] <= 2 else 200

    listener.answer = moody
    async with listening(world, Webhook("crm", listener.url)) as service:
        world.call("a", 1.0)
        world.call("b", 1.0)
        got = await listener.expect(8)
        await eventually(lambda: service.behind() == {"crm": 0.0}, "the place is behind the last one")
    by_call = {call: numbers([one for one in got if one.json["call"] == call]) for call in ("a", "b")}
    assert by_call == {"a": [1, 2, 3, 4], "b": [5, 6, 7, 8]}
    assert numbers(got).index(8) < numbers(got).index(2)
    assert world.results == {("crm", "delivered"): 8, ("crm", "failed"): 8}


async def test_a_listener_that_was_away_gets_everything_when_it_is_back(world: Sending, listener: Receiver) -> None:
    """R0-14: over a restart of ours too, from the last record it took."""
    hook = Webhook("crm", listener.url)
    async with listening(world, hook):
        world.call("a", 1.0)
        await listener.expect(4)
        await eventually(lambda: world.results["crm", "delivered"] == 4, "the answers have come")
    listener.close()
    world.call("b", 1.0)
    world.life()
    async with listening(world, hook):
        world.call("c", 1.0)
        await eventually(lambda: world.results["crm", "failed"] >= 2, "it is away")
        listener.open()
        got = await listener.expect(12)
    assert sorted(numbers(got)) == list(range(1, 13))


async def test_a_slow_listener_delays_no_other(world: Sending, listener: Receiver) -> None:
    """R0-14: each has its own place."""
    with receiver() as slow:
        slow.answer = lambda got: 200 if slow.released.wait(20) else 500
        hooks = Webhook("slow", slow.url, timeout=30.0), Webhook("crm", listener.url)
        async with listening(world, *hooks) as service:
            for n in range(20):
                world.call(f"c{n}", 1.0)
            await listener.expect(80)
            await eventually(lambda: service.behind()["crm"] == 0, "it has everything")
            assert service.behind()["slow"] == 80
            slow.released.set()
            await slow.expect(80)


async def test_what_is_never_taken_is_given_up_in_the_end(world: Sending, listener: Receiver) -> None:
    listener.answer = lambda got: 400 if got.json["number"] == 2 else 200
    async with listening(world, Webhook("crm", listener.url, retry_for=1.0)):
        world.call("a", 1.0)
        got = await listener.expect(3)
    assert numbers(got) == [1, 3, 4]
    assert world.results["crm", "given-up"] == 1


async def test_a_listener_gets_what_it_asks_for(world: Sending, listener: Receiver) -> None:
    """By tenant and by type; a change of the listener is followed without losing its place."""
    hook = Webhook("crm", listener.url, tenant="acme", types=("call.ended", "call.q*"))
    async with listening(world, hook) as service:
        world.tell("x", "call.ended", tenant="beta")
        world.call("a", 1.0)
        assert [one.json["type"] for one in await listener.expect(2)] == ["call.queued", "call.ended"]
        await eventually(lambda: service.behind() == {"crm": 0.0}, "all is done")
        world.hooks = (other := replace(hook, types=("call.received",), tenant=None),)
        await eventually(lambda: service._deliveries["crm"].hook == other, "the change is followed")
        world.call("b", 1.0)
        got = await listener.expect(3)
    assert [(one.json["call"], one.json["type"]) for one in got[2:]] == [("b", "call.received")]


async def test_a_listener_that_is_no_more_is_forgotten(world: Sending, listener: Receiver) -> None:
    async with listening(world, Webhook("crm", listener.url)) as service:
        assert await world.reports.readers("webhook:") == {"webhook:crm": 0}
        world.hooks = ()
        await eventually(lambda: service._known == {}, "it is forgotten")
    assert await world.reports.readers("webhook:") == {}


async def test_a_reporting_server_is_sent_each_filtered_call_once(world: Sending, listener: Receiver) -> None:
    """R2-06: those the list keeps, with all that is known of them; those it drops are not sent."""
    hook = Webhook("reporting", listener.url, secret="k", sends="calls")
    async with running(world.keeper), listening(world, hook):
        for call, keep in (("a", True), ("b", False), ("c", True)):
            world.waits(call)
            world.tell(call, "call.filtered", rule="tests", keep=keep, tenant="acme")
            world.leaves(call, 3.0)
        got = await listener.expect(2)
        await world.counted()
    calls = sorted((one.json for one in got), key=lambda call: str(call["call"]))  # each call has a lane of its own
    assert [call["call"] for call in calls] == ["a", "c"]
    assert {call["type"] for call in calls} == {"call.report"}
    data = calls[0]["data"]
    assert (data["queue"], data["wait"], data["tenant"], data["rule"], data["called"]) == (
        "repairs", 3.0, "acme", "tests", "8000",
    )  # fmt: skip
    assert calls[0]["number"] == 5


async def test_a_mistake_of_our_own_is_counted_and_the_delivery_begins_again(
    world: Sending, listener: Receiver
) -> None:
    """An alert pages for it; the record is sent again, because nobody wrote down that it was taken."""
    world.hooks, places, tries = (Webhook("crm", listener.url),), list[str](), list[str]()

    def observe(hook: str, result: str) -> None:
        tries.append(result)
        if len(tries) == 1:
            raise LookupError("by design")

    service = Webhooks(world.log, world.reports, world.keeper, world.plan, observe, places.append)
    async with running(service):
        await eventually(lambda: bool(service._deliveries), "the listener is known")
        world.tell("a", "call.received")
        got = await listener.expect(2)
    assert (numbers(got), places) == ([1, 1], ["webhooks"])
