"""Packets of one leg straight to another: what leaves is one stream of ours, and nothing leaves that should not."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest

from tests.peers.rtp_packet import RtpPacket, sender_report
from tests.unit.native.stack import Stack
from tests.unit.native.talker import Talker, counted, eventually, join, part, taken

NOISE = "a=rtpmap:13 CN/8000\r\n"


@pytest.fixture
def pair(stack: Stack) -> Iterator[tuple[Talker, Talker]]:
    """Two callers whose legs are joined; the second one's keys have another payload type."""
    with Talker(stack) as a, Talker(stack, formats="0 97", events=97) as b:
        assert join(a, b) == 0
        yield a, b


def frames(n: int, letter: bytes = b"s") -> list[bytes]:
    return [letter + bytes([i % 256]) * 159 for i in range(n)]


def assert_one_stream(packets: list[RtpPacket], ssrc: int) -> None:
    """One SSRC, every number once and in order, time never back, nothing on top of the packet before."""
    assert {packet.ssrc for packet in packets} == {ssrc}
    for one, next_one in pairwise(packets):
        assert (next_one.sequence - one.sequence) % 0x10000 == 1
        if len(one.payload) == len(next_one.payload) == 160:
            assert 160 <= (next_one.timestamp - one.timestamp) % 2**32 < 8000 * 60


def test_sound_goes_across_as_it_came(pair: tuple[Talker, Talker]) -> None:
    """Same codec on both sides: forwarded packet by packet, own SSRC, numbers and time, over the counter's end."""
    a, b = pair
    a.sequence, a.timestamp = 0xFFFA, 0xFFFFFF00
    sent = frames(12)
    before = counted(a.stack)
    for payload in sent:
        a.send(payload)
    heard = b.hear(sent[-1])
    assert [packet.payload for packet in heard] == sent
    assert [packet.marker for packet in heard] == [True] + [False] * 11
    assert {(y.timestamp - x.timestamp) % 2**32 for x, y in pairwise(heard)} == {160}
    assert_one_stream(heard, b.promised)
    after = counted(a.stack)
    assert after["relayed"] - before["relayed"] == 12
    assert (a.sound.joined, a.sound.heard, a.sound.octets, a.sound.lost) == (1, 12, 1920, 0)
    assert b.sound.sent == 12
    assert 0 <= a.sound.since_rtp < 5000


def test_losses_reordering_and_repeats_are_passed_on_or_not(pair: tuple[Talker, Talker]) -> None:
    """A lost packet leaves its gap for the far end to conceal; a late one finds its place; no repeats."""
    a, b = pair
    start = a.sequence
    order = [1, 2, 5, 4, 4, 6, 9, 10]
    for number in order:
        a.raw(bytes(RtpPacket(0, start + number & 0xFFFF, number * 160, a.ssrc, bytes([number]) * 160)))
    heard = b.hear(bytes([10]) * 160)
    places = [(packet.sequence - heard[0].sequence) % 0x10000 + 1 for packet in heard]
    assert places == [packet.payload[0] for packet in heard] == [1, 2, 5, 4, 6, 9, 10]
    sound = a.sound
    assert (sound.heard, sound.lost, sound.late, sound.again) == (7, 3, 1, 1)
    assert sound.lost_in_runs == 2


def test_both_ways_at_once(pair: tuple[Talker, Talker]) -> None:
    a, b = pair
    for x, y in zip(frames(20, b"a"), frames(20, b"b"), strict=True):
        a.send(x)
        b.send(y)
    assert [packet.payload for packet in b.hear(frames(20, b"a")[-1])] == frames(20, b"a")
    assert [packet.payload for packet in a.hear(frames(20, b"b")[-1])] == frames(20, b"b")


def test_keys_are_told_and_leave_no_gap(stack: Stack, pair: tuple[Talker, Talker]) -> None:
    """RFC 4733: the call is told the digit once, the other leg hears none of its packets and misses no number."""
    a, b = pair
    since = len(stack.facts)
    a.send(b"1" * 160)
    a.timestamp += 160
    a.key(5, first=True)
    a.key(5, duration=640)
    for _ in range(3):
        a.key(5, duration=800, end=True)
    a.send(b"2" * 160, step=800)
    heard = b.hear(b"2" * 160)
    assert [packet.payload_type for packet in heard] == [0, 0]
    assert (heard[1].timestamp - heard[0].timestamp) % 2**32 == 960
    assert_one_stream(heard, b.promised)
    stack.wait(lambda fact: fact["fact"] == "digit", since)
    stack.do("legs")
    assert [fact["digit"] for fact in stack.facts[since:] if fact["fact"] == "digit"] == ["5"]


def test_a_key_of_ours_goes_between_relayed_packets(stack: Stack, pair: tuple[Talker, Talker]) -> None:
    """What the leg's own stream says while it is joined is dropped, but for the keys that we dial."""
    a, b = pair
    a.send(b"1" * 160)
    stack.do("dial_key", leg=b.leg, key="9")
    kinds: list[RtpPacket] = []
    for i in range(400):
        payload = struct.pack("!I", i) * 40
        a.send(payload)
        kinds += b.hear(payload)
        if any(packet.payload_type == 97 and packet.payload[1] & 0x80 for packet in kinds):
            break
        time.sleep(0.005)
    events = [packet for packet in kinds if packet.payload_type == 97]
    assert events
    assert {packet.payload[0] for packet in events} == {9}
    assert {packet.ssrc for packet in kinds} == {b.promised}
    numbers = [packet.sequence for packet in kinds]
    assert len(set(numbers)) == len(numbers)
    assert max(numbers) - min(numbers) == len(numbers) - 1


@pytest.mark.parametrize("both", [True, False])
def test_comfort_noise_goes_where_it_was_taken(stack: Stack, both: bool) -> None:
    with (
        Talker(stack, formats="0 13 101", lines=NOISE) as a,
        Talker(stack, formats="0 13 101" if both else "0 101", lines=NOISE if both else "") as b,
    ):
        assert join(a, b) == 0
        a.send(b"1" * 160)
        a.send(b"\x40", kind=13)
        a.send(b"2" * 160)
        heard = b.hear(b"2" * 160)
        assert [packet.payload_type for packet in heard] == ([0, 13, 0] if both else [0, 0])
        assert (heard[-1].sequence - heard[0].sequence) % 0x10000 == len(heard) - 1


def test_one_stream_over_prompt_and_relay(stack: Stack, pair: tuple[Talker, Talker]) -> None:
    """Switch-overs between the leg's own stream and two peers: one stream for the far end, marked where it changes."""
    a, b = pair
    with Talker(stack) as c:
        a.send(b"1" * 160)
        heard = b.hear(b"1" * 160)
        assert join(c, b) == 0
        assert a.sound.joined == 0
        c.send(b"2" * 160)
        heard += b.hear(b"2" * 160)
        part(c)
        assert b.sound.joined == 0
        assert join(a, b) == 0
        a.send(b"3" * 160)
        a.send(b"4" * 160)
        heard += b.hear(b"4" * 160)
    assert_one_stream(heard, b.promised)
    marked = {packet.payload[:1]: packet.marker for packet in heard}
    assert (marked[b"2"], marked[b"3"], marked[b"4"]) == (True, True, False)


def test_other_codecs_are_not_joined_and_a_new_one_parts(stack: Stack, pair: tuple[Talker, Talker]) -> None:
    """Falls back by itself when a re-INVITE changes the codec, and can be joined again after the next."""
    a, b = pair
    with Talker(stack, formats="8 101") as c:
        assert join(a, c) != 0
        assert b.sound.joined == 1
    a.again(formats="8 101")
    assert (a.sound.joined, b.sound.joined) == (0, 0)
    assert join(a, b) != 0
    b.again(formats="8 97")
    assert join(a, b) == 0
    a.send(b"x" * 160)
    assert b.hear(b"x" * 160)[-1].payload_type == 8


def test_a_leg_that_ends_parts_the_pair(stack: Stack) -> None:
    with Talker(stack) as a:
        with Talker(stack) as b:
            assert join(a, b) == 0
            a.send(b"1" * 160)
            b.hear(b"1" * 160)
        eventually(lambda: a.sound.joined == 0)
        a.send(b"2" * 160)
        assert join(a, a) != 0


def test_reports_are_of_what_really_came_and_went(stack: Stack, pair: tuple[Talker, Talker]) -> None:
    """RTCP of our own for each side: counts of the relayed stream, loss of theirs; their report gives loss and time."""
    a, b = pair
    for i, payload in enumerate(frames(20)):
        if i == 10:
            a.sequence += 1
        a.send(payload)
    b.hear(frames(20)[-1])
    report = b.reported()
    assert report.ssrc == b.promised
    packets, octets = struct.unpack_from("!II", report.body, 12)
    assert (packets, octets) == (20, 3200)
    about = a.reported(201)
    ssrc, loss, newest = struct.unpack_from("!III", about.body)
    assert (ssrc, loss & 0xFFFFFF, newest & 0xFFFF) == (a.ssrc, 1, a.sequence)
    middle = struct.unpack_from("!Q", report.body)[0] >> 16 & 0xFFFFFFFF
    b.send(b"y" * 160)
    a.hear(b"y" * 160)
    block = struct.pack("!IIIIII", b.promised, 64 << 24 | 5, 0, 0, middle, 0)
    b.report(struct.pack("!BBHI", 0x81, 201, 7, b.ssrc) + block)
    eventually(lambda: b.sound.told_loss == 64)
    assert 0 <= b.sound.round_trip < 10_000_000
    assert 0 <= b.sound.since_rtcp < 5000
    assert a.sound.told_loss == -1
    a.report(sender_report(a.ssrc, time.time(), a.timestamp, 20, 3200))
    eventually(lambda: a.sound.since_rtcp >= 0)


def test_taps_keep_what_is_heard_joined_or_not(stack: Stack, pair: tuple[Talker, Talker]) -> None:
    """The recording's tap: each accepted packet of sound with its numbers, on both paths, keys left out."""
    a, b = pair
    before = time.monotonic_ns() // 1000
    for talker, tag in ((a, 11), (b, 12)):
        assert stack.do("sound", call="tap_open", arguments=[talker.leg, tag]) == 0
    assert stack.do("sound", call="tap_open", arguments=[b.leg, 11]) != 0
    a.send(b"1" * 160, marker=True)
    a.key(3, first=True, end=True)
    a.send(b"2" * 33)
    b.hear(b"2" * 33)
    part(a)
    a.send(b"3" * 160)
    eventually(lambda: a.sound.heard == 4)
    records, lost = taken(stack)
    assert lost == 0
    assert [(one.tag, one.payload[:1], len(one.payload), one.flags) for one in records] == [
        (11, b"1", 160, 1),
        (11, b"2", 33, 0),
        (11, b"3", 160, 0),
    ]
    assert {(one.ssrc, one.payload_type) for one in records} == {(a.ssrc, 0)}
    assert records[2].sequence == a.sequence
    assert records[2].timestamp == a.timestamp
    assert all(before <= one.arrival <= time.monotonic_ns() // 1000 for one in records)
    stack.do("sound", call="tap_close", arguments=[11])
    a.send(b"4" * 160)
    b.send(b"5" * 160)
    eventually(lambda: (a.sound.heard, b.sound.heard) == (5, 1))
    assert [one.tag for one in taken(stack)[0]] == [12]
