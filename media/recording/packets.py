"""Packets of the recorded legs as the native tap hands them over: records in one block of bytes, of all legs mixed."""

import struct
from collections.abc import Mapping
from typing import NamedTuple

RECORD = struct.Struct("=iIIHBBQH")
"Tag, SSRC, timestamp, sequence number, payload type, flags, arrival, size of the payload that follows."
ALIGN = 8
"Each record begins at a multiple of this."
LINEAR = 255
"Payload type of what an ear of the conference heard: 16-bit samples in the machine's byte order."


class Packet(NamedTuple):
    """One RTP packet with sound, or something in its place: what counts is that its number is taken."""

    ssrc: int
    timestamp: int
    "Counts samples; 32 bits, goes round."
    sequence: int
    "16 bits, goes round."
    payload_type: int
    arrival: int
    "Microseconds of the monotonic clock."
    payload: bytes


def by_tag(records: bytes) -> Mapping[int, list[Packet]]:
    """The packets of each leg in the order of their arrival; a record that is cut short ends it."""
    found: dict[int, list[Packet]] = {}
    at, end, head = 0, len(records), RECORD.size
    unpack = RECORD.unpack_from
    while at + head <= end:
        tag, ssrc, timestamp, sequence, payload_type, _, arrival, size = unpack(records, at)
        start = at + head
        if start + size > end:
            break
        packet = Packet(ssrc, timestamp, sequence, payload_type, arrival, records[start : start + size])
        legs = found.get(tag)
        if legs is None:
            found[tag] = [packet]
        else:
            legs.append(packet)
        at = start + size + (-(head + size)) % ALIGN
    return found


def record(tag: int, packet: Packet) -> bytes:
    """One packet as the tap writes it."""
    head = RECORD.pack(
        tag, packet.ssrc, packet.timestamp, packet.sequence, packet.payload_type, 0, packet.arrival, len(packet.payload)
    )
    made = head + packet.payload
    return made + bytes(-len(made) % ALIGN)
