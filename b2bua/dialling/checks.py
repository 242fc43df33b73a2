"""The checks before a campaign begins (R3-11, R3-12): wrong data of task or agents end it, with a reason and no call.

Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from b2bua.dialling.agents import queue_of
from b2bua.dialling.answering import settings_of
from dialer.campaign import Campaign, Mode
from dialer.campaign_checks import not_ready
from dialer.emergency import never_dialled
from routing.plan_checks import goal_problems

if TYPE_CHECKING:
    from dialer.profiles import LawProfile
    from routing.directory import Directory
    from routing.plan import Plan

NEEDS_AUTOMATIC = frozenset({Mode.POWER, Mode.PREDICTIVE})
"Agents who pick up by hand are too late for the law."


def problems(
    campaign: Campaign,
    *,
    plan: Plan,
    directory: Directory,
    dials_over: Callable[[str], bool | None],
    profiles: Mapping[str, LawProfile],
    is_sound: Callable[[str], bool],
    contacts: int,
) -> Iterator[str]:
    """Everything that keeps it from beginning; `is_sound`: whether there is a sound file of this name; `dials_over`:
    whether calls go out over a trunk or group, None where there is none of this name."""
    if contacts <= 0:
        yield "contacts: there is none to be called"
    yield from not_ready(campaign)
    for name in campaign.trunks:
        takes = dials_over(name)
        if takes is None:
            yield f"trunks: there is no trunk {name}"
        elif not takes:
            yield f"trunks: trunk {name} takes no outbound calls: set trunks.{name}.target"
    if campaign.profile and campaign.profile not in profiles:
        yield f"profile: there is no law {campaign.profile}; there are: {', '.join(sorted(profiles))}"
    if campaign.caller_id and (why := never_dialled(campaign.caller_id)) is not None:
        yield f"caller_id: {campaign.caller_id} is no number anybody could have ({why})"
    if campaign.calendar and campaign.calendar not in plan.calendars:
        yield f"calendar: there is no calendar {campaign.calendar}"
    if campaign.results_to and campaign.results_to not in plan.webhooks:
        yield f"results_to: there is no webhook {campaign.results_to}"
    if campaign.goal is not None:
        yield from goal_problems(campaign.goal, plan, directory.agents, campaign.tenant)
    for name in filter(None, (campaign.prompt, campaign.wait_message, campaign.amd.message)):
        if not is_sound(name):
            yield f"there is no sound file {name}"
    try:
        settings_of(campaign.amd)
    except ValueError as error:
        yield f"amd: {error}"
    if campaign.has_agents:
        yield from _agent_problems(campaign, plan, directory)


def _agent_problems(campaign: Campaign, plan: Plan, directory: Directory) -> Iterator[str]:
    queue = queue_of(campaign)
    if not queue:
        return
    found = plan.queues.get(queue)
    if found is None or found.tenant not in (None, campaign.tenant):
        yield f"queue: there is no queue {queue} for tenant {campaign.tenant}"
        return
    able = [
        profile
        for extension, profile in plan.agent_profiles.items()
        if queue in profile.queues
        and (not campaign.agent or extension == campaign.agent)
        and directory.agent(extension) is not None
        and all(profile.skills.get(skill, -1) >= level for skill, level in campaign.skills.items())
    ]
    if not able:
        yield f"queue: {queue} has no agent for this campaign"
    if campaign.mode in NEEDS_AUTOMATIC:
        by_hand = sorted(profile.extension for profile in able if profile.connection == "ring")
        if by_hand:
            yield f"mode: {campaign.mode} needs phones that answer by themselves; not so: {', '.join(by_hand[:5])}"
