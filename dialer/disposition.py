"""What an agent says about a talk, and what follows from it."""

from dataclasses import dataclass
from typing import Literal

Then = Literal["close", "retry", "call-back", "do-not-call", "close-number"]


@dataclass(frozen=True, slots=True)
class Disposition:
    """One word of a campaign's list."""

    code: str
    name: str = ""
    then: Then = "close"
    """close: the contact is done; retry: called again after `after`; call-back: at the time the agent says, else after
    `after`; do-not-call: onto the tenant's list, contact done; close-number: it is wrong, the next is tried."""
    after: float = 86_400.0
    "Seconds, for retry and call-back."
    same_agent: bool = True
    "call-back: the agent who agreed it calls."
    success: bool = False
    "Counted as what the campaign is for."
