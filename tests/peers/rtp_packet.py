"""RTP and RTCP on the wire (RFC 3550), telephone-events (RFC 4733): packing and reading, no sockets."""

import struct
from dataclasses import dataclass

KEYS = "0123456789*#ABCD"
"Digit of each telephone-event number, 0 to 15."


@dataclass(frozen=True, slots=True)
class RtpPacket:
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False

    def __bytes__(self) -> bytes:
        second = self.payload_type | (0x80 if self.marker else 0)
        head = struct.pack("!BBHII", 0x80, second, self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF, self.ssrc)
        return head + self.payload

    @classmethod
    def parse(cls, data: bytes) -> "RtpPacket":
        """ValueError when this is not RTP version 2."""
        if len(data) < 12 or data[0] >> 6 != 2:
            raise ValueError("not RTP")
        first, second, sequence, timestamp, ssrc = struct.unpack_from("!BBHII", data)
        start = 12 + 4 * (first & 15)
        if first & 0x10 and len(data) >= start + 4:  # header extension
            start += 4 + 4 * struct.unpack_from("!H", data, start + 2)[0]
        end = len(data) - (data[-1] if first & 0x20 else 0)
        return cls(second & 0x7F, sequence, timestamp, ssrc, data[start:end], bool(second & 0x80))


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """The payload of one telephone-event packet."""

    digit: str
    duration: int
    "In timestamp units (8 to the millisecond)."
    end: bool = False
    volume: int = 10

    def __bytes__(self) -> bytes:
        return struct.pack("!BBH", KEYS.index(self.digit), (0x80 if self.end else 0) | self.volume, self.duration)

    @classmethod
    def parse(cls, payload: bytes) -> "KeyEvent":
        """ValueError for a payload that is cut short or an event that is no key."""
        if len(payload) < 4 or payload[0] > 15:
            raise ValueError("not a key event")
        number, flags, duration = struct.unpack_from("!BBH", payload)
        return cls(KEYS[number], duration, bool(flags & 0x80), flags & 0x3F)


@dataclass(frozen=True, slots=True)
class Rtcp:
    """One packet of a compound: 200 SR, 201 RR, 202 SDES, 203 BYE."""

    kind: int
    ssrc: int
    body: bytes


def sender_report(
    ssrc: int,
    ntp: float,
    timestamp: int,
    packets: int,
    octets: int,
    name: str = "peer",
    heard: tuple[int, int] | None = None,
    lost: int = 0,
) -> bytes:
    """A compound of a sender report and the SDES that must follow it.

    `heard` is SSRC and highest sequence number of the stream that the one report block is about; None: no block.
    `lost` is its fraction lost, in 1/256.
    """
    seconds = int(ntp) + 2_208_988_800
    fraction = int((ntp % 1) * 2**32)
    block = b"" if heard is None else struct.pack("!IIIIII", heard[0], lost << 24, heard[1], 0, 0, 0)
    head = struct.pack("!BBHI", 0x80 + bool(block), 200, 6 + len(block) // 4, ssrc)
    report = head + struct.pack("!IIIII", seconds, fraction, timestamp & 0xFFFFFFFF, packets, octets) + block
    item = struct.pack("!BB", 1, len(name)) + name.encode() + b"\0"
    item += b"\0" * (-len(item) % 4)
    return report + struct.pack("!BBHI", 0x81, 202, 1 + len(item) // 4, ssrc) + item


def read_rtcp(data: bytes) -> list[Rtcp]:
    """The packets of a compound; what is broken ends the list."""
    found = []
    while len(data) >= 8 and data[0] >> 6 == 2:
        size = 4 * (struct.unpack_from("!H", data, 2)[0] + 1)
        found.append(Rtcp(data[1], struct.unpack_from("!I", data, 4)[0], data[8:size]))
        data = data[size:]
    return found
