"""Random transitions on the real engine in one process: legs with real dialogs and sockets, of ours on both ends, are
called, joined, held, played to, recorded, tapped, handed on and hung up in any order; then nothing may be left.

    python -m tests.unit.media.walk 100000 --seed 7
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pjsua2 as pj

from media import BEEP, BUSY, RINGBACK, Bridge, Desk, Playing, Recording, Sound, SoundError, Tap, Way, bridge, wav
from media.hearing import Hearing
from media.pj import Conference, close_desk, configure, open_desk
from media.tones import cadence_samples
from tests.peers.waiting import eventually
from tests.unit.media.walkers import Door, Engine, Half

LEGS = 16
"Most at a time, two for each call: what one says to the other is a stream of its own at both ends."
SETTLE = 25
"Transitions between two moments in which the engine may work."
LOOK = 100
"Transitions between two comparisons of what we think with what the native part does."
CODECS = ("PCMA/8000", "PCMU/8000")


class Walk:
    """The engine, and what goes on on it."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.random = random.Random(seed)
        self.folder = folder
        self.numbers = iter(range(10**9))
        self.halves: dict[Half, None] = {}
        self.dead: list[Half] = []
        self.bridges: list[Bridge] = []
        self.hearings: list[Hearing] = []
        self.playings: list[Playing] = []
        self.recordings: list[Recording] = []
        self.taps: list[Tap] = []
        self.native_taps: list[int] = []
        self.readers: set[asyncio.Task[int]] = set()
        self.faults: list[str] = []
        self.counts: Counter[str] = Counter()
        self.relayed = self.compared = 0
        self.loop = asyncio.get_running_loop()
        self._later: list[tuple[Callable[..., object], tuple[object, ...]]] = []

    # -- the engine

    async def start(self) -> None:
        self.endpoint = Engine(self)
        self.endpoint.libCreate()
        config = pj.EpConfig()
        config.uaConfig.threadCnt = 0
        config.uaConfig.maxCalls = 4 * LEGS
        config.logConfig.level = config.logConfig.consoleLevel = 0
        configure(config.medConfig, legs=4 * LEGS)
        self.endpoint.libInit(config)
        transport = pj.TransportConfig()
        transport.boundAddress = "127.0.0.1"
        udp = self.endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
        for codec in self.endpoint.codecEnum2():
            self.endpoint.codecSetPriority(codec.codecId, 200 if codec.codecId.startswith(CODECS) else 0)
        self.endpoint.libStart()
        self.rule = pj.tandem_source_rule((), 1, 1, 0, 500)
        self.port = int(self.endpoint.transportGetInfo(udp).localName.rpartition(":")[2])
        account = pj.AccountConfig()
        account.idUri = f"sip:walk@127.0.0.1:{self.port}"
        account.sipConfig.transportId = udp
        account.mediaConfig.ipv6Use = pj.PJSUA_IPV6_DISABLED
        self.account = Door(self)
        self.account.create(account)
        self.desk: Desk = await open_desk(self.endpoint, self.folder / "tones")
        self.prompt = self.folder / "prompt.wav"
        wav.write(self.prompt, cadence_samples(BEEP, 8000), 8000)
        self.loop.add_reader(pj.tandem_ioqueue_fd(), self.poll)

    def poll(self) -> None:
        while self.endpoint.libHandleEvents(0) > 0:
            pass
        self.dead.clear()
        while self._later:
            do, what = self._later.pop(0)
            do(*what)

    def polled(self) -> bool:
        self.poll()
        return True

    def later(self, do: Callable[..., object], *what: object) -> None:
        """As the server's calls do: not inside the call-back."""
        self._later.append((do, what))

    async def work(self, seconds: float = 0.005) -> None:
        """The engine gets its turn."""
        self.poll()
        await asyncio.sleep(seconds)
        self.poll()

    def fault(self, what: str) -> None:
        self.faults.append(what)

    async def stop(self) -> None:
        self.loop.remove_reader(pj.tandem_ioqueue_fd())
        await close_desk(self.desk)
        self.account.shutdown()
        self.endpoint.libDestroy()

    # -- transitions

    def one_of(self, things: list[Any]) -> Any:
        return self.random.choice(things) if things else None

    @property
    def legs(self) -> list[Half]:
        return [half for half in self.halves if half.up and not half.over]

    def op(self) -> pj.CallOpParam:
        prm = pj.CallOpParam(True)
        prm.opt.audioCount, prm.opt.videoCount, prm.opt.textCount = 1, 0, 0
        return prm

    def answer(self, half: Half) -> None:
        prm = self.op()
        prm.statusCode = 200
        try:
            half.answer(prm)
        except pj.Error:
            pass  # hung up meanwhile

    def t_dial(self) -> None:
        if len(self.halves) < LEGS:
            self.dead.clear()
            half = Half(self)
            try:
                half.makeCall(f"sip:walk@127.0.0.1:{self.port}", self.op())
            except pj.Error as error:
                self.fault(f"no call: {error.reason}")

    def t_hang_up(self) -> None:
        if (half := self.one_of(list(self.halves))) is not None and (half.up or self.random.random() < 0.2):
            pj.tandem_hangup(half.getId(), 486, ())

    def t_reinvite(self) -> None:
        """Hold, resume, or another codec; one that comes too early is refused by the stack."""
        if (half := self.one_of(self.legs)) is None:
            return
        prm, how = self.op(), self.random.random()
        for codec, priority in zip(CODECS, self.random.sample((150, 250), 2), strict=True):
            self.endpoint.codecSetPriority(codec, priority)
        try:
            if how < 0.3:
                half.setHold(prm)
            else:
                prm.opt.flag |= pj.PJSUA_CALL_UNHOLD
                half.reinvite(prm)
        except pj.Error:
            self.counts["re-INVITE too early"] += 1

    def t_join(self) -> None:
        legs = self.legs
        if self.random.random() < 0.9:
            legs = [half for half in legs if not self.desk.pairs.of(half.sound.point)]
        if len(legs) >= 2 and len(self.bridges) < LEGS:
            a, b = self.random.sample(legs, 2)
            self.bridges.append(bridge(a.sound, b.sound))

    def t_part(self) -> None:
        if (one := self.one_of(self.bridges)) is not None:
            self.bridges.remove(one)
            one.close()

    def t_hold(self) -> None:
        if (one := self.one_of(self.bridges)) is not None:
            change = one.hold if self.random.random() < 0.3 else one.resume
            change(self.random.choice(one.sides), self.random.choice((RINGBACK, BUSY, None)))

    def t_hear(self) -> None:
        legs = self.legs
        if self.hearings and (len(legs) < 2 or self.random.random() < 0.6):
            self.hearings.pop().close()
        elif len(legs) >= 2:
            a, b = self.random.sample(legs, 2)
            self.hearings.append(Hearing(a.sound, b.sound))

    def t_play(self) -> None:
        if (half := self.one_of(self.legs)) is not None:
            loop = self.random.random() < 0.2
            try:
                self.playings.append(half.sound.play(self.random.choice((RINGBACK, self.prompt)), loop=loop))
            except SoundError as error:
                self.fault(str(error))

    def t_stop(self) -> None:
        if self.playings:
            self.playings.pop(self.random.randrange(len(self.playings))).stop()

    def t_record(self) -> None:
        if (half := self.one_of(self.legs)) is not None and len(self.recordings) < 3:
            self.recordings.append(half.sound.record(self.folder / f"{next(self.numbers)}.wav"))

    def t_recording(self) -> None:
        if (one := self.one_of(self.recordings)) is not None:
            if self.random.random() < 0.4:
                self.recordings.remove(one)
                one.stop()
                one.then(lambda _: one.path.unlink(missing_ok=True))
            else:
                self.random.choice((one.pause, one.resume))()

    def t_tap(self) -> None:
        if self.taps and self.random.random() < 0.5:
            self.taps.pop(self.random.randrange(len(self.taps))).stop()
        elif (half := self.one_of(self.legs)) is not None and len(self.taps) < 4:
            self.taps.append(tap := half.sound.tap())
            self.readers.add(task := asyncio.create_task(read(tap)))
            task.add_done_callback(self.readers.discard)

    def t_native_tap(self) -> None:
        if self.native_taps and self.random.random() < 0.5:
            pj.tandem_tap_close(self.native_taps.pop())
        elif (half := self.one_of(self.legs)) is not None and len(self.native_taps) < 8:
            tag = next(self.numbers)
            if pj.tandem_tap_open(half.getId(), tag) == 0:
                self.native_taps.append(tag)
        pj.tandem_taps_take()

    def t_detach(self) -> None:
        """A standing line goes to another call: its sound loses the line, and another one gets it."""
        if (half := self.one_of(self.legs)) is not None:
            half.sound.detach()
            if self.random.random() < 0.3:
                half.sound.close()
                half.sound = Sound(f"leg {next(self.numbers)}", self.desk)
            if half.line is not None:
                half.sound.attach(half.line)
                half.sound.drain()

    def t_key(self) -> None:
        if (half := self.one_of(self.legs)) is not None and half.stream:
            try:
                half.dialDtmf(self.random.choice("0123456789*#"))
                pj.tandem_gap_wake(half.stream)
            except pj.Error:
                self.counts["key refused"] += 1  # too many in its queue, or on hold

    # -- the walk

    async def go(self, transitions: int) -> None:
        names = [name for name in dir(self) if name.startswith("t_")]
        often = {"t_join": 5, "t_part": 2, "t_hold": 2, "t_play": 2, "t_stop": 3, "t_dial": 2, "t_recording": 2}
        weights = [often.get(name, 1) for name in names]
        for n, name in enumerate(self.random.choices(names, weights, k=transitions), 1):
            getattr(self, name)()
            self.counts[name.removeprefix("t_")] += 1
            self.playings = [one for one in self.playings if one.ending is None]
            if n % SETTLE == 0:
                await self.work()
            if n % LOOK == 0:
                await self.work(0.03)
                self.compare()

    def compare(self) -> None:
        """What the model says of each pair is what the native part does."""
        alive = [half for half in self.legs if half.line is not None and half.sound.point.line is half.line]
        ours = {
            side.native
            for one in self.bridges
            if one.decision.way is Way.RELAY
            for side in one.sides
            if side.native >= 0
        }
        for half in alive:
            told = pj.tandem_leg_sound(half.line.call) if half.line is not None else None
            joined = told is not None and told[0] == 1
            self.compared += 1
            self.relayed += joined
            if joined != (half.sound.native in ours):
                self.fault(f"{half.sound!r} is {'' if joined else 'not '}joined: {self.bridges}")

    async def end(self) -> None:
        """Everything stops, and every call ends."""
        open_: list[Bridge | Hearing] = [*self.bridges, *self.hearings]
        for one in open_:
            one.close()
        on: list[Playing | Recording | Tap] = [*self.playings, *self.recordings, *self.taps]
        for going in on:
            going.stop()
        for tag in self.native_taps:
            pj.tandem_tap_close(tag)
        for things in (self.bridges, self.hearings, self.playings, self.recordings, self.taps, self.native_taps):
            things.clear()
        until = self.loop.time() + 40
        while self.halves and self.loop.time() < until:
            for half in list(self.halves):
                pj.tandem_hangup(half.getId(), 480, ())
            await self.work(0.05)

    def left(self) -> dict[str, int]:
        """What must be as it was when nothing goes on."""
        assert isinstance(self.desk.back, Conference)
        return {
            "conference ports": self.desk.back.ports - len(self.desk._rounds),
            "RTP ports": pj.tandem_ports_state()[0],
            "descriptors": len(os.listdir("/proc/self/fd")) - len(self.desk._rounds),
            "legs": len(self.halves),
            "dialogs": sum(pj.tandem_brief(slot) is not None for slot in range(4 * LEGS)),
            "pairs": sum(self.desk.pairs.ways.values()),
            "places": len(self.desk._places),
            "recordings": len(self.desk.recordings),
            "readers": len(self.readers),
        }


async def read(tap: Tap) -> int:
    return sum([len(pcm) async for pcm in tap])


async def walk(transitions: int, seed: int, folder: Path) -> dict[str, Any]:
    """The whole way; returns what was done and what was left."""
    one = Walk(seed, folder)
    await one.start()
    one.t_dial()  # a first call opens what stays
    await eventually(lambda: one.polled() and len(one.legs) == 2, "a first call")
    await one.end()
    await asyncio.sleep(0.2)
    before, began = one.left(), time.monotonic()
    await one.go(transitions)
    taken = time.monotonic() - began
    await one.end()
    try:
        await eventually(lambda: one.polled() and one.left() == before, "nothing is left", 40)
    except AssertionError:
        one.fault(f"left: {one.left()}, before: {before}, {list(one.halves)}")
    reasons = {str(reason): count for reason, count in one.desk.pairs.reasons.items()}
    await one.stop()
    return {
        "transitions": transitions,
        "seed": seed,
        "seconds": round(taken, 1),
        "faults": one.faults[:10],
        "done": dict(one.counts),
        "reasons": reasons,
        "compared": one.compared,
        "relayed": one.relayed,
        "left": before,
    }


def main() -> Iterator[str]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("transitions", type=int)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(walk(asked.transitions, asked.seed, Path(folder)))
    yield json.dumps(found)
    if found["faults"]:
        sys.exit(1)


if __name__ == "__main__":
    for line in main():
        print(line)
