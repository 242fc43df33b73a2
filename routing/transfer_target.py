"""Where a transfer may go: places of the dial plan, parking slots, and the numbers outside that are allowed.  Pure.

The same answer for a REFER, the keys of a phone, and a phone or carrier that redirects: nobody chooses a number by them
that the dial plan does not know.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.feature_codes import transfer_goal
from routing.goal import Goal

if TYPE_CHECKING:
    from routing.directory import Directory
    from routing.plan import Plan

LONGEST_NUMBER = 32
"Digits of a number outside."

_NUMBER = re.compile(rf"\+?[0-9]{{1,{LONGEST_NUMBER}}}")


@dataclass(frozen=True, slots=True)
class Slots:
    """Numbers at which calls are parked: `count` of them, from `first` on, all with as many digits."""

    first: str = ""
    "Empty: nobody parks."
    count: int = 0

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, str) or len(number) != len(self.first) or not number.isascii():
            return False
        return number.isdigit() and 0 <= int(number) - int(self.first) < self.count

    def all(self) -> list[str]:
        """In their order."""
        return [str(int(self.first) + n).zfill(len(self.first)) for n in range(self.count)] if self.first else []


@dataclass(frozen=True, slots=True)
class TransferRules:
    """What this node allows beside its own dial plan."""

    outside: Sequence[str] = ()
    "Regular expressions, each for the whole of a number that may be dialled outside."
    prefix: str = ""
    "Digits that agents dial before such a number; they are taken off before it is looked at."
    slots: Slots = Slots()

    def outside_number(self, dialled: str) -> str:
        """The number to dial outside; empty: it is not allowed."""
        number = dialled.removeprefix(self.prefix)
        if (self.prefix and number == dialled) or not _NUMBER.fullmatch(number):
            return ""
        return number if any(re.fullmatch(pattern, number) for pattern in self.outside) else ""


def target_of(
    dialled: str, plan: "Plan", directory: "Directory", tenant: str | None, rules: TransferRules
) -> Goal | None:
    """A parking slot, VDN, agent, queue, menu, or an allowed number outside; None: nowhere that a transfer may go."""
    if dialled in rules.slots:
        return Goal("park", dialled)
    goal = transfer_goal(dialled, plan, directory, tenant, "")
    if goal is not None:
        return goal
    menu = plan.menus.get(dialled)
    if menu is not None and menu.tenant in (None, tenant):
        return Goal("menu", dialled)
    number = rules.outside_number(dialled)
    return Goal("number", number) if number else None
