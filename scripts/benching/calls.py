"""Calls a second with no failure, and processor time of a call: both systems in the same minutes, interleaved."""

import contextlib
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from .console import headline, note
from .load import Loaded
from .quiet import DISTURBED
from .search import Plan, best
from .stage import NAMES, Kind, Server, Stage

WARM_UP = (40, 2.0)
"Calls a second and seconds before anything counts: what is loaded at first use is loaded then."
TRIES = 3
"How often a rate may fail before it counts as failed, if others used our cores meanwhile."
HOLD = 3.0
MAX_CALLS = 2000
"Room for 660 calls/s held for 3 s, so that the search never ends at the default of 1,000."
START: dict[Kind, int] = {"sippy": 200, "tandem": 250}


@dataclass(slots=True)
class CallRates:
    """What one system did, one entry for each run."""

    rates: list[int] = field(default_factory=list)
    "Highest rate that passed, calls a second."
    cpu_ms: list[float] = field(default_factory=list)
    "Processor milliseconds of a call at the fixed rate."

    @property
    def rate(self) -> float:
        return statistics.median(self.rates) if self.rates else 0.0

    @property
    def cpu(self) -> float:
        return statistics.median(self.cpu_ms) if self.cpu_ms else 0.0


def measure(
    stage: Stage, kinds: Sequence[Kind], *, runs: int, seconds: float, precision: float, cpu_rate: float
) -> dict[Kind, CallRates]:
    """Search the rate of each system, `runs` times in turn; every other round the other one begins."""
    found: dict[Kind, CallRates] = {kind: CallRates() for kind in kinds}
    for number in range(runs):
        for kind in kinds if number % 2 == 0 else reversed(kinds):
            headline(f"{NAMES[kind]}, run {number + 1} of {runs}")
            before = found[kind].rates
            start = round(statistics.median(before) * 0.9) if before and all(before) else START[kind]
            found[kind].cpu_ms.append(_cpu(stage, kind, cpu_rate, seconds))
            found[kind].rates.append(search(stage, kind, Plan(max(start, 5), precision=precision), seconds))
            note(f"{NAMES[kind]}: {found[kind].rates[-1]} calls/s, {found[kind].cpu_ms[-1]:.2f} ms CPU a call")
    return found


def limit(stage: Stage, rate: float, seconds: float) -> Loaded:
    """The generator against itself: what it can do when no server is in between."""
    numbers = [f"7001{at:08d}" for at in range(round(rate * seconds))]
    return stage.generator.run(stage.generator.agent.address, numbers, rate, hold=HOLD)


def search(stage: Stage, kind: Kind, plan: Plan, seconds: float) -> int:
    """The highest rate that passes. A server that failed is replaced by a fresh one; so is the first."""
    tried: dict[int, bool] = {}
    with contextlib.ExitStack() as stack:
        server: Server | None = None
        while (rate := plan.next(tried)) is not None:
            for attempt in range(TRIES):
                if server is None:
                    server = stack.enter_context(stage.server(kind, max_calls=MAX_CALLS))
                    warm_up(stage, server)
                loaded = _load(stage, server, rate, seconds)
                note(str(loaded))
                if loaded.passed:
                    break
                stack.close()
                server = None
                if loaded.used is None or loaded.used.foreign < DISTURBED:
                    break
                note(f"others used {loaded.used.foreign:.0%} of a core: try {attempt + 1} of {TRIES}")
            tried[rate] = loaded.passed
    return best(tried)


def _cpu(stage: Stage, kind: Kind, rate: float, seconds: float) -> float:
    """Milliseconds of a call; of an undisturbed run if one of the tries is that, else of the best there was."""
    found: list[float] = []
    for _ in range(TRIES):
        with stage.server(kind) as server:
            warm_up(stage, server)
            loaded = _load(stage, server, rate, seconds)
        note(str(loaded))
        if loaded.passed:
            found.append(loaded.cpu_ms)
        if loaded.passed and loaded.used and loaded.used.foreign < DISTURBED:
            return loaded.cpu_ms
    return min(found, default=0.0)


def warm_up(stage: Stage, server: Server) -> None:
    rate, seconds = WARM_UP
    stage.generator.run(server.address, server.numbers(round(rate * seconds)), rate, hold=0.5)


def _load(stage: Stage, server: Server, rate: float, seconds: float) -> Loaded:
    numbers = server.numbers(round(rate * seconds))
    return stage.generator.run(server.address, numbers, rate, hold=HOLD, meter=lambda: stage.meter(server))
