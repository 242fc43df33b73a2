"""R3-12: the last word before an INVITE."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.campaign import Campaign, Mode
from dialer.contact import Consent, PhoneNumber
from dialer.do_not_call import DoNotCall, ImportedList, NumberSet
from dialer.forbidden import ALLOWED, Allowed, Forbidden, Reason
from dialer.holidays import read_holiday
from dialer.hours import look, read_week
from dialer.outcome import Outcome
from dialer.profiles import BUILT_IN, CN, DAY, HOUR, UK, US, US_REG_F, LawProfile, Region
from dialer.zones import zones_of
from tests.unit.dialer.law_cases import (
    BROADCAST,
    CAMPAIGN,
    FREEPHONE,
    LONDON,
    MIAMI,
    NEW_YORK,
    NOON,
    SHANGHAI,
    US_BROADCAST,
    US_CAMPAIGN,
    US_NOON,
    at,
    check,
    contact,
    past,
)

GIVEN = Consent(NOON - 90 * DAY, "form", "scan 12")


def reason(verdict: object) -> Reason | None:
    """None: allowed."""
    if isinstance(verdict, Forbidden):
        return verdict.reason
    assert isinstance(verdict, Allowed)
    return None


def test_a_calm_moment_is_allowed() -> None:
    assert check() == ALLOWED


@pytest.mark.parametrize(
    ("number", "why"),
    [("112", Reason.EMERGENCY), ("+44999", Reason.EMERGENCY), ("+44116123", Reason.SHORT),
     ("+44207946000", Reason.BAD_NUMBER), ("02079460000", Reason.BAD_NUMBER), (NEW_YORK, Reason.COUNTRY)],
)  # fmt: skip
def test_the_number_itself(number: str, why: Reason) -> None:
    """Emergency and short numbers never; a law is for its own country's numbers."""
    verdict = check(contact(number))
    assert reason(verdict) is why
    assert isinstance(verdict, Forbidden)
    assert verdict.until is None


def test_lists_are_honoured_at_once() -> None:
    """R3-12: the own list always, imported ones where the campaign names them, fresh ones only."""
    lists = DoNotCall(NumberSet(), {"tps": ImportedList(NumberSet([LONDON]), NOON - DAY)})
    assert check(lists=lists) == ALLOWED
    named = replace(CAMPAIGN, do_not_call=("tps",))
    assert check(campaign=named, lists=lists) == Forbidden(Reason.DO_NOT_CALL, None, "tps")
    lists.own.add(LONDON)
    assert check(lists=lists) == Forbidden(Reason.DO_NOT_CALL, None, "own")
    assert check(campaign=replace(CAMPAIGN, do_not_call=("other",))) == Forbidden(Reason.LIST_MISSING, None, "other")
    old = DoNotCall(imported={"tps": ImportedList(NumberSet(), NOON - 29 * DAY)})
    assert check(campaign=named, lists=old) == Forbidden(Reason.LIST_STALE, None, "tps")
    assert check(campaign=named, lists=old, law=replace(UK, list_age=None)) == ALLOWED


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"caller_id": ""}, Reason.CALLER_ID),
        ({"caller_id": "999"}, Reason.CALLER_ID),
        ({"caller_id": "withheld"}, Reason.CALLER_ID),
        ({"seller": ""}, Reason.MESSAGE),
        ({"callback_number": ""}, Reason.MESSAGE),
        ({"seller": "", "callback_number": "", "wait_message": "sorry.wav"}, None),
        ({"seller": "", "mode": Mode.PREVIEW}, None),
    ],
    ids=str,
)
def test_the_campaign_itself(changes: dict[str, object], why: Reason | None) -> None:
    """R3-12: caller id must be sent (47 CFR 64.1601(e)); there must be a message for no agent in time."""
    assert reason(check(campaign=replace(CAMPAIGN, **changes))) is why  # type: ignore[arg-type]


def test_consent_is_asked_for_where_the_law_does() -> None:
    """R3-12: China for every call, with proof; others for recorded messages."""
    noon = at("2026-06-03 10:00", "Asia/Shanghai")
    assert reason(check(contact(SHANGHAI), law=CN, now=noon)) is Reason.CONSENT
    assert check(contact(SHANGHAI, consent=GIVEN), law=CN, now=noon) == ALLOWED
    over = replace(GIVEN, until=noon)
    assert reason(check(contact(SHANGHAI, consent=over), law=CN, now=noon)) is Reason.CONSENT_ENDED
    assert reason(check(contact(SHANGHAI, consent=replace(GIVEN, proof="")), law=CN, now=noon)) is Reason.CONSENT
    assert reason(check(campaign=BROADCAST)) is Reason.CONSENT
    assert check(contact(consent=GIVEN), campaign=BROADCAST) == ALLOWED


@pytest.mark.parametrize(
    ("kind", "law", "played", "why"),
    [
        ("landline", US_REG_F, 2, None),
        ("landline", US_REG_F, 3, Reason.RECORDED),
        ("mobile", US_REG_F, 0, Reason.CONSENT),
        ("landline", US, 0, Reason.CONSENT),
    ],
)
def test_three_messages_to_a_landline_need_none(kind: str, law: LawProfile, played: int, why: Reason | None) -> None:
    """R3-12: 47 CFR 64.1200(a)(3)(iii), collection."""
    history = tuple(
        past((n + 1) * DAY, Outcome.ANSWERED, number=NEW_YORK, now=US_NOON, recorded=True) for n in range(played)
    )
    who = contact(NEW_YORK, kind=kind)
    verdict = check(who, campaign=US_BROADCAST, law=law, now=US_NOON, history=history)
    assert reason(verdict) is why


@pytest.mark.parametrize(
    ("clock", "zone", "number", "law", "allowed"),
    [
        ("2026-06-03 07:59", "America/New_York", NEW_YORK, US, False),
        ("2026-06-03 08:00", "America/New_York", NEW_YORK, US, True),
        ("2026-06-03 20:59", "America/New_York", NEW_YORK, US, True),
        ("2026-06-03 21:00", "America/New_York", NEW_YORK, US, False),
        ("2026-06-03 19:59", "America/New_York", MIAMI, US, True),
        ("2026-06-03 20:00", "America/New_York", MIAMI, US, False),
        ("2026-06-03 12:30", "Asia/Shanghai", SHANGHAI, replace(CN, consent="none"), False),
        ("2026-06-03 14:00", "Asia/Shanghai", SHANGHAI, replace(CN, consent="none"), True),
        ("2026-06-06 08:30", "Europe/London", LONDON, UK, False),
        ("2026-03-29 08:00", "Europe/London", LONDON, UK, False),
        ("2026-03-29 09:00", "Europe/London", LONDON, UK, True),
        ("2026-06-03 13:00", "America/New_York", FREEPHONE, US, False),
    ],
)  # fmt: skip
def test_hours_by_the_clock_of_the_called(clock: str, zone: str, number: str, law: LawProfile, allowed: bool) -> None:
    """R3-12: 8 to 21 o'clock of the called place; Florida to 20; a freephone number may be anywhere."""
    campaign = replace(US_CAMPAIGN, profile=law.name)
    verdict = check(contact(number), campaign=campaign, law=law, now=at(clock, zone))
    assert reason(verdict) is (None if allowed else Reason.HOURS)


def test_who_lives_in_a_region_has_its_rules_by_place_or_by_number() -> None:
    """A number of New York whose owner lives in Florida; three calls in 24 hours there."""
    evening = at("2026-06-03 20:30", "America/New_York")
    assert check(contact(NEW_YORK), campaign=US_CAMPAIGN, law=US, now=evening) == ALLOWED
    assert reason(check(contact(NEW_YORK, place="fl"), campaign=US_CAMPAIGN, law=US, now=evening)) is Reason.HOURS
    calls = tuple(past(hour * HOUR, number=MIAMI, now=US_NOON) for hour in (1, 2, 3))
    verdict = check(contact(MIAMI), campaign=US_CAMPAIGN, law=US, now=US_NOON, history=calls)
    assert isinstance(verdict, Forbidden)
    assert (verdict.reason, verdict.detail) == (Reason.ATTEMPTS, "3/1d per contact")
    assert verdict.until == US_NOON + 21 * HOUR


def test_holidays_of_country_and_region() -> None:
    law = replace(UK, holidays=(read_holiday("12-25 Christmas Day"),))
    verdict = check(law=law, now=at("2026-12-25 12:00"))
    assert verdict == Forbidden(Reason.HOLIDAY, at("2026-12-26 09:00"), "Christmas Day")
    scots = Region("scotland", prefixes=("+44131",), holidays=(read_holiday("11-30 St Andrew's Day"),))
    day, law = at("2026-11-30 12:00"), replace(UK, regions=(scots,))
    assert check(law=law, now=day) == ALLOWED
    assert reason(check(contact("+441315550000", zone="Europe/London"), law=law, now=day)) is Reason.HOLIDAY


def test_an_unknown_zone_is_never_dialled() -> None:
    """R3-12. A satellite phone; what the owner states makes it known."""
    law = replace(UK, countries=())
    assert check(contact("+870773111632"), law=law) == Forbidden(Reason.ZONE)
    assert check(contact("+870773111632", zone="Europe/London"), law=law) == ALLOWED
    assert check(contact(LONDON, zone="Mars/Olympus"), law=law) == Forbidden(Reason.ZONE)


def test_a_stated_zone_is_one_more_that_must_be_open() -> None:
    """Someone with a London number who is known to be in Tokyo, where it is evening."""
    who = contact(zone="Asia/Tokyo")
    early = at("2026-06-03 08:30")
    assert check(contact(), now=early) == ALLOWED
    assert check(who, now=early) == ALLOWED
    assert reason(check(who, now=NOON + HOUR)) is Reason.HOURS
    only = replace(UK, stated_zone_only=True)
    dawn = at("2026-06-03 02:00")
    assert check(who, law=only, now=dawn) == ALLOWED
    own = replace(who, zone="", numbers=(PhoneNumber(LONDON, zone="Asia/Tokyo"),))
    assert check(own, law=only, now=dawn) == ALLOWED
    assert reason(check(own, law=UK, now=dawn)) is Reason.HOURS


def test_retries_and_call_backs_wait_for_the_hours_too() -> None:
    """R3-12: a gap that ends at night ends in the morning."""
    verdict = check(history=(past(61 * HOUR, Outcome.ABANDONED),), now=NOON)
    assert verdict == Forbidden(Reason.ABANDONED, at("2026-06-04 08:00"))
    night = at("2026-06-03 22:00")
    assert check(now=night, agreed=True, guaranteed=True) == Forbidden(
        Reason.HOURS, at("2026-06-04 08:00"), "Europe/London"
    )


def test_the_campaign_s_own_gap_gives_way_to_what_was_agreed_the_law_s_does_not() -> None:
    campaign = replace(CAMPAIGN, redial_gap=HOUR)
    assert reason(check(campaign=campaign, history=(past(600.0),))) is Reason.REDIAL
    assert check(campaign=campaign, history=(past(600.0),), agreed=True) == ALLOWED
    law = replace(UK, redial_gap=HOUR)
    assert reason(check(campaign=campaign, law=law, history=(past(600.0),), agreed=True)) is Reason.REDIAL
    assert check(history=(past(600.0, Outcome.TRUNK_FAULT),), law=law) == ALLOWED


def test_an_agent_who_is_there_for_sure_may_call_after_an_abandoned_call() -> None:
    """R3-12: 72 hours, unless an agent is guaranteed; preview does."""
    history = (past(HOUR, Outcome.ABANDONED),)
    assert reason(check(history=history)) is Reason.ABANDONED
    assert check(history=history, guaranteed=True) == ALLOWED
    assert check(history=history, campaign=replace(CAMPAIGN, mode=Mode.PREVIEW)) == ALLOWED


NUMBERS = st.sampled_from(
    [LONDON, NEW_YORK, MIAMI, SHANGHAI, FREEPHONE, "+447911123456", "+18085550100", "112", "+870773111632"]
)
PLACES = st.sampled_from(["", "FL", "XX"])
ZONES = st.sampled_from(["", "Asia/Tokyo", "America/Denver", "Europe/London", "Nowhere/Land"])
OUTCOMES = st.sampled_from(list(Outcome))
LAWS = st.sampled_from([*BUILT_IN.values(), replace(UK, countries=(), week=read_week(["daily 06:00-23:00"]))])
CAMPAIGNS = st.sampled_from(
    [CAMPAIGN, BROADCAST, US_CAMPAIGN, replace(CAMPAIGN, caller_id=""), replace(CAMPAIGN, redial_gap=HOUR)]
)


@given(
    NUMBERS, PLACES, ZONES, LAWS, CAMPAIGNS, st.floats(at("2025-01-01 00:00"), at("2028-01-01 00:00")),
    st.lists(st.tuples(st.floats(0, 40 * DAY), OUTCOMES), max_size=9), st.booleans(), st.booleans(),
)  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_nothing_is_allowed_that_a_rule_forbids(
    number: str, place: str, zone: str, law: LawProfile, campaign: Campaign, now: float,
    calls: list[tuple[float, Outcome]], guaranteed: bool, consented: bool,
) -> None:  # fmt: skip
    """Whatever comes together: an allowed call breaks no rule, and a forbidden one that names a time may go then."""
    consent = replace(GIVEN, at=0.0) if consented else None
    who = contact(number, place=place, zone=zone, consent=consent)
    history = tuple(past(ago, outcome, number=number, now=now) for ago, outcome in calls)
    verdict = check(who, campaign=campaign, law=law, now=now, history=history, guaranteed=guaranteed)
    zones = zones_of(number) | ({zone} if zone else set())
    if isinstance(verdict, Forbidden):
        later = verdict.until
        assert later is None or later >= now
        if later is not None and verdict.reason is not Reason.RECORDED:
            again = check(who, campaign=campaign, law=law, now=later, history=history, guaranteed=guaranteed)
            assert reason(again) in (None, Reason.CONSENT_ENDED)
        return
    assert number != "112"
    assert zones
    assert "Nowhere/Land" not in zones
    assert look(law.rules(number, place), zones, now).open
    assert campaign.caller_id
    counted = [ago for ago, outcome in calls if outcome.is_attempt]
    for limit in law.limits(number, place):
        assert sum(ago < limit.period for ago in counted) < limit.most
    if not guaranteed:
        assert not any(outcome is Outcome.ABANDONED and ago < law.abandoned_gap for ago, outcome in calls)
    if law.consent == "always" or not campaign.has_agents:
        assert consented
