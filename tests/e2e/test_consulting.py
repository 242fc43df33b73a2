"""An agent asks a colleague: by keys and by API, all three together, and each of the three leaving."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.conftest import StartServer
from tests.e2e.ivr import OVER, record_prompts
from tests.e2e.legs import call_in, hear_each_other
from tests.e2e.queues import come, open_number, open_queue, staff, state, waiting
from tests.e2e.recorded import QUIET, RATE, complete, grown, heard, only
from tests.e2e.test_monitoring import hears_only, never_heard
from tests.peers.server import Server
from tests.peers.sound import loudness
from tests.peers.uac import Caller
from tests.peers.uas import Phone


@pytest.fixture
async def other() -> AsyncIterator[Phone]:
    """The phone of a colleague."""
    async with await Phone.open("1002") as phone:
        yield phone
        print(phone.ladder())


async def asking(server: Server, caller: Caller, phone: Phone, other: Phone) -> str:
    """The caller talks to agent 1001, who asks 1002 by his keys; 1002 has answered.  The call's id."""
    await call_in(server, caller, phone.uri)
    await phone.answers()
    await caller.answered()
    await hear_each_other(caller, phone)
    await staff(server, other, "1002", ())
    phone.sound.press("*71002#")
    ring = await other.rings()
    assert ring.get("X-Tandem-Consult") == "1001"
    assert "sip:1001@" in ring.get("From")
    await phone.hears(425)
    ring.reply(200)
    await other.expect("ACK")
    await hears_only(other, phone)
    await hears_only(phone, other)
    return str((await server.api.calls())[0]["id"])


async def test_three_talk_and_the_agent_leaves(server: Server, caller: Caller, phone: Phone, other: Phone) -> None:
    """*7 1002 #, *3, *4: music for the caller, then everybody hears everybody; the colleague has the caller."""
    listener = await server.listen()
    call = await asking(server, caller, phone, other)
    for peer in (phone, other):
        await caller.sound.expect_not(peer.sound.tone or 0.0)  # what he hears is music
    never_heard(other, caller, 0.4)
    phone.sound.press("*3")
    await hears_only(caller, phone, other)
    await hears_only(phone, caller, other)
    await hears_only(other, caller, phone)
    assert (await server.api.calls())[0]["state"] == "conference"
    assert (caller.sound.digits, other.sound.digits) == ("", "")
    phone.sound.press("*4")
    await phone.expect("BYE")
    await hears_only(caller, other)
    await hears_only(other, caller)
    done = await listener.expect("transfer.done", call=call)
    assert (done["data"]["from"], done["data"]["to"], done["data"]["how"]) == ("1001", "1002", "order")
    assert (await state(server, "1002", "talking"))["call"] == call
    await (await other.bye()).expect(200)
    await caller.expect("BYE")
    cdr = await server.api.cdr()
    assert (cdr["extension"], cdr["cause"]) == ("1002", "normal")
    assert [(part["role"], part["party"]) for part in cdr["parts"]][1:] == [("agent", "1001"), ("agent", "1002")]
    assert cdr["detail"]["transfers"][0]["result"] == "done"
    await state(server, "1002", "available")


async def test_he_comes_back_and_the_colleague_leaves_a_conference(
    server: Server, caller: Caller, phone: Phone, other: Phone
) -> None:
    """*1 while they talk; by API again, joined, and the colleague hangs up: agent and caller talk on, each time."""
    call = await asking(server, caller, phone, other)
    phone.sound.press("*1")
    await other.expect("BYE")
    await hears_only(phone, caller)
    await hears_only(caller, phone)
    await state(server, "1002", "available")
    path = f"/v1/calls/{call}/consult"
    assert (await server.api.http.post(path, json={"agent": "1999"})).status_code == 409
    await server.api.post(path, {"agent": "1002"})
    await other.rejects(486)
    await phone.sound.expect_tone(425, clear=0.2)
    await hear_each_other(caller, phone)
    await server.api.post(path, {"agent": "1002"})
    await other.answers()
    await hears_only(phone, other)
    await server.api.patch(path, {"state": "joined"})
    await hears_only(caller, phone, other)
    await (await other.bye()).expect(200)
    await hears_only(phone, caller)
    await hears_only(caller, phone)
    await (await caller.bye()).expect(200)
    await phone.expect("BYE")
    assert [part["party"] for part in (await server.api.cdr())["parts"]][1:] == ["1001", "1002", "1002", "1002"]


async def test_the_caller_leaves_and_the_other_two_talk_on(
    start_server: StartServer, caller: Caller, phone: Phone, other: Phone, tmp_path: Path
) -> None:
    """A conference without its caller is a talk of two colleagues: nothing of it is in his recording, neither of them
    gets the survey or a place in his queue, and the call is over with it, whether one hangs up or is lost."""
    server = await start_server({"media": {"silence_timeout": 1}})
    record_prompts(server.data / "sounds")
    nodes = {"ask": {"kind": "survey", "say": ["which.wav"], "keys": "12345", "next": "over"}, "over": OVER}
    menu = {"id": "score", "name": "score", "start": "ask", "nodes": nodes}
    await server.api.request("PUT", "/v1/menus/score", menu)
    await open_queue(server, wrap_up=0.0, survey="score", record=True)
    await open_number(server)
    await staff(server, phone, "1001")
    await staff(server, other, "1002", ())
    listener = await server.listen()
    for lost in (False, True):
        await come(server, caller, "13800000001")
        await phone.answers()
        await caller.hears(phone)
        call = str((await server.api.calls())[0]["id"])
        phone.sound.press("*71002#")
        await other.answers()
        await hears_only(other, phone)
        phone.sound.press("*3")
        await hears_only(other, caller, phone)
        await (await caller.bye()).expect(200)
        await hears_only(phone, other)
        await hears_only(other, phone)
        if lost:
            other.sound.pause()
            await phone.expect("BYE")
        else:
            await grown(server.data / "recordings", 0.8)
            await (await phone.bye()).expect(200)
        await other.expect("BYE")
        await listener.expect("call.ended", call=call, cause="media-silence" if lost else "normal")
        await state(server, "1002", "available")
        assert not [one for one in listener.events if one["type"] in ("call.survey", "call.requeued")]
        await waiting(server, 0)
        if not lost:
            file = await complete(server, call)
            left, right = heard((await server.api.http.get(f"/v1/recordings/{file['name']}")).content, tmp_path)
            only(left[: RATE // 2], caller, phone)
            for channel in (left, right):
                assert loudness(channel[-RATE // 2 :]) < QUIET


async def test_the_agent_hangs_up_while_he_asks(server: Server, caller: Caller, phone: Phone, other: Phone) -> None:
    """Once the colleague is there he has the caller; while his phone rings still, it rings for the caller."""
    await open_queue(server, wrap_up=0.0)
    await open_number(server)
    await staff(server, phone, "1001")
    await staff(server, other, "1002", ())
    for answered in (True, False):
        await caller.invite(server.outside, "4008100001", caller="13800000001")
        await phone.answers()
        await caller.hears(phone)
        phone.sound.press("*71002#")
        ring = await other.rings()
        if answered:
            ring.reply(200)
            await other.expect("ACK")
            await hears_only(other, phone)
        await (await phone.bye()).expect(200)
        if not answered:
            await other.expect("CANCEL")
            await other.answers()
        await hears_only(caller, other)
        await hears_only(other, caller)
        await state(server, "1001", "available")
        await (await caller.bye()).expect(200)
        await other.expect("BYE")
    await waiting(server, 0)
