"""What changes inside a call changes at its own leg: the sound follows, the other leg sees nothing (RFC 3261 14)."""

import pytest

from tests.e2e.legs import call_in, end, hear_each_other, ringing, talking
from tests.peers.peer import Peer
from tests.peers.rtp import Rtp
from tests.peers.sdp import T38, VIDEO
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually

SIDES = ["trunk", "agent"]


def both(side: str, caller: Caller, phone: Phone) -> tuple[Peer, Peer]:
    """Who changes something, and who must not notice."""
    return (caller, phone) if side == "trunk" else (phone, caller)


def noticed(peer: Peer) -> list[str]:
    """Methods of what the server asked for inside the peer's call."""
    return [m.method for call in peer.calls for m in call.received if m.is_request and m.to_tag and m.method != "ACK"]


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
@pytest.mark.parametrize("side", SIDES)
async def test_sound_follows_to_another_port(
    server: Server, caller: Caller, phone: Phone, side: str, method: str
) -> None:
    """Bridge, re-INVITE and UPDATE: a new address is used at once, and heard from."""
    await talking(server, caller, phone)
    one, other = both(side, caller, phone)
    with Rtp() as point:
        one.sound.pause()
        one.call.rtp = point
        sent = await one.call.send(method, sdp=True)
        response = await sent.expect(200)
        if method == "INVITE":
            await one.call.ack(response)
        one.call.follow()
        assert other.sound.tone
        await point.expect_tone(other.sound.tone)
        await other.hears(point)
        assert noticed(other) == []
        await end(caller, phone)


@pytest.mark.parametrize("side", SIDES)
async def test_sound_follows_to_another_codec(server: Server, caller: Caller, phone: Phone, side: str) -> None:
    """Bridge, re-INVITE: a codec is given up, the other leg keeps its own."""
    await talking(server, caller, phone)
    one, other = both(side, caller, phone)
    before = other.sound.payload_types
    one.codecs = ["PCMU"]
    response = await (await one.call.reinvite()).expect(200)
    assert [c for c in response.sdp.audio.codecs.values() if c != "TELEPHONE-EVENT"] == ["PCMU"]
    await one.call.ack(response)
    one.call.follow()
    await hear_each_other(caller, phone)
    await eventually(lambda: one.sound.received[-1].packet.payload_type == 0, "PCMU comes")
    assert other.sound.payload_types == before
    assert noticed(other) == []
    await end(caller, phone)


@pytest.mark.parametrize("side", SIDES)
async def test_a_reinvite_without_sdp_gets_our_offer(server: Server, caller: Caller, phone: Phone, side: str) -> None:
    """Delayed offer inside a call: the 200 offers what runs, the ACK answers, the sound goes on."""
    await talking(server, caller, phone)
    one, other = both(side, caller, phone)
    response = await (await one.call.reinvite(sdp=None)).expect(200)
    assert response.sdp.audio.direction == "sendrecv"
    assert {"PCMA", "PCMU"} <= set(response.sdp.audio.codecs.values())
    await one.call.ack(response)
    await hear_each_other(caller, phone)
    assert noticed(other) == []
    await end(caller, phone)


@pytest.mark.parametrize("side", SIDES)
async def test_an_update_without_sdp_is_a_refresh(server: Server, caller: Caller, phone: Phone, side: str) -> None:
    """Bridge, UPDATE: answered 200 without a body; nothing changes."""
    await talking(server, caller, phone)
    one, other = both(side, caller, phone)
    response = await (await one.call.update()).expect(200)
    assert response.body == b""
    await hear_each_other(caller, phone)
    assert noticed(other) == []
    await end(caller, phone)


async def test_the_agent_may_update_before_the_answer(server: Server, caller: Caller, phone: Phone) -> None:
    """UPDATE in an early dialog (RFC 3311 5.1): the phone's new address counts, for early media and afterwards."""
    await call_in(server, caller, phone.uri)
    ring = await phone.expect("INVITE")
    ring.reply(183, sdp=True, reliable=True)
    await phone.expect("PRACK")
    await caller.expect(183)
    await caller.hears(phone)
    with Rtp() as point:
        phone.sound.pause()
        phone.call.rtp = point
        await (await phone.call.update(sdp=True)).expect(200)
        phone.call.follow()
        await caller.hears(point)
        ring.reply(200, sdp=None)
        await phone.expect("ACK")
        await caller.answered()
        await caller.hears(point)
        assert caller.sound.tone
        await point.expect_tone(caller.sound.tone)
        assert noticed(caller) == []
        await end(caller, phone)


async def test_the_trunk_may_update_before_the_answer(server: Server, caller: Caller, phone: Phone) -> None:
    """UPDATE in an early dialog from the caller's side: 200 (nothing was negotiated twice), the call goes on."""
    await ringing(server, caller, phone, headers={"Supported": "100rel"})
    caller.call.dialogs.current = next(iter(caller.call.dialogs.all.values()))
    response = await (await caller.call.update()).expect("2xx")
    assert response.body == b""
    phone.call.invite_received.reply(200)
    await phone.expect("ACK")
    await caller.expect(200, method="INVITE")
    await caller.call.ack()
    await hear_each_other(caller, phone)
    await end(caller, phone)


async def test_a_second_offer_while_one_is_open_gets_491(server: Server, caller: Caller, phone: Phone) -> None:
    """Glare (RFC 3261 14.2): our offer waits for its answer in the ACK, so another one gets 491; then it is taken."""
    await talking(server, caller, phone)
    first = await (await phone.call.reinvite(sdp=None)).expect(200)  # our offer is open until the ACK
    update = await phone.call.update(sdp=True)
    assert (await update.expect("4xx")).status == 491
    await phone.call.ack(first)
    await (await phone.call.update(sdp=True)).expect(200)
    await hear_each_other(caller, phone)
    await end(caller, phone)


async def test_both_legs_may_change_at_the_same_moment(server: Server, caller: Caller, phone: Phone) -> None:
    """Legs are independent: two re-INVITEs cross inside us, and neither disturbs the other."""
    await talking(server, caller, phone)
    a, b = await caller.call.reinvite(), await phone.call.reinvite()
    await caller.call.ack(await a.expect(200))
    await phone.call.ack(await b.expect(200))
    await hear_each_other(caller, phone)
    assert noticed(caller) == noticed(phone) == []
    await end(caller, phone)


@pytest.mark.parametrize("side", SIDES)
async def test_codecs_we_do_not_have_leave_the_call_as_it_is(
    server: Server, caller: Caller, phone: Phone, side: str
) -> None:
    """RFC 3261 14.2: a re-INVITE that cannot be met gets 488, and what ran before runs on."""
    await talking(server, caller, phone)
    one, other = both(side, caller, phone)
    refused = await one.call.reinvite(sdp=one.sdp(codecs=["AMR"], events=False))
    assert (await refused.expect("4xx")).status == 488
    await hear_each_other(caller, phone)
    assert noticed(other) == []
    await end(caller, phone)


@pytest.mark.parametrize("more", [VIDEO, T38], ids=["video", "T.38"])
async def test_video_or_fax_beside_audio_is_refused_and_audio_goes_on(
    server: Server, caller: Caller, phone: Phone, more: tuple[str, ...]
) -> None:
    """Bridge: T.38 or video lines get port 0, the audio line is taken."""
    await talking(server, caller, phone)
    response = await (await phone.call.reinvite(sdp=phone.sdp(more_media=more))).expect(200)
    assert [m.port == 0 for m in response.sdp.media] == [False, True]
    await phone.call.ack(response)
    await hear_each_other(caller, phone)
    await end(caller, phone)


async def test_a_retransmitted_reinvite_is_answered_once(server: Server, caller: Caller, phone: Phone) -> None:
    """RFC 3261 17.2.1: the same 200 again, no second negotiation."""
    await talking(server, caller, phone)
    sent = await phone.call.reinvite()
    sent.again()
    response = await sent.expect(200)
    await phone.call.ack(response)
    await hear_each_other(caller, phone)
    assert len({m.raw for m in phone.got(200) if m.cseq == sent.cseq}) == 1
    await end(caller, phone)
