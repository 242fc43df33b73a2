"""A caller with sockets of his own for sound, packet by packet as a test says, and what he hears."""

from __future__ import annotations

import base64
import itertools
import random
import select
import struct
import time
from dataclasses import dataclass
from typing import Any, Self

from tests.peers.rtp_packet import Rtcp, RtpPacket, read_rtcp
from tests.peers.sound_thread import bind_pair
from tests.unit.native.stack import PATIENCE, Peer, Stack

FRAME = 160
SSRCS = itertools.count(0x1000)
RECORD = struct.Struct("=iIIHBBQH")


class Talker:
    """A call into the stack, and its sound."""

    def __init__(self, stack: Stack, *, formats: str = "0 101", lines: str = "", events: int = 101) -> None:
        self.stack = stack
        self.peer = Peer(stack.udp)
        self.rtp, self.rtcp = bind_pair("127.0.0.1")
        self.port = self.rtp.getsockname()[1]
        self.formats, self.lines, self.events = formats, lines, events
        self.version = 1
        self.ssrc = next(SSRCS)
        self.sequence, self.timestamp = random.getrandbits(15), random.getrandbits(31)
        self.leg = -1

    def sdp(self) -> bytes:
        self.version += 1
        text = (
            f"v=0\r\no=- 1 {self.version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {self.port} RTP/AVP {self.formats}\r\na=rtpmap:{self.events} telephone-event/8000\r\n"
        )
        return (text + self.lines).encode()

    def __enter__(self) -> Self:
        answer = self.peer.call(body=self.sdp())
        self.aim = ("127.0.0.1", int(answer.raw.partition(b"m=audio ")[2].split()[0]))
        self.secured = b"a=crypto:" in answer.raw
        self.promised = int(answer.raw.partition(b"a=ssrc:")[2].split()[0])
        self.leg = self.stack.do("leg", call_id=self.peer.call_id)
        return self

    def __exit__(self, *_: object) -> None:
        self.peer.hang_up()
        for one in (self.rtp, self.rtcp, self.peer.socket):
            one.close()

    def again(self, **changes: Any) -> None:
        """A re-INVITE, with another description if so."""
        for name, value in changes.items():
            setattr(self, name, value)
        peer = self.peer
        answer = peer.ask(peer.request("INVITE", "Content-Type: application/sdp", body=self.sdp()))
        assert answer.status == 200
        peer.send(peer.request("ACK", cseq=peer.cseq))

    # --- out ---

    def send(self, payload: bytes, *, kind: int | None = None, step: int = FRAME, marker: bool = False) -> None:
        """One packet; the next number, the time a frame later."""
        self.sequence = self.sequence + 1 & 0xFFFF
        self.timestamp = self.timestamp + step & 0xFFFFFFFF
        kind = int(self.formats.split()[0]) if kind is None else kind
        self.raw(bytes(RtpPacket(kind, self.sequence, self.timestamp, self.ssrc, payload, marker)))

    def raw(self, packet: bytes) -> None:
        self.rtp.sendto(packet, self.aim)

    def report(self, packet: bytes) -> None:
        self.rtcp.sendto(packet, (self.aim[0], self.aim[1] + 1))

    def key(self, digit: int, *, duration: int = 320, end: bool = False, first: bool = False) -> None:
        """One packet of a telephone-event, which keeps the time of its beginning."""
        self.send(struct.pack("!BBH", digit, 0x80 * end | 10, duration), kind=self.events, step=0, marker=first)

    # --- in ---

    def hear(self, wanted: bytes) -> list[RtpPacket]:
        """All that comes up to the packet with this payload, that one included."""
        found: list[RtpPacket] = []
        end = time.monotonic() + PATIENCE
        while not found or found[-1].payload != wanted:
            left = end - time.monotonic()
            assert left > 0, f"{wanted[:4]!r} did not come, but {[one.payload[:4] for one in found[-20:]]}"
            if select.select([self.rtp], [], [], left)[0]:
                found.append(RtpPacket.parse(self.rtp.recv(4096)))
        return found

    def waiting(self, seconds: float) -> list[RtpPacket]:
        """All that is there, and what comes until it has been silent so long."""
        found: list[RtpPacket] = []
        while select.select([self.rtp], [], [], seconds)[0]:
            found.append(RtpPacket.parse(self.rtp.recv(4096)))
        return found

    def reported(self, kind: int = 200) -> Rtcp:
        """The next report of this kind (RFC 3550: 200 sender's, 201 receiver's, 203 goodbye)."""
        end = time.monotonic() + PATIENCE
        while (left := end - time.monotonic()) > 0:
            if select.select([self.rtcp], [], [], left)[0]:
                for one in read_rtcp(self.rtcp.recv(4096)):
                    if one.kind == kind:
                        return one
        raise AssertionError(f"no report {kind}")

    # --- the stack's side ---

    @property
    def sound(self) -> Sound:
        return Sound(*self.stack.do("sound", call="leg_sound", arguments=[self.leg]))

    def refused(self) -> dict[str, int]:
        reasons = self.stack.do("sound", call="sound_reasons", arguments=[])
        counts = self.stack.do("sound", call="sound_refused", arguments=[self.leg, 0])
        return {reason: n for reason, n in zip(reasons, counts, strict=True) if n}


@dataclass(frozen=True, slots=True)
class Sound:
    """What `tandem_leg_sound` tells, by name."""

    joined: int
    payload_type: int
    rate: int
    heard: int
    octets: int
    sent: int
    unsent: int
    lost: int
    lost_in_runs: int
    late: int
    again: int
    jitter: int
    round_trip: int
    since_rtp: int
    since_rtcp: int
    told_loss: int


@dataclass(frozen=True, slots=True)
class Record:
    """One packet that a tap has kept."""

    tag: int
    ssrc: int
    timestamp: int
    sequence: int
    payload_type: int
    flags: int
    arrival: int
    payload: bytes


def taken(stack: Stack) -> tuple[list[Record], int]:
    """All records that wait, and how many were lost."""
    text, lost = stack.do("sound", call="taps_take", arguments=[])
    data, at, records = base64.b64decode(text), 0, []
    while at < len(data):
        tag, ssrc, timestamp, sequence, kind, flags, arrival, size = RECORD.unpack_from(data, at)
        start = at + RECORD.size
        payload = data[start : start + size]
        records.append(Record(tag, ssrc, timestamp, sequence, kind, flags, arrival, payload))
        at += RECORD.size + size + 7 & ~7
    return records, lost


def join(a: Talker, b: Talker) -> int:
    """0, or what was in the way. What the legs' own streams have said before is forgotten."""
    status = int(a.stack.do("sound", call="relay_join", arguments=[a.leg, b.leg]))
    for talker in (a, b):
        talker.waiting(0)
    return status


def part(a: Talker) -> None:
    assert a.stack.do("sound", call="relay_part", arguments=[a.leg]) == 0


def counted(stack: Stack) -> dict[str, int]:
    """Packets of all legs."""
    return dict(stack.do("sound", call="relay_counters", arguments=[]))


def eventually(fact: Any) -> None:
    """Waits until this is true."""
    end = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < end
        time.sleep(0.002)
