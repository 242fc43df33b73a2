"""What a leg has lost whose sound an ear of the conference hears: its packets are looked through, not decoded."""

from collections.abc import Sequence

from media.recording.packets import LINEAR, Packet
from media.recording.track import Track

PACKET = 0.02
"Seconds of sound in a packet, until two in a row have told."
LONGEST = 0.12
"Seconds between two packets in a row that are one packet's sound; what is further apart is a pause."
G722 = 8000
"Of its RTP timestamps, though it is sampled at 16 kHz (RFC 3551 4.5.2)."


def rtp_clock(codec: str, rate: int) -> int:
    """Timestamps a second of a codec that has this many samples a second by name."""
    return G722 if codec.upper() == "G722" else rate


class Missed:
    """A leg's packets on the time line of its recording, each as silence of its length; positions count its RTP clock.

    The conference has its jitter buffer between packet and sound, so what it hears is a few hundredths of a second
    later than what is marked here.
    """

    def __init__(self, begin: int, clock: int, at: int) -> None:
        """`begin`: when the recording began, microseconds; `at`: position to begin with."""
        self.track = Track(begin, clock, at, on=False)
        self._size = round(PACKET * clock)
        self._last: Packet | None = None

    def feed(self, packets: Sequence[Packet]) -> None:
        """In the order of their arrival; keys and comfort noise among them do no harm."""
        for packet in packets:
            last, self._last = self._last, packet
            if last is not None and packet.sequence == (last.sequence + 1) & 0xFFFF and packet.ssrc == last.ssrc:
                step = (packet.timestamp - last.timestamp) & 0xFFFFFFFF
                if 0 < step <= LONGEST * self.track.rate:
                    self._size = step
            self.track.feed((packet._replace(payload_type=LINEAR, payload=bytes(2 * self._size)),))
