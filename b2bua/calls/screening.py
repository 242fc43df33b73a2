"""Calls to the outside by the policies: asked before each leg, looked at while they last, remembered over a restart."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from b2bua.log import logger
from b2bua.storage.errors import StorageUnavailable
from routing.number_rules import Region
from routing.number_rules import Rules as NumberRules
from routing.org import Organisation
from routing.policy import ORIGINS
from routing.refusals import Refused
from routing.screening import Bounds, Denied, Outside, Permit, Rules, Screen

if TYPE_CHECKING:
    from b2bua.metrics import Metrics
    from b2bua.settings import Settings
    from b2bua.storage.outside import Talk
    from routing.plan import Plan
    from routing.policy import Origin
    from routing.screening import Alarm

log = logger("screening")

LOOK = 1.0
"Seconds between two looks at running calls: how far over its minutes a policy may be."
SWEEP = 60.0
"Seconds between two clean-ups of counts."
RESTORE_WITHIN = 2.0
"Seconds the database has at the start to tell what was talked today; it is asked again later where it does not."
AGAIN = 5.0
"Seconds until then."

Tell = Callable[[str, str | None, Mapping[str, Any]], None]
"(type, call, data) of an event."


class Barred(Refused):
    """A policy, or the node's settings, forbid the number."""

    sip_code, cause, label = 403, "barred", "policy"

    def __init__(self, denied: Denied) -> None:
        super().__init__(f"{denied.number}: policy {denied.policy}: {denied.why}")
        self.denied = denied


@dataclass(frozen=True, slots=True)
class Count:
    """What a policy's count has come to today."""

    policy: str
    key: str
    calls: int
    minutes: float
    cost: float


class Screening:
    """A service. `screen_outgoing` is for every leg that leaves through a trunk."""

    name = "screening"

    def __init__(
        self,
        settings: Callable[[], Settings],
        plan: Callable[[], Plan],
        metrics: Metrics,
        tell: Tell,
        spent: Callable[[float], Awaitable[Iterable[Talk]]],
        end: Callable[[str, str], bool],
        warn: Callable[[str], None],
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`spent`: talk since that time (epoch seconds) as the records have it; `end`: orders a call's end, by whom;
        `warn`: lets whoever pays for a call hear that."""
        self._settings, self._plan, self._metrics = settings, plan, metrics
        self._tell, self._spent, self._wall = tell, spent, wall
        self._end, self._warn = end, warn
        self._rules: tuple[Plan | None, Rules] = (None, Rules())
        self._bounds: tuple[object, Bounds] = (None, Bounds())
        self.look_every = LOOK
        self._born = wall()
        self._restored = False
        self._callers: dict[int, str] = {}
        "The call of each permit, by the permit's identity."
        self.screen = Screen(self.rules, self.bounds)

    # -- for whoever dials

    def outside(self, number: str, trunk: str, tenant: str | None, agent: str, origin: Origin) -> Outside:
        """The question, with what the trunk's settings add to it."""
        of = self._settings().trunks.get(trunk)
        if of is None:
            return Outside(number, trunk, tenant=tenant, agent=agent, origin=origin)
        written = tuple(_rules_out(tuple(of.called_out), of.region).on_the_way(number))
        return Outside(number, trunk, of.profile(trunk).dialling, tenant, agent, origin, written)

    def check(self, ways: Sequence[Outside]) -> None:
        """Raises Barred for a number that may be dialled over none of its trunks now; nothing is counted as a call."""
        first: tuple[Denied, Outside] | None = None
        for outside in ways:
            found = self.screen.look(outside, time.monotonic(), self._wall())
            if not isinstance(found, Denied):
                return
            first = first or (found, outside)
        if first is not None:
            raise self._barred(*first, None)

    def screen_outgoing(self, outside: Outside, call: str | None = None) -> Permit:
        """Permission for one leg, counted from now on; give it back with `over`. Raises Barred.

        `call`: the id of the call it belongs to, which is ended when a policy's minutes are used up.
        """
        found = self.screen.admit(outside, time.monotonic(), self._wall())
        if isinstance(found, Denied):
            raise self._barred(found, outside, call)
        if found.emergency:
            who = _who(outside)
            self._metrics.emergency.inc()
            self._tell("outside.emergency", call, who)
            log.warning("an emergency number is dialled", call=call, do="see to the agent", **who)
        if call is not None:
            self._callers[id(found)] = call
        return found

    def _barred(self, found: Denied, outside: Outside, call: str | None) -> Barred:
        who = _who(outside)
        self._metrics.barred.inc(found.policy, found.why)
        self._tell("outside.refused", call, {"policy": found.policy, "why": found.why, **who})
        log.warning(
            "a number is not dialled", call=call, policy=found.policy, why=found.why, do="see docs/fraud.md", **who
        )
        return Barred(found)

    def answered(self, permit: Permit) -> None:
        self.screen.answered(permit, time.monotonic(), self._wall())

    def over(self, permit: Permit) -> None:
        """The leg is gone, or was never made. A second time changes nothing."""
        self._callers.pop(id(permit), None)
        self.screen.over(permit, time.monotonic(), self._wall())

    def moved(self, permit: Permit, call: str) -> None:
        """Its leg is part of this call from now on."""
        self._callers[id(permit)] = call

    def is_emergency(self, number: str) -> bool:
        """Whether these digits, as dialled, are put through always."""
        return number in self.bounds().emergency

    def counts(self) -> list[Count]:
        """What today has come to, by policy."""
        return [Count(*row) for row in self.screen.used(time.monotonic(), self._wall())]

    # -- the rules of the moment

    def rules(self) -> Rules:
        """Made anew when the plan is another one."""
        plan = self._plan()
        if self._rules[0] is not plan:
            self._rules = plan, Rules.of(plan.policies.values(), _teams(plan), plan.calendars)
        return self._rules[1]

    def bounds(self) -> Bounds:
        """Made anew when the settings are other ones."""
        settings = self._settings().screening
        if self._bounds[0] is not settings:
            made = Bounds(frozenset(settings.emergency), tuple(settings.never), settings.closed)
            self._bounds = settings, made
        return self._bounds[1]

    # -- as a service

    async def run(self, ready: Callable[[], None]) -> None:
        await self._restore(RESTORE_WITHIN)
        ready()
        swept = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._restore_later())
            while True:
                await asyncio.sleep(self.look_every)
                self.review()
                if time.monotonic() - swept >= SWEEP:
                    swept = time.monotonic()
                    self.screen.sweep()

    async def _restore_later(self) -> None:
        """Beside the looks at running calls: a database that hangs must not hold them up."""
        while not self._restored:
            await asyncio.sleep(self.look_every)
            await self._restore(AGAIN)

    def review(self) -> None:
        """Give the alarms that are due, and end the calls that have used up what they had."""
        alarms, concerned = self.screen.review(time.monotonic(), self._wall())
        for alarm in alarms:
            self._alarm(alarm)
        for permit, alarm in concerned:
            call = self._callers.get(id(permit))
            if call is None:
                continue
            if alarm.policy.at_limit == "warn":
                self._warn(call)
            elif self._end(call, f"policy {alarm.policy.id}"):
                self._metrics.policy_ended.inc(alarm.policy.id)
                log.warning("a call is ended by a policy", call=call, policy=alarm.policy.id, what=alarm.what)

    def _alarm(self, alarm: Alarm) -> None:
        policy = alarm.policy
        self._metrics.policy_alarms.inc(policy.id, alarm.what, alarm.level)
        figures = {"used": round(alarm.used, 2), "limit": alarm.limit}
        data = {"policy": policy.id, "key": alarm.key, "what": alarm.what, "level": alarm.level, **figures}
        if policy.tenant:
            data["tenant"] = policy.tenant
        self._tell("outside.alarm", None, data)
        told = {name: value for name, value in data.items() if name != "level"}  # a log line has a level of its own
        log.warning("calls outside come to a limit", do="see who dials", at=alarm.level, **told)

    async def _restore(self, within: float) -> None:
        """Count, once, what was talked today before this life, if the database says."""
        if self._restored:
            return
        wall = self._wall()
        try:
            async with asyncio.timeout(within):
                found = await self._spent(wall - 86400)
        except (StorageUnavailable, TimeoutError):
            log.warning("today's minutes outside are not known yet: the database did not answer")
            return
        self._restored = True
        now = time.monotonic()
        for one in found:
            if one.began >= self._born:
                continue  # counted as it was talked, though the record is there by now
            origin = cast("Origin", one.origin if one.origin in ORIGINS else "transfer")
            outside = self.outside(one.number, one.trunk, one.tenant, one.agent, origin)
            self.screen.restore(outside, one.began, one.ended, now, wall)


@lru_cache(1024)
def _rules_out(steps: tuple[str, ...], region: Region) -> NumberRules:
    """A trunk's `called_out`: the settings have checked the steps."""
    return NumberRules.parse(steps, region)


def _who(outside: Outside) -> dict[str, Any]:
    """Who wants what, for events and the log."""
    who = {"number": outside.number, "trunk": outside.trunk, "agent": outside.agent or None, "origin": outside.origin}
    return who | ({"tenant": outside.tenant} if outside.tenant else {})


def _teams(plan: Plan) -> dict[str, frozenset[str]]:
    """Team -> extensions of its persons and of those in the teams below."""
    phones = {p.person: p.extension for p in plan.agent_profiles.values() if p.person}
    org = Organisation.of(plan.persons, plan.teams, {}, {}, phones)
    found: dict[str, set[str]] = {}
    for person in plan.persons.values():
        extension = org.extension(person)
        if extension:
            for team in org.teams_above(person.team):
                found.setdefault(team.id, set()).add(extension)
    return {team: frozenset(extensions) for team, extensions in found.items()}
