"""Sound only from the right source: injected packets are not heard, nothing leaks, and nobody loses his sound."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from itertools import pairwise

import pytest

from tests.e2e.conftest import StartServer
from tests.e2e.legs import call_again, call_in, end, hear_each_other, shared_server, talking
from tests.peers.configuration import Changes
from tests.peers.intruder import Intruder
from tests.peers.rtp import Rtp
from tests.peers.rtp_packet import RtpPacket
from tests.peers.sdp import write
from tests.peers.server import Server, Template
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually_true

MEDIA_GATEWAY = "127.0.0.6"
CONFIG: Changes = {
    "trunks.carrier": {"addresses": ["127.0.0.1", "127.0.0.2"], "media_networks": [MEDIA_GATEWAY]},
    "media": {"relearn_after": 0.5},
}


@pytest.fixture
async def server(
    pool: list[Server], tmp_path_factory: pytest.TempPathFactory, template: Template
) -> AsyncIterator[Server]:
    """A server whose carrier has a media gateway beside it."""
    async with shared_server(pool, tmp_path_factory.mktemp("sources"), CONFIG, template) as server:
        yield server


@pytest.fixture(params=["relay", "conference"])
def way(request: pytest.FixtureRequest, caller: Caller, phone: Phone) -> str:
    """Both ways that sound takes between two legs (docs/sound.md): two that speak alike, and two that do not."""
    chosen = str(request.param)
    caller.codecs, phone.codecs = ["PCMA"], ["PCMA" if chosen == "relay" else "PCMU"]
    return chosen


@pytest.fixture
def intruders() -> Iterator[list[Intruder]]:
    """Two, one for each leg of a call."""
    with ExitStack() as stack:
        yield [stack.enter_context(Intruder()) for _ in range(2)]


def legs_of(caller: Caller, phone: Phone) -> list[tuple[str, int]]:
    """Where the server wants the sound of both."""
    calls = (caller.call, phone.call)
    return [call.remote_sdp.address for call in calls if call.remote_sdp]


async def refused(server: Server) -> dict[str, int]:
    """What the only call's record says was turned away, by reason."""
    counts: dict[str, int] = {}
    for part in (await server.api.cdr())["parts"]:
        for reason, n in (part["detail"] or {}).get("refused", {}).items():
            counts[reason] = counts.get(reason, 0) + n
    return counts


async def test_who_speaks_first_is_neither_heard_nor_spoken_to(
    server: Server, caller: Caller, phone: Phone, intruders: list[Intruder], way: str
) -> None:
    """RTP injection: strangers send before the parties do, who are silent; both hear each other all the same."""
    await call_in(server, caller, phone.uri)
    ring = await phone.rings()
    intruders[1].send_to(ring.sdp.address)
    await intruders[1].expect_sent(3)
    ring.reply(200)
    await phone.expect("ACK")
    answer = await caller.answered()
    intruders[0].send_to(answer.sdp.address)
    for peer in (caller, phone):
        peer.sound.pause()
    for intruder in intruders:
        await intruder.expect_sent(40)
    assert caller.sound.heard(intruders[1].tone or 0) < 0.05
    assert phone.sound.heard(intruders[0].tone or 0) < 0.05
    for peer in (caller, phone):
        peer.sound.resume()
    await hear_each_other(caller, phone)
    assert await server.api.metric("tandem_bridges", path=way) == 1
    assert all(intruder.got_nothing for intruder in intruders)
    await end(caller, phone)
    assert (await refused(server))["address"] >= 80
    assert await server.api.counted("tandem_sound_refused_total", reason="address") >= 80


async def test_who_breaks_in_is_neither_heard_nor_spoken_to(
    server: Server, caller: Caller, phone: Phone, intruders: list[Intruder], way: str
) -> None:
    """RTP injection: in mid call with copied SSRC and numbers, in bursts, with nonsense, with forged RTCP BYEs."""
    await talking(server, caller, phone)
    assert await server.api.metric("tandem_bridges", path=way) == 1
    aims = legs_of(caller, phone)
    for intruder, aim, victim in zip(intruders, aims, (caller.sound, phone.sound), strict=True):
        intruder.copy(victim)
        intruder.send_to(aim)
        intruder.burst(aim)
        intruder.nonsense(aim)
        intruder.say_goodbye(aim, victim.ssrc)
        for _ in range(4):  # PJMEDIA by itself would follow the third
            intruder.say_goodbye(aim, intruder.ssrc)
    lost = [caller.sound.lost(), phone.sound.lost()]
    for intruder in intruders:
        await intruder.expect_sent(60)
    await hear_each_other(caller, phone)
    for peer, intruder in ((caller, intruders[1]), (phone, intruders[0])):
        assert peer.sound.heard(intruder.tone or 0) < 0.05
    assert [caller.sound.lost(), phone.sound.lost()] == lost
    assert all(intruder.got_nothing for intruder in intruders)
    await end(caller, phone)
    counts = await refused(server)
    assert counts["address"] >= 600
    assert counts["rtcp_address"] >= 10


async def test_a_silent_callers_stream_cannot_be_taken_over(
    server: Server, caller: Caller, phone: Phone, intruders: list[Intruder], way: str
) -> None:
    """RTP injection: a caller is silent for longer than a phone would be; he goes on hearing, the stranger never."""
    await talking(server, caller, phone)
    assert await server.api.metric("tandem_bridges", path=way) == 1
    caller.sound.pause()
    phone.sound.pause()
    for intruder, aim, victim in zip(intruders, legs_of(caller, phone), (caller.sound, phone.sound), strict=True):
        intruder.copy(victim)
        intruder.send_to(aim)
    for intruder in intruders:
        await intruder.expect_sent(50)
    phone.sound.resume()
    await caller.hears(phone)
    caller.sound.resume()
    await phone.hears(caller)
    assert all(intruder.got_nothing for intruder in intruders)
    await end(caller, phone)


async def test_another_stream_from_the_right_socket_waits_for_a_pause(
    server: Server, caller: Caller, phone: Phone
) -> None:
    """SSRC latched: beside the stream that speaks, another one is not heard; after its end the other one is."""
    await talking(server, caller, phone)
    aim = legs_of(caller, phone)[0]
    for number in range(40):
        packet = RtpPacket(8, number, number * 160, 4711, bytes(160))
        caller.sound.rtp_socket.sendto(bytes(packet), aim)
    await phone.hears(caller)
    caller.sound.pause()
    caller.sound.ssrc ^= 0x5555
    await phone.sound.expect_not(caller.sound.tone or 0)
    caller.sound.resume()
    await phone.hears(caller)
    await end(caller, phone)
    assert (await refused(server))["ssrc"] >= 40


async def test_a_carriers_media_gateway_is_heard_and_hears(server: Server, phone: Phone) -> None:
    """No one-way sound: the SDP says one address, the sound comes from one of `media_networks` and goes back there."""
    async with await Caller.open("trunk", sound=False) as caller:
        with Rtp(MEDIA_GATEWAY) as gateway:
            offer = write("127.0.0.2", gateway.port)
            await call_in(server, caller, phone.uri, sdp=offer)
            await phone.answers()
            gateway.send_to((await caller.answered()).sdp.address)
            await gateway.expect_tone(phone.sound.tone or 0)
            await phone.sound.expect_tone(gateway.tone or 0)
            await end(caller, phone)
    assert await refused(server) == {}


async def test_a_phone_behind_address_translation_is_learnt_and_found_again(server: Server, caller: Caller) -> None:
    """Its SDP says an address that nobody can reach; its sound comes from where its signalling does. Then the router
    gives it another port, and after a silence it is found there."""
    async with await Phone.open("1001", sound=False) as phone:
        with Rtp() as before, Rtp() as after, Intruder() as intruder:
            await call_in(server, caller, phone.uri)
            ring = await phone.rings()
            aim = ring.sdp.address
            ring.reply(200, sdp=write("10.255.255.1", 4000))
            await phone.expect("ACK")
            await caller.answered()
            intruder.send_to(aim)
            await intruder.expect_sent(5)
            before.send_to(aim)
            await before.expect_tone(caller.sound.tone or 0)
            await caller.sound.expect_tone(before.tone or 0)
            before.pause()
            await caller.sound.expect_not(before.tone or 0)
            after.send_to(aim)
            await after.expect_tone(caller.sound.tone or 0)
            await caller.sound.expect_tone(after.tone or 0)
            assert intruder.got_nothing
            await (await caller.bye()).expect(200)
            await phone.expect("BYE")


async def test_a_reinvite_moves_the_source(
    server: Server, caller: Caller, phone: Phone, intruders: list[Intruder]
) -> None:
    """One new source after each SDP: the new address speaks and hears at once, the old one and strangers do not."""
    await talking(server, caller, phone)
    with Rtp("127.0.0.2") as moved:
        sent = await caller.call.reinvite(sdp=write("127.0.0.2", moved.port, version=2))
        answer = await sent.expect(200)
        await caller.ack(answer, sdp=None)
        intruders[0].send_to(answer.sdp.address)
        moved.send_to(answer.sdp.address)
        await moved.expect_tone(phone.sound.tone or 0)
        await phone.sound.expect_tone(moved.tone or 0)
        await phone.sound.expect_not(caller.sound.tone or 0)
        assert intruders[0].got_nothing
        await end(caller, phone)
    assert (await refused(server))["address"] >= 10


async def test_a_strict_trunk_is_heard_from_its_own_port_only(
    start_server: StartServer, caller: Caller, phone: Phone
) -> None:
    """`media_strict`: the same address with another port is a stranger."""
    server = await start_server({"trunks.carrier": {"media_strict": True}})
    await talking(server, caller, phone)
    with Rtp() as other:
        caller.sound.pause()
        other.send_to(legs_of(caller, phone)[0])
        await other.expect_sent(40)
        assert phone.sound.heard(other.tone or 0) < 0.05
        assert other.packets_received == 0
        caller.sound.resume()
        await phone.hears(caller)
        await end(caller, phone)
    assert (await refused(server))["port"] >= 40


async def test_hold_and_resume_keep_the_sound(server: Server, caller: Caller, phone: Phone) -> None:
    """Hold in its old and its new form says nothing against the source: it is heard again afterwards, at once."""
    await talking(server, caller, phone)
    for address in ("0.0.0.0", None):
        await caller.hold(c=address)
        await caller.sound.expect_not(phone.sound.tone or 0)
        await caller.resume()
        await hear_each_other(caller, phone)
    await end(caller, phone)


async def test_ports_cannot_be_guessed(server: Server, caller: Caller, phone: Phone) -> None:
    """RTP ports: each leg's is drawn; all of them come back."""
    await server.api.furnish(phone.uri)
    ports: list[int] = []
    for _ in range(8):
        await call_again(server, caller)
        await phone.answers()
        await caller.answered()
        ports += [port for _, port in legs_of(caller, phone)]
        await end(caller, phone)
    steps = [after - before for before, after in pairwise(ports)]
    assert len(set(ports)) >= 12, ports
    assert all(port % 2 == 0 and port in server.rtp_ports for port in ports)
    assert max(steps.count(step) for step in steps) < 5, ports
    assert await eventually_true(lambda: is_unused(server), "the ports are back")


async def is_unused(server: Server) -> bool:
    """Whether no leg has a port any more."""
    return await server.api.metric("tandem_rtp_ports_used") == 0
