"""Who outside is told what, as data: listeners that get events or finished calls over HTTP, and rules for SMS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from routing.business_hours import WEEKDAYS
from routing.plan_checks import reference
from routing.url_template import text_mistakes, url_mistakes

if TYPE_CHECKING:
    from routing.directory import Directory
    from routing.plan import Plan

MEASURES = (
    "waiting", "oldest-wait", "available", "offered", "answered", "abandoned", "abandoned-share", "service-level",
    "service-level-answered",
)  # fmt: skip
"waiting, oldest-wait (seconds) and available (agents) are of the moment; the others are of the day so far, shares 0-1."

NAMES = frozenset({"rule", "queue", "value", "time", *(name.replace("-", "_") for name in MEASURES)})
"What may stand in braces in the text of a message."

LONGEST_TEXT = 670
"Characters: ten parts of a message in any script."

_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_NUMBER = re.compile(r"\+?[0-9]{3,20}")
_TYPE = re.compile(r"[a-z]+(\.[a-z-]+)*(\.\*)?|\*")


@dataclass(frozen=True, slots=True)
class Webhook:
    """A listener that is sent records by HTTP POST, each signed, again until it takes them, in order for each call."""

    id: str
    url: str
    secret: str = field(default="", repr=False)
    "Key of the signature (HMAC-SHA256); empty: not signed."
    sends: Literal["events", "calls", "campaigns"] = "events"
    """events: every event; calls: each finished call that the filter list keeps, for a reporting server (R2-06);
    campaigns: the records and states of the campaigns that name it (R3-07)."""
    types: tuple[str, ...] = ()
    "Types of events, `call.*` for all that begin so; empty: all."
    tenant: str | None = None
    "Only records of this tenant; None: all."
    timeout: float = 5.0
    "Seconds for one request."
    parallel: int = 4
    "Requests at once, each of another call."
    retry_for: float = 86400.0
    "Seconds after which a record that is not taken is given up, so that those behind it come through."
    enabled: bool = True


def wants(hook: Webhook, type: str) -> bool:
    """Whether events of a type are for this listener."""
    return not hook.types or any(type.startswith(one[:-1]) if one.endswith("*") else type == one for one in hook.types)


@dataclass(frozen=True, slots=True)
class SmsRule:
    """When whom a text message is sent: at a threshold, or on a schedule (R2-08)."""

    id: str
    to: tuple[str, ...]
    "Numbers."
    text: str
    "With names in braces: `{queue}: {waiting} waiting, the first for {oldest_wait} s`."
    queue: str = ""
    "Whose figures; empty: all queues together."
    measure: str = ""
    "Of what the threshold is; empty where the rule has a schedule only."
    over: float | None = None
    under: float | None = None
    lasting: float = 0.0
    "Seconds the threshold must be passed before the message goes out."
    again_after: float = 3600.0
    "Seconds until the next message while it stays passed; 0: once only."
    at: tuple[str, ...] = ()
    'Times of day: `"08:00"`.'
    days: tuple[str, ...] = ()
    "mon ... sun; empty: every day. Limits the schedule only."
    zone: str = "UTC"
    tenant: str | None = None
    enabled: bool = True


def webhook_problems(hook: Webhook, plan: Plan, directory: Directory) -> Iterator[str]:
    """Every mistake of a listener."""
    for mistake in url_mistakes(hook.url, ()):
        yield f"url: {mistake}"
    if hook.sends not in ("events", "calls", "campaigns"):
        yield f"sends: must be events, calls or campaigns, not {hook.sends!r}"
    for at, name in enumerate(hook.types):
        if not _TYPE.fullmatch(name):
            yield f"types.{at}: {name!r} is no type of event"
    if hook.types and hook.sends == "calls":
        yield "types: are for a listener to events; what calls are sent says the filter list"
    for name, least, most in (("timeout", 0.1, 60.0), ("parallel", 1, 64), ("retry_for", 1.0, 30 * 86400.0)):
        value = getattr(hook, name)
        if not least <= value <= most:
            yield f"{name}: must be {least:g} to {most:g}"


def sms_problems(rule: SmsRule, plan: Plan, directory: Directory) -> Iterator[str]:
    """Every mistake of a rule for text messages."""
    if not rule.to:
        yield "to: needs at least one number"
    for at, number in enumerate(rule.to):
        if not _NUMBER.fullmatch(number):
            yield f"to.{at}: {number!r} is no number"
    if not rule.text or len(rule.text) > LONGEST_TEXT:
        yield f"text: must have 1 to {LONGEST_TEXT} characters"
    for mistake in text_mistakes(rule.text, NAMES):
        yield f"text: {mistake}"
    if rule.queue:
        yield from reference("queue", plan.queues, "queue", rule.queue, rule.tenant)
    limits = [name for name in ("over", "under") if getattr(rule, name) is not None]
    if rule.measure and rule.measure not in MEASURES:
        yield f"measure: there is none called {rule.measure}; there are: {', '.join(MEASURES)}"
    if bool(rule.measure) != (len(limits) == 1):
        yield "measure: a threshold has a measure, and either `over` or `under`"
    if not rule.measure and not rule.at:
        yield "at: a rule has a threshold, or times of day, or both"
    for at, time in enumerate(rule.at):
        if not _TIME.fullmatch(time):
            yield f'at.{at}: {time!r} is no time of day such as "08:00"'
    for at, day in enumerate(rule.days):
        if day not in WEEKDAYS:
            yield f"days.{at}: must be one of {', '.join(WEEKDAYS)}"
    for name in ("lasting", "again_after"):
        if not 0 <= getattr(rule, name) <= 7 * 86400:
            yield f"{name}: must be 0 to {7 * 86400} seconds"
    try:
        ZoneInfo(rule.zone)
    except (ValueError, OSError, KeyError):
        yield f"zone: there is no time zone {rule.zone}"
