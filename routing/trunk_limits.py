"""How much a trunk may carry: calls at once, calls a second, minutes of talk a day.  Pure: time is an argument."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Limits:
    """None: no limit."""

    calls: int | None = None
    "At once, in both directions."
    calls_in: int | None = None
    calls_out: int | None = None
    cps_out: float | None = None
    "Calls a second that go out; twice as many may begin at once after a rest."
    minutes: float | None = None
    "Of talk a day, on calls that go out."


@dataclass(slots=True)
class Load:
    """What a trunk carries now."""

    calls_in: int = 0
    calls_out: int = 0
    minutes: float = 0.0
    "Of talk today, on calls that went out and are over."
    day: str = ""
    "The day that `minutes` is of."
    talking: dict[int, float] = field(default_factory=dict)
    "When the talk of the calls that went out began, monotonic seconds, by leg."
    _tokens: float | None = None
    _at: float = 0.0

    def refuses_in(self, limits: Limits) -> str:
        """Why one more call may not come in; empty: it may."""
        if limits.calls_in is not None and self.calls_in >= limits.calls_in:
            return "max-calls-in"
        return self._full(limits)

    def refuses_out(self, limits: Limits, now: float, day: str) -> str:
        """Why one more call may not go out; empty: it may.  Takes nothing."""
        if limits.calls_out is not None and self.calls_out >= limits.calls_out:
            return "max-calls-out"
        if limits.minutes is not None and self.minutes_of(day, now) >= limits.minutes:
            return "minutes"
        if limits.cps_out is not None and self._refilled(limits.cps_out, now) < 1.0:
            return "cps"
        return self._full(limits)

    def take(self, limits: Limits, now: float) -> None:
        """One more goes out."""
        if limits.cps_out is not None:
            self._tokens = self._refilled(limits.cps_out, now) - 1.0

    def minutes_of(self, day: str, now: float) -> float:
        """Minutes of this day, running calls included; another day begins with nothing but them."""
        if day != self.day:
            self.day, self.minutes = day, 0.0
        return self.minutes + sum(now - began for began in self.talking.values()) / 60

    def _full(self, limits: Limits) -> str:
        if limits.calls is not None and self.calls_in + self.calls_out >= limits.calls:
            return "max-calls"
        return ""

    def _refilled(self, rate: float, now: float) -> float:
        most = max(1.0, 2 * rate)
        tokens = most if self._tokens is None else min(most, self._tokens + (now - self._at) * rate)
        self._tokens, self._at = tokens, now
        return tokens
