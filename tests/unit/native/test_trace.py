"""The ring of SIP messages: what is kept, whole and in order; what gives way; what is never kept."""

import base64
import socket
import time
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from tests.unit.native.stack import Answer, Peer, Stack

SMALLEST = 4 * 65536
PASS, ASK = 0, 3


@pytest.fixture(autouse=True)
def ring(stack: Stack) -> Iterator[None]:
    stack.do("trace", octets=1 << 20, seconds=60)
    yield
    stack.do("trace", octets=0, seconds=60)


def traced(stack: Stack, *call_ids: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stack.do("traced", call_ids=call_ids)
    for one in found:
        one["message"] = base64.b64decode(one["message"])
    return found


def test_both_ways_of_a_call_are_kept_as_they_were_on_the_wire(stack: Stack, peer: Peer) -> None:
    asked = peer.request("OPTIONS", "X-Odd : \xe4 ;a")
    answer = peer.ask(asked)
    first, second = traced(stack, peer.call_id)
    assert (first["message"], first["sent"], first["transport"]) == (asked, 0, 1)
    assert (second["message"], second["sent"]) == (answer.raw, 1)
    ours = [127, 0, 0, 1]
    assert first["ends"] == second["ends"] == [ours, stack.udp, ours, peer.port]
    assert abs(first["time"] - time.time()) < 10
    assert first["time"] <= second["time"]


def test_a_call_has_its_own_messages_only_and_several_are_read_together(stack: Stack, peer: Peer) -> None:
    ids = []
    for _ in range(3):
        peer.fresh()
        peer.ask(peer.request("OPTIONS"))
        ids.append(peer.call_id)
    assert [len(traced(stack, one)) for one in ids] == [2, 2, 2]
    assert len(traced(stack, *ids)) == 6
    assert traced(stack, "nobody's") == []
    assert traced(stack) == []


def test_what_is_refused_is_not_kept_and_hides_nothing_else(stack: Stack, peer: Peer) -> None:
    peer.call()
    other = Peer(stack.udp)
    with other.socket:
        for method in ("REGISTER", "MESSAGE", "NONSENSE"):
            assert other.ask(other.request(method)).status >= 400
        assert traced(stack, other.call_id) == []
    assert peer.hang_up().status == 200
    starts = [one["message"].split(b"\r\n", 1)[0] for one in traced(stack, peer.call_id)]
    assert starts[0].startswith(b"INVITE")
    assert starts[-1] == b"SIP/2.0 200 OK"
    assert any(start.startswith(b"BYE") for start in starts)


def test_answers_to_what_we_never_asked_are_not_kept(stack: Stack, peer: Peer) -> None:
    """Anybody can send them, as long as they please; those to requests of ours are kept, a call's repeated 200 too."""
    before = stack.do("counters")["traced"]
    for n in range(20):
        lines = (
            "SIP/2.0 200 OK",
            f"Via: SIP/2.0/UDP 127.0.0.1:{stack.udp};branch=z9hG4bKnobody{n}",
            "From: <sip:a@b>;tag=1",
            "To: <sip:a@b>;tag=2",
            f"Call-ID: {peer.call_id}",
            "CSeq: 1 INVITE",
            f"X-Long: {'x' * 8000}",
            "Content-Length: 0",
        )
        peer.send("\r\n".join([*lines, "", ""]).encode())
    assert peer.hears_nothing()
    assert traced(stack, peer.call_id) == []
    assert stack.do("counters")["traced"] == before + 2, "the OPTIONS that asked, and its answer"


def asks_about(peer: Peer) -> Callable[[dict[str, Any]], bool]:
    """Whether a fact is the question about this peer's request."""
    return lambda fact: fact["fact"] == "asked" and peer.call_id.encode() in base64.b64decode(fact["message"])


def test_refusals_of_requests_that_waited_for_a_decision_are_not_kept(stack: Stack, peer: Peer) -> None:
    """Several in one poll: their answers leave when others have come since."""
    stack.do("listener", transport="udp", port=stack.udp, strangers=ASK, networks=())
    since, kept = len(stack.facts), stack.do("counters")["traced"]
    peers = [Peer(stack.udp) for _ in range(3)]
    try:
        for one in peers:
            one.send(one.request("REGISTER"))
        asked = [stack.wait(asks_about(one), since) for one in peers]
        for fact in asked:
            assert stack.do("decide", handle=fact["handle"], how="answer", code=401) == 0
        assert [one.receive().status for one in peers] == [401] * 3
        assert stack.do("counters")["traced"] == kept
    finally:
        stack.do("listener", transport="udp", port=stack.udp, strangers=PASS, networks=())
        for one in peers:
            one.socket.close()


def test_the_oldest_give_way_and_what_stays_is_whole(stack: Stack, peer: Peer) -> None:
    """Messages of any size, round the ring many times: always the newest, without a gap, and each as it was."""
    stack.do("trace", octets=SMALLEST, seconds=60)
    rng = Random(7)
    said: list[bytes] = []
    for _ in range(400):
        message = peer.request("OPTIONS", f"X-Long: {'x' * rng.choice((0, 1, 7, 500, 1400, 9000, 15000))}")
        said += [message, peer.ask(message).raw]
    kept = [one["message"] for one in traced(stack, peer.call_id)]
    assert 20 < len(kept) < 400
    assert kept == said[-len(kept) :]
    room, used, oldest = stack.do("trace", octets=SMALLEST, seconds=60)[1:]
    assert sum(map(len, kept)) <= used <= room == SMALLEST
    assert oldest > 0


def test_what_is_too_old_is_forgotten_though_nothing_comes(stack: Stack, peer: Peer) -> None:
    peer.ask(peer.request("OPTIONS"))
    assert len(traced(stack, peer.call_id)) == 2
    assert stack.do("trace", octets=1 << 20, seconds=0)[2:] == [0, 0.0]
    assert traced(stack, peer.call_id) == []


def test_nothing_is_kept_without_memory(stack: Stack, peer: Peer) -> None:
    assert stack.do("trace", octets=0, seconds=60) == [1, 0, 0, 0.0]
    assert peer.ask(peer.request("OPTIONS")).status == 200
    assert traced(stack, peer.call_id) == []


def test_messages_on_connections_are_kept_too(stack: Stack) -> None:
    with socket.create_connection(("127.0.0.1", stack.tcp)) as connection:
        peer = Peer(stack.udp)
        peer.socket.close()
        connection.settimeout(10)
        connection.sendall(peer.request("OPTIONS").replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP"))
        assert Answer(connection.recv(65536)).status == 200
        first, second = traced(stack, peer.call_id)
        assert (first["transport"], second["transport"]) == (2, 2)
        assert first["ends"][3] == connection.getsockname()[1]
