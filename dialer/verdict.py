"""What the pacing decides, and why, in terms that a log, a metric and a page can show."""

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Why so many; the label of a metric."""

    PREVIEW = "preview"
    "A contact for each idle agent to look at; he starts the call."
    PROGRESSIVE = "progressive"
    "One call for each idle agent."
    POWER = "power"
    "A fixed number of calls for each idle agent."
    RULE_IDLE = "rule-idle"
    "Rule-based: agents are idle (R3-14)."
    RULE_PAUSED = "rule-paused"
    "Rule-based: agents on pause for too long count as idle (R3-16)."
    PREDICTIVE = "predictive"
    "The next answer finds no agent with a chance of `figure` at most."
    BROADCAST = "broadcast"
    "No agents are needed: as many as the lines take."
    FEW_AGENTS = "few-agents"
    "Predictive with few agents: one call for each idle agent."
    FEW_DATA = "few-data"
    "Predictive with little measured: one call for each idle agent."
    BY_HAND = "by-hand"
    "Rule-based with phones that are picked up by hand: one call for each idle agent."
    CAP = "abandon-cap"
    "One more abandoned call could break the cap; `figure` is the share. One call for each idle agent, or a few more."

    NO_AGENT = "no-agent"
    "Nobody is idle."
    INBOUND = "inbound"
    "Inbound queues want whoever is idle."
    ENOUGH = "enough"
    "Enough calls are on their way."
    RISK = "risk"
    "One more answer would find no agent with a chance above `figure`."
    NOT_AUTOMATIC = "not-automatic"
    "Refused: `figure` agents have to pick up by hand, and the mode needs auto-answer or nailed-up legs."
    NO_LINE_LIMIT = "no-line-limit"
    "Refused: a broadcast needs a limit of lines or calls."

    LINES = "lines"
    "Cut by the lines of the campaign or its trunks."
    RINGING = "ringing"
    "Cut by the calls that may be set up at once."
    RATIO = "ratio"
    "Cut by calls per agent on duty."
    BURST = "burst"
    "Cut by the calls that one decision may start."
    CONTACTS = "contacts"
    "No more numbers to dial."


REFUSALS = frozenset({Cause.NOT_AUTOMATIC, Cause.NO_LINE_LIMIT})
"The mode cannot work like this: somebody has to change something."


@dataclass(frozen=True, slots=True)
class Reason:
    """A cause with the figure that decided."""

    cause: Cause
    figure: float | None = None
    "Share, chance, calls or agents, as the cause says."

    def __str__(self) -> str:
        return self.cause.value if self.figure is None else f"{self.cause.value} ({self.figure:.4g})"


@dataclass(frozen=True, slots=True)
class Decision:
    """Calls to start now."""

    calls: int
    reason: Reason

    @classmethod
    def of(cls, calls: int, cause: Cause, figure: float | None = None) -> "Decision":
        """Never less than none."""
        return cls(max(0, calls), Reason(cause, figure))

    def cut(self, room: int, cause: Cause) -> "Decision":
        """At most `room`, for this cause when that is less."""
        room = max(0, room)
        return self if self.calls <= room else Decision.of(room, cause, room)
