"""What follows from a call: which number, when, or never again."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.campaign import Campaign
from dialer.command import Record
from dialer.contact import Contact, ContactState, PhoneNumber
from dialer.disposition import Disposition
from dialer.outcome import Outcome
from dialer.retry import Step, after, next_step
from dialer.retry_rule import RetryRule

FIRST, SECOND = "+14155550100", "+14155550101"
CAMPAIGN = Campaign(
    "spring",
    "acme",
    redial_gap=60.0,
    dispositions=(
        Disposition("sale", success=True),
        Disposition("later", then="call-back", after=900.0),
        Disposition("anybody-later", then="call-back", same_agent=False),
        Disposition("again", then="retry", after=600.0),
        Disposition("never", then="do-not-call"),
        Disposition("wrong", then="close-number"),
    ),
)
CONTACT = Contact("k1", "spring", "acme", "b1", 1, (PhoneNumber(FIRST), PhoneNumber(SECOND)))
END = 10_000.0


def ended(outcome: Outcome, **more: object) -> Record:
    return replace(Record("c1", outcome, END), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("record", "step"),
    [
        (ended(Outcome.BUSY), Step(END + 300, 0, "busy")),
        (ended(Outcome.NO_ANSWER), Step(END + 7200, 1, "no-answer")),
        (ended(Outcome.MACHINE), Step(END + 14_400, 1, "machine")),
        (ended(Outcome.REJECTED), Step(END + 86_400, 1, "rejected")),
        (ended(Outcome.ABANDONED), Step(END + 259_200, 0, "abandoned")),
        (ended(Outcome.UNKNOWN), Step(END + 3600, 0, "unknown")),
        (ended(Outcome.TRUNK_FAULT), Step(END + 60, 0, "trunk-fault")),
        (ended(Outcome.CANCELLED), Step(END + 60, 0, "cancelled")),
        (ended(Outcome.INVALID_NUMBER), Step(END + 60, 1, "invalid-number", close_number="invalid-number")),
        (ended(Outcome.ANSWERED), Step(None, 0, "answered")),
        (ended(Outcome.ANSWERED, disposition="sale"), Step(None, 0, "sale")),
        (ended(Outcome.ANSWERED, disposition="again"), Step(END + 600, 0, "answered")),
        (ended(Outcome.ANSWERED, disposition="wrong"), Step(END + 60, 1, "wrong", close_number="wrong")),
        (ended(Outcome.ANSWERED, disposition="never"), Step(None, 0, "never", list_number=True)),
        (ended(Outcome.OPTED_OUT), Step(None, 0, "opted-out", list_number=True)),
        (ended(Outcome.ABANDONED, opted_out=True), Step(None, 0, "opted-out", list_number=True)),
        (ended(Outcome.WITHHELD, cause="hours", detail={"next_at": END + 5}), Step(END + 5, 0, "hours")),
        (
            ended(Outcome.WITHHELD, cause="do-not-call", detail={"never": True}),
            Step(END + 60, 1, "do-not-call", close_number="do-not-call"),
        ),
    ],
)
def test_what_follows_from_an_outcome(record: Record, step: Step) -> None:
    """R3-09: one record leads to one step: busy, no answer, machine, and an agent's word, each by its rule."""
    assert next_step(CAMPAIGN, CONTACT, FIRST, record) == step


def test_a_call_back_is_the_same_agents_at_the_agreed_time() -> None:
    """The time the agent entered counts; who may call then is the disposition's affair; a past time is now."""
    agreed = ended(Outcome.ANSWERED, disposition="later", agent="1001", call_back_at=END + 5000)
    assert next_step(CAMPAIGN, CONTACT, FIRST, agreed) == Step(END + 5000, 0, "call-back", "1001")
    assert next_step(CAMPAIGN, CONTACT, FIRST, replace(agreed, disposition="anybody-later")).agent == ""
    assert next_step(CAMPAIGN, CONTACT, FIRST, replace(agreed, call_back_at=5.0)).at == END
    no_time = replace(agreed, call_back_at=None)
    assert next_step(CAMPAIGN, CONTACT, FIRST, no_time) == Step(END + 900, 0, "call-back", "1001")
    never = replace(agreed, disposition="never")
    assert next_step(CAMPAIGN, CONTACT, FIRST, never) == Step(None, 0, "never", list_number=True), "whatever time"


def test_an_agreed_agent_stays_when_nobody_answered() -> None:
    """Busy at the agreed time: the next try is his too."""
    agreed = replace(CONTACT, agent="1001")
    assert next_step(CAMPAIGN, agreed, FIRST, ended(Outcome.BUSY)).agent == "1001"


def test_a_fault_of_the_trunk_is_no_attempt() -> None:
    """However often it happens the contact keeps its attempts, and is tried again."""
    contact = replace(CONTACT, attempts=4, numbers=(PhoneNumber(FIRST, attempts=4),))
    for _ in range(20):
        record = ended(Outcome.TRUNK_FAULT)
        contact = after(contact, FIRST, record, next_step(CAMPAIGN, contact, FIRST, record))
    assert (contact.attempts, contact.numbers[0].attempts, contact.state) == (4, 4, ContactState.OPEN)


def test_a_rule_ends_by_its_own_count_and_by_the_campaigns() -> None:
    """A sixth busy closes it by the rule for busy; a fifth attempt by the campaign's."""
    many = replace(CONTACT, outcomes={"busy": 5})
    assert next_step(CAMPAIGN, many, FIRST, ended(Outcome.BUSY)) == Step(None, 0, "no more attempts after busy")
    last = replace(CONTACT, attempts=4)
    assert next_step(CAMPAIGN, last, FIRST, ended(Outcome.BUSY)) == Step(None, 0, "no more attempts")


def test_without_a_rule_the_next_number_is_tried_then_it_is_closed() -> None:
    """A campaign without rules calls each number once."""
    plain = replace(CAMPAIGN, retries={})
    step = next_step(plain, CONTACT, FIRST, ended(Outcome.NO_ANSWER))
    assert (step.at_number, step.close_number) == (1, "no-answer")
    moved = after(CONTACT, FIRST, ended(Outcome.NO_ANSWER), step)
    assert next_step(plain, moved, SECOND, ended(Outcome.NO_ANSWER)).at is None


def test_the_gap_of_a_number_holds_whatever_the_rule_says() -> None:
    """A rule shorter than the gap waits for the gap; another number only for its own last call."""
    hasty = replace(
        CAMPAIGN, redial_gap=3600.0, retries={"busy": RetryRule(10.0), "no-answer": RetryRule(10.0, 3, True)}
    )
    assert next_step(hasty, CONTACT, FIRST, ended(Outcome.BUSY)).at == END + 3600
    assert next_step(hasty, CONTACT, FIRST, ended(Outcome.NO_ANSWER)).at == END + 10
    lately = replace(CONTACT, numbers=(PhoneNumber(FIRST), PhoneNumber(SECOND, last_at=END - 600)))
    assert next_step(hasty, lately, FIRST, ended(Outcome.NO_ANSWER)).at == END + 3000


def test_an_agent_may_have_dialled_another_number() -> None:
    """What counts is the number that was called, not the one whose turn it was."""
    moved = after(CONTACT, SECOND, ended(Outcome.BUSY), next_step(CAMPAIGN, CONTACT, SECOND, ended(Outcome.BUSY)))
    assert [one.attempts for one in moved.numbers] == [0, 1]
    assert moved.at_number == 1


@given(st.lists(st.sampled_from(list(Outcome)), max_size=60), st.integers(1, 4), st.integers(1, 8))
def test_every_run_of_outcomes_ends(outcomes: list[Outcome], numbers: int, attempts: int) -> None:
    """No contact has more attempts than the campaign allows, a closed number is not dialled, time goes forward."""
    campaign = replace(CAMPAIGN, attempts=attempts)
    contact = replace(CONTACT, numbers=tuple(PhoneNumber(f"+141555501{n:02}") for n in range(numbers)))
    now = END
    for outcome in outcomes:
        if contact.state is ContactState.CLOSED:
            break
        assert not contact.number.closed
        number, record = contact.number.number, Record("c", outcome, now)
        step = next_step(campaign, contact, number, record)
        contact = after(contact, number, record, step)
        assert step.at is None or step.at >= now
        assert contact.attempts <= attempts
        assert sum(one.attempts for one in contact.numbers) == contact.attempts
        now = step.at if step.at is not None else now
