"""Broken and absurd messages in their thousands: the gate, its tables and PJSIP behind it live on.

Run against the builds with assertions and the address sanitizer by scripts/check_native.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.unit.native.stack import EMPTY_PART, SDP, Peer, Stack

MESSAGES = 3000
ASK, PASS = 3, 0
WORDS = (
    b"\r\n", b"\0", b"\xff\xfe", b";", b"<", b">", b'"', b",", b"%", b"a" * 300, b"sip:", b"[::1]", b"9" * 20,
    b"\r\n ", b"Via: SIP/2.0/UDP x", b"m=audio 1 RTP/AVP 97\r\n", b"a=crypto:1 x inline:\r\n",
    b"Content-Length: -1\r\n", b"--b\r\n", b";tag=", b"Require: x\r\n", b"Supported: " + b"y," * 40 + b"\r\n",
    b"Max-Forwards: 0\r\n", b"l: 5\r\n",
)  # fmt: skip


def seeds(peer: Peer) -> list[bytes]:
    """Good messages to spoil."""
    part = b"--b\r\nContent-Type: application/sdp\r\n\r\n" + SDP + b"\r\n--b--\r\n"
    return [
        peer.request("OPTIONS", "User-Agent: friendly-scanner"),
        peer.request("REGISTER", "Authorization: Digest username=x", "Expires: 60"),
        peer.request("INVITE", "Content-Type: application/sdp", uri="sip:ring@x", body=SDP),
        peer.request("INVITE", "Content-Type: multipart/mixed;boundary=b", uri="sip:ring@x", body=part),
        peer.request("INVITE", "Content-Type: multipart/mixed;boundary=b", uri="sip:ring@x", body=EMPTY_PART),
        peer.request("CANCEL", cseq=1),
        peer.request("ACK", cseq=1),
        peer.request("BYE"),
        b"SIP/2.0 200 OK\r\n" + peer.request("INVITE", body=SDP).partition(b"\r\n")[2],
    ]


def spoil(message: bytes, chance: random.Random) -> bytes:
    """One to four changes."""
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(message) + 1)
        to = min(len(message), at + chance.choice((0, 1, 1, 4, 40)))
        match chance.randrange(4):
            case 0:
                message = message[:at] + chance.choice(WORDS) + message[to:]
            case 1:
                message = message[:at] + message[to:]
            case 2:
                message = message[:at] + bytes([chance.randrange(256)]) + message[to:]
            case _:
                lines = message.split(b"\r\n")
                lines.insert(chance.randrange(len(lines)), chance.choice(lines))
                message = b"\r\n".join(lines)
        message = message[:60000]
    return message or b"x"


@pytest.fixture
def strict(stack: Stack) -> Iterator[Stack]:
    """Every part of the gate at work: budgets, half-open calls, decisions that nobody takes."""
    for name, value in (("half_open", 50), ("half_open_source", 40), ("message", 9000), ("fault_window", 1)):
        stack.do("gate", call="limit", arguments=[name, value])
    stack.do("gate", call="scanners", arguments=[["friendly-scanner"]])
    yield stack
    for name in ("half_open", "half_open_source", "message"):
        stack.do("gate", call="limit", arguments=[name, 0])
    stack.do("gate", call="scanners", arguments=[[]])
    stack.do("listener", transport="udp", port=stack.udp, strangers=PASS)


@pytest.mark.parametrize("strangers", [PASS, ASK])
def test_spoiled_messages_do_no_harm(strict: Stack, peer: Peer, strangers: int) -> None:
    strict.do("listener", transport="udp", port=strict.udp, strangers=strangers)
    chance = random.Random(strangers)
    for number in range(MESSAGES):
        if number % 10 == 0:
            peer.fresh()
        peer.send(spoil(chance.choice(seeds(peer)), chance))
        if number % 50 == 0:
            strict.do("legs")  # it keeps up, and it lives
    strict.do("listener", transport="udp", port=strict.udp, strangers=PASS)
    other = Peer(strict.udp)
    with other.socket:
        assert other.ask(other.request("OPTIONS")).status == 200
