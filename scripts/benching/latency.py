"""Set-up times at a steady rate: INVITE to 180 and to 200 as the trunk sees them, by kernel time stamps."""

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from .console import headline, note
from .signalling import Call, Signalling
from .stage import NAMES, Kind, Stage

HOLD = 3.0
WARM_UP = 100
"Calls before anything counts."


@dataclass(slots=True)
class SetupTimes:
    """Milliseconds, one entry for each run."""

    ringing_p50: list[float] = field(default_factory=list)
    ringing_p99: list[float] = field(default_factory=list)
    answered_p50: list[float] = field(default_factory=list)
    answered_p99: list[float] = field(default_factory=list)
    failed: int = 0

    def add(self, calls: Sequence[Call]) -> None:
        """Take over one run."""
        ringing = [1000 * (c.ringing - c.sent) for c in calls if c.ringing is not None]
        answered = [1000 * (c.answered - c.sent) for c in calls if c.answered is not None]
        self.failed += len(calls) - len(answered)
        for found, p50, p99 in (
            (ringing, self.ringing_p50, self.ringing_p99),
            (answered, self.answered_p50, self.answered_p99),
        ):
            p50.append(percentile(found, 50))
            p99.append(percentile(found, 99))

    def median(self, name: str) -> float:
        """The median of the runs of one of the lists."""
        values: list[float] = getattr(self, name)
        return statistics.median(values) if values else 0.0


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which so many percent lie (nearest rank); 0 when there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else 0.0


def arrivals(count: int, rate: float, seed: int) -> list[float]:
    """When calls come that know nothing of each other: exponential gaps. The same for every system.

    Even gaps would fall in step with the servers' own timers.
    """
    gaps = random.Random(seed)
    at, found = 0.0, []
    for _ in range(count):
        at += gaps.expovariate(rate)
        found.append(at)
    return found


def measure(stage: Stage, kinds: Sequence[Kind], *, runs: int, rate: float, seconds: float) -> dict[Kind, SetupTimes]:
    """Both systems in turn, `runs` times, each time a fresh server."""
    found: dict[Kind, SetupTimes] = {kind: SetupTimes() for kind in kinds}
    for number in range(runs):
        for kind in kinds if number % 2 == 0 else reversed(kinds):
            headline(f"{NAMES[kind]}: set-up times at {rate:g} calls/s, run {number + 1} of {runs}")
            found[kind].add(_run(stage, kind, rate, seconds, number))
            times = found[kind]
            note(
                f"180 after {times.ringing_p50[-1]:.2f} ms (p99 {times.ringing_p99[-1]:.2f}), "
                f"200 after {times.answered_p50[-1]:.2f} ms (p99 {times.answered_p99[-1]:.2f})"
            )
    return found


def _run(stage: Stage, kind: Kind, rate: float, seconds: float, seed: int) -> list[Call]:
    ends = Signalling()
    host, port = ends.agent.address
    try:
        with stage.server(kind, ends.agent.address, f"sip:agent@{host}:{port}") as server:
            ends.place(server.address, server.numbers(WARM_UP), arrivals(WARM_UP, rate, seed), hold=0.2)
            count = round(rate * seconds)
            return ends.place(server.address, server.numbers(count), arrivals(count, rate, seed + 1), HOLD)
    finally:
        ends.close()
