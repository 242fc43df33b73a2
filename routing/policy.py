"""Policies as data: where calls to the outside may go, when, how many at once, how long and how dear in a day.

One row limits one thing: who (tenant, trunk, agents, teams), what way, to which numbers. A call must be allowed by
every policy that is about it, so a second row never takes back what a first one forbids.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Literal, get_args
from zoneinfo import ZoneInfo

from routing.expressions import takes_long
from routing.plan_checks import reference

if TYPE_CHECKING:
    from routing.directory import Directory
    from routing.plan import Plan

Origin = Literal["phone", "transfer", "api", "campaign", "callback"]
"Who has a number dialled: an agent's phone, a transfer, click to call, the dialler, a caller who wants to be called."
Per = Literal["policy", "agent", "tenant", "trunk", "number"]
AtLimit = Literal["end", "warn"]

ORIGINS: tuple[str, ...] = get_args(Origin)
EXPRESSION = "~"
"What a pattern begins with that is a regular expression."
LONGEST_EXPRESSION = 200
MOST_PRICES = 5000
MOST = 1e9

_PREFIX = re.compile(r"\+?[0-9*#]{1,24}")


@dataclass(frozen=True, slots=True)
class Policy:
    """A limit of calls to the outside. The first fields say which calls it is about, the others what it allows them."""

    id: str
    name: str = ""
    tenant: str | None = None
    "Only calls of this tenant; None: of all, and of none."
    trunks: tuple[str, ...] = ()
    "Only calls over these trunks; empty: any."
    agents: tuple[str, ...] = ()
    "Only calls of these agents, by extension; with `teams` the agents of both. Empty: of anybody."
    teams: tuple[str, ...] = ()
    "Only calls of the persons in these teams, and in the teams below them."
    origins: tuple[Origin, ...] = ()
    "Only calls dialled this way: phone, transfer, api (click to call), campaign, callback. Empty: any way."
    numbers: tuple[str, ...] = ()
    """Only calls to numbers that one of these patterns fits. A pattern is the beginning of a number, with a plus where
    it is international (`+44`, `0800`), or `~` and a regular expression for the whole (`~\\+4989[0-9]{4,}`)."""
    allow: tuple[str, ...] = ()
    "Patterns of which one must fit; empty: any number."
    deny: tuple[str, ...] = ()
    "Patterns of which none may fit."
    calendar: str | None = None
    "Only while this calendar is open."
    per: Per = "policy"
    "What has a count of its own: all calls of the policy together, or those of each agent, tenant, trunk or number."
    calls: int | None = None
    "Calls at once, ringing ones included."
    minutes: float | None = None
    "Minutes of talk in a day."
    cost: float | None = None
    "What the talk of a day may cost, in the currency of `prices`."
    prices: Mapping[str, float] = field(default_factory=dict)
    "Beginning of a number -> price of a minute; the longest one that fits counts, the empty one fits every number."
    zone: str = "UTC"
    "IANA time zone in which days begin."
    warn_at: float = 0.8
    "Share of `minutes` or `cost` at which the first alarm is given."
    at_limit: AtLimit = "end"
    "What becomes of running calls when `minutes` or `cost` are used up: end them, or warn only. New ones are refused."
    enabled: bool = True

    @property
    def spends(self) -> bool:
        """Whether it limits what a day's talk comes to."""
        return self.minutes is not None or self.cost is not None


def pattern_mistake(pattern: str) -> str | None:
    """What is wrong with a pattern of numbers; None: nothing."""
    if not pattern.startswith(EXPRESSION):
        return None if _PREFIX.fullmatch(pattern) else f"{pattern!r} is no beginning of a number (+ and digits)"
    if len(pattern) > LONGEST_EXPRESSION:
        return f"a regular expression has {LONGEST_EXPRESSION} characters at most"
    try:
        re.compile(pattern[1:])
    except re.error as error:
        return f"{pattern!r} is no regular expression: {error}"
    why = takes_long(pattern[1:])
    return None if why is None else f"{pattern!r} {why}"


def policy_problems(policy: Policy, plan: Plan, directory: Directory) -> Iterator[str]:
    """Every mistake of a policy as it stands in the plan."""
    for kind in ("numbers", "allow", "deny"):
        for at, pattern in enumerate(getattr(policy, kind)):
            if (mistake := pattern_mistake(pattern)) is not None:
                yield f"{kind}.{at}: {mistake}"
    for at, extension in enumerate(policy.agents):
        if extension not in directory.agents:
            yield f"agents.{at}: there is no agent {extension}"
    for at, team in enumerate(policy.teams):
        yield from reference(f"teams.{at}", plan.teams, "team", team, policy.tenant)
    yield from reference("calendar", plan.calendars, "calendar", policy.calendar, policy.tenant)
    yield from _limits(policy)
    for prefix, price in policy.prices.items():
        if prefix and pattern_mistake(prefix) is not None:
            yield f"prices: {prefix!r} is no beginning of a number"
        if not (isfinite(price) and 0 <= price <= MOST):
            yield f"prices: {price!r} is no price"
    if len(policy.prices) > MOST_PRICES:
        yield f"prices: {MOST_PRICES} at most"
    try:
        ZoneInfo(policy.zone)
    except (ValueError, OSError, KeyError):
        yield f"zone: there is no time zone {policy.zone}"


def _limits(policy: Policy) -> Iterator[str]:
    if policy.calls is not None and not 0 <= policy.calls <= MOST:
        yield "calls: must be 0 or more"
    for name in ("minutes", "cost"):
        value = getattr(policy, name)
        if value is not None and not (isfinite(value) and 0 <= value <= MOST):
            yield f"{name}: must be 0 or more"
    if not 0 < policy.warn_at <= 1:
        yield "warn_at: must be above 0, and 1 at most"
    if policy.cost is not None and "" not in policy.prices:
        yield 'prices: with `cost` they need one for all other numbers: "" = 0.50'
    if policy.calls is None and not policy.spends and not (policy.allow or policy.deny or policy.calendar):
        yield "it limits nothing: give `allow`, `deny`, `calendar`, `calls`, `minutes` or `cost`"
