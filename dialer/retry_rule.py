"""What a campaign says about calling again after an outcome."""

from dataclasses import dataclass

from dialer.outcome import Outcome


@dataclass(frozen=True, slots=True)
class RetryRule:
    """Call again, so many times, after so long."""

    after: float
    "Seconds from the end of the call."
    most: int = 3
    "How often a contact is called again after this outcome; 0: any number of times."
    next_number: bool = False
    "Take the contact's next number, where there is one; the first again after the last."


DEFAULT_RULES: dict[str, RetryRule] = {
    Outcome.BUSY: RetryRule(300.0, 5),
    Outcome.NO_ANSWER: RetryRule(7200.0, 3, next_number=True),
    Outcome.MACHINE: RetryRule(14_400.0, 3, next_number=True),
    Outcome.ABANDONED: RetryRule(259_200.0, 1),
    Outcome.REJECTED: RetryRule(86_400.0, 1, next_number=True),
    Outcome.INVALID_NUMBER: RetryRule(60.0, 0, next_number=True),
    Outcome.TRUNK_FAULT: RetryRule(60.0, 0),
    Outcome.UNKNOWN: RetryRule(3600.0, 1),
}
"Where a campaign says nothing. 72 hours after an abandoned call is what UK practice asks (pacing rules of 2010)."
