"""How calls sound, and what is alarmed: real RTP that loses packets, falls silent, or arrives nowhere."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from media.quality import G711, burst_ratio, mos
from tests.e2e.conftest import StartServer
from tests.e2e.legs import call_again, end, hear_each_other, shared_server, talking
from tests.peers.api import Json
from tests.peers.configuration import Changes
from tests.peers.listener import Listener
from tests.peers.peer import Peer
from tests.peers.receiver import Receiver
from tests.peers.rtp import Rtp
from tests.peers.sdp import write
from tests.peers.server import Server, Template
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually_true

SINGLY = frozenset(range(7, 100, 20))
IN_RUNS = frozenset(range(50, 55))
"Five lost of a hundred, each time."


@pytest.fixture(params=["relay", "conference"])
async def either(
    request: pytest.FixtureRequest, pool: list[Server], tmp_path_factory: pytest.TempPathFactory, template: Template
) -> AsyncIterator[Server]:
    """A server that takes one of the two ways for sound."""
    config: Changes = {"media": {"relay": request.param == "relay"}}
    if pool and pool[-1].child.alive:
        pool.pop().close_now()
    async with shared_server(pool, tmp_path_factory.mktemp("either"), config, template) as server:
        yield server


async def legs_now(server: Server) -> dict[str, Json]:
    """The legs of the only live call, by role."""
    (call,) = await server.api.calls()
    return {leg["role"]: leg for leg in (await server.api.get(f"/v1/calls/{call['id']}"))["legs"]}


async def silent(*peers: Peer) -> None:
    """They send no more, and what they have sent has arrived."""
    for peer in peers:
        peer.sound.pause()
    for peer in peers:
        await peer.sound.expect_silence()


async def test_the_figures_of_a_call_are_what_its_peers_really_sent(
    either: Server, caller: Caller, phone: Phone
) -> None:
    """Quality: 5 % lost one by one, and 5 % in runs of five: in the live view, the record, the event, the metrics."""
    listener = await either.listen()
    await talking(either, caller, phone)
    caller.sound.loses, phone.sound.loses = SINGLY, IN_RUNS
    await asyncio.gather(caller.sound.expect_sent(300), phone.sound.expect_sent(300))

    async def seen() -> bool:
        legs = await legs_now(either)
        return all(0.02 < leg["loss"] < 0.08 and leg["mos"] is not None for leg in legs.values())

    assert await eventually_true(seen, "the loss of both legs is seen")
    legs = await legs_now(either)
    assert legs["caller"]["trunk"] == "carrier"
    assert legs["agent"]["trunk"] is None
    assert legs["agent"]["burst"] > legs["caller"]["burst"]
    assert {leg["codec"] for leg in legs.values()} == {"PCMA"}
    assert {leg["alarm"] for leg in legs.values()} == {"good"}
    caller.sound.loses = phone.sound.loses = frozenset()
    await asyncio.gather(caller.sound.expect_sent(5), phone.sound.expect_sent(5))  # a number behind each gap
    await silent(caller, phone)
    await end(caller, phone)

    cdr = await either.api.cdr()
    ended = (await listener.expect("call.ended", call=cdr["id"]))["data"]["sound"]
    for part, told, peer in zip(cdr["parts"], ended, (caller, phone), strict=True):
        assert (part["rx_packets"], part["rx_lost"]) == (peer.sound.packets_sent, peer.sound.packets_lost)
        detail = part["detail"]
        assert detail["tx_packets"] == peer.sound.packets_received
        loss, ratio = part["rx_lost"] / (part["rx_packets"] + part["rx_lost"]), detail["burst_ratio"]
        assert 0.03 < loss < 0.06
        delay = (part["rtt_ms"] or 0) / 2 + detail["buffer_ms"] + 20
        assert part["mos"] == pytest.approx(mos(delay, loss, G711, ratio), abs=0.02)
        assert (told["mos"], told["lost"], told["part"]) == (part["mos"], part["rx_lost"], part["n"])
    singly, in_runs = (part["detail"] for part in cdr["parts"])
    assert singly["burst_lost"] == 0
    assert singly["burst_ratio"] == 1.0
    assert in_runs["burst_lost"] == phone.sound.packets_lost
    assert in_runs["burst_ratio"] == pytest.approx(
        burst_ratio(phone.sound.packets_sent, phone.sound.packets_lost, in_runs["burst_lost"]), abs=0.01
    )
    assert 3.6 < cdr["parts"][0]["mos"] < 4.2
    assert cdr["parts"][1]["mos"] < cdr["parts"][0]["mos"]
    assert singly["trunk"] == "carrier"
    for name in ("tandem_rtp_mos_count", "tandem_rtp_lost_ratio_count", "tandem_rtp_jitter_seconds_count"):
        assert await either.api.counted(name, role="caller", trunk="carrier") == 1, name
        assert await either.api.counted(name, role="agent", trunk="") == 1, name


async def told(listener: Listener, role: str, state: str, **data: Any) -> Json:
    """The next word about the sound of a party."""
    return dict((await listener.expect("call.media", role=role, state=state, **data))["data"])


async def test_dead_media_is_alarmed_and_cleared_and_the_call_goes_on(
    server: Server, caller: Caller, phone: Phone
) -> None:
    """Quality: dead media within two seconds; hold and comfort noise at the same time are none; nobody hangs up."""
    await talking(server, caller, phone)
    listener = await server.listen()
    caller.sound.rtcp_period = None
    await phone.hold()
    caller.sound.pause()
    assert (await told(listener, "caller", "dead"))["trunk"] == "carrier"
    (call,) = await server.api.calls()
    assert call["alarm"] == "dead"
    assert (await legs_now(server))["caller"]["alarm"] == "dead"
    assert await server.api.metric("tandem_media_alarms_standing", what="dead") == 1
    caller.sound.resume()
    cleared = await told(listener, "caller", "good", was="dead", why="sound")
    assert 0 < cleared["seconds"] < 30
    assert await server.api.metric("tandem_media_alarms_standing") == 0
    await phone.resume()
    await hear_each_other(caller, phone)

    caller.sound.comfort_noise(3600)  # one packet of it, then nothing
    phone.sound.pause()
    await told(listener, "agent", "dead", trunk=None)
    phone.sound.resume()
    await told(listener, "agent", "good")
    caller.sound.comfort_noise(None)
    await hear_each_other(caller, phone)
    spoken = [event["data"] for event in listener.events if event["type"] == "call.media"]
    assert [(one["role"], one["state"]) for one in spoken] == [
        ("caller", "dead"), ("caller", "good"), ("agent", "dead"), ("agent", "good"),
    ]  # fmt: skip
    assert not caller.got("BYE")
    assert not phone.got("BYE")
    await end(caller, phone)
    assert [part["detail"]["alarms"] for part in (await server.api.cdr())["parts"]] == [["dead"], ["dead"]]
    assert await server.api.counted("tandem_media_alarms_total", what="dead") == 2
    lines = [line for line in server.log_lines() if "not as it should be" in str(line.get("event"))]
    assert all(line["do"] for line in lines)
    assert len(lines) == 2


async def test_one_way_sound_is_alarmed_in_either_direction(server: Server, phone: Phone) -> None:
    """Quality: a leg that never sends, and one whose reports say that nothing arrives; cleared when it is mended."""
    async with await Caller.open("trunk", sound=False) as caller:
        with Rtp() as late:
            await server.api.furnish(phone.uri)
            listener = await server.listen()
            await call_again(server, caller, sdp=write(late.host, late.port))
            await phone.answers()
            aim = (await caller.answered()).sdp.address
            await told(listener, "caller", "one-way", trunk="carrier")
            late.send_to(aim)
            assert (await told(listener, "caller", "good"))["was"] == "one-way"
            await phone.sound.expect_tone(late.tone or 0)
            phone.sound.rtcp_period, phone.sound.told_loss = 0.2, 255
            await told(listener, "agent", "unheard")
            assert (await legs_now(server))["agent"]["told_loss"] > 0.99
            phone.sound.told_loss = 3
            await told(listener, "agent", "good", was="unheard")
            await end(caller, phone)
    assert [part["detail"]["alarms"] for part in (await server.api.cdr())["parts"]] == [["one-way"], ["unheard"]]


async def test_a_trunk_whose_calls_sound_poor_is_alarmed_until_they_are_good(start_server: StartServer) -> None:
    """Quality: trunk alarm as event, metric and webhook, with several calls that nothing is heard of any more."""
    quality = {"trunk_legs": 3, "trunk_share": 0.5, "trunk_window": 10, "silence_alarm": 0.5}
    server = await start_server({"quality": quality})
    async with AsyncExitStack() as stack:
        crm = stack.enter_context(Receiver())
        await server.api.post("/v1/webhooks", {"id": "crm", "url": crm.url, "types": ["trunk.*"]})
        listener = await server.listen()
        callers = []
        for number in range(3):
            extension = f"20{number}"
            caller = await stack.enter_async_context(await Caller.open(f"trunk{number}"))
            phone = await stack.enter_async_context(await Phone.open(extension))
            await server.api.add_agent(phone.uri, extension)
            entry = {"kind": "agent", "target": extension}
            await server.api.add_access_number(extension, correlation="off", entry=entry)
            await caller.invite(server.outside, extension, caller="13911112222")
            await phone.answers()
            await caller.answered()
            callers.append(caller)
        assert await server.api.metric("tandem_trunk_poor", trunk="carrier") == 0
        for caller in callers:
            caller.sound.pause()
        poor = (await listener.expect("trunk.poor", trunk="carrier"))["data"]
        assert poor["share"] >= 0.5
        assert 2 <= poor["poor"] <= poor["legs"] <= 3
        assert await server.api.metric("tandem_trunk_poor", trunk="carrier") == 1
        assert [got.json["type"] for got in await crm.expect(1)] == ["trunk.poor"]
        for caller in callers:
            caller.sound.resume()
        good = (await listener.expect("trunk.good", trunk="carrier"))["data"]
        assert good["poor"] == 0
        assert not any(caller.got("BYE") for caller in callers)
        for caller in callers:
            await (await caller.bye()).expect(200)
        await server.api.cdrs(3)


async def test_who_may_be_silent_by_his_sdp_is_not_dead(server: Server, phone: Phone) -> None:
    """Quality: a far end that has announced comfort noise, and one that only listens: no alarm, and none without a
    reason: the same silence of one that may not be silent is alarmed meanwhile."""
    async with await Caller.open("trunk") as caller:
        offer = caller.sdp().replace(b"RTP/AVP 8", b"RTP/AVP 8 13", 1)
        await talking(server, caller, phone, sdp=offer)
        listener = await server.listen()
        caller.sound.rtcp_period = phone.sound.rtcp_period = None
        caller.sound.pause()
        phone.sound.pause()
        await told(listener, "agent", "dead")
        await phone.hold("recvonly")
        await told(listener, "agent", "good", why="hold")
        assert {leg["alarm"] for leg in (await legs_now(server)).values()} == {"good"}
        await end(caller, phone)
    caller_part, agent_part = (await server.api.cdr())["parts"]
    assert "alarms" not in caller_part["detail"]
    assert agent_part["detail"]["alarms"] == ["dead"]
