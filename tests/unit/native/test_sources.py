"""Budgets, half-open calls, bans: what a source may do to us, by who it is."""

from __future__ import annotations

import base64
import itertools
import select
import socket
import time
from collections.abc import Iterator

import pytest

from tests.unit.native.gated import (
    ASK,
    LIMITS,
    NEVER_BANNED,
    OFFICE,
    TRUNK,
    Gate,
    until,
)
from tests.unit.native.stack import SDP, Peer, Stack


@pytest.fixture
def gate(stack: Stack) -> Iterator[Gate]:
    gate = Gate(stack)
    gate.networks()
    yield gate
    gate.lift(*gate.bans())
    gate.limit(**dict.fromkeys(LIMITS, 0.0))
    gate("scanners", [])
    gate.networks()
    gate.networks(transport="tcp")
    while gate("news"):
        pass


_hosts = itertools.count(1)


@pytest.fixture
def peer(stack: Stack) -> Iterator[Peer]:
    """A peer with an address that nobody has had: what a source has spent stays spent."""
    peer = at(stack, f"127.1.0.{next(_hosts)}")
    with peer.socket:
        yield peer


def at(stack: Stack, host: str) -> Peer:
    """A peer with another address."""
    peer = Peer(stack.udp)
    peer.socket.close()
    peer.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.socket.bind((host, 0))
    peer.socket.connect(("127.0.0.1", stack.udp))
    peer.port = peer.socket.getsockname()[1]
    return peer


def host(peer: Peer) -> str:
    name: str = peer.socket.getsockname()[0]
    return name


def answers(peer: Peer, n: int, method: str = "OPTIONS") -> int:
    """How many of n requests at once are answered."""
    for _ in range(n):
        peer.send(peer.request(method))
    heard = 0
    while select.select([peer.socket], [], [], 0.3)[0]:
        peer.socket.recv(65536)
        heard += 1
    return heard


def test_a_source_is_held_to_its_budget_and_its_neighbour_is_not(gate: Gate, stack: Stack, peer: Peer) -> None:
    gate.limit(stranger_rate=0.001, stranger_burst=5)
    assert answers(peer, 20) == 5
    other = at(stack, "127.0.0.3")
    with other.socket:
        assert answers(other, 3) == 3


def test_a_registered_phone_has_a_budget_of_its_own(gate: Gate, stack: Stack, peer: Peer) -> None:
    gate.limit(stranger_rate=0.001, stranger_burst=2, phone_rate=0.001, phone_burst=8)
    assert gate("phone", host(peer), peer.port, 60.0) == 0
    neighbour = at(stack, host(peer))
    with neighbour.socket:
        assert (answers(neighbour, 10), answers(peer, 10)) == (2, 8)
    gate("phone", host(peer), peer.port, 0.0)
    assert answers(peer, 10) == 0, "its address has spent what strangers have"


def test_a_call_goes_on_when_its_address_has_spent_its_budget(gate: Gate, peer: Peer) -> None:
    """In-dialog requests are served before anything new: who talks can hang up."""
    gate.limit(stranger_rate=0.001, stranger_burst=3)
    peer.call()
    answers(peer, 10)
    assert peer.hang_up().status == 200


def test_a_flood_bans_a_stranger_and_tells_once(gate: Gate, stack: Stack, peer: Peer) -> None:
    gate.limit(stranger_rate=0.001, stranger_burst=2, faults=10)
    before = stack.do("counters")
    flooder = at(stack, "127.0.0.9")
    with flooder.socket:
        for _ in range(30):
            flooder.send(flooder.request("OPTIONS"))
        until(lambda: gate.bans() == {"127.0.0.9": "flood"}, "a ban")
        address, reason, seconds = gate("news")
        assert (address, reason) == ("127.0.0.9", "flood")
        assert seconds == 300
        assert gate("news") is None
        assert gate.counted("bans", before) == 1
        drops = gate("kernel_drops")
        time.sleep(0.15)  # the filter follows within a tenth of a second
        for _ in range(5):
            flooder.send(flooder.request("OPTIONS"))
        until(lambda: gate("kernel_drops") >= drops + 5, "the kernel to drop them")
        assert peer.ask(peer.request("OPTIONS")).status == 200
        assert gate("lift", "127.0.0.9") == 0
        assert gate.bans() == {}
        gate.limit(stranger_rate=0)
        time.sleep(0.15)
        assert flooder.ask(flooder.request("OPTIONS")).status == 200


def test_a_ban_expires(gate: Gate, stack: Stack) -> None:
    assert gate("ban", "127.0.0.8", "by hand", 0.3) == 0
    other = at(stack, "127.0.0.8")
    with other.socket:
        other.send(other.request("OPTIONS"))
        assert gate.bans() == {"127.0.0.8": "by hand"}
        until(lambda: not gate.bans(), "its end")
        time.sleep(0.15)
        assert other.ask(other.request("OPTIONS")).status == 200


def test_trunks_and_offices_are_never_banned(gate: Gate, stack: Stack, peer: Peer) -> None:
    """Security promise (e): a source address can be forged, so a trunk's is never banned, only held to its budget."""
    gate.networks((host(peer), 32, TRUNK, 0), ("127.0.0.7", 32, OFFICE, -1))
    gate.limit(stranger_rate=0.001, stranger_burst=1, faults=3, trunk_rate=0.001, trunk_burst=4)
    assert answers(peer, 30) == 4
    for _ in range(10):
        peer.send(peer.request("OPTIONS", "CSeq: 7 INVITE", drop=("CSeq",)))
    for address in (host(peer), "127.0.0.7"):
        assert [gate("fault", address, "password") for _ in range(10)] == [0] * 10
        assert gate("ban", address, "by hand", 60.0) == NEVER_BANNED
    assert gate.bans() == {}


def test_faults_of_the_registrar_ban(gate: Gate, peer: Peer) -> None:
    gate.limit(faults=3)
    assert [gate("fault", "192.0.2.1", "password") for _ in range(3)] == [0, 0, 1]
    assert gate("fault", "2001:db8::1", "password") == 0
    assert gate("phone", "192.0.2.2", 5060, 60.0) == 0
    assert [gate("fault", "192.0.2.2", "password") for _ in range(29)] == [0] * 29
    assert gate("fault", "192.0.2.2", "password") == 1
    assert gate("fault", "no.address", "password") == -1
    assert gate.bans() == {"192.0.2.1": "password", "192.0.2.2": "password"}
    assert peer.ask(peer.request("OPTIONS")).status == 200


def test_a_ban_keeps_no_phone_from_calling_for_help(gate: Gate, stack: Stack, peer: Peer) -> None:
    """Where phones register, an INVITE to an emergency number passes a ban; nothing else new does."""
    gate.networks(strangers=ASK)
    assert stack.do("emergency", numbers=["112"]) == 0
    assert gate("ban", host(peer), "by hand", 60.0) == 0
    since, before = len(stack.facts), stack.do("counters")
    for user in ("100", "112"):
        peer.send(peer.request("INVITE", "Content-Type: application/sdp", uri=f"sip:{user}@127.0.0.1", body=SDP))
    fact = stack.wait(lambda fact: fact["fact"] == "asked", since)
    assert base64.b64decode(fact["message"]).startswith(b"INVITE sip:112@")
    assert gate.counted("dropped_banned", before) == 1
    assert stack.do("decide", handle=fact["handle"], how="drop") == 0
    stack.do("emergency", numbers=[])


def test_many_bans_of_both_families_leave_others_alone(gate: Gate, stack: Stack, peer: Peer) -> None:
    for number in range(600):
        assert gate("ban", f"198.18.{number // 250}.{number % 250 + 1}", "by hand", 60.0) == 0
    for number in range(60):
        assert gate("ban", f"2001:db8::{number + 1:x}", "by hand", 60.0) == 0
    gate("ban", "127.0.0.8", "by hand", 60.0)
    time.sleep(0.15)
    other = at(stack, "127.0.0.8")
    with other.socket:
        assert answers(other, 3) == 0
    assert peer.ask(peer.request("OPTIONS")).status == 200
    assert stack.do("counters")["filter_failed"] == 0


def test_scanners_are_not_answered(gate: Gate, peer: Peer) -> None:
    gate("scanners", ["friendly-scanner", "sipvicious"])
    gate.limit(faults=50)
    peer.send(peer.request("OPTIONS", "User-Agent: Friendly-Scanner"))
    until(lambda: gate.bans() == {host(peer): "scanner"}, "a ban")
    gate.lift(host(peer))
    assert peer.ask(peer.request("OPTIONS", "User-Agent: Phone 1.0")).status == 200


def test_malformed_messages_ban(gate: Gate, stack: Stack) -> None:
    gate.limit(faults=5)
    other = at(stack, "127.0.0.6")
    with other.socket:
        for _ in range(3):
            other.send(b"INVITE sip:a@b SIP/2.0\r\nVia: what is this\r\n\r\n")
        for _ in range(3):
            other.send(other.request("OPTIONS", "CSeq: 7 INVITE", drop=("CSeq",)))
        until(lambda: gate.bans() == {"127.0.0.6": "malformed"}, "a ban")


def ring(peer: Peer, *extra: str, branch: str = "") -> None:
    peer.send(
        peer.request("INVITE", "Content-Type: application/sdp", *extra, uri="sip:ring@x", body=SDP, branch=branch)
    )


def rings(peer: Peer) -> int:
    """100, then 180: it rings; or what else there is."""
    while (status := peer.receive().status) == 100:
        pass
    return status


def give_up(peer: Peer, branch: str) -> None:
    peer.send(peer.request("CANCEL", uri="sip:ring@x", cseq=peer.cseq, branch=branch))
    assert peer.final(f"{peer.cseq} INVITE").status == 487
    peer.send(peer.request("ACK", uri="sip:ring@x", cseq=peer.cseq, branch=branch))


def test_calls_without_an_answer_are_bounded_by_source_with_room_for_trunks(gate: Gate, stack: Stack) -> None:
    gate.networks(("127.0.0.5", 32, TRUNK, 3))
    gate.limit(half_open=4, half_open_source=2, half_open_reserved=0.5)
    before = stack.do("counters")
    first, second = at(stack, "127.0.0.6"), at(stack, "127.0.0.7")
    trunk = at(stack, "127.0.0.5")
    with first.socket, second.socket, trunk.socket:
        for branch in ("b1", "b2"):
            first.fresh()
            ring(first, branch=branch)
            assert rings(first) == 180
        assert gate("half_open") == 2
        first.cseq -= 1
        ring(first, branch="b3")
        assert first.final(f"{first.cseq} INVITE").status == 482
        assert gate("half_open") == 2, "the answer to a copy by another way (RFC 3261 8.2.2.2) ends nothing"
        last, cseq = first.call_id, first.cseq
        for peer in (first, second):  # his own share, then that of all who are no trunk
            peer.fresh()
            ring(peer)
            refused = peer.final(f"{peer.cseq} INVITE")
            assert refused.status == 503
            assert 1 <= int(refused.one("Retry-After")) <= 5
        trunk_calls = []
        for number in range(2):
            trunk.fresh()
            ring(trunk, branch=f"t{number}")
            assert rings(trunk) == 180
            trunk_calls.append((trunk.number, trunk.call_id))
        assert gate("trunk", 3, 0.0, 0.0, 480) == 0
        trunk.fresh()
        ring(trunk)
        assert rings(trunk) == 480, "the whole house is full, in the words that this trunk understands"
        assert gate.counted("refused_half_open", before) == 3
        for number, (call, call_id) in enumerate(trunk_calls):
            trunk.number, trunk.call_id, trunk.cseq = call, call_id, 1
            give_up(trunk, f"t{number}")
        first.call_id, first.cseq = last, cseq
        assert gate("half_open") == 2
    gate.limit(half_open=0)


def test_a_trunk_has_calls_a_second_of_its_own(gate: Gate, peer: Peer) -> None:
    gate.networks((host(peer), 32, TRUNK, 2))
    assert gate("trunk", 2, 0.001, 2.0, 486) == 0
    seen = []
    for _ in range(3):
        peer.fresh()
        answer = peer.ask(peer.request("INVITE", "Content-Type: application/sdp", body=SDP))
        seen.append(answer.status)
        peer.to_tag = answer.tag
        peer.send(peer.request("ACK", cseq=peer.cseq))
        if answer.status == 200:
            assert peer.hang_up().status == 200
        else:
            assert answer.one("Retry-After")
    assert seen == [200, 200, 486]
    assert gate("trunk", 2, 0.0, 0.0, 404) != 0


def test_the_same_call_by_another_way_gets_482(gate: Gate, peer: Peer) -> None:
    """RFC 3261 8.2.2.2."""
    ring(peer, branch="one")
    assert rings(peer) == 180
    peer.cseq -= 1
    ring(peer, branch="other")
    assert rings(peer) == 482
    give_up(peer, "one")


@pytest.mark.parametrize("transport", ["tcp"])
def test_connections_are_bounded_by_source(gate: Gate, stack: Stack, transport: str) -> None:
    gate.networks(("127.0.0.5", 32, TRUNK, 0), transport=transport)
    gate.limit(connections_source=3)
    open_ones = [socket.create_connection(("127.0.0.1", stack.tcp), source_address=("127.0.0.4", 0)) for _ in range(5)]
    until(lambda: len(closed(open_ones)) == 2, "two of five to be closed")
    trunks = [socket.create_connection(("127.0.0.1", stack.tcp), source_address=("127.0.0.5", 0)) for _ in range(5)]
    until(lambda: gate("connections") == 8, "the trunk's five beside the three")
    assert not closed(trunks)
    for one in (*open_ones, *trunks):
        one.close()
    until(lambda: gate("connections") == 0, "their end")


def closed(sockets: list[socket.socket]) -> list[socket.socket]:
    readable = select.select(sockets, [], [], 0)[0]
    return [one for one in readable if one.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""]


def test_silent_connections_are_closed_unless_a_phone_is_behind_them(gate: Gate, stack: Stack) -> None:
    gate.networks(transport="tcp")
    gate.limit(connection_first=0.3)
    mute = socket.create_connection(("127.0.0.1", stack.tcp))
    until(lambda: closed([mute]), "the one that says nothing to be closed")
    gate.limit(connection_first=0)
    quiet, phone = (socket.create_connection(("127.0.0.1", stack.tcp)) for _ in range(2))
    for one in (quiet, phone):
        peer = Peer(stack.udp)
        with peer.socket:
            one.sendall(peer.request("OPTIONS").replace(b"/UDP", b"/TCP"))
        assert one.recv(4096).startswith(b"SIP/2.0 200")
    assert gate("phone", "127.0.0.1", phone.getsockname()[1], 60.0) == 0
    gate.limit(connection_idle=0.3)
    until(lambda: closed([quiet]), "the one of nobody we know to be closed")
    assert not closed([phone])
    gate("phone", "127.0.0.1", phone.getsockname()[1], 0.0)
    for one in (mute, quiet, phone):
        one.close()


def test_a_message_without_end_closes_its_connection(gate: Gate, stack: Stack) -> None:
    gate.networks(transport="tcp")
    endless = socket.create_connection(("127.0.0.1", stack.tcp))
    endless.sendall(b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 99999\r\n\r\n" + b"x" * 20000)
    until(lambda: closed([endless]), "the connection to be closed")
    endless.close()
    garbage = socket.create_connection(("127.0.0.1", stack.tcp))
    garbage.sendall(b"x" * 20000)
    until(lambda: closed([garbage]), "that one too")
    garbage.close()


def test_a_banned_address_loses_its_connections(gate: Gate, stack: Stack) -> None:
    gate.networks(transport="tcp")
    before = socket.create_connection(("127.0.0.1", stack.tcp), source_address=("127.0.0.4", 0))
    until(lambda: gate("connections") == 1, "the connection")
    assert gate("ban", "127.0.0.4", "by hand", 60.0) == 0
    until(lambda: closed([before]), "it to be closed")
    before.close()
    later = socket.socket()
    later.bind(("127.0.0.4", 0))
    later.settimeout(0.3)
    with pytest.raises(TimeoutError):
        later.connect(("127.0.0.1", stack.tcp))
    later.close()
