"""Sound on its two ways: two legs that speak alike are joined past the conference, everything else goes through it.

What a leg's far end hears is one stream from the first prompt to the last word, whoever speaks, whichever way it came.
"""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise

from tests.e2e import ivr
from tests.e2e.conftest import StartServer
from tests.e2e.legs import call_in, end, hear_each_other, talking
from tests.e2e.queues import QUEUE, log_in, open_queue, staff
from tests.peers.pjsip_phone import PjsipPhone
from tests.peers.rtp import Heard, Rtp
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually

RELAY = ("relay", "alike and alone")
CONGESTION = 425.0
BESIDE = 0.1
"Share of a tone that is on half of the time, beside the partner's."


async def takes(server: Server, *way: str) -> None:
    """Wait until the only live call says that its sound takes this way."""

    async def found() -> bool:
        [live] = await server.api.calls()
        return (live["path"], live["path_reason"]) == way

    await eventually_awaited(found, f"the call takes {way}")


async def eventually_awaited(check: Callable[[], Awaitable[bool]], what: str) -> None:
    for _ in range(200):
        if await check():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(what)


def is_one_stream(point: Rtp) -> None:
    """One SSRC; no number twice, none missing; the time goes on with each packet of sound, as the clock does."""
    heard = [one for one in list(point.received) if one.packet.payload_type != point.events_type]
    assert len(point.streams) == 1, point.streams
    assert point.lost() == 0, gaps(point)
    numbers = [one.packet.sequence for one in list(point.received)]
    assert len(set(numbers)) == len(numbers)
    steps = [(b.packet.timestamp - a.packet.timestamp) % 2**32 for a, b in pairwise(heard)]
    assert all(0 < step < 2**31 for step in steps), [step for step in steps if not 0 < step < 2**31]
    assert abs(sum(steps) / 8000 - (heard[-1].time - heard[0].time)) < 0.5
    assert {report.ssrc for report in point.reports if report.kind in (200, 201)} <= set(point.streams)


def gaps(point: Rtp) -> list[tuple[Heard, Heard]]:
    """The packets around what is missing."""
    return [(a, b) for a, b in pairwise(list(point.received)) if (b.packet.sequence - a.packet.sequence) % 2**16 != 1]


async def test_two_who_speak_alike_are_joined_past_the_conference(server: Server, caller: Caller, phone: Phone) -> None:
    """R0-01: sound both ways over the relay; shown by API and metrics, counted in the record, one stream for each."""
    await talking(server, caller, phone)
    await takes(server, *RELAY)
    assert await server.api.metric("tandem_bridges", path="relay") == 1
    assert await server.api.counted("tandem_bridge_paths_total", reason="alike and alone") == 1
    for peer in (caller, phone):
        await eventually(lambda peer=peer: peer.sound.reports, "reports of the server's own")  # type: ignore[misc]
        is_one_stream(peer.sound)
    await end(caller, phone)
    cdr = await server.api.cdr()
    for part in cdr["parts"]:
        assert part["rx_packets"] > 10
        assert part["rx_lost"] == 0
    assert await server.api.metric("tandem_bridges", path="relay") == 0


async def test_a_codec_and_an_address_that_change_in_the_call_are_followed(
    server: Server, caller: Caller, phone: Phone
) -> None:
    """RFC 3264 8: two codecs meet in the conference; a re-INVITE to one of them, or to another port, is the relay."""
    caller.codecs, phone.codecs = ["PCMA"], ["PCMU"]
    listener = await server.listen()
    await talking(server, caller, phone)
    await takes(server, "conference", "different codecs")
    for codec, way in (("PCMA", RELAY), ("PCMU", ("conference", "different codecs")), ("PCMA", RELAY)):
        phone.codecs = [codec]
        await phone.call.ack(await (await phone.call.reinvite()).expect(200))
        phone.call.follow()
        await takes(server, *way)
        await hear_each_other(caller, phone)
    is_one_stream(caller.sound)
    with Rtp() as point:
        phone.sound.pause()
        phone.call.rtp = point
        await phone.call.ack(await (await phone.call.reinvite()).expect(200))
        phone.call.follow()
        assert caller.sound.tone
        await point.expect_tone(caller.sound.tone)
        await caller.hears(point)
        await takes(server, *RELAY)
        assert set(point.streams) == set(phone.sound.streams)
        await end(caller, phone)
    is_one_stream(caller.sound)
    await listener.expect("call.ended")
    told = [event["data"] for event in listener.events if event["type"] == "call.path"]
    ways = [("conference", "different codecs"), RELAY]
    assert [(one["path"], one["reason"]) for one in told] == [*ways, *ways]
    assert [one["before"] for one in told] == ["relay", "conference"] * 2


async def test_packets_of_another_length_meet_in_the_conference(server: Server, caller: Caller, phone: Phone) -> None:
    """RFC 8866 6.4: a side that wants 40 ms in a packet is not sent 20."""
    await call_in(server, caller, phone.uri, sdp=caller.sdp().replace(b"ptime:20", b"ptime:40"))
    await phone.answers()
    await caller.answered()
    await takes(server, "conference", "different packet times")
    await hear_each_other(caller, phone)
    await eventually(lambda: len(caller.sound.received[-1].packet.payload) == 320, "40 ms in a packet")
    await end(caller, phone)


async def test_one_stream_from_the_menu_over_the_music_to_the_talk(
    server: Server, caller: Caller, phone: Phone
) -> None:
    """R1-03, R2-05: prompt, music on hold of a queue and the agent are one stream to the caller, on both ways."""
    await open_queue(server)
    await staff(server, phone, "1001", at_work=False)
    nodes = {
        "ask": {"kind": "prompt", "say": ["hello.wav"], "next": "wait"},
        "wait": {"kind": "goal", "goal": {"kind": "queue", "target": QUEUE}},
    }
    await ivr.open_ivr(server, None, nodes)
    await ivr.come(server, caller)
    await caller.hears(ivr.HELLO)
    await caller.sound.expect_not(ivr.HELLO)
    await caller.sound.expect_packets()
    await log_in(server, "1001")
    await phone.answers()
    await hear_each_other(caller, phone)
    await takes(server, *RELAY)
    await caller.sound.expect_packets()
    is_one_stream(caller.sound)
    is_one_stream(phone.sound)
    await end(caller, phone)


async def test_a_tone_to_one_of_them_is_heard_and_both_go_back(server: Server, caller: Caller, phone: Phone) -> None:
    """A tone played into a relayed call is mixed into it; a moment after its end the relay has the call again."""
    await talking(server, caller, phone)
    await takes(server, *RELAY)
    phone.sound.press("*29999#", 60)  # nobody has this extension
    await phone.sound.expect_tone(CONGESTION, clear=BESIDE)
    await takes(server, *RELAY)
    await hear_each_other(caller, phone)
    assert caller.sound.digits == ""
    assert await server.api.counted("tandem_bridge_paths_total", reason="something is played") == 1
    is_one_stream(caller.sound)
    is_one_stream(phone.sound)
    await end(caller, phone)


async def test_hold_leaves_the_relay_and_resume_returns_to_it(server: Server, caller: Caller, phone: Phone) -> None:
    """RFC 3264 8.4: who is put on hold hears music in the stream that he heard his partner in."""
    await talking(server, caller, phone)
    for holder, held in ((phone, caller), (caller, phone)):
        await holder.hold()
        await takes(server, "conference", "on hold")
        await held.sound.expect_not(holder.sound.tone or 0)
        await held.sound.expect_packets()
        await holder.resume()
        await takes(server, *RELAY)
        await hear_each_other(caller, phone)
    is_one_stream(caller.sound)
    is_one_stream(phone.sound)
    await end(caller, phone)


async def test_keys_pass_once_whatever_number_each_side_gave_them(server: Server, caller: Caller, phone: Phone) -> None:
    """RFC 4733: payload types 97 and 120 on the two sides of a relayed call; sound goes on between the keys, an agent's
    code stays with us, and each key is told once."""
    await call_in(server, caller, phone.uri, sdp=caller.sdp().replace(b"101", b"97"))
    await phone.answers()
    await caller.answered()
    await takes(server, *RELAY)
    assert (caller.sound.events_type, phone.sound.events_type) == (97, 120)
    listener = await server.listen()
    caller.sound.press("159*#D", 60)
    phone.sound.press("0482", 160)
    await phone.sound.expect_digits("159*#D")
    await caller.sound.expect_digits("0482")
    phone.sound.press("*29999#", 60)
    await phone.sound.expect_tone(CONGESTION, clear=BESIDE)
    await takes(server, *RELAY)
    await hear_each_other(caller, phone)
    assert caller.sound.digits == "0482"
    assert phone.sound.digits == "159*#D"
    told = [event["data"]["digit"] for event in listener.of_type("call.dtmf")]
    assert sorted(told) == sorted("159*#D" + "0482" + "*29999#")
    assert caller.sound.lost() == phone.sound.lost() == 0
    await end(caller, phone)


async def test_early_media_is_relayed_before_the_answer(server: Server, caller: Caller, phone: Phone) -> None:
    """RFC 3960: the agent's side says something with 183; the answer changes nothing about the way."""
    await call_in(server, caller, phone.uri)
    ring = await phone.expect("INVITE")
    ring.reply(183, sdp=True)
    await caller.expect(183)
    await caller.hears(phone)
    await takes(server, *RELAY)
    ring.reply(200)
    await caller.answered()
    await hear_each_other(caller, phone)
    await takes(server, *RELAY)
    is_one_stream(caller.sound)
    await end(caller, phone)


async def test_srtp_on_one_side_and_plain_on_the_other(
    start_server: StartServer,
    open_pjsip: Callable[..., Awaitable[PjsipPhone]],
    caller: Caller,
) -> None:
    """RFC 3711: what is relayed is taken out of one side's SRTP, and put into it towards that side."""
    inside = {"srtp": "required", "srtp_keys": ["sdes"], "srtp_plain_signalling": True}
    server = await start_server({"listeners.inside": inside})
    phone = await open_pjsip("1001", answer=200, srtp="required", keys=["sdes"])
    await call_in(server, caller, phone.uri)
    await phone.rings()
    await caller.answered()
    await caller.hears(phone.tone)
    assert caller.sound.tone
    await phone.hears(caller.sound.tone)
    await takes(server, *RELAY)
    is_one_stream(caller.sound)
    await (await caller.bye()).expect(200)
    await phone.ended()


async def test_without_the_relay_every_call_is_in_the_conference(
    start_server: StartServer, caller: Caller, phone: Phone
) -> None:
    """`media.relay = false`."""
    server = await start_server({"media": {"relay": False}})
    await talking(server, caller, phone)
    await takes(server, "conference", "switched off")
    is_one_stream(caller.sound)
    await end(caller, phone)
