"""Greetings on real calls: every call of the carrier has a sound end point of its own, and so has every agent's."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from tests.e2e.dialling import Carrier
from tests.e2e.queues import QUEUE, log_in
from tests.peers import sound
from tests.peers.exchange import Received
from tests.peers.rtp import PAYLOADS, Rtp
from tests.peers.server import Server
from tests.peers.uas import Phone
from tests.peers.waiting import eventually

AGENT = 1100.0
"Hz that agents sound like."
CLEAR = 0.8
"Part of a packet's energy at a frequency from which it is heard."
CALL_ENDS = 120.0
"Seconds after which a call of the tests is over in any case."


@dataclass(slots=True, eq=False)
class Line:
    """One call that the carrier has answered."""

    number: str
    ring: Received
    rtp: Rtp
    began: float
    "When the first packet of its sound was due, by the monotonic clock."

    _looked: dict[float, tuple[int, float | None]] = field(default_factory=dict)
    "Packets that were looked at, by frequency, and when it was heard first."

    def heard_at(self, frequency: float) -> float | None:
        """When the first packet came that sounds like this, by the same clock."""
        done, found = self._looked.get(frequency, (0, None))
        packets = list(self.rtp.received)
        turn = np.exp(-2j * math.pi * frequency * np.arange(sound.FRAME) / sound.RATE)
        for one in packets[done:] if found is None else ():
            codec = PAYLOADS.get(one.packet.payload_type)
            samples = sound.decode(one.packet.payload, codec).astype(float) if codec else np.zeros(0)
            if len(samples) != sound.FRAME or sound.loudness(samples) < sound.SILENCE:
                continue
            if 2 * abs(samples @ turn) ** 2 / sound.FRAME >= CLEAR * float(np.sum(samples**2)):
                found = one.time
                break
        self._looked[frequency] = len(packets), found
        return found

    async def hears(self, frequency: float, within: float | None = None) -> float:
        """Wait for it."""
        found = await eventually(lambda: self.heard_at(frequency), f"{self.number} hears {frequency:g} Hz", within)
        return float(found or 0.0)

    async def hang_up(self) -> None:
        if self.ring.call.up:
            await (await self.ring.call.bye()).expect("2xx")
        self.rtp.close()

    async def ends(self, within: float | None = None) -> None:
        """Wait until it was hung up there."""
        await eventually(lambda: self.ring.call.ended, f"the call of {self.number} is over", within)
        self.rtp.close()


class Spoken:
    """What each number says when it is called."""

    def __init__(self, carrier: Carrier, sounds: Mapping[str, sound.Pcm]) -> None:
        self.sounds, self.lines = sounds, dict[str, Line]()
        carrier.usual = self._answer
        self._number_of = carrier.number_of

    async def line(self, number: str, within: float | None = None) -> Line:
        """Its call, once it was answered."""
        return await eventually(lambda: self.lines.get(number), f"{number} was called", within) or self.lines[number]

    async def _answer(self, ring: Received) -> None:
        ring.reply(180)
        number = self._number_of(ring)
        ring.call.rtp = rtp = Rtp(tone=AGENT)
        rtp.tone = None
        ring.reply(200)
        began = rtp.play(self.sounds[number])
        self.lines[number] = Line(number, ring, rtp, began)

    def close(self) -> None:
        for line in self.lines.values():
            line.rtp.close()


class Desk:
    """Agents behind one address, each call with a tone of its own end point."""

    def __init__(self, phone: Phone) -> None:
        self.phone = phone
        self.rung: list[str] = []
        "The extensions that were rung."
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    @asynccontextmanager
    async def open(cls, server: Server, extensions: Sequence[str]) -> AsyncIterator[Self]:
        """Logged in, with phones that answer by themselves."""
        async with await Phone.open("desk", sound=False) as phone:
            desk = cls(phone)
            for extension in extensions:
                await server.api.add_agent(phone.uri.replace("sip:desk@", f"sip:{extension}@"), extension)
                body = {"extension": extension, "queues": {QUEUE: 1}, "connection": "auto-answer"}
                await server.api.request("PUT", f"/v1/agent-profiles/{extension}", body)
                await log_in(server, extension)
            listening = asyncio.create_task(desk._listen())
            try:
                yield desk
            finally:
                for task in (listening, *desk._tasks):
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task

    async def _listen(self) -> None:
        while True:
            ring = await self.phone.expect("INVITE", within=3600)
            self.rung.append(ring.start.split("sip:")[1].partition("@")[0])
            task = asyncio.create_task(self._talk(ring))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _talk(self, ring: Received) -> None:
        with Rtp(tone=AGENT) as rtp:
            ring.call.rtp = rtp
            ring.reply(200)
            await eventually(lambda: ring.call.ended, "the agent's call is over", CALL_ENDS)
