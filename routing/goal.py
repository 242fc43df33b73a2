"""Where a call goes next: the one value that access numbers, VDNs, menus, overflow rules and transfers share."""

from dataclasses import dataclass
from typing import Literal, get_args

GoalKind = Literal["agent", "person", "queue", "vdn", "menu", "voicemail", "number", "hangup"]

GOAL_KINDS: frozenset[str] = frozenset(get_args(GoalKind))


@dataclass(frozen=True, slots=True)
class Goal:
    """One place a call can go to."""

    kind: Literal[GoalKind, "park"]
    "`park` is for live calls only: no plan names a parking slot."
    target: str = ""
    "Extension, person id, queue id, VDN number, menu id, mailbox, digits to dial; empty for hangup."

    def __str__(self) -> str:
        return f"{self.kind} {self.target}".rstrip()
