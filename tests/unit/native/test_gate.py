"""What the gate answers before PJSIP allocates anything (RFC 3261 8.2)."""

import socket

import pytest

from tests.unit.native.stack import EMPTY_PART, SDP, Answer, Peer, Stack

ALLOW = {"INVITE", "ACK", "CANCEL", "BYE", "PRACK", "UPDATE", "INFO", "OPTIONS"}


def words(value: str) -> set[str]:
    return {word.strip() for word in value.split(",")}


def test_the_stack_has_a_descriptor_to_poll_and_starts_once(stack: Stack) -> None:
    assert stack.ready["fd"] > 2
    assert stack.ready["started"][0] == 0
    assert stack.ready["started"][1] != 0
    assert stack.ready["build"]["pjproject"].startswith("2.")


@pytest.mark.parametrize(
    ("method", "status"),
    [
        *((method, 405) for method in ("REGISTER", "MESSAGE", "SUBSCRIBE", "PUBLISH", "REFER")),
        *((method, 481) for method in ("BYE", "INFO", "UPDATE", "PRACK", "NOTIFY")),
        *((method, 501) for method in ("FOO", "INVITEX")),
    ],
)
def test_a_method_that_has_no_business_outside_a_dialog_is_refused(peer: Peer, method: str, status: int) -> None:
    answer = peer.ask(peer.request(method, "Event: presence"))
    assert answer.status == status
    if status in (405, 501):
        assert words(answer.one("Allow")) == ALLOW
    assert answer.tag


def test_a_register_is_refused_even_with_a_to_tag(peer: Peer) -> None:
    peer.to_tag = "x"
    assert peer.ask(peer.request("REGISTER")).status == 405


def test_a_retransmission_gets_the_same_to_tag(peer: Peer) -> None:
    message = peer.request("MESSAGE")
    assert peer.ask(message).raw == peer.ask(message).raw


def test_options_names_only_what_the_gate_lets_through(peer: Peer) -> None:
    answer = peer.ask(peer.request("OPTIONS"))
    assert answer.status == 200
    assert words(answer.one("Allow")) == ALLOW
    assert words(answer.one("Supported")) == {"100rel", "timer"}


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_an_extension_nobody_here_knows_gets_420_with_its_name(peer: Peer, method: str) -> None:
    answer = peer.ask(peer.request(method, "Require: timer, foo", "Require: bar"))
    assert answer.status == 420
    assert words(answer.one("Unsupported")) == {"foo", "bar"}


@pytest.mark.parametrize(("number", "status"), [(32, 420), (200, 400)])
def test_many_unknown_extensions_do_no_harm(peer: Peer, number: int, status: int) -> None:
    peer.send(peer.request("INVITE", "Require: " + ",".join(f"x{n}" for n in range(number))))
    assert peer.receive().status == status


@pytest.mark.parametrize(
    ("uri", "status"),
    [("isbn:2983792873", 416), ("http://example.com", 416), ("sip:agent@127.0.0.1?Route=%3Csip:x%3E", 400)],
)
def test_a_request_uri_we_cannot_serve_is_refused(peer: Peer, uri: str, status: int) -> None:
    assert peer.ask(peer.request("INVITE", uri=uri)).status == status


@pytest.mark.parametrize("uri", ["tel:+864008100001", "sips:agent@127.0.0.1"])
def test_other_schemes_we_know_pass_the_gate(stack: Stack, peer: Peer, uri: str) -> None:
    before = stack.do("counters")
    peer.ask(peer.request("OPTIONS", uri=uri))
    assert stack.counted(before) == {"requests": 1, "admitted": 1}


def test_an_invite_with_no_hop_left_gets_483(peer: Peer) -> None:
    assert peer.ask(peer.request("INVITE", "Max-Forwards: 0", drop=("Max-Forwards",))).status == 483


def test_options_with_no_hop_left_is_answered(peer: Peer) -> None:
    assert peer.ask(peer.request("OPTIONS", "Max-Forwards: 0", drop=("Max-Forwards",))).status == 200


def test_nobody_takes_over_a_call_with_replaces(stack: Stack, peer: Peer) -> None:
    peer.call()
    thief = Peer(stack.udp)
    with thief.socket:
        tags = f"{peer.call_id};to-tag={peer.to_tag};from-tag=from{peer.number}"
        assert thief.ask(thief.request("INVITE", f"Replaces: {tags}")).status == 403
    assert peer.hang_up().status == 200


@pytest.mark.parametrize(
    "header", ["Call-ID: other@peer", "From: <sip:x@y>;tag=1", "To: <sip:x@y>", "CSeq: 9 INVITE", "Content-Length: 0"]
)
def test_a_header_that_may_stand_once_must_not_stand_twice(peer: Peer, header: str) -> None:
    peer.send(peer.request("INVITE", header))
    assert peer.receive().status == 400


def test_a_cseq_of_another_method_gets_400(peer: Peer) -> None:
    peer.send(peer.request("OPTIONS", "CSeq: 7 INVITE", drop=("CSeq",)))
    assert peer.receive().status == 400


def test_a_body_shorter_than_its_length_gets_400(peer: Peer) -> None:
    message = peer.request("INVITE", "Content-Type: application/sdp", body=SDP, length=len(SDP) + 1)
    assert peer.ask(message).status == 400


def test_a_body_of_no_type_gets_400(peer: Peer) -> None:
    assert peer.ask(peer.request("INVITE", body=SDP)).status == 400


def test_octets_behind_the_body_are_ignored(peer: Peer) -> None:
    message = peer.request("INVITE", "Content-Type: application/sdp", body=SDP + b"garbage\r\n", length=len(SDP))
    answer = peer.ask(message)
    assert answer.status == 200
    peer.to_tag = answer.tag
    peer.send(peer.request("ACK", cseq=peer.cseq))
    assert peer.hang_up().status == 200


@pytest.mark.parametrize("method", ["INVITE", "INFO", "ACK"])
@pytest.mark.parametrize(
    ("kind", "body", "length"),
    [
        ("application/sdp", b"\r\n", None),
        ("application/sdp", b"\r\n" + SDP, 2),
        ("application/sdp", b"\r\n\r\n\n\n\r\r", 3),
        ("multipart/mixed;boundary=b", EMPTY_PART, None),
    ],
    ids=["whole", "cut", "mixed", "part"],
)
def test_an_sdp_of_line_ends_does_not_kill(peer: Peer, method: str, kind: str, body: bytes, length: int | None) -> None:
    """PJSIP 2.17 throws an exception that nobody catches."""
    peer.send(peer.request(method, f"Content-Type: {kind}", body=body, length=length, cseq=1))
    if method == "ACK":
        assert peer.hears_nothing()
    else:
        assert peer.receive().status == 400


def test_an_ack_is_never_answered(stack: Stack, peer: Peer) -> None:
    before = stack.do("counters")
    peer.send(peer.request("ACK", cseq=1))
    peer.send(peer.request("ACK", "Call-ID: other@peer", cseq=1))
    peer.send(peer.request("ACK", cseq=1).replace(b"SIP/2.0\r\n", b"SIP/3.0\r\n", 1))
    assert peer.hears_nothing()
    counted = stack.counted(before)
    assert counted["broken_acks"] == 1
    assert counted["unparsed_dropped"] == 1


def test_a_retransmitted_invite_is_absorbed(stack: Stack, peer: Peer) -> None:
    """R1-09: one call, however often its INVITE arrives."""
    legs = stack.do("legs")
    message = peer.request("INVITE", "Content-Type: application/sdp", body=SDP, uri="sip:ring@127.0.0.1")
    for _ in range(3):
        peer.send(message)
    while peer.receive().status != 180:
        pass
    assert stack.do("legs") == legs + 1
    peer.send(peer.request("CANCEL", cseq=peer.cseq, branch=branch_of(message), uri="sip:ring@127.0.0.1"))
    assert peer.final(f"{peer.cseq} INVITE").status == 487


def branch_of(message: bytes) -> str:
    return Answer(message).one("Via").partition("branch=z9hG4bK")[2]


def test_a_merged_request_gets_482(stack: Stack, peer: Peer) -> None:
    """R1-09: the same request by another path (From tag, Call-ID and CSeq equal, branch not) is not a second call."""
    peer.call()
    legs, tag, peer.to_tag = stack.do("legs"), peer.to_tag, ""
    twin = peer.request("INVITE", "Content-Type: application/sdp", body=SDP, cseq=peer.cseq)
    assert peer.ask(twin).status == 482
    assert peer.ask(twin).status == 482
    assert stack.do("legs") == legs
    peer.to_tag = tag
    assert peer.hang_up().status == 200


def test_a_full_house_refuses_new_calls_and_keeps_what_it_has(stack: Stack, peer: Peer) -> None:
    stack.do("admit", legs=1, retry_after=7)
    try:
        message = peer.request("INVITE", "Content-Type: application/sdp", body=SDP)
        first = peer.ask(message)
        assert first.status == 200
        assert peer.ask(message).raw == first.raw  # a retransmission of an admitted call is not a new one
        second = Peer(stack.udp)
        with second.socket:
            refused = second.ask(second.request("INVITE", "Content-Type: application/sdp", body=SDP))
            assert refused.status == 503
            assert 1 <= int(refused.one("Retry-After")) <= 7  # each is told another time
            assert second.ask(second.request("OPTIONS")).status == 200
            stack.do("admit", legs=0, retry_after=7)
            assert second.ask(second.request("OPTIONS")).status == 503
        peer.to_tag = first.tag
        peer.send(peer.request("ACK", cseq=peer.cseq))
        assert peer.ask(peer.request("OPTIONS")).status == 200  # in dialog
        assert peer.hang_up().status == 200
    finally:
        stack.do("admit", legs=-1, retry_after=5)


@pytest.mark.parametrize("maddr", ["192.0.2.1", "nowhere.invalid"])
@pytest.mark.parametrize("method", ["OPTIONS", "REGISTER"])
def test_an_answer_goes_where_the_request_came_from(peer: Peer, method: str, maddr: str) -> None:
    """maddr would send answers to third parties, and a name in it would stop the SIP thread until DNS answers."""
    peer.send(peer.request(method).replace(b";rport", b";rport;maddr=" + maddr.encode(), 1))
    assert peer.receive().status in (200, 405)


def test_our_modules_can_be_taken_out_and_put_in_again(stack: Stack, peer: Peer) -> None:
    assert stack.do("restart") == [0, 0, 0]
    assert peer.ask(peer.request("REGISTER")).status == 405


def test_the_gate_works_on_connections_too(stack: Stack) -> None:
    with socket.create_connection(("127.0.0.1", stack.tcp)) as connection:
        peer = Peer(stack.udp)
        peer.socket.close()
        connection.settimeout(10)
        connection.sendall(peer.request("REGISTER").replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP"))
        assert Answer(connection.recv(65536)).status == 405
        connection.sendall(peer.request("OPTIONS").replace(b" SIP/2.0\r\n", b" SIP/9.0\r\n", 1))
        assert Answer(connection.recv(65536)).status == 505
