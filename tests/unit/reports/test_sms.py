"""Text messages through a provider's HTTP gateway: thresholds, schedule, templates, a provider that fails (R2-08)."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from b2bua.outside.asking import Asker
from b2bua.reports.gateway import Gateway, Message, request_of
from b2bua.reports.sms import SmsAlarms
from b2bua.settings import Sms
from b2bua.storage import Storage
from routing.notices import SmsRule
from routing.plan import Plan
from routing.queue import AgentProfile
from tests.peers.receiver import Receiver, receiver
from tests.peers.waiting import eventually
from tests.unit.reports.test_keeper import World, opened
from tests.unit.web.running import running

RUSH = SmsRule(
    "rush", ("+4917012345", "12345"), "{queue}: {waiting} waiting, {available} free", "repairs", "waiting", 1.0
)


@pytest.fixture
def provider() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


@pytest.fixture
async def world(sqlite: Storage, tmp_path: Path) -> AsyncIterator[World]:
    async with opened(sqlite, tmp_path) as made:
        made.clock.now = time.time()
        yield made


@asynccontextmanager
async def alarms(world: World, provider: Receiver, *rules: SmsRule) -> AsyncIterator[Counter[str]]:
    """The service, for these rules; what came of its messages."""
    results = Counter[str]()
    profiles = {"1001": AgentProfile("1001", {"repairs": 0}), "1002": AgentProfile("1002", {"sales": 0})}
    plan = Plan(sms_rules={rule.id: rule for rule in rules}, agent_profiles=profiles)
    template = Sms(url=f"{provider.url}/send")
    service = SmsAlarms(
        template, world.reports, world.keeper, lambda: plan, lambda result: results.update([result]), world.clock
    )
    async with running(world.keeper), running(service):
        await eventually(lambda: len(service._watches) == len(rules), "the rules are looked at")
        yield results


async def test_a_threshold_sends_one_message_to_each_number(world: World, provider: Receiver) -> None:
    """R2-08: when more callers wait than allowed, with the figures of the moment."""
    async with alarms(world, provider, RUSH) as results:
        for extension in ("1001", "1002"):
            world.tell(None, "agent.state", extension=extension, before="logged-out", after="available")
        world.waits("a")
        world.waits("b")
        got = await provider.expect(2)
        await eventually(lambda: results == {"sent": 2}, "both were taken")
    assert {one.json["to"] for one in got} == {"+4917012345", "12345"}
    assert {one.json["text"] for one in got} == {"repairs: 2 waiting, 1 free"}
    assert len({one.json["id"] for one in got}) == 2


async def test_the_figures_of_the_day_have_thresholds_too_and_a_restart_repeats_nothing(
    world: World, provider: Receiver
) -> None:
    """R2-08: service level; what was sent stays sent."""
    rule = SmsRule("level", ("12345",), "{value} of {offered}", "repairs", "service-level", under=0.8)
    async with running(world.keeper):
        world.call("a", 1.0)
        world.call("b", 9.0)
        await world.counted()
    for _ in range(2):
        world.life()
        async with alarms(world, provider, rule):
            await provider.expect(1)
    assert [one.json["text"] for one in provider.got] == ["50 % of 2"]


async def test_a_report_goes_out_at_its_time(world: World, provider: Receiver) -> None:
    """R2-08: on schedule."""
    eight = (int(world.clock.now) // 86400 + 1) * 86400 + 8 * 3600.0
    world.clock.now = eight - 3600
    rule = SmsRule("report", ("12345",), "{time} {answered}/{offered} {abandoned}", at=("08:00",))
    async with alarms(world, provider, rule):
        world.call("a", 1.0)
        world.call("b", 1.0, "abandoned")
        await world.counted()
        world.clock.now = eight + 1
        got = await provider.expect(1)
    assert [one.json["text"] for one in got] == ["08:00 1/2 1"]


async def test_a_provider_that_fails_is_asked_again(provider: Receiver) -> None:
    states = iter([500, 429, 200])
    provider.answer = lambda got: next(states)
    results = Counter[str]()
    async with Asker() as asker:
        gateway = Gateway(Sms(url=provider.url), asker, lambda result: results.update([result]))
        assert await gateway.send(Message("m1", "12345", "hello"))
    assert results == {"failed": 2, "sent": 1}
    assert {got.json["id"] for got in provider.got} == {"m1"}


async def test_an_answer_that_does_not_say_what_it_should_is_a_failure(provider: Receiver) -> None:
    """Providers answer 200 to what they did not send."""
    provider.text = '{"status": "no credit"}'
    results = Counter[str]()
    async with Asker() as asker:
        template = Sms(url=provider.url, expect='"status": "queued"', retry_for=0.1)
        gateway = Gateway(template, asker, lambda result: results.update([result]))
        assert not await asyncio.wait_for(gateway.send(Message("m1", "12345", "hello")), 10)
    assert results == {"given-up": 1}


def test_texts_are_escaped_as_the_provider_wants_them() -> None:
    """A quotation mark, an ampersand, another script."""
    message = Message("m&1", "+49170", 'a "b" & 测\n{to}')
    plain = request_of(Sms(url="https://sms.example/send", secret=SecretStr("user:pw")), message)
    assert plain.body == b'{"to":"+49170","text":"a \\"b\\" & \\u6d4b\\n{to}","id":"m&1"}'
    assert ("Authorization", "Basic dXNlcjpwdw==") in plain.headers
    form = request_of(
        Sms(url="https://sms.example/", content_type="application/x-www-form-urlencoded", body="n={to}&t={text}"),
        message,
    )
    assert parse_qs((form.body or b"").decode()) == {"n": ["+49170"], "t": [message.text]}
    query = request_of(Sms(url="https://sms.example/send?to={to}&text={text}", method="GET"), message)
    assert (query.method, query.body) == ("GET", None)
    assert parse_qs(urlsplit(query.url).query) == {"to": ["+49170"], "text": [message.text]}
