"""The facts of the last check."""

from b2bua.dialling.permission import Lists, held_until, judge, limits_of, past_calls, reach_back
from dialer.campaign import Campaign
from dialer.contact import Contact, PhoneNumber
from dialer.forbidden import ALLOWED, Forbidden, Reason
from dialer.hours import read_week
from dialer.law_clock import Reading
from dialer.outcome import Outcome
from dialer.ports import Limit, NumberFacts, PastCall
from dialer.profiles import DAY, AttemptLimit, LawProfile

NUMBER = "+442079460001"
LAW = LawProfile(
    "test", week=read_week(["daily 08:00-20:00"]), abandoned_gap=3 * DAY, attempts=(AttemptLimit(3, DAY, "number"),)
)
CAMPAIGN = Campaign(
    "c", "acme", caller_id="+442079460999", seller="Gas", callback_number="+442079460998", redial_gap=60.0
)
CONTACT = Contact("x", "c", "acme", "b", 1, (PhoneNumber(NUMBER),))
NOON = 1_800_014_400.0
"2027-01-15 12:00 UTC, which is also the time in London."


def verdict(facts: NumberFacts, at: float = NOON, wall: float | None = None, **more: object) -> object:
    time = Reading(at if wall is None else wall, at)
    return judge(CAMPAIGN, LAW, CONTACT, {NUMBER: facts}, time, Lists({"state": NOON}), guaranteed=False)


def test_a_free_number_at_noon_may_be_called() -> None:
    """R3-11: nothing stands against it."""
    assert verdict(NumberFacts()) is ALLOWED


def test_lists_hours_and_history_are_asked() -> None:
    assert verdict(NumberFacts("own")) == Forbidden(Reason.DO_NOT_CALL, None, "own")
    night = verdict(NumberFacts(), NOON - 6 * 3600)
    assert isinstance(night, Forbidden)
    assert (night.reason, night.until) == (Reason.HOURS, NOON - 4 * 3600)
    recent = verdict(NumberFacts("", (PastCall(NOON - 30, Outcome.BUSY, "other", False, NOON - 20),)))
    assert isinstance(recent, Forbidden)
    assert (recent.reason, recent.until) == (Reason.REDIAL, NOON + 40)
    left = verdict(NumberFacts("", (PastCall(NOON - DAY, Outcome.ABANDONED, "c", True, NOON - DAY + 5),)))
    assert isinstance(left, Forbidden)
    assert left.reason is Reason.ABANDONED


def test_a_past_call_is_what_its_own_record_says() -> None:
    """A talk, a message that was played, a late agent (the law's abandoned call), somebody who hung up at once."""
    talk = PastCall(NOON, Outcome.ANSWERED, "c", True, NOON + 60, "1001", connected=True)
    message = PastCall(NOON, Outcome.ANSWERED, "other", True, NOON + 20, connected=True)
    late = PastCall(NOON, Outcome.ANSWERED, "c", True, NOON + 60, "1001", connected=True, late=True)
    hasty = PastCall(NOON, Outcome.ANSWERED, "c", True, NOON + 1)
    found = past_calls(CONTACT, NUMBER, {NUMBER: NumberFacts("", (talk, message, late, hasty))})
    assert [(one.talked, one.recorded, one.abandoned) for one in found] == [
        (True, False, False), (False, True, False), (True, False, True), (False, False, False),
    ]  # fmt: skip


def test_a_clock_that_has_leapt_must_be_right_both_ways() -> None:
    """A node whose wall clock jumps calls only where both times are inside the hours."""
    leapt = verdict(NumberFacts(), NOON, wall=NOON + 12 * 3600)
    assert isinstance(leapt, Forbidden)
    assert leapt.reason is Reason.HOURS


def test_what_is_withheld_comes_back_when_it_may() -> None:
    assert held_until(Forbidden(Reason.DO_NOT_CALL), NOON) is None
    assert held_until(Forbidden(Reason.HOURS, NOON + 60), NOON) == NOON + 60
    assert held_until(Forbidden(Reason.HOURS), NOON) == NOON + DAY
    assert held_until(Forbidden(Reason.LIST_MISSING), NOON) == NOON + 900


def test_the_database_checks_gaps_and_limits_once_more() -> None:
    """Two campaigns that look at once cannot both call: the limits go with the command."""
    assert limits_of(CAMPAIGN, LAW, CONTACT, NOON) == (Limit(NOON - 60, 1), Limit(NOON - DAY, 3))
    assert reach_back(CAMPAIGN, LAW) == 3 * DAY
