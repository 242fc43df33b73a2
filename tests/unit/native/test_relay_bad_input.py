"""Broken and hostile sound into one leg: counted, dropped, and the other calls hear each other as before."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

import pytest

from tests.peers.rtp_packet import RtpPacket
from tests.unit.native.stack import Stack
from tests.unit.native.talker import Talker, counted, eventually, join


@pytest.fixture
def pair(stack: Stack) -> Iterator[tuple[Talker, Talker]]:
    """Two callers whose legs are joined."""
    with Talker(stack) as a, Talker(stack) as b:
        assert join(a, b) == 0
        yield a, b


def header(a: Talker, first: int = 0x80, kind: int = 0) -> bytes:
    a.sequence += 1
    return struct.pack("!BBHII", first, kind, a.sequence & 0xFFFF, a.timestamp, a.ssrc)


def broken(a: Talker) -> dict[str, list[bytes]]:
    """By reason: what is refused for it."""
    form = [
        b"",
        b"\x80",
        header(a)[:11],
        header(a, 0x40) + b"x" * 160,
        header(a, 0xC0) + b"x" * 160,
        header(a, 0x8F) + b"x" * 40,  # fifteen sources, room for ten
        header(a, 0x90),  # an extension that is not there
        header(a, 0x90) + struct.pack("!HH", 1, 0xFFFF) + b"x" * 160,
        header(a, 0xA0) + b"x" * 159 + b"\xff",  # more padding than payload
        header(a, 0xA0) + b"x" * 160 + b"\x00",  # padding that does not count itself
        header(a) + b"x" * 3000,
        header(a) + b"x" * 60000,
    ]
    types = [header(a, kind=kind) + b"x" * 160 for kind in (8, 9, 63, 72, 96, 127)]
    return {"form": form, "payload_type": types}


def test_broken_packets_are_counted_and_dropped(stack: Stack, pair: tuple[Talker, Talker]) -> None:
    """Short, wrong version, lengths that lie, huge, payload types nobody agreed on: the far end sees no trace of them,
    not even a gap."""
    a, b = pair
    a.send(b"1" * 160)
    before = counted(stack)
    bad = broken(a)
    for packets in bad.values():
        for packet in packets:
            a.raw(packet)
    eventually(lambda: sum(a.refused().values()) == sum(map(len, bad.values())))
    assert a.refused() == {reason: len(packets) for reason, packets in bad.items()}
    a.send(b"2" * 160)
    assert [packet.payload[:1] for packet in b.hear(b"2" * 160)] == [b"1", b"2"]
    after = counted(stack)
    assert after["refused"] - before["refused"] == sum(map(len, bad.values()))


def test_sources_extension_and_padding_go_across(pair: tuple[Talker, Talker]) -> None:
    """RFC 3550 5.1: what is whole is passed on whole."""
    a, b = pair
    extension = struct.pack("!HH", 0xBEDE, 1) + b"\x10\xff\x00\x00"
    packets = [
        header(a, 0x82) + b"\0\0\0\1\0\0\0\2" + b"1" * 160,
        header(a, 0x90) + extension + b"2" * 160,
        header(a, 0xA0) + b"3" * 160 + b"\0\0\0\4",
        header(a, 0xB1) + b"\0\0\0\1" + extension + b"4" * 160 + b"\1",
    ]
    for packet in packets:
        a.raw(packet)
    a.send(b"5" * 160)
    heard = b.hear(b"5" * 160)
    assert [packet.payload for packet in heard] == [n * 160 for n in (b"1", b"2", b"3", b"4", b"5")]
    assert a.sound.octets == 5 * 160


def test_a_flood_into_one_leg_leaves_the_others_alone(stack: Stack, pair: tuple[Talker, Talker]) -> None:
    """10,000 packets at once into one port, from a stranger, from the right source, and of nonsense: every one that was
    read is accounted for, and two other legs lose nothing."""
    a, b = pair
    chance = random.Random(7)
    with Talker(stack) as c, Talker(stack) as d, Talker(stack) as stranger:
        assert join(c, d) == 0
        before = counted(stack)
        stranger.aim = a.aim
        for i in range(3000):
            stranger.raw(header(stranger) + b"x" * 160)
            a.raw(chance.randbytes(chance.randrange(200)))
            a.send(b"y" * 160)
            if i % 100 == 0:
                c.send(struct.pack("!I", i) * 40)
                assert [packet.payload for packet in d.hear(struct.pack("!I", i) * 40)] == [struct.pack("!I", i) * 40]
        for _ in range(200):  # what the kernel had no room for is not ours; what it took is read by and by
            a.send(b"last" * 40)
            if any(packet.payload == b"last" * 40 for packet in b.waiting(0.05)):
                break
        else:
            raise AssertionError("the flooded leg is not heard any more")
        assert c.sound.lost == 0
        after = {name: n - before[name] for name, n in counted(stack).items()}
    ended = ("refused", "mixed", "relayed", "repeated", "withheld", "unsent", "idle", "other")
    assert after["received"] == sum(after[name] for name in ended)
    assert after["unsent"] == after["errors"] == 0
    assert after["refused"] > 0


def test_rtcp_garbage_is_dropped(stack: Stack, pair: tuple[Talker, Talker]) -> None:
    """Reports that lie about their length, nonsense, and a forged goodbye: counted, and the sound goes on."""
    a, b = pair
    for _ in range(6):  # a firm source, so that reports of others are none of its
        a.send(b"0" * 160)
    garbage = [
        b"",
        b"\x81\xc8\x00\x06",
        struct.pack("!BBHI", 0x9F, 200, 6, a.ssrc) + b"x" * 20,  # more blocks than there is room for
        struct.pack("!BBHI", 0x81, 200, 0xFFFF, a.ssrc) + b"x" * 40,
        struct.pack("!BBHI", 0x81, 201, 0, a.ssrc),
        struct.pack("!BBHI", 0x81, 77, 1, a.ssrc),
        struct.pack("!BBHI", 0x01, 201, 1, a.ssrc),
        struct.pack("!BBHI", 0x81, 203, 1, 0xBAD),  # a goodbye of somebody else
        struct.pack("!BBHI", 0x80, 201, 1, a.ssrc) + b"\0" * 1800,
        struct.pack("!BBHI", 0x80, 201, 1, a.ssrc) + b"\0" * 9000,
    ]
    for packet in garbage:
        a.report(packet)
    eventually(lambda: sum(n for reason, n in a.refused().items() if reason.startswith("rtcp_")) >= 8)
    a.send(b"1" * 160)
    assert b.hear(b"1" * 160)[-1].payload == b"1" * 160
    assert a.sound.round_trip == -1


def test_an_ssrc_that_changes_begins_anew(pair: tuple[Talker, Talker]) -> None:
    """A far end that starts another stream, with other numbers and times, is heard on in ours."""
    a, b = pair
    a.send(b"1" * 160)
    heard = b.hear(b"1" * 160)
    a.ssrc, a.sequence, a.timestamp = a.ssrc + 1, 7, 1_000_000
    a.send(b"2" * 160)
    heard += b.hear(b"2" * 160)
    assert (heard[1].sequence - heard[0].sequence) % 0x10000 == 1
    assert heard[1].marker
    assert heard[0].ssrc == heard[1].ssrc
    assert (heard[1].timestamp - heard[0].timestamp) % 2**32 < 8000 * 10
    a.raw(bytes(RtpPacket(0, 40000, 5, a.ssrc, b"z" * 160)))  # one that is far off alone is no stream
    a.send(b"3" * 160)
    assert [packet.payload[:1] for packet in b.hear(b"3" * 160)] == [b"3"]
