"""Circuit breaker as a value: after some failures in a row nobody asks for a while, then one probe decides.

Pure: every step takes `now` (monotonic seconds) and returns the next breaker.
"""

from dataclasses import dataclass, replace
from enum import StrEnum


class State(StrEnum):
    """What the breaker allows at a moment."""

    CLOSED = "closed"
    "Everybody may ask."
    OPEN = "open"
    "Nobody may ask until the rest is over."
    HALF_OPEN = "half-open"
    "One probe may ask."


@dataclass(frozen=True, slots=True)
class Breaker:
    """Failures in a row of one outside system and what follows from them."""

    threshold: int = 5
    "Failures in a row that open it."
    rest: float = 10.0
    "Seconds it stays open before one probe may go out."
    failures: int = 0
    opened_at: float | None = None
    "Time of the failure that opened it (again), None while closed."
    probe_at: float | None = None
    "Time the probe went out; one that never reports is forgotten after `rest` seconds."

    def state(self, now: float) -> State:
        """What it allows at `now`."""
        if self.opened_at is None:
            return State.CLOSED
        probing = self.probe_at is not None and now - self.probe_at < self.rest
        return State.OPEN if probing or now - self.opened_at < self.rest else State.HALF_OPEN

    def ask(self, now: float) -> "tuple[Breaker, bool]":
        """The breaker after somebody wants to ask, and whether he may."""
        match self.state(now):
            case State.CLOSED:
                return self, True
            case State.OPEN:
                return self, False
            case State.HALF_OPEN:
                return replace(self, probe_at=now), True

    def answered(self) -> "Breaker":
        """The system works: closed, with nothing held against it."""
        if self.failures == 0 and self.opened_at is None:
            return self
        return replace(self, failures=0, opened_at=None, probe_at=None)

    def failed(self, now: float) -> "Breaker":
        """The system did not do its work: opens at the threshold, and again when the probe fails."""
        failures = self.failures + 1
        if self.opened_at is None and failures < self.threshold:
            return replace(self, failures=failures)
        return replace(self, failures=failures, opened_at=now, probe_at=None)

    def abandoned(self) -> "Breaker":
        """The question was withdrawn before its end (the caller hung up): that says nothing about the system."""
        return self if self.probe_at is None else replace(self, probe_at=None)
