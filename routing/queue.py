"""Queues as data: who may take their calls, in which order, and what happens to those who wait too long."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from routing.goal import Goal


class Strategy(StrEnum):
    """Which of the free agents is asked first."""

    LONGEST_IDLE = "longest-idle"
    "Whoever has been free for longest."
    LEAST_RECENT = "least-recent"
    "Whose last call of this queue began longest ago."
    FEWEST_CALLS = "fewest-calls"
    "Who has taken the fewest calls of this queue since he logged in."
    RING_ALL = "ring-all"
    ROUND_ROBIN = "round-robin"
    "In turn; the place is kept from call to call."


@dataclass(frozen=True, slots=True)
class Widening:
    """After so many seconds of waiting, these skills are enough."""

    after: float
    skills: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Overflow:
    """A rule that sends a caller elsewhere."""

    when: Literal["size", "wait", "estimate", "no-agents"]
    """size: callers waiting when he comes; wait: his own seconds; estimate: expected seconds when he comes; no-agents:
    nobody is logged in."""
    goal: Goal
    more_than: float = 0.0


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue. Times are seconds."""

    id: str
    name: str
    tenant: str | None = None
    strategy: Strategy = Strategy.LONGEST_IDLE
    skills: Mapping[str, int] = field(default_factory=dict)
    "Skill -> least level an agent must have; an agent of the queue without it is not asked."
    widen: tuple[Widening, ...] = ()
    sticky: float = 0.0
    "How long a caller is kept for the agent who served him last; 0: not at all."
    ring_timeout: float = 20.0
    wrap_up: float = 10.0
    wrap_up_most: float = 300.0
    "Ceiling, extensions included."
    missed_before_pause: int = 3
    "Missed calls in a row after which an agent is paused; 0: never."
    delay_reject: float = 5.0
    delay_busy: float = 10.0
    delay_no_answer: float = 10.0
    "How long an agent who did that is not asked again."
    max_wait: float | None = None
    max_length: int | None = None
    overflow: tuple[Overflow, ...] = ()
    otherwise: Goal = field(default_factory=lambda: Goal("hangup"))
    "Where a caller goes whom max_wait or max_length turns away and no overflow rule takes."
    weight: int = 0
    "Seconds of head start its callers have over those of other queues an agent serves."
    answer: Literal["early", "answer"] = "answer"
    "early: music as early media, the call is billed once an agent has it; answer: the caller is up while he waits."
    music: str = ""
    "Sound file name of the node's sounds; empty: the usual music."
    announce_every: float = 0.0
    "Seconds between two announcements to the waiting; 0: none."
    announce_position: bool = True
    announce_estimate: bool = True
    callback_key: str = ""
    "The key a waiting caller presses to be called back and keep his place; empty: not offered."
    reentry: float = 0.0
    "Who hung up comes back to his old place within so many seconds."
    short_abandon: float = 5.0
    "Who leaves sooner counts as a short abandon."
    service_level: float = 20.0
    "Answered within so many seconds counts as in time."
    service_target: float = 0.8
    announce_agent: bool = False
    "Tell the caller the agent's number."
    whisper: bool = False
    "Tell the agent tenant and queue before the caller hears him."
    record: bool = False
    survey: str = ""
    "Menu that a caller hears after the agent has hung up; empty: none."


@dataclass(frozen=True, slots=True)
class PriorityClass:
    """A class of callers and how many seconds ahead of the others it is.

    The order is by time of arrival minus head start: first come first served inside a class, and nobody starves, for
    who has waited the head start longer comes first whatever his class (ageing, capped by `ahead`).
    """

    name: str
    ahead: float


@dataclass(frozen=True, slots=True)
class PriorityEntry:
    """A line of the preset list (R2-07): calls that match all that is given belong to a class."""

    id: str
    priority: str
    tenant: str | None = None
    caller: str = ""
    "Effective caller, digits; a trailing * matches the rest."
    called: str = ""
    vdn: str = ""
    digits: str = ""
    "What the caller dialled in a menu."


@dataclass(frozen=True, slots=True)
class AgentProfile:
    """What an agent can do, beside his phone (`routing.directory.Agent`)."""

    extension: str
    queues: Mapping[str, int] = field(default_factory=dict)
    "Queue id -> tier: agents of a lower tier are asked first."
    skills: Mapping[str, int] = field(default_factory=dict)
    person: str | None = None
    connection: Literal["ring", "auto-answer", "nailed-up"] = "ring"
    wrap_up: float | None = None
    "Overrides the queue's."
    pin: str = field(default="", repr=False)
    "Digits that log him in by feature code; empty: not by phone."
    monitors: Literal["nobody", "queues", "all"] = "nobody"
    """Whose calls he may listen to, whisper into and barge into: those of agents who share a queue with him, or of
    all."""
