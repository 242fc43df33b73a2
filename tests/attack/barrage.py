"""Broken sound sent at a pace, by somebody who is a party of the call and by somebody who is not."""

import asyncio
import contextlib
import socket
import time
from random import Random

from tests.attack import broken_sound
from tests.peers.rtp import Rtp
from tests.peers.rtp_packet import RtpPacket
from tests.peers.wire import Address

HEAP = 0.01
"Seconds between two heaps of packets."
CROSSED = 0.05
"Share of packets that go to the other port of the pair."


async def broken(source: Rtp, aim: Address, count: int, random: Random, rate: float = 4000.0) -> None:
    """So many broken packets from a sound end point's own sockets, four of RTP to one of RTCP."""
    begin, sent = time.monotonic(), 0
    while sent < count:
        await asyncio.sleep(HEAP)
        while sent < min(count, (time.monotonic() - begin) * rate):
            like = RtpPacket(8, source.sequence, source.timestamp, source.ssrc, b"")
            is_rtp = random.random() < 0.8
            data = broken_sound.rtp(random, like) if is_rtp else broken_sound.rtcp(random, source.ssrc)
            port = aim[1] + (is_rtp == (random.random() < CROSSED))
            _send(source.rtp_socket if is_rtp else source.rtcp_socket, data, (aim[0], port))
            sent += 1


async def flood(source: Rtp, aim: Address, seconds: float, rate: float = 10_000.0) -> int:
    """Sound packets of the source's stream, so many a second, into one port; how many were sent."""
    begin, sent = time.monotonic(), 0
    while (passed := time.monotonic() - begin) < seconds:
        while sent < passed * rate:
            packet = RtpPacket(8, sent & 0xFFFF, sent * 160 & 0xFFFFFFFF, source.ssrc, bytes([0xD5]) * 160)
            _send(source.rtp_socket, bytes(packet), aim)
            sent += 1
        await asyncio.sleep(HEAP)
    return sent


def _send(through: socket.socket, data: bytes, aim: Address) -> None:
    with contextlib.suppress(BlockingIOError, ConnectionError):  # a full buffer is a flood's own affair
        through.sendto(data, aim)
