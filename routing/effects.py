"""What goes into the floor and what comes out: the waiting caller, and the effects that the outside carries out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from routing.agent_state import AgentState
from routing.goal import Goal

Refusal = Literal["reject", "busy", "no-answer", "unreachable"]
"Why a phone did not take an offer."


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who comes to a queue."""

    call: str
    queue: str
    area: str = ""
    "Queue area he is counted in (R2-03); empty: the queue's own id."
    vdn: str | None = None
    priority: str | None = None
    "Priority class (R2-07)."
    number: str | None = None
    "Effective caller; known again when he comes back, and to the agent who served him."
    tenant: str | None = None
    skills: Mapping[str, int] = field(default_factory=dict)
    "What this caller needs beside what the queue needs."
    last_agent: str | None = None
    "Who served him last; None: whom the floor remembers."
    entered: float | None = None
    "Monotonic seconds his place counts from, when he brings one with him; None: now."
    callback: bool = False
    "He has hung up and is called back when it is his turn."
    ahead: float = 0.0
    "Seconds of head start of his own, over that of his class: whom we have called ourselves shall not wait at all."


@dataclass(frozen=True, slots=True)
class Offer:
    """Ring these agents for this caller, all at once; each ends in `answered`, `refused` or a Withdraw."""

    offer: str
    call: str
    queue: str
    extensions: tuple[str, ...]
    ring_for: float
    "Seconds."


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Stop ringing these agents; who has answered meanwhile is hung up."""

    offer: str
    call: str
    extensions: tuple[str, ...]
    why: str
    "answered-elsewhere | caller-left | agent-lost | lease | moved | no-queue"


@dataclass(frozen=True, slots=True)
class Leave:
    """The floor sends this caller elsewhere; he waits no more."""

    call: str
    queue: str
    why: str
    "size | estimate | wait | no-agents (the overflow rules) | max-length | max-wait | no-queue"
    goal: Goal | None
    "None: the queue does not exist and says nothing."


@dataclass(frozen=True, slots=True)
class Announce:
    """Tell a waiting caller where he stands."""

    call: str
    position: int
    "1 is next."
    estimate: float | None
    "Seconds; None: nothing is known yet."


@dataclass(frozen=True, slots=True)
class AgentChanged:
    """An agent's state, or what he has asked for, has changed.  All of them in order are his history.

    Where he asks for something while he is busy, `before` is `after`.
    """

    extension: str
    before: AgentState
    after: AgentState
    reason: str
    "What made it change; of a pause its reason."
    queue: str | None = None
    call: str | None = None
    logged_in: bool = True
    "False while he is busy still: he goes once he is done."
    pause: str | None = None
    "Why he has paused, or pauses once he is done; None: he does not."


@dataclass(frozen=True, slots=True)
class Repaired:
    """The floor and the live calls did not agree, and the floor gave in; to be counted and logged."""

    extension: str
    "Empty: it was a waiting caller."
    what: str
    "lease | no-call | other-call | in-call | caller-gone"


@dataclass(frozen=True, slots=True)
class Queued:
    """A caller has begun to wait."""

    call: str
    queue: str
    area: str
    vdn: str | None
    priority: str | None
    position: int
    estimate: float | None


@dataclass(frozen=True, slots=True)
class Requeued:
    """A caller whom an agent had is waiting again, at the head of his class."""

    call: str
    queue: str
    why: str
    position: int


@dataclass(frozen=True, slots=True)
class Dequeued:
    """A caller waits no more."""

    call: str
    queue: str
    area: str
    priority: str | None
    wait: float
    "Seconds in this queue."
    result: str
    "answered | abandoned | short-abandoned | overflow | timeout | callback | moved, or what `leave` was told"
    extension: str | None = None
    "Who has answered."
    estimate: float | None = None
    "What he was told when he came, in seconds."


Effect = Offer | Withdraw | Leave | Announce | AgentChanged | Repaired | Queued | Requeued | Dequeued
