"""Text messages at thresholds and on schedule (R2-08): looks at the figures each second and sends what is due."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import datetime
from zoneinfo import ZoneInfo

from b2bua.log import logger
from b2bua.outside.asking import Asker, Limits
from b2bua.reports.alarms import Watch, look
from b2bua.reports.gateway import Gateway, Message
from b2bua.reports.keeper import Keeper
from b2bua.reports.spans import Days
from b2bua.reports.tally import complete, ratios
from b2bua.settings import Sms
from b2bua.storage.errors import StorageUnavailable
from b2bua.storage.reports import Reports, Wanted
from routing.notices import MEASURES, SmsRule
from routing.plan import Plan
from routing.url_template import fill_text, places

log = logger("tandem.sms")

LOOK = 1.0
"Seconds between two looks."
FRESH = 5.0
"Seconds for which figures of the day are good enough."
MOST = 200
"Messages on their way; further ones are not sent."
PREFIX = "sms:"
OF_THE_DAY = frozenset(MEASURES) - {"waiting", "oldest-wait", "available"}
LIMITS = Limits(places=8, waiting=MOST, connections=8, failures=5, rest=2.0)

Figures = dict[str, float | None]
"Measure -> value; None where there is nothing to measure."


class SmsAlarms:
    """A service."""

    name = "sms"

    def __init__(
        self,
        template: Sms,
        reports: Reports,
        keeper: Keeper,
        plan: Callable[[], Plan],
        observe: Callable[[str], None] = lambda result: None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.reports, self.keeper, self.plan, self._wall = reports, keeper, plan, wall
        self.asker = Asker(LIMITS)
        self.gateway = Gateway(template, self.asker, observe)
        self._observe = observe
        self._watches: dict[str, Watch] = {}
        self._days: dict[tuple[str, str | None], tuple[float, Figures]] = {}
        self._sending: set[asyncio.Task[bool]] = set()
        self._told = False

    def __repr__(self) -> str:
        return f"<sms {len(self._watches)} rules, {len(self._sending)} on their way>"

    async def run(self, ready: Callable[[], None]) -> None:
        ready()
        async with self.asker:
            try:
                while True:
                    await asyncio.sleep(LOOK)
                    try:
                        await self.look_at_all()
                    except StorageUnavailable:
                        continue  # the figures are in the database: the next look may find it again
            finally:
                for task in self._sending:
                    task.cancel()
                await asyncio.gather(*self._sending, return_exceptions=True)

    async def look_at_all(self) -> None:
        """One look at every rule."""
        rules = {key: rule for key, rule in self.plan().sms_rules.items() if rule.enabled}
        for gone in self._watches.keys() - rules.keys():
            del self._watches[gone]
        if not rules or not self.keeper.current:
            return
        if not self.gateway.template.url:
            if not self._told:
                log.warning("there are SMS rules, but no provider", do="set sms.url in the configuration")
                self._told = True
            return
        for key, rule in rules.items():
            await self._look(key, rule)

    async def _look(self, key: str, rule: SmsRule) -> None:
        now = self._wall()
        before = self._watches.get(key) or await self._remembered(key, now)
        figures = await self._figures(rule, now) if rule.measure else {}
        after, due = look(rule, figures.get(rule.measure), before, now)
        self._watches[key] = after
        if due:
            # first remembered, then sent: a crash in between costs a message, not a storm of them
            await self.reports.move(PREFIX + key, 0, asdict(after))
            self._send(rule, text_of(rule, figures or await self._figures(rule, now, whole=True), now), now)

    async def _remembered(self, key: str, now: float) -> Watch:
        known, body = await self.reports.cursor(PREFIX + key)
        if known is None:
            watch = Watch(now)
            await self.reports.move(PREFIX + key, 0, asdict(watch))
            return watch
        return Watch(**body)

    async def _figures(self, rule: SmsRule, now: float, *, whole: bool = False) -> Figures:
        """What the rule's threshold and text need."""
        fold = self.keeper.fold
        waiting = fold.waiting(rule.tenant)
        times = waiting.get(rule.queue, []) if rule.queue else sorted(at for each in waiting.values() for at in each)
        found: Figures = {
            "waiting": len(times),
            "oldest-wait": max(now - times[0], 0.0) if times else 0.0,
            "available": sum(1 for one in self._agents(rule.queue) if one == "available"),
        }
        wanted = {rule.measure, *(name.replace("_", "-") for name in places(rule.text))}
        if whole or wanted & OF_THE_DAY:
            found |= await self._day(rule.queue, rule.tenant, now)
        return found

    def _agents(self, queue: str) -> Iterable[str]:
        """The states of the agents (of this queue)."""
        profiles = self.plan().agent_profiles
        for extension, agent in self.keeper.fold.agents.items():
            profile = profiles.get(extension)
            if not queue or (profile is not None and queue in profile.queues):
                yield agent.state

    async def _day(self, queue: str, tenant: str | None, now: float) -> Figures:
        at, known = self._days.get((queue, tenant), (0.0, {}))
        if now - at <= FRESH:
            return known
        since = Days(self.keeper.zone).begin(now)
        wanted = Wanted("queue" if queue else "total", "day", since, None, queue or None, tenant)
        rows = await self.reports.rows(wanted, 1)
        counts = rows[0].counts if rows else {}
        whole = {**complete(counts), **ratios(counts)}
        made: Figures = {name: whole[name.replace("-", "_")] for name in OF_THE_DAY}
        self._days[queue, tenant] = now, made
        return made

    def _send(self, rule: SmsRule, text: str, now: float) -> None:
        for number in rule.to:
            if len(self._sending) >= MOST:
                self._observe("given-up")
                log.warning("too many text messages are on their way; one is not sent", rule=rule.id)
                continue
            message = Message(f"{rule.id}-{int(now)}-{number.lstrip('+')}", number, text)
            task = asyncio.create_task(self.gateway.send(message), name=f"sms {message.id}")
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)


def text_of(rule: SmsRule, figures: Figures, now: float) -> str:
    """The message, its names filled in: shares in per cent, seconds without their fractions."""
    shown = {name.replace("-", "_"): _shown(name, figures.get(name)) for name in MEASURES}
    shown["value"] = _shown(rule.measure, figures.get(rule.measure))
    shown |= {"rule": rule.id, "queue": rule.queue or "all queues"}
    shown["time"] = datetime.fromtimestamp(now, ZoneInfo(rule.zone)).strftime("%H:%M")
    return fill_text(rule.text, shown)


def _shown(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    return (
        f"{100 * value:.0f} %"
        if name in ("abandoned-share", "service-level", "service-level-answered")
        else f"{value:.0f}"
    )
