"""Hold ends at its own leg: the one put on hold hears music, nothing of it is seen on the other leg (RFC 3264 8.4)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.legs import end, hear_each_other, shared_server, talking
from tests.peers.baresip import write_tone
from tests.peers.exchange import Received
from tests.peers.peer import Peer
from tests.peers.server import Server, Template
from tests.peers.uac import Caller
from tests.peers.uas import Phone

MUSIC = 440.0
"Hz; no peer sends it (tests.peers.rtp.TONES)."

WAYS = {
    "sendonly": ("sendonly", None, "recvonly"),
    "inactive": ("inactive", None, "inactive"),
    "zero": ("sendonly", "0.0.0.0", "inactive"),
}
"How a peer holds: direction it offers, c= line it offers, direction of our answer."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("music")


@pytest.fixture
async def server(pool: list[Server], folder: Path, template: Template) -> AsyncIterator[Server]:
    """A server whose music is a tone that can be recognised."""
    music = write_tone(folder / "music.wav", MUSIC, 2.0)
    async with shared_server(pool, folder, {"media": {"music": str(music)}}, template) as server:
        yield server


def requests_in_dialog(peer: Peer) -> list[str]:
    """Methods of what the server asked for inside the peer's call."""
    return [m.method for call in peer.calls for m in call.received if m.is_request and m.to_tag and m.method != "ACK"]


def direction(response: Received) -> str:
    return response.sdp.audio.direction


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("side", ["trunk", "agent"])
async def test_who_is_put_on_hold_hears_music_and_no_signalling(
    server: Server, caller: Caller, phone: Phone, side: str, way: str
) -> None:
    """Bridge, hold from either side (R0-14: call.held and call.resumed): the other leg sees nothing and hears music."""
    await talking(server, caller, phone)
    listener = await server.listen()
    holder, held = (caller, phone) if side == "trunk" else (phone, caller)
    asked, address, answered = WAYS[way]
    response = await holder.hold(asked, c=address)
    assert direction(response) == answered
    assert response.sdp.audio.port != 0
    await held.hears(MUSIC)
    await holder.hears_nothing()
    assert (await listener.expect("call.held"))["data"]["role"] == ("caller" if side == "trunk" else "agent")
    assert direction(await holder.resume()) == "sendrecv"
    await hear_each_other(caller, phone)
    await listener.expect("call.resumed")
    assert requests_in_dialog(held) == []
    await end(caller, phone)


async def test_both_sides_may_hold_at_once(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, hold: both hold, one takes the call back, then the other; sound returns only with the second."""
    await talking(server, caller, phone)
    assert direction(await phone.hold()) == "recvonly"
    await caller.hears(MUSIC)
    assert direction(await caller.hold()) == "recvonly"
    await caller.hears_nothing()
    await phone.hears_nothing()
    await phone.resume()
    await phone.hears(MUSIC)
    await caller.hears_nothing()
    await caller.resume()
    await hear_each_other(caller, phone)
    assert requests_in_dialog(caller) == requests_in_dialog(phone) == []
    await end(caller, phone)


async def test_the_held_side_may_hang_up(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, hold: a BYE of the one who waits reaches the one who holds."""
    await talking(server, caller, phone)
    await phone.hold()
    await caller.hears(MUSIC)
    await (await caller.bye()).expect(200)
    await phone.expect("BYE")
    assert (await server.api.cdr())["ended_by"] == "caller"


async def test_a_call_may_be_held_again_and_again(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, hold: nothing wears out; the record counts the talk as one."""
    await talking(server, caller, phone)
    for _ in range(3):
        await phone.hold("inactive")
        await caller.hears(MUSIC)
        await phone.resume()
        await hear_each_other(caller, phone)
    await end(caller, phone)
    assert (await server.api.cdr())["sip_code"] == 200


async def test_hold_repeated_in_another_way_stays_hold(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, hold: sendonly, then inactive, then c=0.0.0.0 without a resume between them; then the call goes on."""
    await talking(server, caller, phone)
    for asked, address, answered in WAYS.values():
        assert direction(await phone.hold(asked, c=address)) == answered
        await caller.hears(MUSIC)
    await phone.resume()
    await hear_each_other(caller, phone)
    await end(caller, phone)


async def test_hold_by_update_is_hold_as_well(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, hold: UPDATE (RFC 3311) with sendonly."""
    await talking(server, caller, phone)
    phone.call.direction = "inactive"
    sent = await phone.call.update(sdp=phone.sdp(direction="sendonly"))
    assert direction(await sent.expect(200)) == "recvonly"
    phone.call.follow()
    await caller.hears(MUSIC)
    phone.call.direction = "sendrecv"
    sent = await phone.call.update(sdp=True)
    assert direction(await sent.expect(200)) == "sendrecv"
    phone.call.follow()
    await hear_each_other(caller, phone)
    assert requests_in_dialog(caller) == []
    await end(caller, phone)
