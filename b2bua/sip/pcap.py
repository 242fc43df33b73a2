"""A capture file of SIP messages (pcap): each is one UDP datagram, whatever carried it, so that all tools read it.

What came over TLS is in it as plain text; its secrets were masked before.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from ipaddress import ip_address

from b2bua.sip.traced import Traced

RAW = 101
"LINKTYPE_RAW: packets begin with their IP header."
MAGIC = 0xA1B2C3D4
SNAP = 65535
UDP = 17
LONGEST = 65535 - 48
"Octets of a message that fit a datagram behind the longest headers."


def pcap(messages: Iterable[Traced]) -> bytes:
    """The whole file."""
    parts = [struct.pack("<IHHiIII", MAGIC, 2, 4, 0, 0, SNAP, RAW)]
    for message in messages:
        packet = _packet(message)
        seconds = int(message.time)
        micros = min(round((message.time - seconds) * 1e6), 999_999)
        parts += [struct.pack("<IIII", seconds, micros, len(packet), len(packet)), packet]
    return b"".join(parts)


def _packet(message: Traced) -> bytes:
    data = message.data[:LONGEST]
    (source, source_port), (target, target_port) = message.source, message.target
    here, there = ip_address(source).packed, ip_address(target).packed
    length = 8 + len(data)
    udp = struct.pack("!HHHH", source_port, target_port, length, 0)
    pseudo = here + there + (struct.pack("!BBH", 0, UDP, length) if len(here) == 4 else struct.pack("!II", length, UDP))
    checksum = _checksum(pseudo + udp + data) or 0xFFFF
    udp = struct.pack("!HHHH", source_port, target_port, length, checksum)
    if len(here) == 4:
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + length, 0, 0, 64, UDP, 0, here, there)
        head = head[:10] + struct.pack("!H", _checksum(head)) + head[12:]
    else:
        head = struct.pack("!IHBB16s16s", 6 << 28, length, UDP, 64, here, there)
    return head + udp + data


def _checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
