"""The states of an agent, as a table.  No I/O, no clock.

What an agent has asked for (logged in or not, paused or not) and whether his phone can be reached are facts beside the
state: they decide which resting state he is in.  While an offer or a call runs he is in a busy state, and a change of
those facts is kept until he rests again: that is how a status change during an offer is queued.
"""

from enum import Enum, StrEnum, auto


class AgentState(StrEnum):
    """What an agent is doing."""

    LOGGED_OUT = "logged-out"
    AVAILABLE = "available"
    RESERVED = "reserved"
    "A call has been given to him; his phone does not ring yet."
    RINGING = "ringing"
    TALKING = "talking"
    WRAP_UP = "wrap-up"
    PAUSED = "paused"
    UNREACHABLE = "unreachable"
    "Logged in, but his phone does not answer signalling."


class Seen(Enum):
    """What may happen to an agent."""

    STATUS = auto()
    "Log-in, log-out, pause, resume, or his phone came or went."
    OFFERED = auto()
    RANG = auto()
    ANSWERED = auto()
    LET_GO = auto()
    "The offer is over without him."
    ENDED = auto()
    "The call is over and he has work to do after it."
    WRAPPED = auto()
    "Nothing of the call is left to do."
    FOUND = auto()
    "The reconciler saw him in a call."


RESTING = frozenset({AgentState.LOGGED_OUT, AgentState.AVAILABLE, AgentState.PAUSED, AgentState.UNREACHABLE})
"By his status alone."
OFFERED = frozenset({AgentState.RESERVED, AgentState.RINGING})
BUSY = OFFERED | {AgentState.TALKING}
AWAY = RESTING - {AgentState.AVAILABLE}
"Takes no calls however long one waits."

REST = None
"In the table: whatever resting state his status says."

NEXT: dict[tuple[AgentState, Seen], AgentState | None] = {
    **{(state, Seen.STATUS): REST for state in RESTING},
    **{(state, Seen.STATUS): state for state in AgentState if state not in RESTING},
    (AgentState.AVAILABLE, Seen.OFFERED): AgentState.RESERVED,
    (AgentState.RESERVED, Seen.RANG): AgentState.RINGING,
    (AgentState.RINGING, Seen.RANG): AgentState.RINGING,  # a second 18x
    (AgentState.TALKING, Seen.RANG): AgentState.TALKING,  # an 18x that came behind the 200
    **{(state, Seen.ANSWERED): AgentState.TALKING for state in OFFERED},
    **{(state, Seen.LET_GO): REST for state in OFFERED},
    (AgentState.TALKING, Seen.ENDED): AgentState.WRAP_UP,
    (AgentState.TALKING, Seen.WRAPPED): REST,  # no work after it, or he wants to go
    (AgentState.WRAP_UP, Seen.WRAPPED): REST,
    **{(state, Seen.FOUND): AgentState.TALKING for state in AgentState},
}


class IllegalStep(Exception):
    """Our own mistake: the floor told an agent what cannot be."""

    def __init__(self, state: AgentState, seen: Seen) -> None:
        super().__init__(f"an agent who is {state} cannot see {seen.name}")
        self.state, self.seen = state, seen


def step(state: AgentState, seen: Seen, rest: AgentState) -> AgentState:
    """The state after `seen`; `rest` is the resting state of his status.  Raises IllegalStep."""
    try:
        after = NEXT[state, seen]
    except KeyError:
        raise IllegalStep(state, seen) from None
    return rest if after is REST else after
