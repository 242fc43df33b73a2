"""Keys as tones in the sound: taken from legs that have no other way, played to those that take no other; `dtmf`."""

from collections.abc import AsyncIterator
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from media.dtmf import DtmfDetector
from tests.e2e.legs import call_in, end, hear_each_other, shared_server
from tests.e2e.queues import staff, state
from tests.peers import sound
from tests.peers.peer import Peer
from tests.peers.rtp import PAYLOADS
from tests.peers.server import Server, Template
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually

KEYS = "159*#D0"
WAYS = {
    "trunks.carrier": {"dtmf": "info"},
    "listeners.inside": {"dtmf": "inband"},
}


@pytest.fixture
async def ways(pool: list[Server], tmp_path: Path, template: Template) -> AsyncIterator[Server]:
    """A server whose trunk gets keys by INFO, and whose phones send and get tones."""
    async with shared_server(pool, tmp_path, WAYS, template) as server:
        yield server


def tones_heard(peer: Peer) -> str:
    """The keys in all that came as sound; one that the machine's load has torn in two counts once."""
    packets = {one.packet.timestamp: one.packet for one in list(peer.sound.received)}
    pieces = [sound.decode(p.payload, PAYLOADS[p.payload_type]) for _, p in sorted(packets.items())
              if p.payload_type in PAYLOADS]  # fmt: skip
    keys = DtmfDetector().feed(np.concatenate(pieces).astype("<i2").tobytes()) if pieces else ""
    return "".join(key for key, _ in groupby(keys))


def quiet(*peers: Peer) -> None:
    """Nobody speaks while keys are pressed; what was heard so far is forgotten."""
    for peer in peers:
        peer.sound.tone = None
        peer.sound.received.clear()


async def talk(server: Server, caller: Caller, phone: Phone, *, trunk: bool, agent: bool) -> None:
    """A call in which a side may have no telephone-event in its SDP."""
    await call_in(server, caller, phone.uri, sdp=caller.sdp(events=trunk))
    ring = await phone.rings()
    ring.reply(200, sdp=True if agent else phone.sdp(events=False))
    await phone.expect("ACK")
    await caller.answered()
    await hear_each_other(caller, phone)


async def test_tones_become_telephone_events_and_events_become_tones(
    server: Server, caller: Caller, phone: Phone
) -> None:
    """`dtmf = auto`: a trunk without telephone-event presses in its sound, once each at the agent's, and is let hear
    the agent's keys as tones; nobody gets an INFO."""
    await talk(server, caller, phone, trunk=False, agent=True)
    [live] = await server.api.calls()
    assert (live["path"], live["path_reason"]) == ("conference", "listened to")
    listener = await server.listen()
    caller.sound.press_tones(KEYS)
    await phone.sound.expect_digits(KEYS)
    for key in KEYS:
        await listener.expect("call.dtmf", role="caller", digit=key, method="inband")
    quiet(caller, phone)
    phone.sound.press(KEYS, 60)
    await eventually(lambda: tones_heard(caller) == KEYS, f"the keys as tones at {caller!r}")
    assert phone.sound.digits == KEYS
    assert not caller.got("INFO")
    assert not phone.got("INFO")
    await end(caller, phone)


async def test_tones_between_two_that_have_nothing_else_are_left_alone(
    server: Server, caller: Caller, phone: Phone
) -> None:
    """`dtmf = auto`: what one side presses the other one hears; no key is played over it or told of."""
    await talk(server, caller, phone, trunk=False, agent=False)
    listener = await server.listen()
    phone.sound.received.clear()
    caller.sound.press_tones(KEYS)
    await eventually(lambda: tones_heard(phone) == KEYS, f"the keys as tones at {phone!r}")
    await hear_each_other(caller, phone)
    assert tones_heard(phone) == KEYS
    assert not listener.of_type("call.dtmf")
    assert not phone.got("INFO")
    await end(caller, phone)


async def test_a_side_that_presses_by_info_gets_info(server: Server, caller: Caller, phone: Phone) -> None:
    """`dtmf = auto`, no telephone-event on either side: INFO to who has sent INFO, tones to the other."""
    await talk(server, caller, phone, trunk=False, agent=False)
    quiet(caller, phone)
    await (await caller.call.info_digit("7")).expect(200)
    await eventually(lambda: "7" in tones_heard(phone), f"the keys as tones at {phone!r}")
    await (await phone.call.info_digit("8")).expect(200)
    info = await caller.expect("INFO")
    assert info.body.startswith(b"Signal=8\r\n")
    assert not phone.got("INFO")
    await end(caller, phone)


async def test_info_for_the_trunk_and_tones_for_the_phones(ways: Server, caller: Caller, phone: Phone) -> None:
    """`dtmf = info` and `dtmf = inband`: our descriptions name no telephone-event, though both sides would take it; a
    phone's tones are the trunk's INFOs, and are feature codes; the trunk's INFOs are the phone's tones."""
    await call_in(ways, caller, phone.uri)
    ring = await phone.rings()
    assert "telephone-event" not in ring.sdp.text
    ring.reply(200)
    await phone.expect("ACK")
    answer = await caller.answered()
    assert "telephone-event" not in answer.sdp.text
    await hear_each_other(caller, phone)
    phone.sound.press_tones("12")
    for key in "12":
        assert (await caller.expect("INFO")).body.startswith(f"Signal={key}\r\n".encode())
    quiet(caller, phone)
    await (await caller.call.info_digit("9")).expect(200)
    await eventually(lambda: tones_heard(phone) == "9", f"the keys as tones at {phone!r}")
    phone.sound.press_tones("*0")
    await phone.expect("BYE")
    await caller.expect("BYE")
    assert (await ways.api.cdr())["ended_by"] == "agent"


async def test_a_pin_is_pressed_as_tones(server: Server, phone: Phone) -> None:
    """R2-05 from a telephone without telephone-event: the PIN behind the tone of a feature code."""
    await staff(server, phone, "1001", (), at_work=False, pin="4711")
    call = await phone.invite(server.inside, "*41", caller="1001", sdp=phone.sdp(events=False))
    await call.answered()
    await phone.sound.expect_tone(1400)
    phone.sound.press_tones("4711#")
    await phone.expect("BYE", call=call)
    await state(server, "1001", "available")
