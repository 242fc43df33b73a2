"""What a simulated day came to."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from routing.agent_state import BUSY, AgentState

AT_WORK = BUSY | {AgentState.WRAP_UP}
"States in which an agent has something to do."


@dataclass(frozen=True, slots=True)
class Served:
    """A caller who waits no more. Seconds."""

    came: float
    queue: str
    result: str
    wait: float
    in_time: bool
    estimate: float | None


@dataclass(slots=True)
class Load:
    """An agent's day, in seconds."""

    busy: float = 0.0
    available: float = 0.0
    calls: int = 0
    state: AgentState = AgentState.LOGGED_OUT
    since: float = 0.0

    @property
    def occupancy(self) -> float:
        """Busy part of the time in which he could have been."""
        whole = self.busy + self.available
        return self.busy / whole if whole else 0.0

    def change(self, state: AgentState, now: float) -> None:
        """Count the state he was in."""
        if self.state in AT_WORK:
            self.busy += now - self.since
        elif self.state is AgentState.AVAILABLE:
            self.available += now - self.since
        self.state, self.since = state, now


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of some callers. Waits are those of callers who were answered, in seconds."""

    offered: int
    answered: int
    abandoned: int
    elsewhere: int
    "Sent on by a rule."
    level: float | None
    "Service level: those answered in time of those answered or abandoned."
    mean: float
    p95: float
    longest: float
    error: float | None
    "Mean absolute error of the announced wait against the real one, of those who had to wait."


@dataclass(slots=True)
class Outcome:
    """Everything that is worth knowing about one run."""

    name: str
    length: float
    callers: list[Served] = field(default_factory=list)
    loads: defaultdict[str, Load] = field(default_factory=lambda: defaultdict(Load))
    offered: Counter[str] = field(default_factory=Counter)

    def came(self, queue: str) -> None:
        self.offered[queue] += 1

    def left(self, one: Served) -> None:
        self.callers.append(one)

    def agent(self, extension: str, state: AgentState, now: float) -> None:
        self.loads[extension].change(state, min(now, self.length))

    def finish(self, now: float) -> None:
        """The day is over: count the states everybody is in."""
        for load in self.loads.values():
            load.change(load.state, min(now, self.length))

    def summary(self, queue: str | None = None) -> Summary:
        """Of a queue, or of all."""
        mine = [one for one in self.callers if queue in (None, one.queue)]
        waits = sorted(one.wait for one in mine if one.result == "answered")
        abandoned = sum(one.result in {"abandoned", "short-abandoned"} for one in mine)
        counted = len(waits) + abandoned
        errors = [
            abs(one.estimate - one.wait)
            for one in mine
            if one.result == "answered" and one.estimate is not None and one.estimate > 0
        ]
        return Summary(
            len(mine),
            len(waits),
            abandoned,
            len(mine) - counted,
            sum(one.in_time for one in mine) / counted if counted else None,
            statistics.fmean(waits) if waits else 0.0,
            percentile(waits, 0.95),
            waits[-1] if waits else 0.0,
            statistics.fmean(errors) if errors else None,
        )

    @property
    def queues(self) -> list[str]:
        return sorted(self.offered)

    @property
    def occupancies(self) -> list[float]:
        """Of the agents who were at work, highest first."""
        return sorted((one.occupancy for one in self.loads.values() if one.busy + one.available), reverse=True)


def percentile(ordered: Sequence[float], share: float) -> float:
    """By nearest rank; 0 when there are none."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
