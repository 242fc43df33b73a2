"""How a command ended, and what that counts as."""

from enum import StrEnum


class Outcome(StrEnum):
    """One for each final record."""

    ANSWERED = "answered"
    "A person, and an agent (or the broadcast's message) in time; also who hung up before the limit."
    ABANDONED = "abandoned"
    "A person, and no agent within the limit: late connects too."
    MACHINE = "machine"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    REJECTED = "rejected"
    "Refused by the called party or its network (403, 603 ...)."
    INVALID_NUMBER = "invalid-number"
    "There is no such number: it is never dialled again in this campaign."
    TRUNK_FAULT = "trunk-fault"
    "Ours or the trunk's: no attempt."
    OPTED_OUT = "opted-out"
    "A person who asked not to be called again, whoever talked with him."
    CANCELLED = "cancelled"
    "We took the call back before it was answered (campaign stopped, agent gone): an attempt, for it has rung."
    WITHHELD = "withheld"
    "The last check before the INVITE forbade it: nothing was sent, no attempt."
    UNKNOWN = "unknown"
    "The node died between command and result: an attempt, for it may have rung."

    @property
    def is_attempt(self) -> bool:
        """Whether it counts against attempt limits."""
        return self not in _NO_ATTEMPT


_NO_ATTEMPT = frozenset({Outcome.TRUNK_FAULT, Outcome.WITHHELD})
