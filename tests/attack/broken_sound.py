"""RTP and RTCP that nobody should send: lies about length, version, kind and number.  Pure, drawn from a `Random`."""

import struct
from collections.abc import Callable
from random import Random

from tests.peers.rtp_packet import RtpPacket, sender_report

MOST = 65_507
"Octets of the longest datagram over IPv4."


def rtp(random: Random, like: RtpPacket) -> bytes:
    """A packet of this stream, mistreated in one of many ways."""
    sequence = (like.sequence + random.choice((0, 1, 1, 1, 100, 3001, 32768, 65535))) & 0xFFFF
    timestamp = (like.timestamp + random.choice((0, 160, 160, 8000, 1 << 31, (1 << 32) - 160))) & 0xFFFFFFFF
    ssrc = random.choice((like.ssrc, like.ssrc, like.ssrc, random.getrandbits(32)))
    kind = random.choice((like.payload_type, like.payload_type, random.randrange(128)))
    payload = random.randbytes(random.choice((0, 1, 4, 159, 160, 161, 320, 1400)))
    good = bytes(RtpPacket(kind, sequence, timestamp, ssrc, payload, random.random() < 0.1))
    return random.choice(RTP)(random, good)


def rtcp(random: Random, ssrc: int) -> bytes:
    """A report of this stream, mistreated in one of many ways."""
    named = random.choice((ssrc, ssrc, random.getrandbits(32)))
    return random.choice(RTCP)(random, named)


# --- RTP ---


def _first(random: Random, packet: bytes, *, clear: int = 0, bits: int = 0) -> bytes:
    return bytes([packet[0] & ~clear & 0xFF | bits]) + packet[1:]


def _short(random: Random, packet: bytes) -> bytes:
    return packet[: random.randrange(13)]


def _version(random: Random, packet: bytes) -> bytes:
    return _first(random, packet, clear=0xC0, bits=random.choice((0, 0x40, 0xC0)))


def _sources(random: Random, packet: bytes) -> bytes:
    """More contributing sources than there is room for, or than there are."""
    return _first(random, packet[: random.choice((12, 16, 60, 71, 72, 4000))], bits=random.randrange(1, 16))


def _extension(random: Random, packet: bytes) -> bytes:
    length = random.choice((0, 1, 39, 40, 41, 0x3FFF, 0xFFFF))
    changed = packet[:12] + struct.pack("!HH", 0xBEDE, length) + packet[16:]
    return _first(random, changed[: random.choice((12, 13, 15, 16, 17, 4000))], bits=0x10 | random.choice((0, 3, 15)))


def _padding(random: Random, packet: bytes) -> bytes:
    return _first(random, packet[:-1] + bytes([random.randrange(256)]), bits=0x20 | random.choice((0, 0x1F)))


def _huge(random: Random, packet: bytes) -> bytes:
    return packet[:12] + random.randbytes(random.choice((1460, 1489, 1500, 2035, 2036, 2037, 9000, MOST - 12)))


def _key(random: Random, packet: bytes) -> bytes:
    """A telephone-event (RFC 4733) of any length, number and duration."""
    return bytes([packet[0], random.choice((96, 101, 0xE5))]) + packet[2:12] + random.randbytes(random.randrange(9))


def _noise(random: Random, packet: bytes) -> bytes:
    return random.randbytes(random.randrange(400))


def _other(random: Random, packet: bytes) -> bytes:
    """What shares the port elsewhere: STUN, DTLS, TURN channels (RFC 7983)."""
    return bytes([random.choice((0, 1, 20, 22, 23, 63, 64, 79))]) + packet[1:]


def _as_it_is(random: Random, packet: bytes) -> bytes:
    return packet


RTP: tuple[Callable[[Random, bytes], bytes], ...] = (
    _short, _version, _sources, _extension, _padding, _huge, _key, _noise, _other, _as_it_is,
)  # fmt: skip


# --- RTCP ---


def _report(random: Random, ssrc: int) -> bytes:
    return sender_report(ssrc, random.random() * 2e9, random.getrandbits(32), random.getrandbits(32), 0, heard=(1, 2))


def _length(random: Random, ssrc: int) -> bytes:
    """A compound in which one of the lengths is not so."""
    report = bytearray(_report(random, ssrc))
    at = random.choice((2, 4 * (1 + int.from_bytes(report[2:4], "big")) + 2))
    struct.pack_into("!H", report, at, random.choice((0, 1, 2, 5, 0x3FFF, 0xFFFF)))
    return bytes(report)


def _count(random: Random, ssrc: int) -> bytes:
    """Reports about so many streams that there is no room for, of any kind."""
    kind, count = random.choice((200, 201, 202, 203, 204, 205, 207)), random.randrange(32)
    body = random.randbytes(4 * random.randrange(12))
    return struct.pack("!BBHI", 0x80 | count, kind, 1 + len(body) // 4, ssrc) + body


def _items(random: Random, ssrc: int) -> bytes:
    """A description whose items end nowhere, or beyond the end."""
    items = b"".join(bytes([random.randrange(9), random.randrange(256), 65]) for _ in range(random.randrange(20)))
    items += b"\1" * (-len(items) % 4)
    report = struct.pack("!BBHI", 0x80, 201, 1, ssrc)
    return report + struct.pack("!BBHI", 0x80 | random.randrange(32), 202, 1 + len(items) // 4, ssrc) + items


def _goodbye(random: Random, ssrc: int) -> bytes:
    return _report(random, ssrc) + struct.pack("!BBHIB", 0x81, 203, 2, random.getrandbits(32), 255) + b"bye"


def _many(random: Random, ssrc: int) -> bytes:
    return b"".join(_count(random, ssrc) for _ in range(random.choice((2, 30, 1000))))[:MOST]


def _cut(random: Random, ssrc: int) -> bytes:
    report = _report(random, ssrc)
    return report[: random.randrange(len(report))]


def _report_version(random: Random, ssrc: int) -> bytes:
    return _first(random, _report(random, ssrc), clear=0xC0, bits=random.choice((0, 0x40, 0xC0, 0xA0)))


def _any(random: Random, ssrc: int) -> bytes:
    return random.randbytes(random.choice((0, 1, 3, 4, 7, 8, 100, 1500, 9000)))


RTCP: tuple[Callable[[Random, int], bytes], ...] = (
    _report, _length, _count, _items, _goodbye, _many, _cut, _report_version, _any,
)  # fmt: skip
