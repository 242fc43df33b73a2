"""An agent on the floor: his status, his state, and what he is busy with."""

from dataclasses import dataclass, field

from routing.agent_state import BUSY, OFFERED, AgentState, Seen, step
from routing.board import AgentLine
from routing.effects import AgentChanged
from routing.picking import Member, Need, meets
from routing.queue import AgentProfile


@dataclass(slots=True, eq=False)
class Seat:
    """One agent.  Times are monotonic seconds."""

    extension: str
    profile: AgentProfile
    since: float
    "When he came into his state."
    state: AgentState = AgentState.LOGGED_OUT
    reason: str = ""
    logged_in: bool = False
    pause: str | None = None
    "Why he has paused; None: he has not."
    reachable: bool = True
    down: bool = False
    "Whoever holds his line has said that it is gone, and says when it is back."
    told: tuple[bool, str | None] = (False, None)
    "Logged in and pause, as told last."
    queue: str | None = None
    "Whose call he is busy with; None also for a direct call."
    call: str | None = None
    "The owner of the reservation, then the call he is in."
    offer: str | None = None
    lease: float | None = None
    "When a direct reservation ends by itself."
    idle_since: float = 0.0
    taken: float = 0.0
    "When the offer that became his call began."
    not_before: float = 0.0
    "He has refused an offer and is not asked before."
    retry_at: float | None = None
    "When an unreachable phone is tried again."
    wrap_began: float = 0.0
    wrap_until: float | None = None
    wrap_most: float = 0.0
    missed: int = 0
    "Offers missed in a row."
    free: bool = False
    "He stands among the free of his queues."
    members: dict[str, Member] = field(default_factory=dict)
    "By queue."
    _fits: dict[Need, bool] = field(default_factory=dict)

    def __repr__(self) -> str:
        busy = f" with {self.call}" if self.call else ""
        return f"<Seat {self.extension} {self.state}{busy}>"

    @property
    def rest(self) -> AgentState:
        """The resting state of his status."""
        if not self.logged_in:
            return AgentState.LOGGED_OUT
        if not self.reachable:
            return AgentState.UNREACHABLE
        return AgentState.AVAILABLE if self.pause is None else AgentState.PAUSED

    def line(self, now: float) -> AgentLine:
        """What a wallboard shows of him."""
        left = None if self.wrap_until is None else max(0.0, self.wrap_until - now)
        return AgentLine(
            self.extension,
            self.state,
            now - self.since,
            self.reason,
            self.queue,
            self.call,
            tuple(self.members),
            left,
        )

    def can(self, need: Need) -> bool:
        """Whether his skills are enough."""
        if not need:
            return True
        known = self._fits.get(need)
        if known is None:
            known = self._fits[need] = meets(self.profile.skills, need)
        return known

    def become(self, profile: AgentProfile) -> None:
        """Other skills, queues or ways from now on."""
        self.profile = profile
        self._fits.clear()

    def see(self, seen: Seen, reason: str, now: float) -> AgentChanged | None:
        """Take one step; None when nothing can be told of it.  Raises IllegalStep."""
        before = self.state
        after = step(before, seen, self.rest)
        if after is AgentState.PAUSED and self.pause:
            reason = self.pause
        facts = self.logged_in, self.pause
        if after is before and facts == self.told:
            return None
        self.told = facts
        changed = AgentChanged(self.extension, before, after, reason, self.queue, self.call, *facts)
        if after is before and after in BUSY:
            return changed  # kept until he is done; what he does now is what it was
        if after is not before:
            self.since = now
        if after is AgentState.AVAILABLE and before not in OFFERED:
            self.idle_since = now  # an offer that came to nothing does not cost him his turn
        if seen is Seen.OFFERED or seen is Seen.FOUND:
            self.taken = now
        self.state, self.reason = after, reason
        return changed

    def forget_call(self) -> None:
        """He is busy with nothing."""
        self.queue = self.call = self.offer = self.lease = self.wrap_until = None
