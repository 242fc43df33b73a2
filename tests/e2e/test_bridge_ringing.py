"""Bridge: what the caller learns and hears before the answer (RFC 3960), and that a silent phone is given up."""

from collections.abc import AsyncIterator

import pytest

from tests.e2e.legs import call_in, end, hear_each_other, ringing, shared_server
from tests.peers.message import Message
from tests.peers.server import Server, Template
from tests.peers.sipp import Sipp
from tests.peers.uac import Caller
from tests.peers.uas import Phone


@pytest.fixture
async def hasty(
    pool: list[Server], tmp_path_factory: pytest.TempPathFactory, template: Template
) -> AsyncIterator[Server]:
    """A server that lets phones ring for a second only."""
    config = {"calls": {"ring_timeout": 1}}
    async with shared_server(pool, tmp_path_factory.mktemp("hasty"), config, template) as server:
        yield server


async def test_ringing_is_passed_on_once_and_without_sound(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, 180: the caller's own phone plays the ringback, however often the agent's phone repeats its 180, and
    although it says that it reads SDP."""
    listener = await server.listen()
    await call_in(server, caller, phone.uri)
    ring = await phone.rings()
    alerting = await caller.expect(180)
    assert not alerting.has_sdp
    ring.reply(180, headers={"Accept": "application/sdp"})
    ring.reply(180)
    ring.reply(200)
    await caller.answered()
    assert caller.call.statuses == [100, 180, 200]
    assert [event["type"] for event in listener.events].count("call.ringing") == 1
    await end(caller, phone)
    cdr = await server.api.cdr()
    assert cdr["started_at"] < cdr["ringing_at"] <= cdr["answered_at"] <= cdr["ended_at"]


async def test_an_answer_without_ringing_is_an_answer(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge: 200 with no 18x before it."""
    await call_in(server, caller, phone.uri)
    (await phone.expect("INVITE")).reply(200)
    await caller.answered()
    await hear_each_other(caller, phone)
    assert caller.call.statuses == [100, 200]
    await end(caller, phone)
    assert (await server.api.cdr())["ringing_at"] is None


async def test_the_caller_hears_early_media_before_the_answer(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, early media: 183 with SDP; the tone of the agent's side is heard while nobody has answered."""
    await call_in(server, caller, phone.uri)
    ring = await phone.expect("INVITE")
    ring.reply(183, sdp=True)
    progress = await caller.expect(183)
    assert progress.has_sdp
    await caller.hears(phone)
    await phone.hears(caller)  # for announcements that ask for keys
    assert [call["state"] for call in await server.api.calls()] == ["ringing"]
    assert not caller.got(200)
    ring.reply(200)
    answer = await caller.answered()
    assert not answer.has_sdp or answer.sdp.address == progress.sdp.address
    await hear_each_other(caller, phone)
    await end(caller, phone)
    cdr = await server.api.cdr()
    assert cdr["answered_at"] - cdr["ringing_at"] > 0.3, "early media is not talk"


async def test_early_media_of_a_call_that_is_refused_ends_with_it(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, early media: an announcement, then the failure; the record has no talk."""
    await call_in(server, caller, phone.uri)
    ring = await phone.expect("INVITE")
    ring.reply(183, sdp=True)
    await caller.expect(183)
    await caller.hears(phone)
    ring.reply(404)
    await caller.expect(404)
    await caller.hears_nothing()
    cdr = await server.api.cdr()
    assert (cdr["answered_at"], cdr["talk"], cdr["sip_code"]) == (None, 0, 404)


async def test_progress_without_sound_is_ringing_to_the_caller(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, 183 without SDP: with a 183 of ours, which has SDP, the caller would hear nothing instead of ringback."""
    await call_in(server, caller, phone.uri)
    ring = await phone.expect("INVITE")
    ring.reply(183)
    alerting = await caller.expect("18x")
    assert (alerting.status, alerting.has_sdp) == (180, False)
    ring.reply(180)
    ring.reply(200)
    await caller.answered()
    assert caller.call.statuses == [100, 180, 200]
    await hear_each_other(caller, phone)
    await end(caller, phone)


async def test_ringing_after_early_media_is_passed_on(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, 180 after 183: the announcement is over and the phone rings, so the caller's phone may play ringback."""
    await call_in(server, caller, phone.uri)
    ring = await phone.expect("INVITE")
    ring.reply(183, sdp=True)
    await caller.expect(183)
    await caller.hears(phone)
    ring.reply(180)
    await caller.expect(180)
    ring.reply(183, sdp=None)
    ring.reply(200)
    await caller.answered()
    assert caller.call.statuses == [100, 183, 180, 200]
    await hear_each_other(caller, phone)
    await end(caller, phone)


async def test_early_media_after_ringing_is_passed_on(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, 183 after 180: a phone that is forwarded plays the network's announcement."""
    ring = await ringing(server, caller, phone)
    ring.reply(183, sdp=True)
    await caller.expect(183)
    await caller.hears(phone)
    ring.reply(200)
    await caller.answered()
    await hear_each_other(caller, phone)
    await end(caller, phone)


async def test_ringing_with_sound_is_early_media(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge: 180 with SDP carries the far end's own ringback, which the caller shall hear."""
    await call_in(server, caller, phone.uri)
    ring = await phone.expect("INVITE")
    ring.reply(180, sdp=True)
    assert (await caller.expect(183)).has_sdp
    await caller.hears(phone)
    ring.reply(200)
    await caller.answered()
    await end(caller, phone)


async def test_sipp_hears_of_early_media(server: Server, trunk: Sipp, agent: Sipp) -> None:
    """Bridge, early media: the scenarios of both sides see it."""
    await server.api.furnish(agent.uri)
    number = (await server.api.issue_token())["original_called_number"]
    answered = await agent.answers("agent-early-media-then-answers", n=1, hold=200)
    placed = await trunk.calls(server.outside, "trunk-early-media", diverted=number)
    await answered.done()
    assert placed.statuses() == [100, 183, 200, 200]


async def test_a_phone_that_nobody_answers_is_given_up(hasty: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, no answer and ring time-out: CANCEL to the phone, 480 to the trunk, each with Reason; token free."""
    await ringing(hasty, caller, phone)
    cancel = await phone.expect("CANCEL")
    assert reasons(cancel) == ['SIP;cause=480;text="No answer in time"']
    refused = await caller.expect(480)
    assert reasons(refused) == ['SIP;cause=480;text="Temporarily Unavailable", Q.850;cause=19']
    cdr = await hasty.api.cdr()
    assert (cdr["cause"], cdr["sip_code"], cdr["ended_by"], cdr["answered_at"]) == ("no-answer", 480, "tandem", None)
    assert 1 <= cdr["duration"] < 5
    assert (await hasty.api.get(f"/v1/tokens/{cdr['sequence']}", tenant="acme"))["state"] == "free"
    assert await hasty.api.counted("tandem_calls_total", result="failed", cause="no-answer") == 1


async def test_an_answer_that_crosses_the_time_out_is_ended(hasty: Server, caller: Caller) -> None:
    """Bridge, ring time-out: the phone's 200 crosses our CANCEL, and gets its ACK and a BYE."""
    async with await Phone.open("1001", manual=["CANCEL"]) as phone:
        ring = await ringing(hasty, caller, phone)
        cancel = await phone.expect("CANCEL")
        ring.reply(200)
        cancel.reply(200)
        await phone.expect("ACK")
        await phone.expect("BYE")
        await caller.expect(480)
    assert (await hasty.api.cdr())["cause"] == "no-answer"


async def test_sipp_never_answers(hasty: Server, trunk: Sipp, agent: Sipp) -> None:
    """Bridge, no answer: the scenario's phone rings for ever, and is cancelled."""
    await hasty.api.furnish(agent.uri)
    number = (await hasty.api.issue_token())["original_called_number"]
    rung = await agent.answers("agent-never-answers", n=1)
    placed = await trunk.calls(hasty.outside, "trunk-is-refused", diverted=number)
    await rung.done()
    assert placed.statuses() == [100, 180, 480]


def reasons(message: Message) -> list[str]:
    return message.all("Reason")
