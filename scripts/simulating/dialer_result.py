"""What a simulated day of a campaign came to."""

from collections import Counter
from dataclasses import dataclass, field

from dialer.verdict import Cause

SLICE = 300.0
"Seconds of one point of the day's course."


@dataclass(slots=True)
class DayResult:
    """One day; sums of seconds and of calls."""

    mode: str
    seconds: float
    duty: float = 0.0
    "Agent seconds on duty."
    talk: float = 0.0
    "Of these, talking to people."
    dialled: int = 0
    answered: int = 0
    "By people, the abandoned among them."
    abandoned: float = 0.0
    unattended: float = 0.0
    "Abandoned for want of an idle agent; without the people taken for machines."
    worst: float = 0.0
    "Highest abandoned share at any moment after the first 200 live answers."
    most_lines: int = 0
    reasons: Counter[Cause] = field(default_factory=Counter)
    "Decisions by their cause."
    course: dict[int, list[float]] = field(default_factory=dict)
    "By slice of the day: answered and abandoned."

    @property
    def talk_share(self) -> float:
        """Talking part of the agents' time."""
        return self.talk / self.duty if self.duty else 0.0

    @property
    def rate(self) -> float:
        """Abandoned share of the live answers."""
        return self.abandoned / self.answered if self.answered else 0.0

    def answers(self, now: float, answered: int, abandoned: float) -> None:
        """Count them."""
        self.answered += answered
        self.abandoned += abandoned
        here = self.course.setdefault(int(now // SLICE), [0.0, 0.0])
        here[0] += answered
        here[1] += abandoned
        if self.answered >= 200:
            self.worst = max(self.worst, self.rate)


@dataclass(frozen=True, slots=True)
class Figures:
    """Several days of the same kind."""

    days: int
    talk: float
    "Mean of the talk shares."
    least_talk: float
    rate: float
    "Of all days together."
    worst_day: float
    worst_moment: float
    answered: int
    dialled: int

    @classmethod
    def of(cls, days: list[DayResult]) -> "Figures":
        """Raises ValueError without a day."""
        if not days:
            raise ValueError("no day")
        shares = [day.talk_share for day in days]
        answered = sum(day.answered for day in days)
        return cls(
            len(days),
            sum(shares) / len(shares),
            min(shares),
            sum(day.abandoned for day in days) / answered if answered else 0.0,
            max(day.rate for day in days),
            max(day.worst for day in days),
            answered,
            sum(day.dialled for day in days),
        )
