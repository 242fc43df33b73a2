"""The life of one leg, as a table.  No I/O, no clock, no pjsua2 (RFC 3261 sections 13 and 15; RFC 3960 for early
media).

A leg is one SIP dialog of ours: with the trunk (we are the UAS) or with an agent's phone (we are the UAC).  Both live
by the
same table; which side spoke is in the words: `PROGRESS` is any 18x, sent or received, `ANSWERED` any 2xx that was
acknowledged.
"""

from enum import Enum, auto


class Leg(Enum):
    """Where a leg stands."""

    NEW = auto()
    "INVITE sent or received, no 18x yet."
    RINGING = auto()
    "An 18x passed."
    UP = auto()
    "2xx and ACK passed: the dialog is confirmed."
    ENDING = auto()
    "We asked for the end (CANCEL, BYE or a failure); the far end has yet to agree."
    GONE = auto()
    "Nothing of the dialog is left."


class Seen(Enum):
    """What the SIP engine may tell of a leg."""

    PROGRESS = auto()
    ANSWERED = auto()
    DROPPED = auto()
    CLOSED = auto()


NEXT: dict[tuple[Leg, Seen], Leg] = {
    (Leg.NEW, Seen.PROGRESS): Leg.RINGING,
    (Leg.NEW, Seen.ANSWERED): Leg.UP,  # 200 with no 18x before it
    (Leg.RINGING, Seen.PROGRESS): Leg.RINGING,
    (Leg.RINGING, Seen.ANSWERED): Leg.UP,
    (Leg.ENDING, Seen.PROGRESS): Leg.ENDING,
    (Leg.ENDING, Seen.ANSWERED): Leg.ENDING,  # 200 crossed our CANCEL: the stack sends ACK and BYE
    **{(state, Seen.DROPPED): Leg.ENDING for state in Leg if state is not Leg.GONE},
    (Leg.GONE, Seen.DROPPED): Leg.GONE,  # our hang-up crossed theirs
    **{(state, Seen.CLOSED): Leg.GONE for state in Leg},
}

OVER = frozenset({Leg.ENDING, Leg.GONE})


class IllegalStep(Exception):
    """Our own mistake: the engine told what cannot be.  Ends that call, and no other."""

    def __init__(self, state: Leg, seen: Seen) -> None:
        super().__init__(f"a leg in {state.name} cannot see {seen.name}")
        self.state, self.seen = state, seen


def step(state: Leg, seen: Seen) -> Leg:
    """The state after `seen`; raises IllegalStep for a pair that is not in the table."""
    try:
        return NEXT[state, seen]
    except KeyError:
        raise IllegalStep(state, seen) from None
