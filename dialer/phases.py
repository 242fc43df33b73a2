"""One look at a campaign: what its agents and its calls do now, and what has been counted.  Values only.

Times are seconds of one clock that does not go back; "since" is when a phase began.  Whoever looks builds a
`Situation` from the floor and from the calls of the campaign; `dialer.pacing` says what follows from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Window:
    """What was counted in a span of time that has a limit: 24 hours, 30 days, the whole campaign."""

    answered: int = 0
    "Calls a live person answered, the abandoned among them."
    abandoned: float = 0.0
    "Of these; not always whole, because people taken for machines are estimated."
    cap: float = 0.03
    "Largest share that may be abandoned."
    estimated: float = 0.0
    "Of the abandoned, people taken for machines: these go on whatever is dialled."

    @property
    def own(self) -> float:
        """Part of the cap that is left to pacing."""
        return 1 - min(1.0, self.estimated / (self.cap * self.answered)) if self.cap * self.answered > 0 else 1.0

    @property
    def rate(self) -> float:
        """Abandoned share of the live answers."""
        return self.abandoned / self.answered if self.answered else 0.0

    def left(self, target: float | None = None) -> float:
        """Calls that may be abandoned until the share is the cap, or the target if lower; below 0 when it is over."""
        cap = self.cap if target is None else min(self.cap, target)
        return cap * self.answered - self.abandoned


@dataclass(frozen=True, slots=True)
class Situation:
    """Agents, calls and counters of a campaign at one moment."""

    now: float
    idle: int = 0
    "Agents who would take a call at once."
    talking: Sequence[float] = ()
    "Since when agents talk, one entry for each."
    wrapping: Sequence[float] = ()
    "Since when agents do their work after a call."
    paused: Sequence[float] = ()
    "Since when agents are on pause."
    ringing: Sequence[float] = ()
    "Since when calls are being set up: dialled, and neither answered by a person nor ended."
    waiting: int = 0
    "Calls a person has answered and no agent has."
    connected: int = 0
    "Calls of this campaign that have an agent."
    inbound: int = 0
    "Agents that inbound queues want before this campaign (blended work)."
    manual: int = 0
    "Agents on duty whose phone has to be picked up by hand: neither auto-answer nor a nailed-up leg."
    windows: tuple[Window, ...] = (Window(),)
    unattended: Window | None = None
    "R3-15's own figure: abandoned while no agent was idle."
    lines_free: int | None = None
    "Lines the trunks have left for all campaigns; None: no limit."
    contacts: int | None = None
    "Numbers that may be dialled now; None: unknown."

    @property
    def ready(self) -> int:
        """Idle agents whom no inbound queue wants."""
        return max(0, self.idle - self.inbound)

    @property
    def agents(self) -> int:
        """Agents on duty: idle, in a call or after one."""
        return self.idle + len(self.talking) + len(self.wrapping)

    @property
    def open(self) -> int:
        """Calls that have no agent yet, answered or not."""
        return len(self.ringing) + self.waiting


@dataclass(frozen=True, slots=True)
class Limits:
    """What a campaign may never exceed, in any mode."""

    lines: int | None = None
    "Lines of the campaign at once, calls with agents among them."
    ringing: int | None = None
    "Calls being set up at once."
    ratio: float | None = 3.0
    "Calls without an agent yet, in times the agents on duty; not asked of a broadcast."
    burst: int | None = None
    "Calls that one decision may start."


@dataclass(frozen=True, slots=True)
class Rules:
    """The parameters of the modes; each mode reads its own."""

    ratio: float = 1.0
    "Power: calls for each idle agent. Rule-based: at most so many."
    target: float | None = None
    "Abandoned share to steer to, where that is below the caps."
    literal: bool = False
    "Rule-based as R3-14..16 say it, word by word: the cap acts only while no agent is idle, who is paused counts."
    count_paused: bool = False
    "Rule-based: who is on pause longer than `stale_pause` counts as idle."
    stale_pause: float = 120.0
    least_agents: int = 5
    "Predictive with fewer agents on duty dials one call for each idle agent."
    least_answers: int = 30
    "And until so many live answers have been seen."
    limits: Limits = field(default_factory=Limits)
