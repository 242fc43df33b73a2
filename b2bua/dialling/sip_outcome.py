"""What a final SIP status says about the number that was called.  Pure.

Where the far end gives a Q.850 cause (RFC 3326), that is nearer to the truth: gateways map many causes to one status
(RFC 3398 section 8.2.6.1).
"""

import re

from dialer.outcome import Outcome

_CAUSE = re.compile(r"Q\.850\s*;[^,]*?\bcause\s*=\s*([0-9]{1,3})", re.IGNORECASE)

BY_CAUSE = {
    **dict.fromkeys((1, 22, 28), Outcome.INVALID_NUMBER),
    17: Outcome.BUSY,
    **dict.fromkeys((18, 19, 20), Outcome.NO_ANSWER),
    **dict.fromkeys((21, 24, 55, 57, 87), Outcome.REJECTED),
    **dict.fromkeys((2, 3, 25, 27, 34, 38, 41, 42, 43, 44, 47, 58, 63, 65, 79, 88, 96, 97, 99, 100, 102, 111, 127),
                    Outcome.TRUNK_FAULT),
}  # fmt: skip
"""Q.850 table 1; 27 (destination out of order) and 127 (interworking) are the network's trouble and not the number's.
16 (normal clearing) and 31 (normal, unspecified) say nothing."""

BY_STATUS = {
    **dict.fromkeys((486, 600), Outcome.BUSY),
    **dict.fromkeys((408, 480, 487), Outcome.NO_ANSWER),
    **dict.fromkeys((404, 410, 484, 485, 604), Outcome.INVALID_NUMBER),
    **dict.fromkeys((403, 433, 603, 607, 608), Outcome.REJECTED),
}
"Everything else that is not a redirection is a fault of the trunk, or of what we sent it."


def cause_of(reason: str) -> int | None:
    """The Q.850 cause in a Reason header as it was written; None where there is none."""
    found = _CAUSE.search(reason)
    return int(found[1]) if found else None


def outcome_of(status: int, reason: str = "", *, local: bool = False) -> Outcome:
    """Of a call that was not answered; `local`: our own stack gave up (no response, no transport, useless SDP)."""
    if local:
        return Outcome.TRUNK_FAULT
    if (cause := cause_of(reason)) in BY_CAUSE:
        return BY_CAUSE[cause]
    if 300 <= status < 400:
        return Outcome.REJECTED  # we follow nobody to a number that nobody has checked
    return BY_STATUS.get(status, Outcome.TRUNK_FAULT)
