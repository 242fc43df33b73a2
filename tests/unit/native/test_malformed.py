"""Requests that PJSIP's parser gives up on get an answer all the same, and nothing kills the process."""

import random

import pytest

from tests.unit.native.stack import SDP, Answer, Peer, Stack


def broken(peer: Peer, old: bytes, new: bytes) -> bytes:
    message = peer.request("OPTIONS")
    assert old in message
    return message.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b" SIP/2.0\r\n", b" SIP/7.0\r\n", 505),
        (b" SIP/2.0\r\n", b" sip/3.0\r\n", 505),
        (b" SIP/2.0\r\n", b"\r\n", 400),
        (b"sip:agent@127.0.0.1", b"<sip:agent@127.0.0.1>", 400),
        (b"sip:agent@127.0.0.1", b"agent", 400),
        (b"Max-Forwards: 70", b"Max-Forwards: -1", 400),
        (b"Max-Forwards: 70", b"Max-Forwards: 300", 400),
        (b"CSeq: 1", b"CSeq: 36893488147419103232", 400),
        (b"Content-Length: 0", b"Content-Length: -99", 400),
        (b"From: <sip:peer", b'From: "open <sip:peer', 400),
        (b"Contact: <", b"Contact: ;;,,;;,;;,\r\nX: <", 400),
    ],
)
def test_what_cannot_be_parsed_is_answered(peer: Peer, old: bytes, new: bytes, status: int) -> None:
    message = broken(peer, old, new)
    peer.send(message)
    answer = peer.receive()
    assert answer.status == status
    assert answer.one("Call-ID") == peer.call_id
    assert answer.one("Via").rpartition("branch=")[2] == Answer(message).one("Via").rpartition("branch=")[2]
    assert answer.one("CSeq") == Answer(message).one("CSeq")
    assert answer.tag
    peer.send(message)
    assert peer.receive().raw == answer.raw


def test_a_missing_header_is_answered(peer: Peer) -> None:
    peer.send(peer.request("OPTIONS", drop=("Call-ID",)))
    assert peer.receive().status == 400


def test_a_tag_that_is_there_is_kept(peer: Peer) -> None:
    peer.to_tag = "mine"
    peer.send(broken(peer, b" SIP/2.0\r\n", b" SIP/7.0\r\n"))
    assert peer.receive().one("To").count("tag=") == 1


def test_compact_and_folded_headers_are_understood(peer: Peer) -> None:
    message = broken(peer, b" SIP/2.0\r\n", b" SIP/7.0\r\n")
    for name, compact in ((b"Via", b"v"), (b"From", b"F"), (b"To", b"t"), (b"Call-ID", b"i ")):
        message = message.replace(b"\r\n" + name + b": ", b"\r\n" + compact + b":\r\n ", 1)
    peer.send(message)
    assert peer.receive().raw.count(peer.call_id.encode()) == 1


@pytest.mark.parametrize(
    "message",
    [
        b"\r\n\r\n",
        b"\0" * 200,
        b"hello",
        b"SIP/2.0 999 What\r\n\r\n",
        b"INVITE\r\n\r\n",
        b"A" * 9000,
        b" \r\n : \r\n\r\n",
    ],
)
def test_what_is_no_request_gets_no_answer(peer: Peer, message: bytes) -> None:
    peer.send(message)
    assert peer.hears_nothing()


def test_an_answer_that_would_be_too_long_is_not_given(stack: Stack, peer: Peer) -> None:
    before = stack.do("counters")
    vias = [f"Via: SIP/2.0/UDP 10.0.0.{n % 250}:5060;branch=z9hG4bK{'x' * 60}{n}" for n in range(60)]
    peer.send(
        broken(peer, b" SIP/2.0\r\n", b" SIP/7.0\r\n").replace(b"Contact:", "\r\n".join([*vias, "Contact:"]).encode())
    )
    assert peer.hears_nothing()
    assert stack.counted(before)["unparsed_dropped"] == 1


def test_an_invite_cut_anywhere_does_no_harm(stack: Stack, peer: Peer) -> None:
    message = peer.request("INVITE", "Content-Type: application/sdp", body=SDP)
    for end in range(1, len(message) - len(SDP) + 1):
        peer.send(message[:end])
        assert peer.receive().status == 400 if b"\r\nVia:" in message[:end] else peer.hears_nothing()
    assert stack.do("legs") == 0


def test_mutated_messages_do_no_harm(stack: Stack, peer: Peer) -> None:
    dice = random.Random(20260)
    legs = stack.do("legs")
    for method in ("OPTIONS", "REGISTER", "BYE", "INFO"):
        for _ in range(250):
            message = bytearray(peer.request(method, "Require: a", "Content-Type: text/plain", body=b"x" * 20))
            for _ in range(dice.randint(1, 8)):
                place = dice.randrange(len(message))
                match dice.randrange(4):
                    case 0:
                        message[place] = dice.randrange(256)
                    case 1:
                        del message[place : place + dice.randrange(30)]
                    case 2:
                        message[place:place] = bytes(
                            dice.choice(b'\r\n\0;,<>":/@% ') for _ in range(dice.randrange(20))
                        )
                    case 3:
                        message[place:place] = message[: dice.randrange(200)]
            peer.send(bytes(message[:9000]))
        other = Peer(stack.udp)
        with other.socket:
            assert other.ask(other.request("OPTIONS")).status == 200
    assert stack.do("legs") == legs
