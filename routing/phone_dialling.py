"""Where a number leads that an agent dials on his phone.  Pure."""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from routing.goal import Goal
from routing.transfer_target import Slots, TransferRules, target_of

if TYPE_CHECKING:
    from routing.directory import Directory
    from routing.plan import Plan

_NUMBER = re.compile(r"\+?[0-9]{2,32}")


@dataclass(frozen=True, slots=True)
class PhoneRules:
    """What this node's phones dial beside its own dial plan."""

    over: str = ""
    "Trunk or group of trunks for numbers outside; empty: none."
    outside: str = ""
    "Digits before such a number; empty: what is nothing inside is outside."
    slots: Slots = field(default_factory=Slots)


def phone_goal(
    dialled: str, plan: "Plan", directory: "Directory", tenant: str | None, rules: PhoneRules, *, emergency: bool
) -> Goal | None:
    """An emergency number, whatever else is called so; a place of the dial plan; a number outside.  None: nowhere.

    Which numbers outside a phone may dial is not decided here: policies do that for every leg that leaves.
    """
    if emergency:
        return Goal("number", dialled)
    goal = target_of(dialled, plan, directory, tenant, TransferRules(slots=rules.slots))
    if goal is not None:
        return goal
    number = dialled.removeprefix(rules.outside)
    if not rules.over or (rules.outside and number == dialled) or not _NUMBER.fullmatch(number):
        return None
    return Goal("number", number)
