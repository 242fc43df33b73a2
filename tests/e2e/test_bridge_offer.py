"""Bridge: who offers first (RFC 3264, delayed offer), and what is no audio in an offer (T.38, video)."""

from collections.abc import AsyncIterator

import pytest

from tests.e2e.legs import call_in, end, hear_each_other, shared_server, talking
from tests.peers import sdp
from tests.peers.exchange import Received
from tests.peers.peer import Peer
from tests.peers.ports import PORTS
from tests.peers.server import Server, Template
from tests.peers.sipp import Sipp
from tests.peers.uac import Caller
from tests.peers.uas import Phone

PORT_0 = [("audio", True), ("video", False)]


def lines(response: Received) -> list[tuple[str, bool]]:
    """The m= lines of a description: kind, and whether it is alive."""
    return [(media.kind, media.port != 0) for media in response.sdp.media]


# --- delayed offer ---


async def test_a_trunk_without_an_offer_gets_ours_in_the_200(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, delayed offer from the trunk: offer in our 200, answer in its ACK, sound both ways."""
    await call_in(server, caller, phone.uri, sdp=None)
    ring = await phone.expect("INVITE")
    assert ring.has_sdp
    ring.reply(183, sdp=True)  # early media cannot be passed on: nobody has said where the caller listens
    alerting = await caller.expect("18x")
    assert (alerting.status, alerting.has_sdp) == (180, False)
    ring.reply(200)
    answer = await caller.expect(200)
    assert lines(answer) == [("audio", True)]
    assert set(answer.sdp.audio.codecs.values()) == {"PCMA", "PCMU", "TELEPHONE-EVENT"}
    await caller.ack(answer)
    await hear_each_other(caller, phone)
    await end(caller, phone)
    assert (await server.api.cdr())["cause"] == "normal"


async def test_an_ack_without_the_answer_it_owes_ends_the_call(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, delayed offer: without an answer there is no session (RFC 3261 13.2.1), so both get a BYE."""
    await call_in(server, caller, phone.uri, sdp=None)
    await phone.answers()
    answer = await caller.expect(200)
    await caller.ack(answer, sdp=None)
    await caller.expect("BYE")
    await phone.expect("BYE")


async def test_sipp_trunk_without_an_offer(server: Server, trunk: Sipp, agent: Sipp) -> None:
    """Bridge, delayed offer: the scenario finds an offer in the 200."""
    await server.api.furnish(agent.uri)
    number = (await server.api.issue_token())["original_called_number"]
    answered = await agent.answers(n=1)
    await trunk.calls(server.outside, "trunk-delayed-offer", diverted=number)
    await answered.done()


@pytest.fixture
async def shy(
    pool: list[Server], tmp_path_factory: pytest.TempPathFactory, template: Template
) -> AsyncIterator[Server]:
    """A server that rings its phones without an offer."""
    inside = {"side": "inside", "address": "127.0.0.1", "port": PORTS.take(), "delayed_offer": True}
    config = {"listeners.inside": inside}
    async with shared_server(pool, tmp_path_factory.mktemp("shy"), config, template) as server:
        yield server


async def test_a_phone_may_be_asked_for_its_offer(shy: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, delayed offer towards phones: INVITE without SDP, the phone's offer in its 200, our answer in the ACK."""
    await call_in(shy, caller, phone.uri)
    ring = await phone.rings()
    assert not ring.body
    await caller.expect(180)
    ring.reply(200)
    ack = await phone.expect("ACK")
    assert lines(ack) == [("audio", True)]
    await caller.answered()
    await hear_each_other(caller, phone)
    await end(caller, phone)


async def test_nobody_offers_but_we(shy: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, delayed offer both ways: neither INVITE has SDP, and yet both hear each other."""
    await call_in(shy, caller, phone.uri, sdp=None)
    ring = await phone.rings()
    assert not ring.body
    ring.reply(200)
    assert (await phone.expect("ACK")).has_sdp
    answer = await caller.expect(200)
    await caller.ack(answer)
    await hear_each_other(caller, phone)
    await end(caller, phone)


async def test_early_media_of_a_phone_that_offers(shy: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, delayed offer: an offer in a 183 that is not reliable is no offer yet (RFC 3262 5); the 200's is."""
    await call_in(shy, caller, phone.uri)
    ring = await phone.expect("INVITE")
    ring.reply(183, sdp=True)
    await caller.expect("18x")
    ring.reply(200)
    await phone.expect("ACK")
    await caller.answered()
    await hear_each_other(caller, phone)
    await end(caller, phone)


# --- fax and video ---


async def test_video_in_the_first_offer_is_refused_alone(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, video: m=video gets port 0 in our answer, the audio beside it is taken; the phone never hears of it."""
    offer = caller.sdp(more_media=sdp.VIDEO)
    await call_in(server, caller, phone.uri, sdp=offer)
    ring = await phone.rings()
    assert lines(ring) == [("audio", True)]
    ring.reply(200)
    answer = await caller.answered()
    assert lines(answer) == PORT_0
    await hear_each_other(caller, phone)
    await end(caller, phone)


async def test_video_before_the_audio_is_refused_alone(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, video: the same where the audio is the second m= line; order is kept (RFC 3264 6)."""
    audio = caller.sdp(more_media=()).decode()
    head, _, rest = audio.partition("m=audio")
    await call_in(server, caller, phone.uri, sdp=(head + "\r\n".join(sdp.VIDEO) + "\r\nm=audio" + rest).encode())
    await phone.answers()
    answer = await caller.answered()
    assert lines(answer) == [("video", False), ("audio", True)]
    await hear_each_other(caller, phone)
    await end(caller, phone)


async def test_t38_beside_the_audio_is_refused_alone(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, T.38 in the first offer: m=image gets port 0."""
    await call_in(server, caller, phone.uri, sdp=caller.sdp(more_media=sdp.T38))
    await phone.answers()
    answer = await caller.answered()
    assert lines(answer) == [("audio", True), ("image", False)]
    await hear_each_other(caller, phone)
    await end(caller, phone)


def other(side: str, caller: Caller, phone: Phone) -> tuple[Peer, Peer]:
    """Who asks, and who shall not notice."""
    return (caller, phone) if side == "trunk" else (phone, caller)


@pytest.mark.parametrize("side", ["trunk", "agent"])
@pytest.mark.parametrize("body", ["T.38 alone", "T.38 and audio at port 0", "video alone"])
async def test_a_change_to_something_that_is_no_sound_is_refused(
    server: Server, caller: Caller, phone: Phone, side: str, body: str
) -> None:
    """Bridge, T.38 and video by re-INVITE: 488, and the sound goes on as it was (RFC 3261 14.2)."""
    await talking(server, caller, phone)
    asking, unaware = other(side, caller, phone)
    media = sdp.VIDEO if body == "video alone" else sdp.T38
    closed = ("m=audio 0 RTP/AVP 8",) if body == "T.38 and audio at port 0" else ()
    sent = await asking.call.reinvite(sdp=asking.sdp(audio=False, more_media=(*closed, *media)))
    await sent.expect(488)
    asking.sound.received.clear()
    unaware.sound.received.clear()
    await hear_each_other(caller, phone)
    assert not [m for m in unaware.call.received if m.is_request and m.to_tag and m.method not in ("ACK",)]
    response = await asking.call.resume()
    assert lines(response) == [("audio", True)]
    await hear_each_other(caller, phone)
    await end(caller, phone)


@pytest.mark.parametrize("side", ["trunk", "agent"])
@pytest.mark.parametrize("media", [sdp.VIDEO, sdp.T38], ids=["video", "T.38"])
async def test_a_line_added_to_the_audio_is_refused_alone(
    server: Server, caller: Caller, phone: Phone, side: str, media: tuple[str, ...]
) -> None:
    """Bridge, video by re-INVITE: the new line gets port 0, the audio stays; the other side sees nothing."""
    await talking(server, caller, phone)
    asking, unaware = other(side, caller, phone)
    sent = await asking.call.reinvite(sdp=asking.sdp(more_media=media))
    response = await sent.expect(200)
    await asking.call.ack(response)
    assert lines(response) == [("audio", True), (response.sdp.media[1].kind, False)]
    await hear_each_other(caller, phone)
    assert not [m for m in unaware.call.received if m.is_request and m.to_tag and m.method not in ("ACK",)]
    await end(caller, phone)


async def test_a_change_to_unknown_codecs_is_refused(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge: a re-INVITE that offers only codecs we do not speak gets 488, and the sound goes on."""
    await talking(server, caller, phone)
    await (await caller.call.reinvite(sdp=caller.sdp(codecs=["AMR", "AMR-WB"]))).expect(488)
    await hear_each_other(caller, phone)
    await end(caller, phone)
