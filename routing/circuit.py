"""Whether a far end is there, told from what it answers.  No clock, no network: probes in, state out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class State(StrEnum):
    """What is known of a far end."""

    UNKNOWN = "unknown"
    "Asked, or not yet; nothing has come back so far."
    UP = "up"
    WARNING = "warning"
    "It has never answered a probe: many carriers do not, and take calls all the same.  It goes on getting them."
    OUT = "out"
    "It has answered before and no longer does: no new calls."


DEAD_ANSWERS = frozenset({408, 503})
"To a probe: a timeout on the way, or a server that wants no traffic.  Any other final answer comes from one who lives."


@dataclass(frozen=True, slots=True)
class Circuit:
    """One far end."""

    state: State = State.UNKNOWN
    losses: int = 0
    "Probes, and calls, in a row without an answer."
    ever: bool = False
    "It has answered once."

    def probed(self, code: int, most: int) -> Circuit:
        """After the final answer to a probe, 0 for none in time; `most`: losses in a row that take it out."""
        if code >= 200 and code not in DEAD_ANSWERS:
            return Circuit(State.UP, 0, True)
        return self.lost(most)

    def heard(self) -> Circuit:
        """Anything at all came from it in a call: whatever was lost before, it lives."""
        return (
            self
            if self.losses == 0 and self.state is not State.OUT
            else replace(self, losses=0, state=State.UP if self.ever else State.UNKNOWN)
        )

    def lost(self, most: int) -> Circuit:
        """One more went without an answer."""
        losses = min(self.losses + 1, most)
        if losses < most:
            return replace(self, losses=losses)
        return replace(self, losses=losses, state=State.OUT if self.ever else State.WARNING)

    @property
    def usable(self) -> bool:
        return self.state is not State.OUT
