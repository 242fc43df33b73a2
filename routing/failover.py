"""Whether a call that one trunk has not taken is tried over the next one, and for how long the first is left alone.

Pure.  The called number's own word (busy, no such number, declined) is the same over every trunk; and a phone that has
rung, or a far end that has been heard, would ring and speak twice.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

ALWAYS = frozenset({408, 500, 502, 503, 504})
"Final statuses that speak of the trunk; 408 only while nothing has rung, as all of them."
NEVER = frozenset({404, 410, 484, 486, 487})
"Those that speak of the number, and of our own CANCEL.  Every 6xx is one as well (RFC 3261 section 21.6)."
NO_COMMON_SOUND = frozenset({406, 415, 488})
"What the stack ends a leg with whose 2xx has no sound that we can take: that trunk has taken the call."


@dataclass(frozen=True, slots=True)
class Attempt:
    """How a try over one trunk has ended."""

    code: int = 0
    "Its final status; 0: there was none, because we gave it up."
    local: bool = False
    "No word of the far end: no response in time, the transport failed, or our own stack gave up."
    rang: bool = False
    "An 18x came, with sound or without."

    @property
    def word(self) -> str:
        """Why, for metrics and events."""
        return "no-response" if self.local or not self.code else str(self.code)


def tries_next(attempt: Attempt, extras: Collection[int] = ()) -> bool:
    """Whether another trunk is tried; `extras`: further statuses that this trunk speaks of itself with."""
    if attempt.rang:
        return False
    if attempt.local:
        return attempt.code not in NO_COMMON_SOUND
    if not attempt.code:
        return True
    return attempt.code in ALWAYS or (attempt.code in extras and may_be_extra(attempt.code))


def may_be_extra(code: int) -> bool:
    """Whether an operator may add this status to those after which the next trunk is tried."""
    return 400 <= code < 600 and code not in NEVER


def left_alone(code: int, retry_after: int | None, most: float) -> float:
    """Seconds for which an address that answered so gets no new call (RFC 3261 20.33, 21.5.4), `most` at most."""
    if retry_after is None or not (code == 503 or code == 500):
        return 0.0
    return min(float(max(retry_after, 0)), most)
