"""A calm campaign, contact and moment in which nothing forbids a call: tests change one thing at a time."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from dialer.campaign import Campaign, Mode
from dialer.contact import Consent, Contact, PhoneNumber
from dialer.do_not_call import DoNotCall
from dialer.forbidden import Verdict
from dialer.gaps import PastCall
from dialer.last_check import last_check
from dialer.outcome import Outcome
from dialer.profiles import UK, LawProfile

LONDON, NEW_YORK, MIAMI, SHANGHAI = "+442079460000", "+12125550100", "+13055550100", "+8613800138000"
FREEPHONE = "+18005550100"


def at(text: str, zone: str = "Europe/London") -> float:
    """Epoch seconds of a local time such as 2026-06-03 10:00."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


NOON = at("2026-06-03 12:00")
"A Wednesday in London."

CAMPAIGN = Campaign(
    "spring",
    "acme",
    mode=Mode.PREDICTIVE,
    caller_id="+442079460100",
    seller="Acme Gas",
    callback_number="+442079460101",
    profile="uk",
    redial_gap=0.0,
)
BROADCAST = replace(CAMPAIGN, mode=Mode.BROADCAST, prompt="news.wav")


def contact(*numbers: str, zone: str = "", place: str = "", consent: Consent | None = None, kind: str = "") -> Contact:
    """Contact `c1` of the campaign."""
    phones = tuple(PhoneNumber(number, kind=kind) for number in numbers or (LONDON,))
    return Contact("c1", "spring", "acme", "b1", 1, phones, zone=zone, place=place, consent=consent)


def check(
    who: Contact | None = None,
    *,
    campaign: Campaign = CAMPAIGN,
    now: float = NOON,
    law: LawProfile = UK,
    history: tuple[PastCall, ...] = (),
    lists: DoNotCall | None = None,
    guaranteed: bool = False,
    agreed: bool = False,
) -> Verdict:
    """The last check of the contact's number."""
    who = who or contact()
    lists = lists or DoNotCall()
    return last_check(
        campaign, who, who.number, now, law, history, lists, guaranteed=guaranteed, agreed=agreed
    )  # fmt: skip


def past(
    ago: float,
    outcome: Outcome = Outcome.NO_ANSWER,
    *,
    number: str = LONDON,
    who: str = "c1",
    now: float = NOON,
    talked: bool = False,
    recorded: bool = False,
) -> PastCall:
    """A call `ago` seconds before noon."""
    return PastCall(
        now - ago,
        who,
        number,
        outcome,
        abandoned=outcome is Outcome.ABANDONED,
        talked=talked,
        recorded=recorded,
    )


US_NOON = at("2026-06-03 12:00", "America/New_York")
US_CAMPAIGN = replace(CAMPAIGN, profile="us", caller_id="+12125550199", callback_number="+12125550198")
US_BROADCAST = replace(US_CAMPAIGN, mode=Mode.BROADCAST, prompt="news.wav")
