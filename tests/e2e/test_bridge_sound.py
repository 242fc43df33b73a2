"""Bridge: two people hear each other, whatever codec each side speaks and how many calls there are."""

import pytest

from tests.e2e.legs import call_again, end, hear_each_other, talking
from tests.peers.sdp import Sdp
from tests.peers.server import Server
from tests.peers.sipp import Run, Sipp
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually
from tests.peers.wire import Address


async def address_in(run: Run, what: int | str) -> Address:
    """Where the server wants the sound of a SIPp call, from the first message of a kind that says so."""

    def described() -> list[bytes]:
        return [sdp for message in run.received(what) if (sdp := message.part("application/sdp"))]

    return Sdp.parse((await eventually(described, f"{what} with SDP"))[0]).address


async def test_sound_passes_both_ways_from_the_servers_own_ports(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, two-way audio (R0-01): a tone at each end, RTP from the ports of the SDP, the codec in the record."""
    await talking(server, caller, phone)
    for end_point in (caller, phone):
        sdp = end_point.call.remote_sdp
        assert sdp is not None
        assert end_point.sound.sources == [sdp.address]
        assert sdp.address[1] in server.rtp_ports
    await end(caller, phone)
    cdr = await server.api.cdr()
    assert [part["codec"] for part in cdr["parts"]] == ["PCMA", "PCMA"]
    assert all(part["rx_packets"] > 0 and part["rx_lost"] == 0 for part in cdr["parts"])


@pytest.mark.parametrize(
    ("trunk_codecs", "agent_codecs", "spoken"),
    [
        (["PCMA"], ["PCMU"], ["PCMA", "PCMU"]),
        (["PCMU"], ["PCMA"], ["PCMU", "PCMA"]),
        (["PCMU"], ["PCMU"], ["PCMU", "PCMU"]),
        (["AMR", "opus", "PCMU"], ["PCMA", "PCMU"], ["PCMU", "PCMA"]),
    ],
    ids=["A-to-U", "U-to-A", "U-to-U", "one of many"],
)
async def test_each_leg_speaks_its_own_codec(
    server: Server, trunk_codecs: list[str], agent_codecs: list[str], spoken: list[str]
) -> None:
    """Bridge, codec mixes: both tones arrive, in the codec of the leg they arrive on."""
    async with (
        await Caller.open("trunk", codecs=trunk_codecs) as caller,
        await Phone.open("1001", codecs=agent_codecs) as phone,
    ):
        await talking(server, caller, phone)
        numbers = {"PCMU": 0, "PCMA": 8}
        assert caller.sound.payload_types == [numbers[spoken[0]]]
        assert phone.sound.payload_types == [numbers[spoken[1]]]
        await end(caller, phone)
        assert [part["codec"] for part in (await server.api.cdr())["parts"]] == spoken


async def test_a_second_call_comes_while_the_first_talks(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge: the same phone takes a second call; neither hears the other one's, and the first outlives the second."""
    await talking(server, caller, phone)
    async with await Caller.open("second") as second, await Phone.open("1002") as other:
        await server.api.patch("/v1/agents/1001", {"contact": other.uri})
        await call_again(server, second)
        await other.answers()
        await second.answered()
        await hear_each_other(second, other)
        await hear_each_other(caller, phone)
        assert caller.sound.heard(other.sound.tone or 0) < 0.05
        assert phone.sound.heard(second.sound.tone or 0) < 0.05
        await end(second, other)
    await hear_each_other(caller, phone)
    assert not caller.got("BYE")
    assert not phone.got("BYE")
    await end(caller, phone)
    assert len(await server.api.cdrs(2)) == 2


async def test_one_phone_has_two_calls_at_once(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge: a call that knocks while its phone talks rings there, and its end disturbs nobody."""
    await talking(server, caller, phone)
    async with await Caller.open("second") as second:
        await call_again(server, second)
        ring = await phone.rings()
        await second.expect(180)
        await hear_each_other(caller, phone)
        ring.reply(486)
        await second.expect(486)
    await hear_each_other(caller, phone)
    await end(caller, phone)


async def test_sipp_sends_and_hears_real_sound(server: Server, trunk: Sipp, agent: Sipp) -> None:
    """R0-01: the sound end points behind two SIPp scenarios hear each other."""
    await server.api.furnish(agent.uri)
    number = (await server.api.issue_token())["original_called_number"]
    answered = await agent.answers("agent-answers", n=1)
    placed = await trunk.start_calls(server.outside, "trunk-diverted", hold=1500, diverted=number)
    assert trunk.rtp
    assert trunk.rtp.tone
    assert agent.rtp
    assert agent.rtp.tone
    trunk.rtp.send_to(await address_in(placed, 200))
    agent.rtp.send_to(await address_in(answered, "INVITE"))
    await trunk.rtp.expect_tone(agent.rtp.tone)
    await agent.rtp.expect_tone(trunk.rtp.tone)
    await placed.done()
    await answered.done()


async def test_a_packet_that_comes_before_the_stream_starts_is_not_the_last_one(
    server: Server, caller: Caller, phone: Phone
) -> None:
    """Bridge, two-way audio: a phone that speaks before its 200 is heard afterwards, in each of 20 calls.

    PJMEDIA goes deaf where a packet is read while its transport starts; so threads of ours read (native/sockets.c).
    """
    await server.api.furnish(phone.uri)
    for _ in range(20):
        await call_again(server, caller)
        ring = await phone.rings()
        phone.sound.send_to(ring.sdp.address)
        await phone.sound.expect_sent(2)
        ring.reply(200)
        await phone.expect("ACK", call=ring.call)
        await caller.answered()
        await phone.sound.expect_sent(6)
        await end(caller, phone)
    cdrs = await server.api.cdrs(20)
    heard = [part["rx_packets"] for cdr in cdrs for part in cdr["parts"] if part["role"] == "agent"]
    assert len(heard) == 20
    assert min(heard) >= 3, heard
