"""Memory that PJSIP asks for and never uses goes back to the kernel, and nobody hears of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.unit.native.stack import PATIENCE, SDP, Peer, Stack
from tests.unit.native.talker import Talker, eventually, join, part

PAGE = 4096
LEAST = 5 * PAGE
"What a leg gives back at least: two pages of each table of the conference (4,000 ports), one of its transport."
LOUD = b"\x00" * 80 + b"\x80" * 80
"50 Hz at full level, in mu-law."


@pytest.fixture
def at_once(stack: Stack) -> Iterator[None]:
    """Legs give back in the next moment what they do not use, not after 5 s."""
    stack.do("sound", call="spare", arguments=[0])
    yield
    stack.do("sound", call="spare", arguments=[5000])


def given_back(stack: Stack) -> int:
    return int(stack.do("sound", call="spare", arguments=[-1]))


def least(stack: Stack, legs: int) -> int:
    """The address sanitizer's build asks malloc for everything by itself."""
    return 0 if stack.ready["build"]["flavour"] == "asan" else legs * LEAST


def is_loud(payload: bytes) -> bool:
    return sum(octet & 0x7F < 0x20 for octet in payload) > len(payload) // 2


def talk_until_heard(source: Talker, *sinks: Talker) -> None:
    """Sends a loud tone, frame by frame, until each of them hears it."""
    deaf = list(sinks)
    end = time.monotonic() + PATIENCE
    while deaf:
        assert time.monotonic() < end, f"{len(deaf)} did not hear it"
        source.send(LOUD)
        time.sleep(0.02)
        deaf = [one for one in deaf if not any(is_loud(packet.payload) for packet in one.waiting(0))]


def test_legs_that_have_given_back_are_heard_by_each_other(stack: Stack, at_once: None) -> None:
    """Joined past the conference, then through it, by one and by several: the tables are there when they are needed."""
    before = given_back(stack)
    with ExitStack() as calls:
        a, b, c, d = (calls.enter_context(Talker(stack)) for _ in range(4))
        eventually(lambda: given_back(stack) - before >= least(stack, 4))
        assert join(a, b) == 0
        a.send(LOUD)
        b.hear(LOUD)
        part(a)
        for sink in (b, c, d):
            stack.do("mix", legs=[a.leg, sink.leg])
        stack.do("mix", legs=[d.leg, a.leg])
        talk_until_heard(a, b, c, d)
        talk_until_heard(d, a)
        a.again(lines="a=sendonly\r\n")
        a.again(lines="a=sendrecv\r\n")
        assert join(a, c) == 0
        c.send(LOUD)
        a.hear(LOUD)


def test_a_short_call_gives_nothing_back(stack: Stack) -> None:
    """So that the next one finds memory that is there: calls a second cost no page faults."""
    before = given_back(stack)
    for _ in range(20):
        with Talker(stack) as talker:
            talker.send(LOUD)
    assert given_back(stack) == before


def test_legs_come_and_go_while_others_give_back(stack: Stack, at_once: None) -> None:
    """Blocks that are freed before, while and after they are looked at."""
    before = given_back(stack)
    with Talker(stack) as stays, Talker(stack) as other:
        for n in range(40):
            with Talker(stack) as talker:
                talker.send(LOUD)
                if n % 2:
                    eventually(lambda: given_back(stack) > before or not least(stack, 1))
        assert join(stays, other) == 0
        stays.send(LOUD)
        other.hear(LOUD)
    eventually(lambda: stack.do("legs") == 0)


def test_long_and_short_messages_in_turn(peer: Peer) -> None:
    """The room for a message's text is used again: what an answer says is its own, also where it is 12 kB long."""
    long = tuple(f"Record-Route: <sip:127.0.0.1;lr;n={n}-{'r' * 180}>" for n in range(60))
    for n in range(6):
        lines = long if n % 2 else ()
        answer = peer.call("sip:agent@127.0.0.1", *lines, body=SDP)
        assert answer.all("Record-Route") == [line.partition(": ")[2] for line in lines]
        assert b"m=audio" in answer.raw
        peer.send(peer.request("BYE"))
        peer.fresh()
