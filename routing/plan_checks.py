"""What is wrong with queues, VDNs, priorities, agents' profiles and calendars before a call finds out.

Each check yields sentences that begin with the field they are about and a colon.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from routing.business_hours import WEEKDAYS, BadSpan, read_span
from routing.goal import GOAL_KINDS, Goal

if TYPE_CHECKING:
    from routing.calendar import Calendar
    from routing.directory import Directory
    from routing.plan import Plan
    from routing.queue import AgentProfile, PriorityClass, PriorityEntry, Queue
    from routing.vdn import Vdn

KEY = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")
"Keys stand in paths, events and file names."
LONGEST_NAME = 100
KEYS_OF_A_PHONE = "0123456789*#"
MOST_SECONDS = 7 * 86400.0
MOST_LEVEL = 100
OF_THE_PLAN = {
    "person": ("person", "persons"),
    "queue": ("queue", "queues"),
    "vdn": ("VDN", "vdns"),
    "menu": ("menu", "menus"),
    "voicemail": ("mailbox", "mailboxes"),
}
"Goals that are values of the plan: what they are called, and their kinds."

_FIELD = re.compile(r"([a-z_]+(?:\.[^\s:.]+)*): (.*)", re.DOTALL)


def split(sentence: str) -> tuple[str, str]:
    """Field and message of a sentence; the field is empty where it names none."""
    found = _FIELD.fullmatch(sentence)
    return (found[1], found[2]) if found else ("", sentence)


def common(key: str, value: Any, directory: Directory) -> Iterator[str]:
    """What holds for every kind."""
    if not KEY.fullmatch(key):
        yield f"{key!r} is no key: letters, digits and . _ - (64 at most), the first a letter or digit"
    name = getattr(value, "name", "")
    if len(name) > LONGEST_NAME or "\n" in name or "\t" in name:
        yield f"name: must be one line of {LONGEST_NAME} characters at most"
    tenant = getattr(value, "tenant", None)
    if tenant is not None and tenant not in directory.tenants:
        yield f"tenant: there is no tenant {tenant}"


def goal_problems(
    goal: Goal, plan: Plan, agents: Container[str], tenant: str | None = None, field: str = "goal"
) -> Iterator[str]:
    """Why a call cannot go there. `agents`: the extensions there are; `tenant`: whose call it is (None: anybody's)."""
    if goal.kind not in GOAL_KINDS:
        yield f"{field}: {goal.kind} is no goal; there are: {', '.join(sorted(GOAL_KINDS))}"
    elif goal.kind == "hangup":
        if goal.target:
            yield f"{field}: hangup has no target"
    elif not goal.target:
        yield f"{field}: {goal.kind} needs a target"
    elif goal.kind == "agent":
        if goal.target not in agents:
            yield f"{field}: there is no agent {goal.target}"
    elif goal.kind == "number":
        if not re.fullmatch(r"\+?[0-9*#]{1,32}", goal.target):
            yield f"{field}: {goal.target!r} is no number to dial"
    else:
        word, of_kind = OF_THE_PLAN[goal.kind]
        yield from reference(field, plan.of_kind(of_kind), word, goal.target, tenant)


def reference(
    field: str, values: Mapping[str, Any], word: str, key: str | None, tenant: str | None = None
) -> Iterator[str]:
    """Why a value with this key cannot be named here: it does not exist or is another tenant's. None names nothing."""
    if key is None:
        return
    found = values.get(key)
    if found is None:
        yield f"{field}: there is no {word} {key}"
        return
    owner = getattr(found, "tenant", None)
    if owner is not None and tenant is not None and owner != tenant:
        yield f"{field}: {word} {key} is another tenant's"


def within(field: str, value: float | None, least: float = 0.0, most: float = MOST_SECONDS) -> Iterator[str]:
    """Whether a number is in its range; None is."""
    if value is not None and not least <= value <= most:  # not a number is in no range; some are too large for a float
        yield f"{field}: must be from {least:g} to {most:g}"


def vdn(value: Vdn, plan: Plan, directory: Directory) -> Iterator[str]:
    if not re.fullmatch(r"[0-9]{1,20}", value.number):
        yield f"number: {value.number!r} must be digits, 20 at most"
    yield from goal_problems(value.goal, plan, directory.agents, value.tenant)
    yield from reference("priority", plan.priority_classes, "priority class", value.priority)
    seen, at = {value.number}, value.goal
    while at.kind == "vdn" and at.target in plan.vdns:
        if at.target == value.number:
            yield f"goal: VDN {value.number} leads back to itself"
        if at.target in seen:
            break
        seen.add(at.target)
        at = plan.vdns[at.target].goal


def queue(value: Queue, plan: Plan, directory: Directory) -> Iterator[str]:
    for field in ("sticky", "max_wait", "announce_every", "reentry", "short_abandon", "service_level", "wrap_up_most"):
        yield from within(field, getattr(value, field))
    for field in ("delay_reject", "delay_busy", "delay_no_answer"):
        yield from within(field, getattr(value, field), 0, 3600)
    yield from within("ring_timeout", value.ring_timeout, 1, 300)
    yield from within("wrap_up", value.wrap_up, 0, value.wrap_up_most)
    yield from within("missed_before_pause", value.missed_before_pause, 0, 1000)
    yield from within("max_length", value.max_length, 0, 100_000)
    yield from within("weight", value.weight, -MOST_SECONDS)
    yield from within("service_target", value.service_target, 0, 1)
    yield from _levels("skills", value.skills)
    if 0 < value.announce_every < 5:
        yield "announce_every: must be 0 or at least 5 seconds, or callers hear nothing else"
    if value.callback_key and (len(value.callback_key) > 1 or value.callback_key not in KEYS_OF_A_PHONE):
        yield f"callback_key: {value.callback_key!r} is no key of a phone"
    yield from _widening(value)
    if value.survey:
        yield from reference("survey", plan.of_kind("menus"), "menu", value.survey, value.tenant)
    if value.music and not re.fullmatch(r"[0-9A-Za-z_-][0-9A-Za-z._-]{0,127}", value.music):
        yield f"music: {value.music!r} is no file name of the node's sounds"
    for at, rule in enumerate(value.overflow):
        yield from within(f"overflow.{at}.more_than", rule.more_than)
        yield from _elsewhere(value, rule.goal, plan, directory, f"overflow.{at}.goal")
    yield from _elsewhere(value, value.otherwise, plan, directory, "otherwise")


def _widening(value: Queue) -> Iterator[str]:
    before = 0.0
    for at, step in enumerate(value.widen):
        yield from within(f"widen.{at}.after", step.after)
        yield from _levels(f"widen.{at}.skills", step.skills)
        if step.after <= before:
            yield f"widen.{at}.after: steps must come one after the other, the first later than 0"
        before = step.after


def _elsewhere(value: Queue, goal: Goal, plan: Plan, directory: Directory, field: str) -> Iterator[str]:
    """A goal for those who may not wait here any longer: it must not be here."""
    yield from goal_problems(goal, plan, directory.agents, value.tenant, field)
    seen: set[str] = set()
    while goal.kind == "vdn" and goal.target in plan.vdns and goal.target not in seen:
        seen.add(goal.target)
        goal = plan.vdns[goal.target].goal
    if goal == Goal("queue", value.id):
        yield f"{field}: leads back into this queue"


def priority_class(value: PriorityClass, plan: Plan, directory: Directory) -> Iterator[str]:
    yield from within("ahead", value.ahead, -MOST_SECONDS)


def priority_entry(value: PriorityEntry, plan: Plan, directory: Directory) -> Iterator[str]:
    yield from reference("priority", plan.priority_classes, "priority class", value.priority)
    for field in ("caller", "called"):
        if (text := getattr(value, field)) and not re.fullmatch(r"\+?[0-9]{0,32}\*?", text):
            yield f"{field}: {text!r} must be digits; * behind them stands for the rest"
    if value.vdn:
        yield from reference("vdn", plan.vdns, "VDN", value.vdn, value.tenant)
    if value.digits and not re.fullmatch(r"[0-9*#]{1,32}", value.digits):
        yield f"digits: {value.digits!r} are no keys of a phone"
    if not (value.caller or value.called or value.vdn or value.digits or value.tenant):
        yield "names nothing, so every call would match: give a caller, called number, VDN, digits or tenant"


def agent_profile(value: AgentProfile, plan: Plan, directory: Directory) -> Iterator[str]:
    if value.extension not in directory.agents:
        yield f"extension: there is no agent {value.extension}"
    for name, tier in value.queues.items():
        yield from reference(f"queues.{name}", plan.queues, "queue", name)
        yield from within(f"queues.{name}", tier, 0, MOST_LEVEL)
    yield from _levels("skills", value.skills)
    yield from reference("person", plan.of_kind("persons"), "person", value.person)
    yield from within("wrap_up", value.wrap_up, 0, 3600)
    if value.pin and not re.fullmatch(r"[0-9]{4,16}", value.pin):
        yield "pin: must be 4 to 16 digits"


def _levels(field: str, skills: Mapping[str, int]) -> Iterator[str]:
    for skill, level in skills.items():
        if not KEY.fullmatch(skill):
            yield f"{field}: {skill!r} is no name of a skill"
        elif not 0 <= level <= MOST_LEVEL:
            yield f"{field}.{skill}: must be from 0 to {MOST_LEVEL}"


def calendar(value: Calendar, plan: Plan, directory: Directory) -> Iterator[str]:
    try:
        ZoneInfo(value.zone)
    except (OSError, ValueError, KeyError):  # by what is wrong with it: a folder, a path, unknown
        yield f"zone: there is no time zone {value.zone!r}"
    for day, spans in value.hours.items():
        if day not in WEEKDAYS:
            yield f"hours: {day!r} is no weekday: {', '.join(WEEKDAYS)}"
            continue
        end = -1
        for span in spans:
            try:
                opens, closes = read_span(span)
            except BadSpan as error:
                yield f"hours.{day}: {error}"
                continue
            if opens < end:
                yield f"hours.{day}: {span} begins before the span in front of it ends"
            end = max(end, closes)
    for day in value.holidays:
        try:
            date.fromisoformat(day)
        except ValueError:
            yield f"holidays: {day!r} is no date like 2026-12-25"
