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
    cps_in: float | None = None
    "Calls a second that come in; twice as many may begin at once after a rest."
    cps_out: float | None = None
    "The same for those that go out."
    minutes: float | None = None
    "Of talk a day, on calls that go out."


@dataclass(slots=True)
class Bucket:
    """Tokens, one for each call, that come back with time."""

    tokens: float = -1.0
    "Negative: never asked, so full."
    at: float = 0.0

    def level(self, rate: float, now: float) -> float:
        """How many there are now at so many a second, twice that many at most."""
        most = max(1.0, 2 * rate)
        self.tokens = most if self.tokens < 0 else min(most, self.tokens + (now - self.at) * rate)
        self.at = now
        return self.tokens


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
    _in: Bucket = field(default_factory=Bucket)
    _out: Bucket = field(default_factory=Bucket)

    def refuses_in(self, limits: Limits, now: float) -> str:
        """Why one more call may not come in; empty: it may, and is counted."""
        if limits.calls_in is not None and self.calls_in >= limits.calls_in:
            return "max-calls-in"
        if why := self._full(limits):
            return why
        if limits.cps_in is not None:
            if self._in.level(limits.cps_in, now) < 1.0:
                return "cps"
            self._in.tokens -= 1.0
        return ""

    def refuses_out(self, limits: Limits, now: float, day: str) -> str:
        """Why one more call may not go out; empty: it may.  Takes nothing."""
        if limits.calls_out is not None and self.calls_out >= limits.calls_out:
            return "max-calls-out"
        if limits.minutes is not None and self.minutes_of(day, now) >= limits.minutes:
            return "minutes"
        if limits.cps_out is not None and self._out.level(limits.cps_out, now) < 1.0:
            return "cps"
        return self._full(limits)

    def room_out(self, limits: Limits, now: float, day: str) -> int | None:
        """Calls that may go out at this moment; None: no limit."""
        if self.refuses_out(limits, now, day):
            return 0
        rooms = [] if limits.calls_out is None else [limits.calls_out - self.calls_out]
        if limits.calls is not None:
            rooms.append(limits.calls - self.calls_in - self.calls_out)
        if limits.cps_out is not None:
            rooms.append(int(self._out.level(limits.cps_out, now)))
        return min(rooms, default=None)

    def take(self, limits: Limits, now: float) -> None:
        """One more goes out."""
        if limits.cps_out is not None:
            self._out.level(limits.cps_out, now)
            self._out.tokens -= 1.0

    def minutes_of(self, day: str, now: float) -> float:
        """Minutes of this day, running calls included: of those, what is talked from the first look of the day on."""
        if day != self.day:
            self.day, self.minutes = day, 0.0
            self.talking = dict.fromkeys(self.talking, now)
        return self.minutes + sum(now - began for began in self.talking.values()) / 60

    def _full(self, limits: Limits) -> str:
        if limits.calls is not None and self.calls_in + self.calls_out >= limits.calls:
            return "max-calls"
        return ""
