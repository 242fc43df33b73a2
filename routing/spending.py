"""What calls to the outside have come to today: counts that never look through the calls. Pure; `now` is monotonic.

Running talk is counted by sums: n legs that began at b1, b2 ... have talked n * now - (b1 + b2 + ...) seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Bucket:
    """One count of a policy: its own, or that of one agent, tenant, trunk or number."""

    day: str
    "The date in the policy's zone."
    calls: int = 0
    "At this moment, ringing ones included."
    told: set[str] = field(default_factory=set)
    "Alarms given today."
    _rolled: float = float("-inf")
    "When the day began here: talk before belongs to the day before."
    _seconds: float = 0.0
    _cost: float = 0.0
    _talking: int = 0
    _begins: float = 0.0
    _rate: float = 0.0
    _rate_begins: float = 0.0

    def roll(self, day: str, now: float) -> None:
        """A new day begins with nothing spent; who talks goes on talking."""
        if day == self.day:
            return
        self.day, self._rolled, self._seconds, self._cost = day, now, 0.0, 0.0
        self._begins, self._rate_begins = self._talking * now, self._rate * now
        self.told.clear()

    def began(self, rate: float, now: float) -> None:
        """A leg was answered; `rate`: what a second of it costs."""
        self._talking += 1
        self._begins += now
        self._rate += rate
        self._rate_begins += rate * now

    def ended(self, rate: float, began: float, now: float) -> None:
        """A leg that was answered at `began` is over."""
        began = max(began, self._rolled)
        self._talking -= 1
        self._begins -= began
        self._rate -= rate
        self._rate_begins -= rate * began
        self.add(max(now - began, 0.0), rate)
        if not self._talking:  # what rounding has left of the sums
            self._begins = self._rate = self._rate_begins = 0.0

    def add(self, seconds: float, rate: float) -> None:
        """Talk that is over."""
        self._seconds += seconds
        self._cost += seconds * rate

    def seconds(self, now: float) -> float:
        """Talk of the day so far."""
        return self._seconds + max(self._talking * now - self._begins, 0.0)

    def cost(self, now: float) -> float:
        """What that costs."""
        return self._cost + max(self._rate * now - self._rate_begins, 0.0)

    @property
    def idle(self) -> bool:
        """Nothing of it needs to be remembered."""
        return not self.calls and not self._talking and not self._seconds


class Ledger:
    """All buckets, by policy and what the policy counts by."""

    def __init__(self) -> None:
        self.buckets: dict[tuple[str, str], Bucket] = {}

    def bucket(self, policy: str, key: str, day: str, now: float) -> Bucket:
        """The count, of that day."""
        found = self.buckets.get((policy, key))
        if found is None:
            found = self.buckets[policy, key] = Bucket(day)
        else:
            found.roll(day, now)
        return found

    def sweep(self, keep: set[str]) -> None:
        """Forget what is empty, and what belongs to policies that are no more and of which no call lives."""
        for place in [p for p, one in self.buckets.items() if one.idle or (p[0] not in keep and not one.calls)]:
            del self.buckets[place]
