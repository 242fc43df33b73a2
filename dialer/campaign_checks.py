"""What is wrong with a campaign as it was written, all at once, before any call. Pure.

Sentences begin with the field they are about and a colon.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from math import isfinite
from typing import TYPE_CHECKING

from dialer.campaign import Campaign, Mode
from dialer.numbers import is_e164, regions
from dialer.outcome import Outcome
from routing.plan_checks import KEY, common, goal_problems, reference, within

if TYPE_CHECKING:
    from routing.directory import Directory
    from routing.plan import Plan

MOST_LINES = 3800
MOST_RATE = 1000.0
"New calls in a second."
MOST_RETRY = 90 * 86400.0
RETRIED = frozenset(Outcome) - {Outcome.ANSWERED, Outcome.OPTED_OUT, Outcome.CANCELLED, Outcome.WITHHELD}
"Outcomes that a campaign may have a rule for."


def mistakes(
    campaign: Campaign, plan: Plan, directory: Directory, *, trunks: Mapping[str, bool], laws: Collection[str]
) -> Iterator[str]:
    """What cannot be right, whatever is still to be filled in. `trunks`: name -> whether it takes outbound calls."""
    yield from common(campaign.id, campaign, directory)
    for at, name in enumerate(campaign.trunks):
        if name not in trunks:
            yield f"trunks.{at}: there is no trunk {name}"
        elif not trunks[name]:
            yield f"trunks.{at}: trunk {name} takes no outbound calls: set trunks.{name}.target"
        elif campaign.trunks.index(name) < at:
            yield f"trunks.{at}: {name} is there twice"
    for field in ("caller_id", "callback_number"):
        number = getattr(campaign, field)
        if number and not is_e164(number):
            yield f"{field}: {number!r} must be a number such as +14155550100"
    if campaign.region and campaign.region not in regions():
        yield f"region: {campaign.region!r} is no country such as US"
    if campaign.profile and campaign.profile not in laws:
        yield f"profile: there is no law {campaign.profile}; there are: {', '.join(sorted(laws))}"
    yield from reference("queue", plan.queues, "queue", campaign.queue or None, campaign.tenant)
    yield from reference("calendar", plan.calendars, "calendar", campaign.calendar or None, campaign.tenant)
    yield from reference("results_to", plan.webhooks, "webhook", campaign.results_to or None, campaign.tenant)
    if campaign.agent and campaign.agent not in directory.agents:
        yield f"agent: there is no agent {campaign.agent}"
    if campaign.goal is not None:
        yield from goal_problems(campaign.goal, plan, directory.agents, campaign.tenant)
    for skill, level in campaign.skills.items():
        yield from within(f"skills.{skill}", level, 0, 100)
    yield from _times(campaign)
    yield from _pacing(campaign)
    yield from _outcomes(campaign)
    for name in campaign.do_not_call:
        if not KEY.fullmatch(name):
            yield f"do_not_call: {name!r} is no name of a list"


def not_ready(campaign: Campaign) -> Iterator[str]:
    """What is missing for a start."""
    if not campaign.trunks:
        yield "trunks: no trunk is named"
    if not campaign.caller_id:
        yield "caller_id: is missing: the called must see who calls"
    if not campaign.profile:
        yield "profile: no law is named"
    if campaign.has_agents and not campaign.queue and campaign.goal is None:
        yield f"queue: is missing: mode {campaign.mode} needs agents"
    if not campaign.has_agents and not campaign.prompt:
        yield "prompt: is missing: a broadcast plays one"


def _times(campaign: Campaign) -> Iterator[str]:
    yield from within("preview_for", campaign.preview_for, 5.0, 3600.0)
    yield from within("ring_for", campaign.ring_for, 5.0, 180.0)
    yield from within("redial_gap", campaign.redial_gap, 0.0, MOST_RETRY)
    yield from within("callback_patience", campaign.callback_patience, 0.0, MOST_RETRY)
    yield from within("attempts", campaign.attempts, 1, 100)
    for field in ("starts_at", "ends_at"):
        yield from within(field, getattr(campaign, field), 0.0, 1e11)
    if campaign.starts_at is not None and campaign.ends_at is not None and campaign.starts_at >= campaign.ends_at:
        yield "ends_at: is not after starts_at"


def _pacing(campaign: Campaign) -> Iterator[str]:
    pacing = campaign.pacing
    yield from within("pacing.ratio", pacing.ratio, 1.0, 20.0)
    yield from within("pacing.lines", pacing.lines, 1, MOST_LINES)
    yield from within("pacing.rate", pacing.rate, 0.01, MOST_RATE)
    yield from within("pacing.target", pacing.target, 0.0, 1.0)
    yield from within("pacing.agents_least", pacing.agents_least, 0, 10_000)
    yield from within("pacing.answers_least", pacing.answers_least, 0, 100_000)
    yield from within("pacing.stale_pause", pacing.stale_pause, 1.0)
    if pacing.literal and campaign.mode is not Mode.RULE_BASED:
        yield "pacing.literal: is of mode rule-based only"
    amd = campaign.amd
    if amd.machine == "message" and not amd.message:
        yield "amd.message: is missing: what is left on a machine"
    yield from within("amd.message_within", amd.message_within, 1.0, 300.0)
    yield from within("amd.decide_within", amd.decide_within, 0.1, 5.0)
    for name, value in amd.parameters.items():
        if not isfinite(value):
            yield f"amd.parameters.{name}: must be finite"


def _outcomes(campaign: Campaign) -> Iterator[str]:
    for word, rule in campaign.retries.items():
        if word not in RETRIED:
            yield f"retries.{word}: is no outcome with a rule; there are: {', '.join(sorted(RETRIED))}"
        yield from within(f"retries.{word}.after", rule.after, 1.0, MOST_RETRY)
        yield from within(f"retries.{word}.most", rule.most, 0, 100)
    seen: set[str] = set()
    for at, one in enumerate(campaign.dispositions):
        if not KEY.fullmatch(one.code):
            yield f"dispositions.{at}.code: {one.code!r} must be letters, digits and . _ - (64 at most)"
        if one.code in seen:
            yield f"dispositions.{at}.code: {one.code} is there twice"
        seen.add(one.code)
        yield from within(f"dispositions.{at}.after", one.after, 1.0, MOST_RETRY)
