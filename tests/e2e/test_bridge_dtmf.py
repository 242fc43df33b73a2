"""Bridge, DTMF: keys pass between the legs whatever each of them speaks, each key once (RFC 4733, SIP INFO)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.legs import call_in, end, hear_each_other, shared_server, talking
from tests.peers.exchange import Received
from tests.peers.peer import Peer
from tests.peers.rtp_packet import KeyEvent
from tests.peers.server import Server, Template
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually

ALL = "0123456789*#ABCD"
BY_INFO = {"listeners.outside": {"dtmf": "auto-info"}, "listeners.inside": {"dtmf": "auto-info"}}
RELAY, PLAIN = "application/dtmf-relay", "application/dtmf"


@pytest.fixture
async def by_info(pool: list[Server], tmp_path: Path, template: Template) -> AsyncIterator[Server]:
    """A server whose keys go by INFO where the SDP has no telephone-event."""
    async with shared_server(pool, tmp_path, BY_INFO, template) as server:
        yield server


async def talk(server: Server, caller: Caller, phone: Phone, *, trunk_events: bool, agent_events: bool) -> None:
    """A call in which a side may have no telephone-event in its SDP."""
    await call_in(server, caller, phone.uri, sdp=caller.sdp(events=trunk_events))
    ring = await phone.rings()
    ring.reply(200, sdp=True if agent_events else phone.sdp(events=False))
    await phone.expect("ACK")
    await caller.answered()
    await hear_each_other(caller, phone)


def sides(direction: str, caller: Caller, phone: Phone) -> tuple[Peer, Peer]:
    """Who presses, and who shall learn of it."""
    return (caller, phone) if direction == "to the agent" else (phone, caller)


def signals(peer: Peer) -> str:
    """The keys that came by INFO; anything else in their bodies fails the test."""
    return "".join(signal(info) for info in peer.got("INFO"))


def signal(info: Received) -> str:
    assert info.content_type == RELAY
    first, second = info.body.decode().splitlines()
    assert first.startswith("Signal=")
    assert second.startswith("Duration=")
    return first.removeprefix("Signal=")


async def press(peer: Peer, kind: str, key: str) -> int:
    """Send a key by INFO; returns the status of the response."""
    return await inform(peer, kind, f"Signal={key}\r\nDuration=100\r\n".encode() if kind == RELAY else key.encode())


async def inform(peer: Peer, kind: str, body: bytes) -> int:
    """Send any INFO; returns the status of the response, whichever it is."""
    sent = await peer.call.info(body, kind)
    [answer] = await eventually(
        lambda: [m for m in peer.call.received if m.status and m.branch == sent.branch], f"an answer to {body!r}"
    )
    return answer.status


async def comes_by_info(peer: Peer, keys: str) -> None:
    """Exactly these keys arrive by INFO, and none as telephone-event."""
    await eventually(lambda: len(peer.got("INFO")) >= len(keys), f"INFO for each of {keys}")
    assert signals(peer) == keys
    assert peer.sound.digits == ""


directions = pytest.mark.parametrize("direction", ["to the agent", "to the trunk"])


async def test_all_keys_both_ways_by_rfc_4733(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, DTMF RFC 4733 -> RFC 4733: all sixteen, both ways at once; sound goes on; events for the listeners."""
    await talking(server, caller, phone)
    listener = await server.listen()
    caller.sound.press(ALL, 60)
    phone.sound.press(ALL[::-1], 60)
    await phone.sound.expect_digits(ALL)
    await caller.sound.expect_digits(ALL[::-1])
    await hear_each_other(caller, phone)
    assert not caller.got("INFO")
    assert not phone.got("INFO")
    for role, keys in (("caller", ALL), ("agent", ALL[::-1])):
        for key in keys:
            await listener.expect("call.dtmf", role=role, digit=key, method="rfc4733")
    assert len(listener.of_type("call.dtmf")) == 2 * len(ALL)
    await end(caller, phone)


@directions
async def test_keys_become_info_for_who_took_no_events(
    by_info: Server, caller: Caller, phone: Phone, direction: str
) -> None:
    """Bridge, DTMF RFC 4733 -> INFO: one application/dtmf-relay for each key, where the SDP has no telephone-event."""
    to_agent = direction == "to the agent"
    await talk(by_info, caller, phone, trunk_events=to_agent, agent_events=not to_agent)
    presses, learns = sides(direction, caller, phone)
    presses.sound.press("159*#D", 60)
    await comes_by_info(learns, "159*#D")
    await end(caller, phone)


@pytest.mark.parametrize("kinds", [(RELAY, PLAIN), (PLAIN, RELAY)], ids=["trunk dtmf-relay", "trunk dtmf"])
async def test_info_becomes_rfc_4733(server: Server, caller: Caller, phone: Phone, kinds: tuple[str, str]) -> None:
    """Bridge, DTMF INFO (both content types) -> RFC 4733: all sixteen, both ways at once; each INFO gets one 200."""
    await talking(server, caller, phone)
    for keys in zip(ALL[:8], ALL[8:], strict=True):
        for peer, kind, key in zip((caller, phone), kinds, keys, strict=True):
            assert await press(peer, kind, key) == 200
    await phone.sound.expect_digits(ALL[:8])
    await caller.sound.expect_digits(ALL[8:])
    assert not caller.got("INFO")
    assert not phone.got("INFO")
    await end(caller, phone)


@directions
@pytest.mark.parametrize("kind", [RELAY, PLAIN])
async def test_info_becomes_info(by_info: Server, caller: Caller, phone: Phone, direction: str, kind: str) -> None:
    """Bridge, DTMF INFO -> INFO: where neither side has telephone-event."""
    await talk(by_info, caller, phone, trunk_events=False, agent_events=False)
    presses, learns = sides(direction, caller, phone)
    for key in "20*#A":
        assert await press(presses, kind, key) == 200
    await comes_by_info(learns, "20*#A")
    assert not presses.got("INFO")
    await end(caller, phone)


async def test_equal_keys_in_a_row_are_as_many_keys(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, DTMF: 1100 is four keys, long or short, by telephone-event and by INFO."""
    await talking(server, caller, phone)
    await caller.sound.pressed("11", 60)
    await caller.sound.pressed("00", 240)
    for _ in range(2):
        await (await caller.call.info_digit("7")).expect(200)
    await phone.sound.expect_digits("110077")
    await end(caller, phone)


async def test_a_repeated_info_is_one_key(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, DTMF: a retransmission is answered again, and is no second key."""
    await talking(server, caller, phone)
    for kind, body in ((RELAY, b"Signal=4\r\nDuration=100\r\n"), (PLAIN, b"6")):
        sent = await caller.call.info(body, kind)
        answer = await sent.expect(200)
        sent.again()
        sent.again()
        await eventually(lambda answer=answer: answer.repeats == 2, "each repeat is answered")  # type: ignore[misc]
    await (await caller.call.info_digit("9")).expect(200)
    await phone.sound.expect_digits("469")
    await end(caller, phone)


async def test_a_key_whose_beginning_is_lost_is_a_key(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, DTMF: the first packets of a press are lost (RFC 4733 2.5.1.2: any packet tells all)."""
    await talking(server, caller, phone)
    sound = caller.sound
    sound.pause()
    for number, (first, last) in enumerate(((160, 320), (480, 960), (1120, 1600))):
        started = sound.timestamp + 8000 * (number + 1)
        for duration in range(first, last, 160):
            sound._transmit(sound.events_type, bytes(KeyEvent("5", duration)), started)
        for _ in range(3):
            sound._transmit(sound.events_type, bytes(KeyEvent("5", last, end=True)), started)
        await phone.sound.expect_digits("5" * (number + 1))
    caller.sound.resume()
    await hear_each_other(caller, phone)
    await end(caller, phone)


async def test_info_in_other_spellings(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, DTMF: spaces, small letters, another order of lines and parameters are the same key."""
    await talking(server, caller, phone)
    for kind, body in (
        (RELAY, b"Signal= 1\r\nDuration= 250\r\n"),
        (RELAY, b"Signal=2\nDuration=100"),
        ("Application/DTMF-Relay; charset=x", b"Signal=3\r\nDuration=100\r\n"),
        (PLAIN, b"4\r\n"),
        (PLAIN, b" 5"),
        (RELAY, b"Signal=6"),
        (PLAIN, b"a"),
    ):
        assert await inform(caller, kind, body) == 200, body
    await phone.sound.expect_digits("123456A")
    await end(caller, phone)


async def test_an_info_that_is_no_key_is_no_key(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, DTMF: what is no key reaches nobody, and is answered all the same."""
    await talking(server, caller, phone)
    listener = await server.listen()
    for kind, body in (
        (RELAY, b"Signal=x\r\nDuration=100\r\n"),
        (RELAY, b"Signal=\r\nDuration=100\r\n"),
        (RELAY, b"Duration=100\r\n"),
        (RELAY, b"nonsense"),
        (PLAIN, b"x"),
        (PLAIN, b"hello"),
        (PLAIN, b""),
        ("application/json", b"5"),
        ("text/plain", b"Signal=5\r\n"),
    ):
        assert await inform(caller, kind, body) in (200, 400, 415), (kind, body)
    await (await caller.call.info_digit("8")).expect(200)
    await phone.sound.expect_digits("8")
    assert not phone.got("INFO")
    assert [event["data"]["digit"] for event in listener.of_type("call.dtmf")] == ["8"]
    await end(caller, phone)


async def test_keys_pressed_at_an_announcement_before_the_answer(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, DTMF in early media: the far end's announcement asks for a key before anybody answers."""
    await call_in(server, caller, phone.uri)
    ring = await phone.expect("INVITE")
    ring.reply(183, sdp=True)
    await caller.expect(183)
    await caller.hears(phone)
    caller.sound.press("42", 60)
    await phone.sound.expect_digits("42")
    ring.reply(200)
    await caller.answered()
    caller.sound.press("7", 60)
    await phone.sound.expect_digits("427")
    await end(caller, phone)
