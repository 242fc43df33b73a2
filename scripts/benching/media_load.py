"""Calls with sound through one server: so many of them, measured for some seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self

from tests.peers.wire import Address

from .accounting import Meter, pss
from .console import note
from .cores import Cores
from .quiet import DISTURBED
from .rtp import SOCKETS, Heard, Rtp
from .signalling import Signalling

PLACED = 100.0
"Calls a second while a load is built up, at most: no more than PENDING wait for their answer."
PENDING = 8
SETTLE = 2.0
"Seconds before a load is measured: jitter buffers learn."
LOSS = 0.001
SLOWER_MS = 20.0
"A load passes while fewer than 0.1 % of packets are lost and the p99 delay is not so much above that of a light load."
ALL_TIMED = 300
"Up to so many calls every packet tells its delay, above that those of one socket of each side."
TRIES = 3
"How often a load may fail before it counts as failed, if others used our cores meanwhile."


class MediaServer(Protocol):
    """A system under test that carries sound."""

    name: str

    @property
    def address(self) -> Address: ...

    @property
    def parts(self) -> Mapping[str, int]:
        """Process of each part of it."""
        ...

    def numbers(self, count: int) -> list[str]: ...

    def log_tail(self, lines: int = 40) -> str: ...


@dataclass(frozen=True, slots=True)
class Load:
    """One load, measured for some seconds."""

    calls: int
    loss: float
    "Share (0 to 1); 1 where calls could not be made."
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    cpu: float = 0.0
    "Cores in use."
    bytes_per_call: dict[str, float] = field(default_factory=dict)
    "PSS growth since the start, for each call, by part of the server."
    crossed: int = 0
    void: bool = False
    "The generator itself was too slow."
    generator: float = 0.0
    "Share (0 to 1) of its core that the generator used."
    foreign: float = 0.0
    "Cores that others used."

    def passes(self, light: Self) -> bool:
        """Whether it is carried as well as the light load, as far as an ear could tell."""
        slower = self.p99_ms - light.p99_ms
        return self.loss < LOSS and slower < SLOWER_MS and not self.crossed and not self.void

    def failing(self, light: Self) -> str:
        """In words, why it does not pass."""
        if self.void:
            return "generator"
        if self.crossed:
            return "calls mixed up"
        return "loss" if self.loss >= LOSS else "delay" if not self.passes(light) else ""

    @property
    def memory(self) -> float:
        """Bytes of a call in all parts."""
        return sum(self.bytes_per_call.values())


class Ends:
    """Both ends of all calls of one server."""

    def __init__(self) -> None:
        self.rtp = Rtp()
        self.sip = Signalling(rtp=self.rtp.address, on_sound=self.rtp.add, on_end=self.rtp.remove)

    @property
    def agent(self) -> Address:
        """Where calls end."""
        return self.sip.agent.address

    def close(self) -> None:
        self.rtp.close()
        self.sip.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Stand:
    """A server with calls through it, as many as are wanted at the time."""

    def __init__(self, server: MediaServer, ends: Ends, cores: Cores) -> None:
        self.server, self.ends, self.cores = server, ends, cores
        self._before = {part: pss(pid) for part, pid in server.parts.items()}

    def load(self, calls: int, seconds: float) -> Load:
        """So many calls, measured; once more where it looks bad and others used our cores."""
        found = Load(calls, 1.0)
        for attempt in range(TRIES):
            if not self._hold(calls):
                return Load(calls, 1.0)
            found = self._measured(calls, seconds)
            fine = found.loss < LOSS and found.p99_ms < SLOWER_MS and not found.void
            if fine or found.foreign < DISTURBED or attempt == TRIES - 1:
                break
            note(f"others used {found.foreign:.0%} of a core: once more")
        return found

    def _hold(self, calls: int) -> bool:
        """Place or end calls until so many are up; False when the server does not take them."""
        server, sip, rtp = self.server, self.ends.sip, self.ends.rtp
        if (surplus := len(sip.up) - calls) > 0:
            rtp.pause()
            sip.hang_up(server.address, surplus)
            rtp.resume()
        elif surplus < 0:
            placed = sip.place(
                server.address,
                server.numbers(-surplus),
                [n / PLACED for n in range(-surplus)],
                hold=None,
                pending=PENDING,
            )
            if missing := [call for call in placed if call.answered is None]:
                note(f"{len(missing)} of {-surplus} calls were not answered ({missing[0].refused or 'silence'})")
                return False
        rtp.timed(SOCKETS if calls <= ALL_TIMED else 1)
        sip.idle(SETTLE)
        return True

    def _measured(self, calls: int, seconds: float) -> Load:
        sip, rtp = self.ends.sip, self.ends.rtp
        rtp.report()
        meter = Meter([*self.server.parts.values()], self.cores)
        sip.idle(seconds)
        heard, used = rtp.report(), meter.read()
        load = Load(
            calls,
            heard.loss if len(sip.up) >= calls else 1.0,
            heard.p50_ms,
            heard.p99_ms,
            used.cpu / used.seconds,
            {part: (pss(pid) - self._before[part]) / calls for part, pid in self.server.parts.items()},
            heard.crossed,
            heard.void,
            heard.busy,
            used.foreign,
        )
        note(_said(load, heard, calls - len(sip.up)))
        return load


def _said(load: Load, heard: Heard, gone: int) -> str:
    memory = " + ".join(f"{part} {size / 1000:.0f}" for part, size in load.bytes_per_call.items())
    text = (
        f"{load.calls} calls: {heard.heard} of {heard.expected} packets ({load.loss:.3%} lost), "
        f"delay {load.p50_ms:.2f} ms (p99 {load.p99_ms:.2f}), core {load.cpu:.0%} busy "
        f"(generator {load.generator:.0%}, others {load.foreign:.0%}), kB a call: {memory}"
    )
    if gone > 0:
        text += f", {gone} calls ended by the server"
    if heard.unheard:
        text += f", {heard.unheard} streams not heard"
    if heard.unreadable:
        text += f", {heard.unreadable} packets not ours"
    if load.void:
        text += f"; VOID: lost {heard.dropped_here}, could not send {heard.unsent}, {heard.late_ms:.0f} ms late"
    return text
