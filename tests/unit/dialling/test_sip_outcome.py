"""What a status says of a number."""

import pytest

from b2bua.dialling.sip_outcome import cause_of, outcome_of
from dialer.outcome import Outcome


@pytest.mark.parametrize(
    ("status", "reason", "local", "outcome"),
    [
        (486, "", False, Outcome.BUSY),
        (600, "", False, Outcome.BUSY),
        (480, "", False, Outcome.NO_ANSWER),
        (408, "", False, Outcome.NO_ANSWER),
        (408, "", True, Outcome.TRUNK_FAULT),
        (404, "", False, Outcome.INVALID_NUMBER),
        (484, "", False, Outcome.INVALID_NUMBER),
        (603, "", False, Outcome.REJECTED),
        (302, "", False, Outcome.REJECTED),
        (503, "", False, Outcome.TRUNK_FAULT),
        (407, "", False, Outcome.TRUNK_FAULT),
        (488, "", False, Outcome.TRUNK_FAULT),
        (480, 'Q.850;cause=17;text="User busy"', False, Outcome.BUSY),
        (503, "SIP;cause=503, Q.850;cause=1", False, Outcome.INVALID_NUMBER),
        (404, "q.850 ; text=x ; cause = 42", False, Outcome.TRUNK_FAULT),
        (486, "Q.850;cause=16", False, Outcome.BUSY),
        (480, "SIP;cause=17", False, Outcome.NO_ANSWER),
    ],
)
def test_the_outcome_of_a_call_that_was_not_answered(status: int, reason: str, local: bool, outcome: Outcome) -> None:
    """R3-09: the cause says more than the status, our own stack's word more than both."""
    assert outcome_of(status, reason, local=local) is outcome


def test_a_cause_is_found_in_what_others_write() -> None:
    assert cause_of("") is None
    assert cause_of("Q.850;cause=9999") == 999, "three digits are read, no such cause is known"
    assert cause_of("Q.850;cause=34;text=x") == 34
