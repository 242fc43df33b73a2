"""What a leg's sound was, and is now: counters of its RTP and RTCP, and the figures that are made of them.  Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from media.quality import burst_ratio, codec_of, mos

SPAN = 5.0
"Seconds: figures of now are those of the last 5 to 10."
PACKET_MS = 20.0
"Sound in one packet where nothing else is known (RFC 3551, section 4.2)."


class LegSound(NamedTuple):
    """Counters of a leg's audio line since it began, in the order in which `tandem_leg_sound` gives them.

    A named tuple, because one is made for each leg and second.
    """

    relayed: int
    "1: packets of the other leg go out as they came in; 0: they go through the conference."
    payload_type: int
    rate: int
    "Hz of the RTP clock."
    packets: int
    "RTP packets that came in."
    octets: int
    sent: int
    "RTP packets that went out."
    unsent: int
    "Those that the system did not take."
    lost: int
    "Sequence numbers that never came."
    lost_in_runs: int
    "Of them, those that had a lost neighbour."
    disordered: int
    duplicates: int
    jitter_us: int
    "Microseconds (RFC 3550, section 6.4.1)."
    rtt_us: int
    "Round trip in microseconds; -1: no report has told it."
    rtp_age_ms: int
    "Milliseconds since the last RTP packet; -1: none has come."
    rtcp_age_ms: int
    "The same of RTCP."
    told_loss: int
    "What the far end reports to have lost of ours lately, in 1/256; -1: it has reported nothing about us."


NOTHING = LegSound(0, 0, 8000, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1)
"A line on which nothing has happened."


@dataclass(frozen=True, slots=True)
class Line:
    """What was agreed for a leg's audio line, and what our own end of it adds."""

    codec: str
    "As in SDP; empty: not known."
    packet_ms: float = PACKET_MS
    "Sound in one packet."
    buffer_ms: float = 0.0
    "Mean delay of our jitter buffer; a leg that is relayed has none."
    receives: bool = True
    "By the SDP in force the far end may send to us."
    pauses: bool = False
    "The far end has said that it sends nothing while nobody speaks (comfort noise, silence suppression)."


@dataclass(frozen=True, slots=True)
class Figures:
    """How the far end's sound reaches us."""

    received: int
    lost: int
    loss: float
    "Share, 0 to 1."
    burst: float
    "Burst ratio (G.107): 1 for random loss, up to 8."
    jitter_ms: float
    rtt_ms: float | None
    "None: the far end has told none."
    mos: float | None
    "None where nothing came, or where nothing is known of the codec."


def figures(after: LegSound, before: LegSound, line: Line) -> Figures:
    """Of what came between two readings."""
    if after.packets < before.packets or after.lost < before.lost:
        before = NOTHING  # counted anew, or a late packet was not lost after all
    received, lost = after.packets - before.packets, after.lost - before.lost
    in_runs = min(lost, max(0, after.lost_in_runs - before.lost_in_runs))
    loss = lost / (received + lost) if received + lost else 0.0
    burst = burst_ratio(received, lost, in_runs)
    rtt_ms = after.rtt_us / 1000 if after.rtt_us >= 0 else None
    codec, score = codec_of(line.codec), None
    if received and codec is not None:
        delay = (rtt_ms or 0.0) / 2 + (0.0 if after.relayed else line.buffer_ms) + line.packet_ms
        score = mos(delay, loss, codec, burst)
    return Figures(received, lost, loss, burst, after.jitter_us / 1000, rtt_ms, score)


COUNTED = ("packets", "octets", "sent", "unsent", "lost", "lost_in_runs", "disordered", "duplicates")


def difference(after: LegSound, before: LegSound) -> LegSound:
    """What was counted between two readings; the other figures are those of the later one."""
    if after.packets < before.packets:
        before = NOTHING
    counted = {name: max(0, getattr(after, name) - getattr(before, name)) for name in COUNTED}
    return after._replace(**counted)


class Recent:
    """Where the figures of now begin."""

    __slots__ = ("_newer", "_older", "_turned")

    def __init__(self, now: float, sound: LegSound) -> None:
        self._older = self._newer = sound
        self._turned = now

    def look(self, now: float, sound: LegSound) -> bool:
        """Once in `SPAN` seconds True: now is a good moment to judge."""
        if now - self._turned < SPAN:
            return False
        self._older, self._newer, self._turned = self._newer, sound, now
        return True

    def figures(self, sound: LegSound, line: Line) -> Figures:
        """Of the last seconds."""
        return figures(sound, self._older, line)
