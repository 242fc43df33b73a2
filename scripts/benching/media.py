"""How many calls with sound one core carries, and what each costs: each system in turn, in the same minutes."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from . import media_profile, relay_counters
from .console import headline, note
from .media_load import Ends, Load, Stand
from .media_servers import MEDIA_NAMES, MOST_CALLS, MediaKind, opened
from .relay_counters import Counted
from .rtp import Heard, Rtp
from .search import Plan, best
from .signalling import Sound
from .stage import Stage

LIGHT = 100
"Calls of the light load."
FIRST = 0.8
"Share of what the light load lets expect, at which a search begins."
GROWTH = 1.25
PRECISION = 0.04
NEAR = 0.9
"Share of the limit at which the relay's own counters are read."
FEW, STEP = 500, 1.1
"Calls that the generator begins with alone, and their growth."
RECORDED = '\n[recording]\nwhen = "always"\n'


@dataclass(frozen=True, slots=True)
class Searched:
    """One search on a fresh server."""

    light: Load
    loads: list[Load]
    "In the order they were tried."
    most: int
    "Most calls that passed, 0 when none did."
    ended_by: str
    "What the next greater load suffered from: loss, delay, or the generator."
    counted: Counted | None = None
    "At nine tenths of that, by the relay itself."
    profile: dict[str, float] = field(default_factory=dict)
    "There too: what the thread that carries the sound does."

    @property
    def full(self) -> Load:
        """The greatest load that passed; the light one when none did."""
        return next((load for load in self.loads if load.calls == self.most), self.light)

    @property
    def heaviest(self) -> Load:
        """The greatest load whose calls were all up, passed or not: no memory of a greater one is left in it."""
        return max((load for load in [self.light, *self.loads] if load.bytes_per_call), key=lambda load: load.calls)


@dataclass(frozen=True, slots=True)
class Recording:
    """The light load on two fresh servers: nothing recorded, everything recorded."""

    calls: int
    plain: float
    "Cores in use."
    recorded: float
    loss: float
    "Share (0 to 1) of packets that were lost while all was recorded."

    @property
    def cost(self) -> float:
        """Cores for each call."""
        return (self.recorded - self.plain) / self.calls


@dataclass(slots=True)
class MediaResult:
    """What has been measured; one entry of a system for each run."""

    seconds: float
    "Of each load."
    generator: int = 0
    "Calls whose packets the generator can send and receive without a server."
    searched: dict[MediaKind, list[Searched]] = field(default_factory=dict)
    recordings: list[Recording] = field(default_factory=list)

    def most(self, kind: MediaKind) -> float:
        """Most calls of a system, median of the runs; 0 when it was not measured."""
        return statistics.median(one.most for one in self.searched[kind]) if self.searched.get(kind) else 0.0


def measure(
    stage: Stage, kinds: Sequence[MediaKind], *, runs: int, seconds: float, most: int = MOST_CALLS, alone: bool = True
) -> MediaResult:
    """Search each system's limit, `runs` times in turn; every other round in the other order."""
    result = MediaResult(seconds, generator_limit(1.0, most) if alone else 0)
    for number in range(runs):
        for kind in kinds if number % 2 == 0 else reversed(kinds):
            headline(f"{MEDIA_NAMES[kind]}: calls with sound, run {number + 1} of {runs}")
            found = _search(stage, kind, seconds, most)
            note(f"{MEDIA_NAMES[kind]}: {found.most} calls (then: {found.ended_by or 'not tried'})")
            result.searched.setdefault(kind, []).append(found)
        if "tandem" in kinds:
            result.recordings.append(_recording(stage, result.searched["tandem"][-1].light, seconds))
    return result


def _search(stage: Stage, kind: MediaKind, seconds: float, most: int) -> Searched:
    with Ends() as ends, opened(stage, kind, ends.agent, most=most) as server:
        stand = Stand(server, ends, stage.cores)
        light = stand.load(min(LIGHT, most), 2 * seconds)
        assert light.loss < 1, f"{server.name} carries no sound\n{server.log_tail()}"
        begin = round(FIRST * light.calls / max(light.cpu, 0.01))
        plan = Plan(min(max(begin, light.calls), most), growth=GROWTH, precision=PRECISION, highest=most)
        tried, loads = {light.calls: light.passes(light)}, list[Load]()
        calls: int | None = plan.start
        while calls is not None and calls not in tried:
            loads.append(stand.load(calls, seconds))
            tried[calls] = loads[-1].passes(light)
            calls = plan.next(tried)
        top = best(tried)
        above = min((load for load in loads if load.calls > top), key=lambda load: load.calls, default=None)
        counted, profile = None, dict[str, float]()
        if kind == "tandem" and (near := round(NEAR * top)):
            stand.load(near, 1.0)
            counted = relay_counters.count(server, ends, seconds)
            profile = media_profile.look(server.parts["all"], seconds, stage.folder)
        ends.rtp.pause()
        ends.sip.hang_up(server.address)
    return Searched(light, loads, top, above.failing(light) if above else "", counted, profile)


def _recording(stage: Stage, plain: Load, seconds: float) -> Recording:
    headline(f"Tandem: {plain.calls} calls with sound, all recorded")
    with Ends() as ends, opened(stage, "tandem", ends.agent, more=RECORDED) as server:
        recorded = Stand(server, ends, stage.cores).load(plain.calls, 2 * seconds)
    found = Recording(plain.calls, plain.cpu, recorded.cpu, recorded.loss)
    note(f"recording costs {found.cost:.3%} of a core for each call")
    return found


def generator_limit(seconds: float, most: int) -> int:
    """The most calls that the generator can send and receive, its packets going straight to itself."""
    headline("The generator alone")
    reached = 0
    with Rtp() as rtp:
        calls = 0
        while (wanted := round(max(FEW, calls * STEP))) <= most:
            for number in range(calls, wanted):
                for trunk in (True, False):
                    mine, other = rtp.address(trunk, number), rtp.address(not trunk, number)
                    rtp.add(Sound(trunk, number, mine, other))
            calls = wanted
            rtp.timed(1)
            heard = _heard(rtp, seconds)
            note(
                f"{calls} calls: {heard.loss:.3%} lost, {heard.busy:.0%} of its core, delay {heard.p50_ms:.2f} ms "
                f"(p99 {heard.p99_ms:.2f})"
            )
            if heard.void or heard.loss > 0:
                break
            reached = calls
    return reached


def _heard(rtp: Rtp, seconds: float) -> Heard:
    for _ in range(2):  # the first is what happened while calls were added
        rtp.report()
        time.sleep(seconds)
    return rtp.report()


def from_json(said: dict[str, Any]) -> MediaResult:
    """What `dataclasses.asdict` made of it."""
    return MediaResult(
        said["seconds"],
        said["generator"],
        {kind: [_searched(one) for one in runs] for kind, runs in said["searched"].items()},
        [Recording(**one) for one in said["recordings"]],
    )


def _searched(said: dict[str, Any]) -> Searched:
    return Searched(
        Load(**said["light"]),
        [Load(**one) for one in said["loads"]],
        said["most"],
        said["ended_by"],
        Counted(**said["counted"]) if said["counted"] else None,
        said["profile"],
    )
