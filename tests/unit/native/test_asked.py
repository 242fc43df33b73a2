"""Requests that wait for a decision of Python's: nothing is allocated for them, and each ends exactly once."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.unit.native.stack import SDP, Answer, Peer, Stack

GONE = 70006
"PJ_ENOTFOUND."
PASS, DROP, REFUSE, ASK = range(4)
UNKNOWN, PHONE, OFFICE, TRUNK = range(4)
CREDENTIALS = 'Authorization: Digest username="1001", realm="tandem", nonce="1", uri="sip:a@b", response="0"'


@dataclass(slots=True)
class Decisions:
    """What the stack was asked since this test began."""

    stack: Stack
    since: int = 0

    def next(self) -> dict[str, Any]:
        fact = self.stack.wait(lambda fact: fact["fact"] == "asked", self.since)
        self.since = self.stack.facts.index(fact) + 1
        return fact

    def decide(self, fact: dict[str, Any], how: str, **details: object) -> int:
        status: int = self.stack.do("decide", handle=fact["handle"], how=how, **details)
        return status

    def rules(self, strangers: int, *networks: tuple[str, int, int, int]) -> list[int]:
        placed: list[int] = self.stack.do(
            "listener", transport="udp", port=self.stack.udp, strangers=strangers, networks=networks
        )
        return placed


@pytest.fixture
def asked(stack: Stack) -> Iterator[Decisions]:
    decisions = Decisions(stack, len(stack.facts))
    decisions.rules(ASK)
    yield decisions
    decisions.rules(PASS)


def offer(peer: Peer, *extra: str) -> bytes:
    return peer.request("INVITE", "Content-Type: application/sdp", *extra, body=SDP)


def test_a_register_is_answered_as_python_says(asked: Decisions, peer: Peer) -> None:
    message = peer.request("REGISTER", "Expires: 60")
    peer.send(message)
    fact = asked.next()
    assert (fact["method"], fact["source"], fact["port"], fact["kind"]) == ("REGISTER", "127.0.0.1", peer.port, UNKNOWN)
    assert fact["listener"] == ["udp", "127.0.0.1", asked.stack.udp]
    assert base64.b64decode(fact["message"]) == message
    challenge = ("WWW-Authenticate", 'Digest realm="tandem", nonce="1"'), ("WWW-Authenticate", 'Digest realm="b"')
    assert asked.decide(fact, "answer", code=401, headers=challenge) == 0
    answer = peer.receive()
    assert answer.status == 401
    assert answer.all("WWW-Authenticate") == [value for _, value in challenge]
    assert answer.tag
    assert answer.one("Call-ID") == peer.call_id
    peer.send(message)  # the answer was lost: asked again, the same tag
    assert asked.decide(asked.next(), "answer", code=401, reason="Who Are You") == 0
    again = peer.receive()
    assert (again.start, again.tag) == ("SIP/2.0 401 Who Are You", answer.tag)


def test_a_repeated_request_is_asked_about_once(asked: Decisions, stack: Stack, peer: Peer) -> None:
    before = stack.do("counters")
    message = peer.request("REGISTER")
    for _ in range(3):
        peer.send(message)
    fact = asked.next()
    assert asked.decide(fact, "answer", code=200) == 0
    assert peer.receive().status == 200
    assert peer.hears_nothing()
    assert stack.counted(before)["asked"] == 1
    assert asked.decide(fact, "answer", code=200) == GONE


def test_an_admitted_invite_becomes_a_call(asked: Decisions, peer: Peer) -> None:
    """Engine notes (k): a call that was let in later is a call like any other, its retransmissions included."""
    message = offer(peer)
    peer.send(message)
    assert asked.decide(asked.next(), "admit") == 0
    peer.send(message)
    answer = peer.final(f"{peer.cseq} INVITE")
    assert answer.status == 200
    peer.to_tag = answer.tag
    peer.send(peer.request("ACK", cseq=peer.cseq))
    assert peer.ask(peer.request("INVITE", "Content-Type: application/sdp", body=SDP)).status == 200  # in its dialog
    peer.send(peer.request("ACK", cseq=peer.cseq))
    assert peer.ask(peer.request("OPTIONS")).status == 200
    assert peer.hang_up().status == 200


def test_an_admitted_invite_that_rings_is_repeated_and_cancelled(asked: Decisions, peer: Peer) -> None:
    """Its transaction outlives the copy that was let in, and asks for nothing of it later (PJSIP's assertions)."""
    uri = "sip:ring@127.0.0.1"
    message = peer.request("INVITE", "Content-Type: application/sdp", body=SDP, branch="rings", uri=uri)
    peer.send(message)
    assert asked.decide(asked.next(), "admit") == 0
    while peer.receive().status != 180:
        pass
    peer.send(message)
    assert peer.receive().status == 180, "the last answer again, by the transaction"
    peer.send(peer.request("CANCEL", cseq=peer.cseq, branch="rings", uri=uri))
    refused = peer.final(f"{peer.cseq} INVITE")
    assert refused.status == 487
    peer.to_tag = refused.tag
    peer.send(peer.request("ACK", cseq=peer.cseq, branch="rings", uri=uri))
    peer.send(message)
    assert peer.hears_nothing(), "it is over: a repetition is absorbed"


def test_an_invite_is_challenged_then_admitted(asked: Decisions, peer: Peer) -> None:
    peer.send(offer(peer))
    assert asked.decide(asked.next(), "answer", code=401, headers=[("WWW-Authenticate", "Digest")]) == 0
    refused = peer.final(f"{peer.cseq} INVITE")
    peer.send(peer.request("ACK", cseq=peer.cseq))
    assert refused.status == 401
    peer.send(offer(peer, CREDENTIALS))
    fact = asked.next()
    assert CREDENTIALS.encode() in base64.b64decode(fact["message"])
    assert asked.decide(fact, "admit") == 0
    answer = peer.final(f"{peer.cseq} INVITE")
    assert answer.status == 200
    peer.to_tag = answer.tag
    peer.send(peer.request("ACK", cseq=peer.cseq))
    assert peer.hang_up().status == 200


def test_a_cancelled_invite_is_no_longer_asked_about(asked: Decisions, peer: Peer) -> None:
    peer.send(peer.request("INVITE", "Content-Type: application/sdp", body=SDP, branch="mine"))
    fact = asked.next()
    peer.send(peer.request("CANCEL", cseq=peer.cseq, branch="mine"))
    answers = {peer.receive().start.split()[1], peer.receive().start.split()[1]}
    assert answers == {"200", "487"}
    assert asked.decide(fact, "admit") == GONE


def test_a_dropped_request_is_never_answered(asked: Decisions, peer: Peer) -> None:
    peer.send(peer.request("REGISTER"))
    assert asked.decide(asked.next(), "drop") == 0
    assert peer.hears_nothing()


def test_a_mistake_of_ours_is_answered(asked: Decisions, stack: Stack, peer: Peer) -> None:
    """What nobody decides any more would keep its place, and its caller would wait."""
    stack.do("mistake", on=True)
    try:
        before = stack.do("counters")
        for message in (peer.request("REGISTER"), offer(peer)):
            assert peer.ask(message).status == 500
        assert stack.counted(before)["asked_answered"] == 2
    finally:
        stack.do("mistake", on=False)


def test_a_full_house_turns_away_who_was_let_in(asked: Decisions, stack: Stack, peer: Peer) -> None:
    peer.send(offer(peer))
    fact = asked.next()
    stack.do("admit", legs=0, retry_after=7)
    try:
        assert asked.decide(fact, "admit") != 0
        refused = peer.final(f"{peer.cseq} INVITE")
        assert (refused.status, 1 <= int(refused.one("Retry-After")) <= 7) == (503, True)
    finally:
        stack.do("admit", legs=-1, retry_after=5)


def test_decisions_are_bounded(asked: Decisions, stack: Stack, peer: Peer) -> None:
    before = stack.do("counters")
    for number in range(513):
        peer.fresh()
        peer.send(peer.request("REGISTER"))
        if number % 50 == 0:
            asked.stack.do("legs")  # the socket's buffer must not be what bounds them
    refused = peer.receive()
    assert (refused.status, bool(refused.one("Retry-After"))) == (503, True)
    assert stack.counted(before)["asked"] == 512
    for _ in range(512):
        assert asked.decide(asked.next(), "drop") == 0


@pytest.mark.parametrize(("rule", "status"), [(REFUSE, 403), (DROP, None)])
def test_strangers_are_refused_or_not_answered(asked: Decisions, peer: Peer, rule: int, status: int | None) -> None:
    trunk = ("127.0.0.2", 32, TRUNK, 1)
    assert asked.rules(rule, ("127.0.0.0", 8, TRUNK, 0), ("127.0.0.1", 32, UNKNOWN, -1), trunk)[1:] == [0, 0, 0]
    for message in (peer.request("OPTIONS"), offer(peer), peer.request("REGISTER"), peer.request("BYE")):
        peer.send(message)
        if status is not None:
            assert peer.receive().status == status
    asked.rules(rule, ("127.0.0.0", 8, TRUNK, 0))
    assert peer.ask(peer.request("OPTIONS")).status == 200, "a trunk is no stranger"


def test_a_dialog_makes_a_stranger_known(asked: Decisions, peer: Peer) -> None:
    """A carrier's BYE may come from another of his addresses."""
    asked.rules(PASS)
    answer = peer.call()
    asked.rules(DROP)
    assert peer.hang_up().status == 200
    assert isinstance(answer, Answer)
