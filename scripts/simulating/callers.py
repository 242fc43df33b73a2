"""Who calls in a scenario: drawn before anything is routed, so every strategy meets the same callers."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from .scenario import HOUR, Scenario, Traffic


@dataclass(frozen=True, slots=True)
class Arrival:
    """One caller. Times are seconds."""

    at: float
    stream: Traffic
    priority: str | None
    talk: float
    patience: float | None


def arrivals(scenario: Scenario) -> list[Arrival]:
    """All callers in order of time."""
    found = []
    for number, stream in enumerate(scenario.traffic):
        pick = random.Random(scenario.day.seed * 1009 + number)
        for at in _times(stream, scenario.day.hours * HOUR, pick):
            patience = None if stream.patience is None else pick.expovariate(1 / stream.patience)
            talk = pick.expovariate(1 / stream.handling)
            found.append(Arrival(at, stream, _priority(stream, pick), talk, patience))
    return sorted(found, key=lambda one: one.at)


def _times(stream: Traffic, until: float, pick: random.Random) -> Iterator[float]:
    """A Poisson stream whose rate changes by the hour: it has no memory, so it begins anew each hour."""
    hour = 0
    while hour * HOUR < until:
        at, end = hour * HOUR, min((hour + 1) * HOUR, until)
        rate = stream.per_hour[min(hour % 24, len(stream.per_hour) - 1)]
        while rate > 0 and (at := at + pick.expovariate(rate / HOUR)) < end:
            yield at
        hour += 1


def _priority(stream: Traffic, pick: random.Random) -> str | None:
    left = pick.random()
    for name, share in stream.priorities.items():
        if left < share:
            return name
        left -= share
    return None
