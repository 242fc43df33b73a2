"""What PJSIP would read although it is better not given it: lengths, lists, bodies."""

import pytest

from tests.unit.native.stack import SDP, Peer, Stack


def body(*lines: str) -> bytes:
    return SDP + "".join(f"{line}\r\n" for line in lines).encode()


@pytest.mark.parametrize(
    "sdp",
    [
        body(*["m=audio 40002 RTP/AVP 0"] * 4),
        body(*(f"a=crypto:{n} AES_CM_128_HMAC_SHA1_80 inline:x" for n in range(65))),
        body("m=audio 40002 RTP/AVP 98"),
        SDP.replace(b"0 101", b"0 121 101"),
    ],
    ids=["five media", "65 keys", "nameless", "nameless RED"],
)
def test_sdp_that_nobody_needs_gets_488(peer: Peer, sdp: bytes) -> None:
    assert peer.ask(peer.request("INVITE", "Content-Type: application/sdp", body=sdp)).status == 488
    part = b"--b\r\nContent-Type: application/sdp\r\n\r\n" + sdp + b"\r\n--b--\r\n"
    peer.fresh()
    assert peer.ask(peer.request("INVITE", "Content-Type: multipart/mixed;boundary=b", body=part)).status == 488


def test_sdp_of_the_usual_size_passes(peer: Peer) -> None:
    usual = body("m=video 0 RTP/AVP 99", "m=image 0 udptl t38", "m=text 0 RTP/AVP 98")
    assert peer.ask(peer.request("INVITE", "Content-Type: application/sdp", body=usual)).status == 200


def test_an_offer_inside_a_call_is_looked_at_as_well(peer: Peer) -> None:
    peer.call()
    wild = body(*["m=audio 40002 RTP/AVP 0"] * 4)
    assert peer.ask(peer.request("INVITE", "Content-Type: application/sdp", body=wild)).status == 488
    assert peer.ask(peer.request("OPTIONS")).status == 200, "the call goes on"
    assert peer.hang_up().status == 200


@pytest.mark.parametrize("what", ["call-id", "from", "branch"])
def test_keys_of_absurd_length_get_400(peer: Peer, what: str) -> None:
    if what == "call-id":
        message = peer.request("OPTIONS", f"Call-ID: {'x' * 300}", drop=("Call-ID",))
    elif what == "from":
        message = peer.request("OPTIONS", f"From: <sip:a@b>;tag={'x' * 300}", drop=("From",))
    else:
        message = peer.request("OPTIONS", branch="x" * 300)
    peer.send(message)
    assert peer.receive().status == 400


@pytest.mark.parametrize("name", ["Allow", "Supported", "Require"])
def test_lists_without_end_get_400(peer: Peer, name: str) -> None:
    lines = [f"{name}: " + ",".join(f"x{n}" for n in range(30))] * 3
    peer.send(peer.request("INVITE", *lines))
    assert peer.receive().status == 400


def test_hundreds_of_headers_get_400(peer: Peer) -> None:
    peer.send(peer.request("OPTIONS", *["X-A: b"] * 300))
    assert peer.receive().status == 400


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_a_head_of_hundreds_of_lines_gets_400(peer: Peer, end: str) -> None:
    """However few headers they make: RFC 3261 7.3.1 lets one be folded."""
    assert peer.ask(peer.request("OPTIONS", "Subject: a" + f"{end} a" * 400)).status == 200
    peer.send(peer.request("OPTIONS", "Subject: a" + f"{end} a" * 600))
    assert peer.receive().status == 400


def test_too_long_a_message_gets_513(stack: Stack, peer: Peer) -> None:
    stack.do("gate", call="limit", arguments=["message", 2000])
    try:
        assert peer.ask(peer.request("OPTIONS", f"Subject: {'x' * 2000}")).status == 513
        assert peer.ask(peer.request("OPTIONS", f"Subject: {'x' * 1000}")).status == 200
    finally:
        stack.do("gate", call="limit", arguments=["message", 0])


def test_options_at_the_last_hop_are_answered(peer: Peer) -> None:
    """RFC 3261 11.2 and 16.3: with Max-Forwards 0 whoever gets an OPTIONS may answer it."""
    assert peer.ask(peer.request("OPTIONS", "Max-Forwards: 0", drop=("Max-Forwards",))).status == 200
