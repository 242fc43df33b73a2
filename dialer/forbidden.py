"""What the last check before an INVITE answers. The reasons are labels of metrics and records: they never change."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a number may not be dialled, in the order in which they are looked for."""

    EMERGENCY = "emergency-number"
    SHORT = "short-number"
    BAD_NUMBER = "bad-number"
    "Not E.164, or no number that could be given to anybody."
    COUNTRY = "wrong-country"
    "The profile is another country's law."
    DO_NOT_CALL = "do-not-call"
    LIST_MISSING = "do-not-call-list-missing"
    "The campaign names a list that is not there: nobody knows who stands in it."
    LIST_STALE = "do-not-call-list-stale"
    CALLER_ID = "no-caller-id"
    MESSAGE = "no-message"
    "Nothing could be said to a person for whom no agent is there in time."
    CONSENT = "no-consent"
    CONSENT_ENDED = "consent-ended"
    RECORDED = "recorded-limit"
    "As many recorded messages as are allowed without consent."
    TALK = "talk-gap"
    ABANDONED = "abandoned-gap"
    MACHINE = "machine-gap"
    REDIAL = "redial-gap"
    ATTEMPTS = "attempt-limit"
    ZONE = "unknown-zone"
    HOLIDAY = "holiday"
    HOURS = "closed-hours"


@dataclass(frozen=True, slots=True)
class Allowed:
    """Dial it, now."""


@dataclass(frozen=True, slots=True)
class Forbidden:
    """Do not dial it."""

    reason: Reason
    until: float | None = None
    """Epoch seconds at which it can be asked again, with what is known now; None: waiting alone changes nothing, or
    nothing in the next two weeks."""
    detail: str = ""
    "Which list, which limit, which zone."


Verdict = Allowed | Forbidden
ALLOWED = Allowed()
