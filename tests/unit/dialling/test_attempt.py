"""What becomes of an attempt, and what a crash leaves of it."""

import pytest

from b2bua.dialling.attempt import Attempt, Terms, shown
from b2bua.dialling.flight import read_back, told
from b2bua.dialling.recovery import record_of
from dialer.campaign import Campaign
from dialer.command import Command
from dialer.contact import Contact, PhoneNumber
from dialer.outcome import Outcome

CAMPAIGN = Campaign("c", "acme")
CONTACT = Contact("x", "c", "acme", "b", 1, (PhoneNumber("+442079460001"),), fields={"name": "Ann", "debt": 7})
COMMAND = Command("k", "c", "acme", "x", "+442079460001", 1, "n1", 100.0, "carrier")


def attempt() -> Attempt:
    return Attempt(CAMPAIGN, CONTACT, COMMAND, Terms(connect_within=2.0))


def test_an_agent_in_time_and_one_too_late() -> None:
    """R3-09: an agent behind the limit is a talk, and counts as abandoned all the same."""
    for after, late in ((2.0, False), (2.1, True)):
        one = attempt()
        one.answered(110.0, "carrier")
        one.connected(110.0 + after, "1001", 110.0)
        record = one.record(150.0)
        assert (record.outcome, record.late, record.abandoned, record.agent) == (Outcome.ANSWERED, late, late, "1001")


def test_who_hangs_up_before_the_limit_has_answered_and_is_not_abandoned() -> None:
    """R3-15."""
    one = attempt()
    one.answered(110.0, "carrier")
    record = one.record(111.0, "normal")
    assert (record.outcome, record.live, record.abandoned, record.connected_at) == (Outcome.ANSWERED, True, False, None)


@pytest.mark.parametrize(
    ("limit_from", "outcome"),
    [(None, Outcome.ANSWERED), (110.0, Outcome.ABANDONED), (110.5, Outcome.ANSWERED)],
)
def test_who_hangs_up_behind_the_limit_was_abandoned(limit_from: float | None, outcome: Outcome) -> None:
    """R3-15: the limit may count from the end of a greeting that nobody has heard to its end."""
    one = attempt()
    one.answered(109.0, "carrier")
    one.limit_from = limit_from
    record = one.record(112.5, "normal")
    assert (record.outcome, record.live, record.abandoned) == (outcome, True, outcome is Outcome.ABANDONED)


def test_an_abandoned_call_stays_one_whatever_he_presses() -> None:
    """R3-15: opted out besides."""
    one = attempt()
    one.answered(110.0, "carrier")
    one.abandoned(agents_idle=True)
    one.asked_to_be_left_alone()
    record = one.record(120.0)
    assert (record.outcome, record.abandoned, record.opted_out, record.agents_idle) == (
        Outcome.ABANDONED, True, True, True,
    )  # fmt: skip


def test_a_machine_that_an_agent_was_given_is_told_as_one() -> None:
    one = attempt()
    one.answered(110.0, "carrier")
    one.live = False
    one.connected(111.0, "1001", 110.0)
    record = one.record(130.0)
    assert (record.machine_as_human, record.live, record.abandoned) == (True, False, False)


def test_what_was_neither_answered_nor_refused_was_taken_back() -> None:
    one = attempt()
    assert one.record(120.0, "hung-up").outcome is Outcome.CANCELLED
    one.missed(Outcome.BUSY, "other", 486, "busy")
    one.missed(Outcome.NO_ANSWER, "other", 487, "no-answer")
    record = one.record(120.0)
    assert (record.outcome, record.cause, record.trunk) == (Outcome.BUSY, "busy", "other"), "the first outcome stays"


def test_the_screen_has_the_fields_the_campaign_wants() -> None:
    """R3-04: and the command's id."""
    assert shown(CAMPAIGN, CONTACT, "k") == {
        "name": "Ann", "debt": 7, "campaign": "c", "contact": "x", "command": "k",
    }  # fmt: skip
    chosen = Campaign("c", "acme", screen=("debt", "nothing"))
    assert shown(chosen, CONTACT, "k") == {"debt": 7, "campaign": "c", "contact": "x", "command": "k"}


def test_an_event_carries_the_whole_record() -> None:
    """R3-09: what is told can be read back."""
    one = attempt()
    one.detail["amd"] = {"kind": "human"}
    one.answered(110.0, "carrier")
    record = one.record(120.0)
    assert read_back(told(record)) == record


@pytest.mark.parametrize(
    ("left", "outcome", "cause"),
    [
        (None, Outcome.TRUNK_FAULT, "not-sent"),
        ({"command": "k"}, Outcome.UNKNOWN, "node-died"),
        ({"command": "k", "outcome": "busy"}, Outcome.UNKNOWN, "node-died"),
    ],
)
def test_what_a_crash_leaves(left: dict[str, object] | None, outcome: Outcome, cause: str) -> None:
    """R3-13: nothing sent is no attempt; what may have rung is unknown; a broken record is not believed."""
    record = record_of(COMMAND, left, 200.0)
    assert (record.command, record.outcome, record.cause, record.ended_at) == ("k", outcome, cause, 200.0)


def test_a_result_that_was_told_is_the_result() -> None:
    """R3-13."""
    one = attempt()
    one.missed(Outcome.BUSY, "carrier", 486, "busy")
    record = one.record(120.0)
    assert record_of(COMMAND, told(record), 200.0) == record
