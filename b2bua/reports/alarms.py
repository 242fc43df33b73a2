"""When an SMS rule is due: a threshold that stays passed, a time of day. Pure: `now` is epoch seconds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from routing.business_hours import WEEKDAYS
from routing.notices import SmsRule

LEAST_GAP = 60.0
"Seconds between two messages of one threshold, however its figure swings."
LATEST = 900.0
"Seconds after a time of day in which its message still goes out, where the server was away."


@dataclass(frozen=True, slots=True)
class Watch:
    """What a rule has come to. The next look at it goes on from there, after a restart as well."""

    looked: float
    "The last look."
    passed_since: float | None = None
    "Since when the threshold is passed."
    sent_at: float | None = None
    "The last message of the threshold."
    armed: bool = True
    "The threshold has not been passed since that message."


def look(rule: SmsRule, value: float | None, watch: Watch, now: float) -> tuple[Watch, bool]:
    """The watch after a look, and whether a message is due. `value`: the rule's figure, None where there is none."""
    scheduled = any(watch.looked < at <= now for at in times(rule, now) if now - at <= LATEST)
    after, passed = _threshold(rule, value, watch, now)
    return replace(after, looked=max(now, watch.looked)), scheduled or passed


def _threshold(rule: SmsRule, value: float | None, watch: Watch, now: float) -> tuple[Watch, bool]:
    if not is_passed(rule, value):
        return replace(watch, passed_since=None, armed=True), False
    since = watch.passed_since if watch.passed_since is not None else now
    watch = replace(watch, passed_since=since)
    if now - since < rule.lasting:
        return watch, False
    if not watch.armed and rule.again_after == 0:
        return watch, False
    gap = LEAST_GAP if watch.armed else max(rule.again_after, LEAST_GAP)
    if watch.sent_at is not None and now - watch.sent_at < gap:
        return watch, False
    return replace(watch, sent_at=now, armed=False), True


def is_passed(rule: SmsRule, value: float | None) -> bool:
    """Whether the figure is beyond the threshold."""
    if not rule.measure or value is None:
        return False
    return (rule.over is not None and value > rule.over) or (rule.under is not None and value < rule.under)


def times(rule: SmsRule, now: float) -> list[float]:
    """The times of day of the rule, yesterday and today, in its zone."""
    if not rule.at:
        return []
    zone = ZoneInfo(rule.zone)
    today = datetime.fromtimestamp(now, zone).date()
    return [
        datetime.combine(day, time.fromisoformat(at), zone).timestamp()
        for day in (today - timedelta(days=1), today)
        if not rule.days or WEEKDAYS[day.weekday()] in rule.days
        for at in rule.at
    ]
