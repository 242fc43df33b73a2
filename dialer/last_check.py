"""The last word before an INVITE: may this number of this contact be dialled now? Pure; asked again for each call.

Everything that a law says of a single call is looked at here, for first calls, retries and call-backs alike: nothing
that was right when the contact was read (a list, the hours, the history) is taken for right a second later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialer.campaign import Mode
from dialer.consent import consent_problem, is_needed
from dialer.emergency import country_of, never_dialled
from dialer.forbidden import ALLOWED, Forbidden, Reason, Verdict
from dialer.gaps import PastCall, gap_problem, recorded_problem
from dialer.hours import look, next_open
from dialer.zones import possible_zones

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialer.campaign import Campaign
    from dialer.contact import Contact, PhoneNumber
    from dialer.do_not_call import DoNotCall
    from dialer.profiles import LawProfile


def last_check(
    campaign: Campaign,
    contact: Contact,
    number: PhoneNumber,
    now: float,
    profile: LawProfile,
    history: Sequence[PastCall],
    lists: DoNotCall,
    *,
    guaranteed: bool = False,
    agreed: bool = False,
) -> Verdict:
    """Whether `number` of `contact` may be dialled at `now` (epoch seconds).

    `history`: the tenant's calls to this number and this contact, those in progress included, as far back as the
    profile's gaps reach. `guaranteed`: an agent is kept for the call from now on (preview always does). `agreed`: the
    person asked for this call-back, so the campaign's own gap does not hold; the law's do.
    """
    gone = (
        _number_problem(number.number, profile)
        or _list_problem(campaign, number.number, now, profile, lists)
        or _campaign_problem(campaign, profile)
        or _consent_problem(campaign, contact, number, now, profile, history)
    )
    if gone is not None:
        return gone
    held = gap_problem(
        number.number,
        contact.id,
        now,
        profile,
        profile.limits(number.number, contact.place),
        history,
        guaranteed=guaranteed or campaign.mode is Mode.PREVIEW,
        own_gap=0.0 if agreed else campaign.redial_gap,
    )
    return _with_hours(held, contact, number, now, profile)


def _number_problem(number: str, profile: LawProfile) -> Forbidden | None:
    reason = never_dialled(number)
    if reason is not None:
        return Forbidden(reason)
    if profile.countries and (country := country_of(number)) not in profile.countries:
        return Forbidden(Reason.COUNTRY, detail=country)
    return None


def _list_problem(
    campaign: Campaign, number: str, now: float, profile: LawProfile, lists: DoNotCall
) -> Forbidden | None:
    found = lists.found_in(number, campaign.do_not_call)
    if found is not None:
        return Forbidden(Reason.DO_NOT_CALL, detail=found)
    missing = lists.missing(campaign.do_not_call)
    if missing is not None:
        return Forbidden(Reason.LIST_MISSING, detail=missing)
    if profile.list_age is not None:
        stale = lists.stale(campaign.do_not_call, now, profile.list_age)
        if stale is not None:
            return Forbidden(Reason.LIST_STALE, detail=stale)
    return None


def _campaign_problem(campaign: Campaign, profile: LawProfile) -> Forbidden | None:
    if profile.caller_id and never_dialled(campaign.caller_id) is not None:
        return Forbidden(Reason.CALLER_ID, detail=campaign.caller_id)
    abandons = campaign.has_agents and campaign.mode is not Mode.PREVIEW
    if profile.message and abandons and not campaign.wait_message:
        if not campaign.seller:
            return Forbidden(Reason.MESSAGE, detail="seller")
        if not campaign.callback_number:
            return Forbidden(Reason.MESSAGE, detail="callback_number")
    return None


def _consent_problem(
    campaign: Campaign,
    contact: Contact,
    number: PhoneNumber,
    now: float,
    profile: LawProfile,
    history: Sequence[PastCall],
) -> Forbidden | None:
    recorded = not campaign.has_agents
    if not is_needed(profile, recorded=recorded):
        return None
    reason = consent_problem(contact.consent, profile, now)
    if reason is None:
        return None
    free = profile.recorded_without_consent
    if recorded and free is not None and profile.consent != "always" and number.kind == "landline":
        return recorded_problem(number.number, now, free, history)
    return Forbidden(reason)


def _with_hours(
    held: Forbidden | None, contact: Contact, number: PhoneNumber, now: float, profile: LawProfile
) -> Verdict:
    """The gap that was found, or what the clocks say; either way until when both are over."""
    zones = possible_zones(number.number, number.zone, contact.zone, stated_only=profile.stated_zone_only)
    if not zones:
        return Forbidden(Reason.ZONE)
    rules = profile.rules(number.number, contact.place)
    if held is not None:
        return Forbidden(held.reason, next_open(rules, zones, held.until or now), held.detail)
    seen = look(rules, zones, now)
    if seen.open:
        return ALLOWED
    reason = Reason.HOLIDAY if seen.holiday else Reason.HOURS
    return Forbidden(reason, next_open(rules, zones, now), seen.holiday or seen.zone)
