"""How long callers wait: Erlang's formulas, and the live estimate that callers are told.

Erlang B, C and A (M/M/n+M) as in the text books; offered load `a` is in erlangs, times are seconds.  The live estimate
is QL with leaving (Ibrahim and Whitt, 2009): those before a caller leave at the rate at which agents end calls plus the
rate at which waiting callers give up.  While service times are unknown it is LES: what the last caller who reached an
agent had waited.
"""

import math
from dataclasses import dataclass

ENOUGH = 5
"Calls after which the time an agent needs for one is believed."
FORGET = 0.02
"Weight of the newest call in averages."


def erlang_b(servers: int, a: float) -> float:
    """Probability that all are busy when nobody can wait."""
    blocked = 1.0
    for count in range(1, servers + 1):
        blocked = a * blocked / (count + a * blocked)
    return blocked


def erlang_c(servers: int, a: float) -> float:
    """Probability that a caller has to wait when nobody gives up; 1 when the load is more than they can do."""
    if a >= servers:
        return 1.0
    blocked = erlang_b(servers, a)
    return servers * blocked / (servers - a * (1 - blocked))


def speed_of_answer(servers: int, a: float, handling: float) -> float:
    """Mean wait of all callers when nobody gives up; infinite when the load is more than they can do."""
    return math.inf if a >= servers else erlang_c(servers, a) * handling / (servers - a)


def service_level(servers: int, a: float, handling: float, within: float) -> float:
    """Share of callers answered within so many seconds when nobody gives up."""
    if a >= servers:
        return 0.0
    return 1 - erlang_c(servers, a) * math.exp(-(servers - a) * within / handling)


@dataclass(frozen=True, slots=True)
class ErlangA:
    """A queue whose callers give up after an exponential patience."""

    waiting: float
    "Probability that a caller has to wait."
    wait: float
    "Mean seconds of all callers, those who give up included."
    abandoned: float
    "Share of callers who give up."


def erlang_a(servers: int, a: float, handling: float, patience: float) -> ErlangA:
    """The stationary M/M/n+M queue, from its birth-death chain."""
    arrivals, ends, gives_up = a / handling, 1 / handling, 1 / patience
    weight, total, busy, length = 1.0, 0.0, 0.0, 0.0
    count = 0
    while count <= servers or weight > 1e-15 * total:
        total += weight
        if count >= servers:
            busy += weight
            length += (count - servers) * weight
        count += 1
        weight *= arrivals / (min(count, servers) * ends + max(0, count - servers) * gives_up)
        if total > 1e200:
            weight, total, busy, length = (value / 1e200 for value in (weight, total, busy, length))
    return ErlangA(busy / total, length / total / arrivals, gives_up * length / total / arrivals)


@dataclass(slots=True)
class Learned:
    """What a queue has taught about its times."""

    handling: float = 0.0
    "Mean seconds one of its agents is busy with a call of whatever queue, from the offer to the end of wrap-up."
    handled: int = 0
    last_wait: float | None = None
    "Of the last who reached an agent."
    gave_up: float = 0.0
    "Callers who gave up, the older the less."
    waited: float = 0.0
    "Seconds that callers waited, the older the less."

    def ended(self, seconds: float) -> None:
        """One of its agents is done with a call."""
        self.handled += 1
        self.handling += (seconds - self.handling) * max(FORGET, 1 / self.handled)

    def left(self, wait: float, *, gave_up: bool = False, served: bool = False) -> None:
        """A caller waits no more: `gave_up` because he hung up, `served` because an agent has him; else by a rule."""
        self.gave_up = self.gave_up * (1 - FORGET) + gave_up
        self.waited = self.waited * (1 - FORGET) + wait
        if served:
            self.last_wait = wait

    def estimate(self, before: float, agents: int) -> float | None:
        """Seconds until an agent is there for a caller with so many before him; None when nothing is known.

        `before` counts a caller of another queue by the part of that queue's agents who are this queue's too; `agents`
        are those who work for the queue, busy or not; none of them is free.
        """
        if self.handled < ENOUGH or agents <= 0 or self.handling <= 0:
            return self.last_wait
        ends = agents / self.handling
        gives_up = self.gave_up / self.waited if self.waited > 0 else 0.0
        if gives_up * (before + 1) < 1e-3 * ends:
            return (before + 1) / ends
        # The sum of 1 / (ends + i * gives_up) for i = 0 .. before, by the midpoint rule: no loop over 2,000 callers.
        low = max(ends - gives_up / 2, ends / 2)
        return math.log((ends + (before + 0.5) * gives_up) / low) / gives_up
