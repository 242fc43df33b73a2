"""What a token is, and what a call that wants it is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """What a token is in; a free one whose time is over is still `free` here (see `Token.expires_at`)."""

    FREE = "free"
    CLAIMED = "claimed"
    CONSUMED = "consumed"
    REVOKED = "revoked"


class ClaimOutcome(StrEnum):
    """Why a call may or may not use the token."""

    CLAIMED = "claimed"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    USED = "used"
    BUSY = "busy"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class NewToken:
    """What a customer system leaves with us about one user."""

    caller: str | None = None
    "The real caller's number (the effective caller of R1-07)."
    extension: str | None = None
    "The agent the call is meant for; None leaves it to the tenant's default."
    data: Mapping[str, Any] = field(default_factory=dict)
    "Business data for the agent's screen: anything JSON can say."
    sequence: str | None = None
    "The tenant's own number; None lets us draw one."


@dataclass(frozen=True, slots=True)
class Token:
    """One row of the temporary table."""

    tenant: str
    sequence: str
    id: str
    "Differs when the same number is issued again after its life."
    state: State
    caller: str | None
    extension: str | None
    data: dict[str, Any]
    issued_at: float
    expires_at: float
    node: str | None = None
    call: str | None = None
    "The call that claimed or consumed it."
    claimed_at: float | None = None
    consumed_at: float | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """The answer to a claim; `token` is set when the outcome is `claimed`."""

    outcome: ClaimOutcome
    token: Token | None = None


def judge(token: Token | None, call: str) -> Claim:
    """Why a claim changed no row, from the row as it is."""
    if token is None:
        return Claim(ClaimOutcome.UNKNOWN)
    match token.state:
        case State.CLAIMED if token.call == call:
            return Claim(ClaimOutcome.CLAIMED, token)
        case State.CLAIMED:
            return Claim(ClaimOutcome.BUSY)
        case State.CONSUMED:
            return Claim(ClaimOutcome.USED)
        case State.REVOKED:
            return Claim(ClaimOutcome.REVOKED)
        case State.FREE:
            return Claim(ClaimOutcome.EXPIRED)
