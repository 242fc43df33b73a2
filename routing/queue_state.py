"""A queue on the floor: who waits in it, who serves it, and what it has taught."""

from collections import Counter

from routing.agent_state import AWAY, AgentState
from routing.board import QueueLine, Tally, level
from routing.picking import Member
from routing.queue import Queue
from routing.ranking import Line, Place
from routing.waiting_time import Learned


class QueueState:
    """One queue at work."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self.line = Line()
        self.members: dict[str, Member] = {}
        "By extension."
        self.free: dict[str, Member] = {}
        "Those who may be asked now."
        self.states: Counter[AgentState] = Counter()
        "How many of its agents are in each state."
        self.areas: Counter[str] = Counter()
        "Waiting callers by area."
        self.learned = Learned()
        self.tally = Tally()
        self.last_asked = ""
        "For round-robin."

    def __repr__(self) -> str:
        return f"<QueueState {self.queue.id}, {len(self.line)} waiting, {len(self.free)} free>"

    @property
    def working(self) -> int:
        """Agents who take calls, now or soon."""
        return len(self.members) - sum(self.states[state] for state in AWAY)

    @property
    def manned(self) -> bool:
        """Whether anybody is logged in."""
        return len(self.members) > self.states[AgentState.LOGGED_OUT]

    def estimate(self, before: int) -> float | None:
        """Seconds until an agent is there for somebody with so many callers before him."""
        if len(self.free) > before:
            return 0.0
        return self.learned.estimate(before, self.working)

    def estimate_of(self, place: Place) -> float | None:
        """The same for somebody who waits: whoever is free beside him cannot take him."""
        return 0.0 if place.offer else self.learned.estimate(self.line.before(place.key), self.working)

    def on_board(self, now: float) -> QueueLine:
        """Its line of the wallboard."""
        places = list(self.line)
        hour = self.tally.hour(now)
        return QueueLine(
            self.queue.id,
            self.queue.name,
            self.queue.tenant,
            len(places),
            max((now - place.joined for place in places), default=0.0),
            self.estimate(len(places)),
            dict(self.areas),
            dict(Counter(place.caller.priority or "" for place in places)),
            {state.value: count for state, count in self.states.items() if count},
            len(self.free),
            hour.offered,
            hour.answered,
            hour.abandoned,
            hour.short,
            level(hour),
            self.queue.service_target,
        )
