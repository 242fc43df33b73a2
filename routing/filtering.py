"""The preset filter list: which calls go on to the reporting server (R2-06).

Every call is looked at once, when it is over. The first rule of the list that fits decides; a call that no rule names
is kept, so a list may end with a rule that drops the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Literal

from routing.plan_checks import reference

if TYPE_CHECKING:
    from routing.directory import Directory
    from routing.plan import Plan

UNLISTED = ""
"The rule of a call that no rule names."

_NUMBER = re.compile(r"[0-9+*#]{0,32}\*?|anonymous")
_TEXTS = ("trunk", "caller", "called", "vdn", "queue", "extension", "cause")
"Fields of a rule that are compared with the call's field of the same name."


@dataclass(frozen=True, slots=True)
class FilterRule:
    """A line of the list. Only what is given is compared; a text that ends in `*` fits whatever begins like it."""

    id: str
    action: Literal["keep", "drop"]
    order: int = 0
    "Lower ones are looked at first; among equals, by id."
    tenant: str | None = None
    "Only calls of this tenant; None: all."
    trunk: str = ""
    caller: str = ""
    "Effective caller."
    called: str = ""
    vdn: str = ""
    queue: str = ""
    extension: str = ""
    "The agent it went to last."
    cause: str = ""
    "Why it ended, as in the call record: `normal`, `cancelled` ..."
    answered: bool | None = None
    shorter_than: float | None = None
    "Seconds from the INVITE to the end; test calls and misdials are short."


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What a finished call is filtered by; what it never came by is empty."""

    tenant: str = ""
    trunk: str = ""
    caller: str = ""
    called: str = ""
    vdn: str = ""
    queue: str = ""
    extension: str = ""
    cause: str = ""
    answered: bool = False
    duration: float = 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the list says of a call, and which of its rules did."""

    rule: str
    keep: bool


def verdict(rules: Iterable[FilterRule], call: CallFacts) -> Verdict:
    """The one decision about a call."""
    for rule in sorted(rules, key=lambda rule: (rule.order, rule.id)):
        if fits(rule, call):
            return Verdict(rule.id, rule.action == "keep")
    return Verdict(UNLISTED, True)


def fits(rule: FilterRule, call: CallFacts) -> bool:
    """Whether all that the rule gives is true of the call."""
    if rule.tenant is not None and rule.tenant != call.tenant:
        return False
    if rule.answered is not None and rule.answered is not call.answered:
        return False
    if rule.shorter_than is not None and not call.duration < rule.shorter_than:
        return False
    return all(_alike(getattr(rule, name), getattr(call, name)) for name in _TEXTS)


def _alike(pattern: str, text: str) -> bool:
    if not pattern:
        return True
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern


def filter_problems(rule: FilterRule, plan: Plan, directory: Directory) -> Iterator[str]:
    """Every mistake of a rule as it stands in the plan."""
    if rule.action not in ("keep", "drop"):
        yield f"action: must be keep or drop, not {rule.action!r}"
    for field in ("caller", "called"):
        if not _NUMBER.fullmatch(getattr(rule, field)):
            yield f"{field}: {getattr(rule, field)!r} is no number (a trailing * fits the rest)"
    if rule.vdn and not rule.vdn.endswith("*"):
        yield from reference("vdn", plan.vdns, "VDN", rule.vdn, rule.tenant)
    if rule.queue and not rule.queue.endswith("*"):
        yield from reference("queue", plan.queues, "queue", rule.queue, rule.tenant)
    if rule.shorter_than is not None and not (isfinite(rule.shorter_than) and rule.shorter_than > 0):
        yield "shorter_than: must be above 0 seconds"
