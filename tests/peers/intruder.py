"""Somebody on the network who knows the ports of a call and wants to be heard in it, or to hear it."""

import random
import struct
import time
from typing import Self

from tests.peers import sound
from tests.peers.rtp import Rtp
from tests.peers.rtp_packet import RtpPacket, sender_report

BURST = 300
"Packets at once: six seconds of sound."


class Intruder(Rtp):
    """A sound end point at an address of its own that speaks without being asked."""

    def __init__(self, host: str = "127.0.0.66") -> None:
        super().__init__(host)

    def copy(self, victim: Rtp) -> None:
        """Speak as if it were the victim: SSRC, sequence numbers and timestamps are its."""
        self.ssrc, self.sequence, self.timestamp = victim.ssrc, victim.sequence, victim.timestamp

    def burst(self, target: tuple[str, int], packets: int = BURST) -> None:
        """As many packets as the socket takes, at once."""
        for number in range(packets):
            self.sequence = (self.sequence + 1) & 0xFFFF
            self.timestamp = (self.timestamp + sound.FRAME) & 0xFFFFFFFF
            frame = sound.tone(self.tone or 1000.0, number * sound.FRAME, sound.FRAME, self.level)
            packet = RtpPacket(8, self.sequence, self.timestamp, self.ssrc, sound.encode(frame, "PCMA"))
            self.rtp_socket.sendto(bytes(packet), target)

    def say_goodbye(self, target: tuple[str, int], ssrc: int) -> None:
        """A report and an RTCP BYE in the name of another stream."""
        report = sender_report(ssrc, time.time(), self.timestamp, 1, 160)
        self.rtcp_socket.sendto(report + struct.pack("!BBHI", 0x81, 203, 1, ssrc), (target[0], target[1] + 1))

    def nonsense(self, target: tuple[str, int], packets: int = 50) -> None:
        """Datagrams of any length with anything in them."""
        for _ in range(packets):
            self.rtp_socket.sendto(random.randbytes(random.randrange(300)), target)

    def __enter__(self) -> Self:
        return self

    @property
    def got_nothing(self) -> bool:
        """Whether not one packet of the call came here."""
        return self.packets_received == 0 and not self.reports
