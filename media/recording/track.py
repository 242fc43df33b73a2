"""One leg's sound on the time line of its recording: packets in as they came, samples out with every gap filled.

RTP says how the packets of one stream stand to each other, the clock of arrival where the stream stands in the call.
Pure: positions are samples since the recording's begin, at the track's rate.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from media.recording import g711
from media.recording.conceal import HISTORY, conceal
from media.recording.g711 import Pcm
from media.recording.packets import LINEAR, Packet

EARLY = 0.1
"Seconds a packet may stand before its arrival on the time line; a stream further ahead is placed anew."
DRIFT = 0.03
"Seconds by which a far end's clock may be off before the stream is moved by as much."
LOOK = 4.0
"Seconds over which the least delay is looked for: whatever is more is jitter."
SEAM = 0.04
"Seconds up to which a hole without a loss is filled as well: a stream that was moved, not one that rests."
LATE_NUMBERS = 512
"Packet numbers that are remembered, to know one that comes twice from one that comes late."


@dataclass(frozen=True, slots=True)
class Loss:
    """Packets that never came."""

    at: int
    "Position."
    packets: int
    samples: int
    "How much of the time line they leave open."


@dataclass(slots=True)
class Counted:
    """What became of a leg's packets."""

    packets: int = 0
    "Those whose sound is in the file."
    lost: int = 0
    late: int = 0
    "They came when their place in the file was written."
    duplicates: int = 0
    reordered: int = 0
    unreadable: int = 0
    "Not G.711, and not from an ear: keys, comfort noise, another codec."
    streams: int = 0
    "How often a stream was placed on the time line: one, and one more for each change of its source or its clock."
    moved: int = 0
    "Samples by which streams were moved because of their clocks, both ways."


@dataclass(slots=True)
class _Piece:
    """Sound of packets that follow one another."""

    at: int
    sound: Pcm
    stream: int
    first: int
    "Number of the first packet, counted on beyond 16 bits."
    last: int
    size: int
    "Samples of one packet."

    @property
    def end(self) -> int:
        return self.at + len(self.sound)


class Track:
    """One leg.  `feed` packets, then `take` what is old enough that nothing more is to be expected."""

    def __init__(self, begin: int, rate: int, at: int = 0, *, on: bool = True) -> None:
        """`begin`: when the recording began (microseconds of the arrivals' clock); `at`: position to begin with; `on`:
        as of `gate`."""
        self.rate = rate
        self.counted = Counted()
        self.losses: list[Loss] = []
        "Since they were taken away last."
        self.payload_type = -1
        "Of the last packet with sound."
        self._begin = begin
        self._taken = at
        self._pieces: list[_Piece] = []
        self._rest: Pcm | None = None
        "What of the last piece lies beyond what was taken."
        self._past = np.zeros(round(HISTORY * rate), np.int16)
        self._ssrc = -1
        self._anchor = (0, 0)
        "A time stamp and its position."
        self._highest = 0
        "Number of the newest packet."
        self._seen = 0
        "Which of the numbers up to it have come, one bit each."
        self._settled = (0, 0, 0)
        "Stream, number and end of the last piece that was taken."
        self._least: int | None = None
        "The least delay of this look."
        self._look_from = 0
        self._gates: deque[tuple[int, bool]] = deque()
        self._open = on

    def position(self, moment: int) -> int:
        """A moment (microseconds) on the time line."""
        return (moment - self._begin) * self.rate // 1_000_000

    def gate(self, moment: int, on: bool) -> None:
        """From this moment on the leg is written, or silence in its place."""
        self._gates.append((max(self.position(moment), self._taken), on))

    def feed(self, packets: Sequence[Packet]) -> None:
        """Packets in the order of their arrival."""
        at = 0
        while at < len(packets):
            first = packets[at]
            stop = at + 1
            size = len(first.payload) // self._width(first)
            sequence, timestamp = first.sequence, first.timestamp
            while stop < len(packets):
                packet = packets[stop]
                sequence, timestamp = (sequence + 1) & 0xFFFF, (timestamp + size) & 0xFFFFFFFF
                if (
                    packet.sequence != sequence
                    or packet.timestamp != timestamp
                    or packet.ssrc != first.ssrc
                    or packet.payload_type != first.payload_type
                    or len(packet.payload) != len(first.payload)
                ):
                    break
                stop += 1
            self._run(packets[at:stop], size)
            at = stop

    def take(self, upto: int) -> Pcm:
        """All samples from where the last call stopped to this position: what did not come is silence."""
        begin = self._taken
        out = np.zeros(max(0, upto - begin), np.int16)
        if not len(out):
            return out
        if self._rest is not None:
            rest, self._rest = self._rest, None
            self._put(out, begin, begin, rest)
        self._pieces.sort(key=lambda piece: (piece.at, piece.first))
        due = 0
        for piece in self._pieces:
            if piece.at >= upto:
                break
            due += 1
            self._settle(piece, out, begin)
            self._put(out, begin, piece.at, piece.sound)
        if due:
            del self._pieces[:due]
        self._close_gates(out, begin, upto)
        self._past = np.concatenate((self._past, out))[-len(self._past) :]
        self._taken = upto
        return out

    def _width(self, packet: Packet) -> int:
        """Octets of one sample."""
        return 2 if packet.payload_type == LINEAR else 1

    def _run(self, packets: Sequence[Packet], size: int) -> None:
        """Packets that follow one another without a gap."""
        first = packets[0]
        arrived = self.position(first.arrival)
        if first.ssrc != self._ssrc:
            self._ssrc, self._highest, self._seen = first.ssrc, first.sequence - 1, 0
            self._place(first.timestamp, arrived)
        number = self._highest + _signed(first.sequence - self._highest, 16)
        if number <= self._highest:
            if len(packets) > 1:  # an old one and what follows it: each for itself
                for packet in packets:
                    self._run([packet], size)
                return
            if not self._missed(number):
                self.counted.duplicates += 1
                return
            self.counted.reordered += 1
            self._seen |= 1 << (self._highest - number)
        last = number + len(packets) - 1
        newer = number > self._highest
        if newer:
            self._seen = ((self._seen << (last - self._highest)) | ((1 << len(packets)) - 1)) & _MASK
            self._highest = last
        if first.payload_type != LINEAR and not g711.decodes(first.payload_type):
            self.counted.unreadable += len(packets)
            at = max(min(self._at(first.timestamp), arrived + round(EARLY * self.rate)), self._taken)
            self._pieces.append(_Piece(at, _NOTHING, self.counted.streams, number, last, 0))
            return
        at = self._at(first.timestamp)
        if newer:
            # the last one tells: a network that stood still delivers what is too late and what is not in one go
            if at + (len(packets) - 1) * size < self._taken or at - arrived > EARLY * self.rate:
                self._place(first.timestamp, arrived)
                at = self._at(first.timestamp)
            at += self._watch_clock(packets, at, size)
        elif at - arrived > EARLY * self.rate:  # an old number with a time to come is no sound of this stream
            self.counted.late += 1
            return
        late = min(len(packets), max(0, (self._taken - at) // size)) if size else 0
        self.counted.late += late
        if late == len(packets):
            return
        self.payload_type = first.payload_type
        self.counted.packets += len(packets) - late
        self._pieces.append(_Piece(at, self._decoded(packets), self.counted.streams, number, last, size))

    def _decoded(self, packets: Sequence[Packet]) -> Pcm:
        payload = packets[0].payload if len(packets) == 1 else b"".join([packet.payload for packet in packets])
        if packets[0].payload_type == LINEAR:
            return np.frombuffer(payload[: len(payload) & ~1], np.int16)
        return g711.decode(packets[0].payload_type, payload)

    def _missed(self, number: int) -> bool:
        """Whether an old packet is one that had not come yet."""
        back = self._highest - number
        return back < LATE_NUMBERS and not self._seen >> back & 1

    # -- where a stream stands

    def _place(self, timestamp: int, at: int) -> None:
        """The stream stands here from now on."""
        self._anchor = (timestamp, max(at, self._taken))
        self.counted.streams += 1
        self._least = None
        self._look_from = at

    def _at(self, timestamp: int) -> int:
        since, at = self._anchor
        return at + _signed(timestamp - since, 32)

    def _watch_clock(self, packets: Sequence[Packet], at: int, size: int) -> int:
        """By how much the stream is moved now, because its clock and ours are apart."""
        for number, packet in enumerate(packets):
            delay = self.position(packet.arrival) - at - number * size
            if self._least is None or delay < self._least:
                self._least = delay
        if at - self._look_from < LOOK * self.rate or self._least is None:
            return 0
        off, self._least, self._look_from = self._least, None, at
        moved = 0 if abs(off) < DRIFT * self.rate else max(off, self._taken - at)
        self._anchor = (packets[0].timestamp, at + moved)  # never far behind: time stamps go round
        self.counted.moved += abs(moved)
        return moved

    # -- what is written

    def _settle(self, piece: _Piece, out: Pcm, begin: int) -> None:
        """Fill what is open before a piece, where it was lost."""
        stream, number, end = self._settled
        hole = piece.at - end
        missing = piece.first - number - 1 if stream == piece.stream else 0
        # keys and comfort noise take numbers as well, but more of them than the time they fill
        lost = missing > 0 and hole > 0 and 0 < missing * piece.size <= hole
        if lost:
            self.counted.lost += missing
            self.losses.append(Loss(end, missing, missing * piece.size))
        filled = end >= begin and hole > 0 and stream == piece.stream and (lost or hole <= SEAM * self.rate)
        # what was open before is written as silence already; and nothing of a pause may come back here
        if filled and self._open and not (self._gates and self._gates[0][0] <= piece.at):
            start = end - begin
            past = np.concatenate((self._past, out[:start]))[-len(self._past) :]
            out[start : start + hole] = conceal(past, hole, self.rate)[: len(out) - start]
        if stream != piece.stream or piece.last > number:
            self._settled = (piece.stream, piece.last, max(piece.end, end) if stream == piece.stream else piece.end)

    def _put(self, out: Pcm, begin: int, at: int, sound: Pcm) -> None:
        """Sound into what is being taken; what lies beyond waits."""
        start = max(0, begin - at)
        room = begin + len(out) - at
        if start < min(len(sound), room):
            out[at - begin + start : at - begin + min(len(sound), room)] = sound[start:room]
        if len(sound) > room:
            self._rest = sound[max(0, room) :]

    def _close_gates(self, out: Pcm, begin: int, upto: int) -> None:
        at = begin
        while at < upto:
            until = min(self._gates[0][0], upto) if self._gates else upto
            if not self._open:
                out[at - begin : until - begin] = 0
            at = max(at, until)
            while self._gates and self._gates[0][0] <= at:
                self._open = self._gates.popleft()[1]


_MASK = (1 << LATE_NUMBERS) - 1
_NOTHING = np.zeros(0, np.int16)


def _signed(difference: int, bits: int) -> int:
    """A difference of two counters that go round."""
    half = 1 << (bits - 1)
    return (difference + half & (1 << bits) - 1) - half
