"""A queue on the floor: who waits in it, who serves it, and what it has taught."""

from collections import Counter
from collections.abc import Mapping

from routing.agent_state import AWAY, AgentState
from routing.board import QueueLine, Tally, level
from routing.picking import Member
from routing.queue import Queue
from routing.ranking import Key, Line, Place
from routing.waiting_time import Learned


class QueueState:
    """One queue at work."""

    def __init__(self, queue: Queue, all_queues: Mapping[str, "QueueState"]) -> None:
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
        self._all = all_queues
        self._shared: Mapping[str, float] | None = None

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

    def shared(self) -> Mapping[str, float]:
        """Other queues its agents serve -> the part of their agents who are its own; kept until agents change."""
        if self._shared is None:
            counts = Counter(name for member in self.members.values() for name in member.seat.members)
            del counts[self.queue.id]
            self._shared = {name: count / len(self._all[name].members) for name, count in counts.items()}
        return self._shared

    def unshare(self) -> None:
        """Its agents, or what they serve, have changed."""
        self._shared = None

    def before(self, key: Key) -> float:
        """Callers who come before this key with its agents."""
        others = sum(part * self._all[name].line.before(key) for name, part in self.shared().items())
        return self.line.before(key) + others

    def estimate(self, key: Key) -> float | None:
        """Seconds until an agent is there for somebody with this key whom nobody who is free now can take."""
        return self.learned.estimate(self.before(key), self.working)

    def estimate_of(self, place: Place) -> float | None:
        """The same for somebody who waits: whoever is free beside him cannot take him."""
        return 0.0 if place.offer else self.estimate(place.key)

    def _estimate_last(self, waiting: Mapping[str, int]) -> float | None:
        """For somebody behind everybody."""
        others = sum([part * waiting[name] for name, part in self.shared().items()])
        return self.learned.estimate(waiting[self.queue.id] + others, self.working)

    def on_board(self, now: float, waiting: Mapping[str, int]) -> QueueLine:
        """Its line of the wallboard; `waiting` counts the callers of every queue."""
        places = self.line.everybody()
        hour = self.tally.hour(now)
        return QueueLine(
            self.queue.id,
            self.queue.name,
            self.queue.tenant,
            len(places),
            max((now - place.joined for place in places), default=0.0),
            0.0 if len(self.free) > len(places) else self._estimate_last(waiting),
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
            hour.elsewhere,
        )
