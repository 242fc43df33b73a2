"""What a wallboard shows of the floor at one moment, and the counts of the last hour behind it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from routing.agent_state import AgentState

SLICE = 300.0
"Seconds of one slice of the last hour."
SLICES = 12


@dataclass(slots=True)
class Counts:
    """What became of a queue's callers."""

    offered: int = 0
    answered: int = 0
    in_time: int = 0
    "Answered within the queue's service level."
    abandoned: int = 0
    short: int = 0
    "Gave up sooner than counts: none of those abandoned."
    elsewhere: int = 0
    "Sent away by a rule, or for having waited too long."


class Tally:
    """The counts of the last hour, in slices of five minutes."""

    def __init__(self) -> None:
        self._slices: dict[int, Counts] = {}

    def at(self, now: float) -> Counts:
        """The slice to count in."""
        number = int(now // SLICE)
        found = self._slices.get(number)
        if found is None:
            found = self._slices[number] = Counts()
            for old in [one for one in self._slices if one <= number - SLICES]:
                del self._slices[old]
        return found

    def hour(self, now: float) -> Counts:
        """All of the last hour."""
        first = int(now // SLICE) - SLICES
        total = Counts()
        for number, part in self._slices.items():
            if number > first:
                total.offered += part.offered
                total.answered += part.answered
                total.in_time += part.in_time
                total.abandoned += part.abandoned
                total.short += part.short
                total.elsewhere += part.elsewhere
        return total


@dataclass(frozen=True, slots=True)
class QueueLine:
    """One queue.  Counts of callers who have left are those of the last hour."""

    queue: str
    name: str
    tenant: str | None
    waiting: int
    oldest: float
    "Seconds the longest waiting caller has waited; 0 when nobody waits."
    estimate: float | None
    "Seconds a caller who comes now would wait; None: nothing is known yet."
    areas: Mapping[str, int]
    "Waiting callers by queue area."
    priorities: Mapping[str, int]
    "Waiting callers by priority class; those of no class under the empty word."
    agents: Mapping[str, int]
    "Agents of the queue by state."
    free: int
    "Agents who would be asked now."
    offered: int
    answered: int
    abandoned: int
    short_abandoned: int
    "Gave up sooner than counts: none of those abandoned."
    service_level: float | None
    "Part of those answered, abandoned or sent elsewhere who were answered in time; None: there was nobody."
    service_target: float
    elsewhere: int = 0
    "Sent away by a rule, or for having waited too long."


@dataclass(frozen=True, slots=True)
class AgentLine:
    """One agent."""

    extension: str
    state: AgentState
    seconds: float
    "In this state."
    reason: str
    queue: str | None
    call: str | None
    queues: tuple[str, ...]
    wrap_up_left: float | None = None
    "Seconds until his wrap-up ends by itself."


@dataclass(frozen=True, slots=True)
class Board:
    """Everything at one moment."""

    waiting: int
    areas: Mapping[str, int]
    "Waiting callers by queue area, over all queues (R2-05)."
    queues: tuple[QueueLine, ...]
    agents: tuple[AgentLine, ...]
    states: Mapping[str, int] = field(default_factory=dict)
    "Agents by state."


def level(counts: Counts) -> float | None:
    """The service level of these counts: of all who wanted to be served, as the reports have it."""
    counted = counts.answered + counts.abandoned + counts.elsewhere
    return counts.in_time / counted if counted > 0 else None
