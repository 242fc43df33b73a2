"""Whether a number may be dialled, and whether a running call may go on: the policies' word. Pure.

`now` is monotonic seconds, `wall` epoch seconds: talk is measured by the one, days and hours are told by the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from routing.business_hours import is_open
from routing.calendar import Calendar
from routing.dialled_number import DialledNumber, allowed, dialled_number, named, price_of
from routing.digits import NO_DIALLING, Dialling
from routing.policy import Origin, Policy
from routing.spending import Bucket, Ledger

Why = Literal["number", "never", "not-allowed", "denied", "hours", "calls", "minutes", "cost"]
"""number: not plain digits; never: dialled by nobody on this node; not-allowed, denied: the policy's patterns; hours:
its calendar; calls, minutes, cost: used up."""

QUARTER = 900.0
"Seconds in which no day ends anywhere: at their ends only."
NODE = "node"
"Stands for the node's own settings where a policy is named."


@dataclass(frozen=True, slots=True)
class Outside:
    """A call that somebody wants to place outside."""

    number: str
    "As dialled."
    trunk: str
    dialling: Dialling = NO_DIALLING
    "How that trunk writes numbers."
    tenant: str | None = None
    agent: str = ""
    "The extension whose call it is; empty: nobody's."
    origin: Origin = "transfer"
    written: tuple[str, ...] = ()
    "What the trunk makes of the number, step by step (`number_rules`): what is forbidden is so in every form."


@dataclass(frozen=True, slots=True)
class Denied:
    """It is not placed."""

    policy: str
    "`node` where the node's settings forbid it."
    why: Why
    number: str
    "As it was understood."


@dataclass(frozen=True, slots=True)
class Charge:
    """One count that a call adds to."""

    policy: Policy
    key: str
    rate: float
    "What a second costs."


@dataclass(slots=True)
class Permit:
    """It may be placed, and counts as a call from now on. Give it back with `Screen.over`."""

    call: Outside
    number: str
    charges: tuple[Charge, ...]
    emergency: bool = False
    began: float | None = None
    "When it was answered (monotonic seconds)."
    over: bool = False


@dataclass(frozen=True, slots=True)
class Alarm:
    """A count of the day has come near its limit, or to it. Told once a day each."""

    policy: Policy
    key: str
    what: Literal["minutes", "cost"]
    level: Literal["near", "reached"]
    used: float
    limit: float


@dataclass(frozen=True, slots=True)
class Bounds:
    """What holds on this node whatever the policies say."""

    emergency: frozenset[str] = frozenset()
    "Numbers that are dialled always, as they are dialled."
    never: tuple[str, ...] = ()
    "Patterns of numbers that nobody dials."
    closed: bool = False
    "Numbers that no policy names in `allow` are not dialled."


@dataclass(frozen=True, slots=True)
class Rules:
    """The policies of a plan, made ready: built once for each plan."""

    policies: tuple[Policy, ...] = ()
    teams: Mapping[str, frozenset[str]] = field(default_factory=dict)
    "Team -> extensions of its persons, those of the teams below included."
    calendars: Mapping[str, Calendar] = field(default_factory=dict)

    @classmethod
    def of(
        cls, policies: Iterable[Policy], teams: Mapping[str, frozenset[str]], calendars: Mapping[str, Calendar]
    ) -> Rules:
        """Those that are in force."""
        return cls(tuple(sorted((p for p in policies if p.enabled), key=lambda p: p.id)), teams, calendars)

    def about(self, call: Outside, numbers: Iterable[DialledNumber]) -> Iterator[Policy]:
        """The policies that this call must meet."""
        for policy in self.policies:
            if policy.tenant is not None and policy.tenant != call.tenant:
                continue
            if policy.trunks and call.trunk not in policy.trunks:
                continue
            if policy.origins and call.origin not in policy.origins:
                continue
            if (policy.agents or policy.teams) and not self._is_of(policy, call.agent):
                continue
            if policy.numbers and not _any_named(numbers, policy.numbers):
                continue
            yield policy

    def _is_of(self, policy: Policy, extension: str) -> bool:
        if not extension:
            return False
        return extension in policy.agents or any(extension in self.teams.get(team, ()) for team in policy.teams)


class Screen:
    """Decides by the rules of the moment, and keeps the counts."""

    def __init__(self, rules: Callable[[], Rules], bounds: Callable[[], Bounds] = Bounds) -> None:
        self._rules, self._bounds = rules, bounds
        self.ledger = Ledger()
        self.live: dict[int, Permit] = {}
        "Permits that are not over, by identity."

    def __repr__(self) -> str:
        return f"<screen: {len(self.live)} calls outside, {len(self.ledger.buckets)} counts>"

    def look(self, call: Outside, now: float, wall: float) -> Permit | Denied:
        """The verdict; nothing is counted yet."""
        bounds = self._bounds()
        numbers = _numbers(call)
        number = numbers[0]
        shown = number.forms[0]
        if number.dialled in bounds.emergency:
            return Permit(call, shown, (), emergency=True)
        if _any_named(numbers, bounds.never):
            return Denied(NODE, "never", shown)
        charges: list[Charge] = []
        welcome = False
        for policy in self._rules().about(call, numbers):
            why, listed = self._word(policy, numbers, wall)
            if why is not None:
                return Denied(policy.id, why, shown)
            welcome = welcome or listed
            if policy.calls is not None or policy.spends:
                rate = _price(numbers, policy.prices) / 60 if policy.prices else 0.0
                charges.append(Charge(policy, _key(policy, call, shown), rate))
        if not welcome and not number.plain:
            return Denied(NODE, "number", shown)
        if not welcome and bounds.closed:
            return Denied(NODE, "not-allowed", shown)
        for charge in charges:
            if (used_up := _full(charge.policy, self._bucket(charge, now, wall), now)) is not None:
                return Denied(charge.policy.id, used_up, shown)
        return Permit(call, shown, tuple(charges))

    def admit(self, call: Outside, now: float, wall: float) -> Permit | Denied:
        """The verdict; a permit counts from now on."""
        found = self.look(call, now, wall)
        if isinstance(found, Permit):
            self.live[id(found)] = found
            for charge in found.charges:
                self._bucket(charge, now, wall).calls += 1
        return found

    def answered(self, permit: Permit, now: float, wall: float) -> None:
        """Talk begins; a second time changes nothing."""
        if permit.over or permit.began is not None:
            return
        permit.began = now
        for charge in permit.charges:
            self._bucket(charge, now, wall).began(charge.rate, now)

    def over(self, permit: Permit, now: float, wall: float) -> None:
        """The leg is gone; a second time changes nothing."""
        if permit.over:
            return
        permit.over = True
        self.live.pop(id(permit), None)
        for charge in permit.charges:
            bucket = self._bucket(charge, now, wall)
            bucket.calls = max(bucket.calls - 1, 0)
            if permit.began is not None:
                bucket.ended(charge.rate, permit.began, now)

    def restore(self, call: Outside, began: float, ended: float, now: float, wall: float) -> None:
        """Talk of an earlier life (epoch seconds): what of it is of today is counted."""
        numbers = _numbers(call)
        for policy in self._rules().about(call, numbers):
            if not policy.spends:
                continue
            seconds = ended - max(began, _midnight(policy.zone, wall))
            if seconds > 0:
                rate = _price(numbers, policy.prices) / 60
                charge = Charge(policy, _key(policy, call, numbers[0].forms[0]), rate)
                self._bucket(charge, now, wall).add(seconds, rate)

    def review(self, now: float, wall: float) -> tuple[list[Alarm], list[tuple[Permit, Alarm]]]:
        """Alarms that are due, and the calls concerned by a limit that is reached: those of `end` until they are over,
        those of `warn` once.

        Policies are those of the moment: one that was changed meanwhile limits running calls as it is now.
        """
        current = {policy.id: policy for policy in self._rules().policies}
        alarms: list[Alarm] = []
        concerned: list[tuple[Permit, Alarm]] = []
        fresh: set[tuple[str, str, str]] = set()
        for permit in self.live.values():
            if permit.began is None:
                continue
            for charge in permit.charges:
                policy = current.get(charge.policy.id)
                if policy is None or not policy.spends:
                    continue
                bucket = self._bucket(charge, now, wall)
                for alarm in _spent(policy, charge.key, bucket, now):
                    if (mark := f"{alarm.what} {alarm.level}") not in bucket.told:
                        bucket.told.add(mark)
                        alarms.append(alarm)
                        fresh.add((policy.id, charge.key, mark))
                    if alarm.level == "reached" and (
                        policy.at_limit == "end" or (policy.id, charge.key, mark) in fresh
                    ):
                        concerned.append((permit, alarm))
        return alarms, concerned

    def sweep(self) -> None:
        """Forget counts that nobody needs."""
        self.ledger.sweep({policy.id for policy in self._rules().policies})

    def used(self, now: float, wall: float) -> Iterator[tuple[str, str, int, float, float]]:
        """(policy, key, calls, minutes, cost) of all counts, as they are."""
        zones = {policy.id: policy.zone for policy in self._rules().policies}
        for (policy, key), bucket in sorted(self.ledger.buckets.items()):
            if policy in zones:
                bucket.roll(day_of(zones[policy], wall), now)
                yield policy, key, bucket.calls, bucket.seconds(now) / 60, bucket.cost(now)

    def _word(self, policy: Policy, numbers: tuple[DialledNumber, ...], wall: float) -> tuple[Why | None, bool]:
        """Why the policy forbids the number at this time (None: it does not), and whether it names it as allowed."""
        listed = bool(policy.allow) and allowed(numbers[0], policy.allow)
        if policy.allow and not listed:
            return "not-allowed", False
        if policy.deny and _any_named(numbers, policy.deny):
            return "denied", listed
        if policy.calendar is not None:
            calendar = self._rules().calendars.get(policy.calendar)
            if calendar is None or not is_open(calendar, wall):
                return "hours", listed
        return None, listed

    def _bucket(self, charge: Charge, now: float, wall: float) -> Bucket:
        return self.ledger.bucket(charge.policy.id, charge.key, day_of(charge.policy.zone, wall), now)


def _numbers(call: Outside) -> tuple[DialledNumber, ...]:
    """The number as dialled, and what the trunk makes of it as far as that can be read."""
    found = dialled_number(call.number, call.dialling)
    if not call.written:
        return (found,)
    written = (dialled_number(text, call.dialling) for text in call.written)
    return (found, *(one for one in written if one.plain))


def _any_named(numbers: Iterable[DialledNumber], patterns: tuple[str, ...]) -> bool:
    return any(named(number, patterns) for number in numbers)


def _price(numbers: tuple[DialledNumber, ...], prices: Mapping[str, float]) -> float:
    """Of a minute; what the trunk makes of the number counts where its country is known."""
    known = (one for one in numbers[1:] if one.forms[0].startswith("+"))
    return max(price_of(one, prices) for one in (numbers[0], *known))


def _key(policy: Policy, call: Outside, number: str) -> str:
    match policy.per:
        case "agent":
            return call.agent
        case "tenant":
            return call.tenant or ""
        case "trunk":
            return call.trunk
        case "number":
            return number
        case _:
            return ""


def _full(policy: Policy, bucket: Bucket, now: float) -> Why | None:
    if policy.calls is not None and bucket.calls >= policy.calls:
        return "calls"
    if policy.minutes is not None and bucket.seconds(now) >= policy.minutes * 60:
        return "minutes"
    if policy.cost is not None and bucket.cost(now) >= policy.cost:
        return "cost"
    return None


def _spent(policy: Policy, key: str, bucket: Bucket, now: float) -> list[Alarm]:
    """Every level that the day's talk has come to."""
    found: list[Alarm] = []
    if policy.minutes is not None:
        found += _levels(policy, key, "minutes", bucket.seconds(now) / 60, policy.minutes)
    if policy.cost is not None:
        found += _levels(policy, key, "cost", bucket.cost(now), policy.cost)
    return found


def _levels(policy: Policy, key: str, what: Literal["minutes", "cost"], used: float, limit: float) -> Iterator[Alarm]:
    if used >= limit:
        yield Alarm(policy, key, what, "reached", used, limit)
    elif used >= limit * policy.warn_at:
        yield Alarm(policy, key, what, "near", used, limit)


def day_of(zone: str, wall: float) -> str:
    """The date there."""
    return _date(zone, wall // QUARTER)


@lru_cache(1024)
def _date(zone: str, quarter: float) -> str:
    # no clock's midnight, offset or change to summer time lies inside a quarter of an hour of epoch time
    return datetime.fromtimestamp(quarter * QUARTER, ZoneInfo(zone)).date().isoformat()


def _midnight(zone: str, wall: float) -> float:
    """When the day began there (epoch seconds)."""
    local = datetime.fromtimestamp(wall, ZoneInfo(zone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
