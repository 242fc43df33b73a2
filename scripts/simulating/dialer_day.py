"""What a simulated day of a campaign is made of."""

from dataclasses import dataclass, field
from math import log, pi, sin, sqrt

HOUR = 3600.0
Level = tuple[tuple[float, float], ...]
"Steps: from this hour on, this value.  The first is from hour 0 on."


def steady(value: float) -> Level:
    """The same all day."""
    return ((0.0, value),)


@dataclass(frozen=True, slots=True)
class Machines:
    """Answering machines, and a detection that errs."""

    share: float = 0.0
    "Of the calls dialled, answered by a machine; besides the live answers."
    detected: bool = True
    delay: float = 1.2
    "Seconds from the answer to the detection's word."
    human_as_machine: float = 0.0
    "Of the live answers hung up on: each is an abandoned call."
    machine_as_human: float = 0.0
    listens: float = 8.0
    "Mean seconds until an agent knows that he hears a machine."


@dataclass(frozen=True, slots=True)
class DialDay:
    """One campaign on one day.  Seconds, but hours where it says so."""

    agents: Level = field(default_factory=lambda: steady(50))
    "On duty; who leaves ends his call first, and takes no other."
    hours: float = 8.0
    answer: Level = field(default_factory=lambda: steady(0.30))
    "Share of the calls that a person answers."
    drift: float = 0.0
    "The share swings by this part of itself once a day."
    talk: Level = field(default_factory=lambda: steady(120.0))
    "Mean, lognormal."
    talk_cv: float = 0.8
    wrap: float = 20.0
    "Mean, gamma of shape 4."
    ring: float = 12.0
    "Mean until a person answers, gamma of shape 4, between 2 and `hold`."
    hold: float = 25.0
    "A call nobody answers is given up."
    patience: float = 2.0
    "An answer without an agent for so long is an abandoned call."
    tick: float = 0.5
    "Between two decisions."
    lines: int | None = None
    machines: Machines = field(default_factory=Machines)

    @property
    def talk_sigma(self) -> float:
        """Of the lognormal whose coefficient of variation is `talk_cv`."""
        return sqrt(log(1 + self.talk_cv**2))

    def share(self, now: float) -> float:
        """Live answers of the calls dialled at this second."""
        swing = 1 + self.drift * sin(2 * pi * now / (self.hours * HOUR))
        return min(1.0, at(self.answer, now) * swing)


def at(level: Level, now: float) -> float:
    """The value of that second."""
    value = level[0][1]
    for hour, one in level:
        if now >= hour * HOUR:
            value = one
    return value
