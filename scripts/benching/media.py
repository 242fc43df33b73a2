"""Bridged calls with sound both ways: loss and delay of every packet, processor time, memory of a live call."""

import statistics
from dataclasses import dataclass, field

from .accounting import descriptors, pss
from .console import headline, note
from .rtp import Heard, Rtp
from .signalling import Signalling
from .stage import Server, Stage

PLACED = 25.0
"Calls a second while a load is built up."
SETTLE = 3.0
"Seconds before a load is measured: jitter buffers learn."
LOSS = 0.001
SLOWER_MS = 20.0
"A load passes while fewer than 0.1 % of packets are lost and the p99 delay is not so much above that of a light load."
LIGHT = 20
"Calls of the light load."
GROWTH = 1.2


@dataclass(frozen=True, slots=True)
class Load:
    """One load, measured for some seconds."""

    calls: int
    loss: float
    p50_ms: float
    p99_ms: float
    cpu: float
    "Cores in use."
    bytes_per_call: float
    "PSS growth since the start, for each call."
    crossed: int
    void: bool
    "The generator itself was too slow."


@dataclass(slots=True)
class MediaResult:
    """One entry for each run, all at the same number of calls; `most` where it was searched."""

    calls: int
    loads: list[Load] = field(default_factory=list)
    most: list[int] = field(default_factory=list)
    "Highest number of calls that passed."

    def median(self, name: str) -> float:
        """The median over the runs of one of the fields of `Load`."""
        return statistics.median(getattr(load, name) for load in self.loads) if self.loads else 0.0


def measure(stage: Stage, *, runs: int, calls: int, seconds: float, search: bool) -> MediaResult:
    """So many calls on a fresh server; with `search` ever more, until a load does not pass."""
    result = MediaResult(calls)
    for number in range(runs):
        headline(f"Tandem: {calls} bridged calls with sound, run {number + 1} of {runs}")
        with Rtp() as rtp:
            ends = Signalling(rtp=rtp.address, on_sound=rtp.add)
            host, port = ends.agent.address
            try:
                with stage.server("tandem", agent_uri=f"sip:agent@{host}:{port}") as server:
                    _run(stage, server, ends, rtp, result, seconds, search)
            finally:
                ends.close()
    return result


def _run(
    stage: Stage, server: Server, ends: Signalling, rtp: Rtp, result: MediaResult, seconds: float, search: bool
) -> None:
    before = pss(server.pid)
    light = _load(stage, server, ends, rtp, LIGHT, seconds / 2, before)
    load = _load(stage, server, ends, rtp, result.calls, seconds, before)
    result.loads.append(load)
    most, wanted = 0, result.calls
    while search and _passes(load, light):
        most, wanted = wanted, round(wanted * GROWTH)
        load = _load(stage, server, ends, rtp, wanted, seconds, before)
    if search:
        result.most.append(most)
    ends.hang_up(server.address)
    note(f"after the calls: {pss(server.pid) / 1e6:.0f} MB, {descriptors(server.pid)} descriptors")


def _load(stage: Stage, server: Server, ends: Signalling, rtp: Rtp, calls: int, seconds: float, before: int) -> Load:
    more = calls - len(ends.calls)
    placed = ends.place(server.address, server.numbers(more), [n / PLACED for n in range(more)], hold=None)
    missing = [call for call in placed if call.answered is None]
    assert not missing, f"{len(missing)} of {more} calls were not answered ({missing[0].refused})\n{server.log_tail()}"
    ends.idle(SETTLE)
    rtp.report()
    meter = stage.meter(server)
    ends.idle(seconds)
    heard, used = rtp.report(), meter.read()
    grown = (pss(server.pid) - before) / calls
    cpu = used.cpu / used.seconds
    void = bool(heard.dropped_here or heard.unsent)
    load = Load(calls, heard.loss, heard.p50_ms, heard.p99_ms, cpu, grown, heard.crossed, void)
    note(_said(load, heard, used.foreign))
    return load


def _passes(load: Load, light: Load) -> bool:
    return load.loss < LOSS and load.p99_ms < light.p99_ms + SLOWER_MS and not load.crossed


def _said(load: Load, heard: Heard, foreign: float) -> str:
    text = (
        f"{load.calls} calls: {heard.heard} of {heard.expected} packets ({load.loss:.3%} lost), "
        f"delay {load.p50_ms:.2f} ms (p99 {load.p99_ms:.2f}), core {load.cpu:.0%} busy (others: {foreign:.0%}), "
        f"{load.bytes_per_call / 1000:.0f} kB a call"
    )
    if heard.unheard:
        text += f", {heard.unheard} streams never heard"
    if heard.unreadable:
        text += f", {heard.unreadable} packets not ours"
    if load.void:
        text += f"; VOID: the generator lost {heard.dropped_here} and could not send {heard.unsent}"
    return text
