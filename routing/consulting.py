"""An agent asks a colleague while his caller waits: where that stands, what may happen, and who then talks.  Pure."""

from collections.abc import Mapping
from enum import Enum, StrEnum
from types import MappingProxyType


class Stage(StrEnum):
    """Where it stands."""

    RINGING = "ringing"
    "The colleague's phone rings, the caller hears music."
    ASKING = "asking"
    "Agent and colleague talk, the caller hears music."
    JOINED = "joined"
    "All three talk."


class Event(StrEnum):
    """What may happen."""

    ANSWERED = "answered"
    "The colleague's phone has."
    COLLEAGUE_LEFT = "colleague-left"
    "He has hung up, or has never taken the call."
    AGENT_LEFT = "agent-left"
    CALLER_LEFT = "caller-left"
    JOIN = "join"
    "The agent wants all three to talk."
    COMPLETE = "complete"
    "He leaves the caller to the colleague."
    BACK = "back"
    "He wants his caller back, without the colleague."


class Then(Enum):
    """What is done."""

    ASK = "agent and colleague talk"
    CONFER = "all three talk"
    RETURN = "agent and caller talk again, as before"
    SEND = "the caller is sent to the colleague, whose phone rings anew"
    HAND_OVER = "the agent leaves, caller and colleague talk"
    WITHOUT_CALLER = "the caller has left, agent and colleague talk on"
    END = "the caller has left, and with him the call"
    REFUSE = "nothing; the agent hears that this cannot be"


NEXT: Mapping[tuple[Stage, Event], Then] = MappingProxyType(
    {
        (Stage.RINGING, Event.ANSWERED): Then.ASK,
        (Stage.RINGING, Event.COLLEAGUE_LEFT): Then.RETURN,
        (Stage.RINGING, Event.AGENT_LEFT): Then.SEND,
        (Stage.RINGING, Event.CALLER_LEFT): Then.END,
        (Stage.RINGING, Event.JOIN): Then.REFUSE,
        (Stage.RINGING, Event.COMPLETE): Then.SEND,
        (Stage.RINGING, Event.BACK): Then.RETURN,
        (Stage.ASKING, Event.COLLEAGUE_LEFT): Then.RETURN,
        (Stage.ASKING, Event.AGENT_LEFT): Then.HAND_OVER,
        (Stage.ASKING, Event.CALLER_LEFT): Then.WITHOUT_CALLER,
        (Stage.ASKING, Event.JOIN): Then.CONFER,
        (Stage.ASKING, Event.COMPLETE): Then.HAND_OVER,
        (Stage.ASKING, Event.BACK): Then.RETURN,
        (Stage.JOINED, Event.COLLEAGUE_LEFT): Then.RETURN,
        (Stage.JOINED, Event.AGENT_LEFT): Then.HAND_OVER,
        (Stage.JOINED, Event.CALLER_LEFT): Then.WITHOUT_CALLER,
        (Stage.JOINED, Event.JOIN): Then.REFUSE,
        (Stage.JOINED, Event.COMPLETE): Then.HAND_OVER,
        (Stage.JOINED, Event.BACK): Then.RETURN,
    }
)


def then(stage: Stage, event: Event) -> Then:
    """What is done; an event that the table does not know (a second answer) changes nothing: REFUSE."""
    return NEXT.get((stage, event), Then.REFUSE)


def talk(stage: Stage, caller: int, agent: int, colleague: int) -> frozenset[tuple[int, int]]:
    """The pairs that talk."""
    match stage:
        case Stage.RINGING:
            return frozenset()
        case Stage.ASKING:
            return frozenset({(agent, colleague)})
        case Stage.JOINED:
            return frozenset({(caller, agent), (agent, colleague), (caller, colleague)})
