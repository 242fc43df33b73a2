"""A sound end point that speaks any codec and any packet length: its sound is encoded before it is sent, what it hears
is decoded when it is asked for."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tests.peers import sound
from tests.peers.coding import CODINGS, Coding
from tests.peers.rtp import Rtp
from tests.peers.sdp import Sdp
from tests.peers.waiting import deadline

SECONDS = 1.0
"Of tone, repeated: whole periods of any frequency in Hertz."
VOCODERS = ("GSM", "G729")
BREATH = 0.06
"Seconds of silence before a tone of theirs."
FULL_SCALE = 3.14
"dBm0 of the loudest sine."


@dataclass(frozen=True, slots=True)
class Heard:
    """What came out of the decoder."""

    pcm: sound.Pcm
    rate: int

    def _blocks(self) -> list[sound.Pcm]:
        size = sound.BLOCK * self.rate // sound.RATE
        return [self.pcm[at : at + size] for at in range(0, len(self.pcm) - size + 1, size)]

    def share(self, frequency: float) -> float:
        """Of the energy, at a frequency, in most blocks of 80 ms: a slip of somebody's clock is in one of them."""
        return float(np.median([sound.share(block, frequency, self.rate) for block in self._blocks()]))

    def level(self) -> float:
        """In dBm0, of most blocks."""
        loud = float(np.median([sound.loudness(block) for block in self._blocks()]))
        return FULL_SCALE + 20 * math.log10(max(loud, 1e-3) * math.sqrt(2) / 32767)

    def part(self, frequency: float) -> float:
        """Level of what is at a frequency, in dBm0."""
        return self.level() + 10 * math.log10(max(self.share(frequency), 1e-9))


class CodedRtp(Rtp):
    """`ptime` is milliseconds in a packet that it sends."""

    def __init__(self, codec: str, *, tone: float | None = None, ptime: int = 20, level: float = 8000.0) -> None:
        self.coding: Coding = CODINGS[codec]
        self.ptime = ptime
        self.number: int | None = None
        "Payload type of the coding, from the SDP."
        self.drop: frozenset[int] = frozenset()
        "Packets that are lost on their way: numbers modulo 100."
        self._count = 0
        super().__init__(tone=tone)
        self.level = level
        self.period = ptime / 1000
        self._payloads = self._tone()

    def _tone(self) -> list[bytes]:
        """Repeated until its packets come out even; the encoder has run in by then, and is not heard doing so.

        A codec that models a voice begins each second anew: a decoder that comes later finds no pitch to go on from.
        """
        rate, rounds = self.coding.rate, 1 if 1000 % self.ptime == 0 else 3
        assert self.tone is not None
        once = sound.tone(self.tone, 0, int(rate * SECONDS * rounds), self.level, rate).astype(np.int16)
        if self.coding.name in VOCODERS:
            once[: int(BREATH * rate)] = 0
        coded = self.coding.encode(np.concatenate([once, once]), self.ptime)
        return coded[len(coded) // 2 :]

    @property
    def sent_level(self) -> float:
        """In dBm0."""
        return FULL_SCALE + 20 * math.log10(self.level / 32767)

    def follow(self, description: Sdp, *, send: bool = True, codecs: Sequence[str] = ()) -> None:
        audio = description.audio
        self.number = audio.payload_type(self.coding.name)
        self.events_type = audio.payload_type("telephone-event") or self.events_type
        self.remote = (audio.connection, audio.port)
        if send and self.number is not None and audio.port and audio.direction in ("sendrecv", "recvonly"):
            self.resume()
        else:
            self.pause()

    def _send_frame(self, now: float) -> None:
        self.timestamp = (self.timestamp + self.ptime * self.coding.clock // 1000) & 0xFFFFFFFF
        payload = self._payloads[self._count % len(self._payloads)]
        self._count += 1
        if self._count % 100 in self.drop:
            self.sequence = (self.sequence + 1) & 0xFFFF
        elif self.number is not None:
            self._transmit(self.number if self.payload_type is None else self.payload_type, payload)

    async def hear(self, seconds: float = 0.64, skip: float = 0.3, within: float | None = None) -> Heard:
        """What comes from now on, as its codec gives it back: so many seconds of sound, after `skip` of them."""
        began, end = len(self.received), deadline(within)
        while True:
            packets = [one.packet for one in list(self.received) if one.packet.payload_type == self.number]
            fresh = len([one for one in list(self.received)[began:] if one.packet.payload_type == self.number])
            length = self._length(packets)
            if fresh * length >= skip + seconds:
                break
            loop = asyncio.get_running_loop()
            assert loop.time() < end, f"{fresh} packets of {self.coding.name}: {self.describe()}"
            await asyncio.sleep(0.05)
        ordered = sorted({p.sequence: p for p in packets}.values(), key=lambda p: p.timestamp)
        pcm = await asyncio.to_thread(self.coding.decode, [p.payload for p in ordered])
        return Heard(pcm[-int(seconds * self.coding.rate) :], self.coding.rate)

    def _length(self, packets: Sequence[object]) -> float:
        """Seconds of sound in a packet that comes in, by the timestamps."""
        return self.heard_ptime / 1000 if packets else 0.0

    @property
    def heard_ptime(self) -> int:
        """Milliseconds in the packets that come, as the timestamps of the last ones say."""
        times = [one.packet.timestamp for one in list(self.received)[-20:] if one.packet.payload_type == self.number]
        steps = sorted((b - a) % 2**32 for a, b in pairwise(times))
        return steps[len(steps) // 2] * 1000 // self.coding.clock if steps else 20
