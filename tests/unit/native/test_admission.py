"""Whether the house takes one more call: a rate with bursts, drain, and emergency numbers past both."""

import time
from collections.abc import Iterator

import pytest

from tests.unit.native.stack import PATIENCE, SDP, Answer, Peer, Stack


@pytest.fixture(autouse=True)
def limits(stack: Stack) -> Iterator[None]:
    yield
    stack.do("rate", rate=-1, burst=0)
    stack.do("admit", legs=-1, retry_after=5)
    stack.do("emergency", numbers=[])


def dial(stack: Stack, user: str = "ring") -> Answer:
    """A new call; the first answer that is not 100. It is cancelled where it rings."""
    peer = Peer(stack.udp)
    with peer.socket:
        invite = peer.request("INVITE", "Content-Type: application/sdp", body=SDP, uri=f"sip:{user}@127.0.0.1")
        peer.send(invite)
        while (answer := peer.receive()).status == 100:
            pass
        if answer.status < 200:
            branch = answer.one("Via").partition("branch=z9hG4bK")[2].partition(";")[0]
            peer.send(peer.request("CANCEL", cseq=peer.cseq, branch=branch, uri=f"sip:{user}@127.0.0.1"))
        return answer


def test_a_burst_passes_then_the_rate(stack: Stack) -> None:
    before = stack.do("counters")
    stack.do("rate", rate=0.001, burst=3)
    answers = [dial(stack).status for _ in range(6)]
    assert answers == [180, 180, 180, 503, 503, 503]
    moved = stack.counted(before)
    assert (moved["calls_taken"], moved["refused_503"], moved["calls_limited"]) == (3, 3, 3)
    assert moved["turned_away"] == 3
    stack.do("rate", rate=50, burst=3)
    time.sleep(0.1)  # the bucket fills by the clock
    assert dial(stack).status == 180


def test_a_lower_burst_holds_at_once_and_no_rate_is_no_limit(stack: Stack) -> None:
    stack.do("rate", rate=0.001, burst=100)
    stack.do("rate", rate=0.001, burst=1)
    assert [dial(stack).status for _ in range(2)] == [180, 503]
    stack.do("rate", rate=-1, burst=0)
    assert [dial(stack).status for _ in range(5)] == [180] * 5


def test_who_finds_no_leg_was_not_refused_by_the_rate(stack: Stack) -> None:
    stack.do("rate", rate=1000, burst=1000)
    stack.do("admit", legs=0, retry_after=5)
    before = stack.do("counters")
    assert [dial(stack).status for _ in range(2)] == [503, 503]
    moved = stack.counted(before)
    assert (moved["refused_503"], "calls_limited" in moved) == (2, False)


def test_a_retransmission_takes_no_place(stack: Stack, peer: Peer) -> None:
    stack.do("rate", rate=0.001, burst=2)
    invite = peer.request("INVITE", "Content-Type: application/sdp", body=SDP)
    first = peer.ask(invite)
    assert first.status == 200
    for _ in range(3):
        assert peer.ask(invite).raw == first.raw
    peer.to_tag = first.tag
    peer.send(peer.request("ACK", cseq=peer.cseq))
    assert peer.hang_up().status == 200
    assert dial(stack).status == 180
    assert dial(stack).status == 503


def test_emergency_calls_pass_a_rate_and_a_drain_some_a_second(stack: Stack) -> None:
    assert stack.do("emergency", numbers=["112", "911"]) == 0
    stack.do("rate", rate=0.001, burst=0)
    stack.do("admit", legs=0, retry_after=3)
    before = stack.do("counters")
    assert dial(stack, "112").status == 200
    assert dial(stack, "1121").status == 503
    assert dial(stack, "11").status == 503
    passed = [dial(stack, "911").status for _ in range(12)].count(200)
    assert 3 <= passed <= 8, "who dials it again and again is no emergency"
    assert stack.counted(before)["emergencies"] == passed + 1
    assert stack.do("emergency", numbers=["1" * 33]) != 0
    assert stack.do("emergency", numbers=["1"] * 51) != 0


def test_each_refusal_has_a_time_of_its_own(stack: Stack) -> None:
    stack.do("admit", legs=0, retry_after=5)
    times = {int(dial(stack).one("Retry-After")) for _ in range(40)}
    assert times == {1, 2, 3, 4, 5}


def test_what_a_refusal_costs_is_measured_where_refusals_come_in_a_row(stack: Stack) -> None:
    stack.do("refusal_cost")  # of those whom earlier tests had refused
    stack.do("rate", rate=0.001, burst=1)
    assert dial(stack).status == 180
    assert stack.do("refusal_cost") == 0, "one call is no measurement"
    cost, end = 0.0, time.monotonic() + PATIENCE
    while not cost and time.monotonic() < end:  # how many wait when the stack looks is not ours to say
        peer = Peer(stack.udp)
        with peer.socket:
            invites = [peer.request("INVITE", "Content-Type: application/sdp", body=SDP) for _ in range(40)]
            for invite in invites:
                peer.send(invite)
            assert [peer.receive().status for _ in invites] == [503] * 40
        cost = stack.do("refusal_cost")
    assert 500 < cost < 2_000_000, "nanoseconds for a message that was read, parsed and answered"
    assert stack.do("refusal_cost") == 0, "each is counted once"
