"""Requests inside the dialog of a call: answered by our usage, by PJSIP, or refused because the call is over."""

from collections.abc import Iterator

import pytest

from tests.unit.native.stack import EMPTY_PART, SDP, Answer, Peer, Stack


@pytest.fixture
def call(peer: Peer) -> Iterator[Peer]:
    """A peer with a call to the stack."""
    peer.call()
    yield peer
    assert peer.hang_up().status == 200


def test_options_in_a_call_is_answered(stack: Stack, call: Peer) -> None:
    answer = call.ask(call.request("OPTIONS"))
    assert answer.status == 200
    assert answer.tag == call.to_tag
    assert all(answer.one(name) for name in ("Allow", "Accept", "Supported"))


def test_an_info_is_answered_once_and_passed_up_byte_for_byte(stack: Stack, call: Peer) -> None:
    body = bytes(range(256)) * 2
    message = call.request("INFO", "Content-Type: application/octet-stream", body=body)
    first = call.ask(message)
    assert first.status == 200
    assert call.ask(message).raw == first.raw
    assert stack.passed_up(call.call_id) == [(True, "INFO", message)]


def test_an_info_without_a_body_is_answered(stack: Stack, call: Peer) -> None:
    assert call.ask(call.request("INFO")).status == 200


def test_a_bare_dtmf_digit_is_passed_up(stack: Stack, call: Peer) -> None:
    message = call.request("INFO", "Content-Type: application/dtmf", body=b"5")
    assert call.ask(message).status == 200
    assert stack.passed_up(call.call_id) == [(True, "INFO", message)]


def test_dtmf_relay_stays_with_pjsua(stack: Stack, call: Peer) -> None:
    since = len(stack.facts)
    body = b"Signal=7\r\nDuration=160\r\n"
    assert call.ask(call.request("INFO", "Content-Type: application/dtmf-relay", body=body)).status == 200
    assert stack.wait(lambda fact: fact["fact"] == "digit", since)["digit"] == "7"
    assert stack.passed_up(call.call_id) == []


@pytest.mark.parametrize(
    ("method", "status"),
    [("REFER", 603), ("NOTIFY", 489), ("MESSAGE", 405), ("SUBSCRIBE", 405), ("PUBLISH", 405), ("FOO", 501)],
)
def test_what_a_call_has_no_use_for_is_refused_and_the_call_goes_on(call: Peer, method: str, status: int) -> None:
    answer = call.ask(call.request(method, "Event: refer", "Refer-To: <sip:x@127.0.0.1:9>"))
    assert answer.status == status
    assert bool(answer.all("Allow")) == (status in (405, 501))
    assert call.ask(call.request("OPTIONS")).status == 200


def test_a_refer_makes_no_call(stack: Stack, call: Peer) -> None:
    """Ten REFERs to a dead target, then BYE, killed the bare stack."""
    target = Peer(stack.udp)
    with target.socket:
        for _ in range(10):
            refer = call.request("REFER", f"Refer-To: <sip:expensive@127.0.0.1:{target.port}>")
            assert call.ask(refer).status == 603
        assert target.hears_nothing()
    assert stack.do("legs") == 1


def test_update_and_reinvite_stay_with_pjsip(call: Peer) -> None:
    sdp = ("Content-Type: application/sdp",)
    assert b"m=audio" in call.ask(call.request("UPDATE", *sdp, body=SDP.replace(b"1 1 IN", b"1 2 IN"))).raw
    answer = call.ask(call.request("INVITE", *sdp, body=SDP.replace(b"1 1 IN", b"1 3 IN")))
    call.send(call.request("ACK", cseq=call.cseq))
    assert answer.status == 200
    assert b"m=audio" in answer.raw


def test_an_early_dialog_answers_too(stack: Stack, peer: Peer) -> None:
    uri = "sip:ring@127.0.0.1"
    invite = peer.request("INVITE", "Content-Type: application/sdp", body=SDP, uri=uri)
    peer.send(invite)
    while (ringing := peer.receive()).status != 180:
        pass
    peer.to_tag = ringing.tag
    assert peer.ask(peer.request("INFO", "Content-Type: text/plain", body=b"x")).status == 200
    assert peer.ask(peer.request("REFER", "Refer-To: <sip:x@127.0.0.1:9>")).status == 603
    peer.to_tag = ""
    branch = Answer(invite).one("Via").partition("branch=z9hG4bK")[2]
    peer.send(peer.request("CANCEL", cseq=1, uri=uri, branch=branch))
    assert peer.final("1 INVITE").status == 487


@pytest.mark.parametrize(
    "method", ["OPTIONS", "INFO", "REFER", "NOTIFY", "MESSAGE", "UPDATE", "PRACK", "INVITE", "FOO"]
)
def test_after_the_call_there_is_no_dialog(peer: Peer, method: str) -> None:
    peer.call()
    assert peer.hang_up().status == 200
    answer = peer.ask(peer.request(method, "Event: x", "RAck: 1 1 INVITE"))
    assert answer.status == 481
    if method == "INVITE":
        peer.send(peer.request("ACK", cseq=peer.cseq))


def test_a_dialog_that_never_was_gets_481(peer: Peer) -> None:
    peer.to_tag = "nobody"
    assert {peer.ask(peer.request(method)).status for method in ("OPTIONS", "INFO", "BYE", "INVITE", "FOO")} == {481}


def answer_dialled(stack: Stack, peer: Peer, kind: str, body: bytes, length: int | None = None) -> str:
    """The stack calls the peer, who answers 200 with this body; its Call-ID."""
    call_id = str(stack.do("dial", uri=f"sip:phone@127.0.0.1:{peer.port}"))
    invite = peer.receive()
    assert invite.one("Call-ID") == call_id
    peer.call_id = call_id
    peer.send(
        (
            f"SIP/2.0 200 OK\r\nVia: {invite.one('Via')}\r\nFrom: {invite.one('From')}\r\n"
            f"To: {invite.one('To')};tag=from{peer.number}\r\nCall-ID: {call_id}\r\nCSeq: {invite.one('CSeq')}\r\n"
            f"Contact: <sip:phone@127.0.0.1:{peer.port}>\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body) if length is None else length}\r\n\r\n"
        ).encode()
        + body
    )
    while not peer.receive().start.startswith("ACK"):
        pass
    peer.to_tag = invite.one("From").partition(";tag=")[2]
    return call_id


@pytest.mark.parametrize(
    ("kind", "body", "length"),
    [("application/sdp", b"\r\n" + SDP, 2), ("multipart/mixed;boundary=b", EMPTY_PART, None)],
    ids=["cut", "part"],
)
def test_an_answer_of_line_ends_does_not_kill(
    stack: Stack, peer: Peer, kind: str, body: bytes, length: int | None
) -> None:
    before = stack.do("counters")
    answer_dialled(stack, peer, kind, body, length)
    bye = peer.receive()
    assert bye.start.startswith("BYE")
    same = "".join(f"{name}: {bye.one(name)}\r\n" for name in ("Via", "From", "To", "Call-ID", "CSeq"))
    peer.send(f"SIP/2.0 200 OK\r\n{same}Content-Length: 0\r\n\r\n".encode())
    assert stack.counted(before)["blank_answers"] == 1


def test_the_leg_we_dialled_answers_the_same(stack: Stack, peer: Peer) -> None:
    call_id = answer_dialled(stack, peer, "application/sdp", SDP)
    message = peer.request("INFO", "Content-Type: text/plain", body=b"hello\0\xff")
    assert peer.ask(message).status == 200
    assert peer.ask(peer.request("REFER", "Refer-To: <sip:x@127.0.0.1:9>")).status == 603
    assert peer.ask(peer.request("OPTIONS")).status == 200
    assert stack.passed_up(call_id) == [(False, "INFO", message)]
    assert peer.hang_up().status == 200
    assert peer.ask(peer.request("OPTIONS")).status == 481


def test_a_flood_of_infos_costs_a_counter_not_memory(stack: Stack, call: Peer) -> None:
    before = stack.do("counters")
    stack.do("drain", on=False)
    for n in range(1100):
        assert call.ask(call.request("INFO", "Content-Type: text/plain", body=b"%d" % n)).status == 200
    assert stack.do("drain", on=True) == 1024
    counted = stack.counted(before)
    assert (counted["dialog_info"], counted["passed_up"], counted["passed_up_lost"]) == (1100, 1024, 76)


def test_every_call_leaves_nothing_behind(stack: Stack, peer: Peer) -> None:
    for _ in range(70):  # more than the stack has slots
        peer.fresh()
        peer.call()
        assert peer.ask(peer.request("INFO", "Content-Type: text/plain", body=b"x")).status == 200
        assert peer.hang_up().status == 200
        assert stack.do("legs") == 0


@pytest.fixture
def decided(stack: Stack) -> Iterator[Stack]:
    """A stack in which Python takes every REFER."""
    stack.do("refer", answer=[202, True])
    yield stack
    stack.do("refer", answer=None)


def test_python_is_asked_once_about_a_refer(decided: Stack, call: Peer) -> None:
    """The status is Python's, a retransmission gets it again, and pjsua dials nobody."""
    since = len(decided.facts)
    refer = call.request("REFER", "Refer-To: <sip:x@127.0.0.1:9>")
    first = call.ask(refer)
    assert (first.status, first.all("Refer-Sub")) == (202, [])
    assert call.ask(refer).raw == first.raw
    assert decided.do("legs") == 1  # what was told before this answer has been read by now
    asked = [fact for fact in decided.facts[since:] if fact["fact"] == "refer"]
    assert [(fact["call_id"], fact["uas"], fact["source"]) for fact in asked] == [(call.call_id, True, "127.0.0.1")]
    decided.do("refer", answer=[202, False])
    assert call.ask(call.request("REFER", "Refer-To: <sip:x@127.0.0.1:9>")).all("Refer-Sub") == ["false"]
    decided.do("refer", answer=[403, False])
    assert call.ask(call.request("REFER", "Refer-To: <sip:x@127.0.0.1:9>")).all("Refer-Sub") == []
    assert decided.do("legs") == 1


def test_a_decision_that_is_none_is_our_fault(decided: Stack, call: Peer) -> None:
    """A decider that fails must not take the stack with it."""
    decided.do("refer", answer=["x"])
    assert call.ask(call.request("REFER", "Refer-To: <sip:x@127.0.0.1:9>")).status == 500


def test_a_dialog_is_found_by_its_names(stack: Stack, call: Peer) -> None:
    ours, theirs = call.to_tag, f"from{call.number}"
    assert stack.do("role", names=[call.call_id, ours, theirs]) == 1
    for names in ([call.call_id, theirs, ours], [call.call_id, ours, "x"], ["x", ours, theirs]):
        assert stack.do("role", names=names) == -1


def test_replaces_is_taken_from_the_address_of_its_call_only(decided: Stack, call: Peer) -> None:
    """RFC 3891: an INVITE that names a call of somebody at the sender's address goes on without the header, once; one
    that names no call, or two, is refused."""
    tags = f"{call.call_id};to-tag={call.to_tag};from-tag=from{call.number}"
    second = Peer(decided.udp)
    with second.socket:
        for wrong in ((f"Replaces: {tags}x",), (f"Replaces: {tags}", f"Replaces: {tags}")):
            second.fresh()
            assert second.ask(second.request("INVITE", *wrong)).status == 403
        second.fresh()
        extra = (f"Replaces: {tags}", "Require: replaces", "Content-Type: application/sdp")
        answer = second.ask(second.request("INVITE", *extra, body=SDP))
        assert answer.status == 200
        second.to_tag = answer.tag
        second.send(second.request("ACK", cseq=second.cseq))
        assert decided.do("legs") == 2
        assert second.hang_up().status == 200
