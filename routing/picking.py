"""Which agents are asked for a caller: skills, tiers, strategies."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.queue import Queue, Strategy

if TYPE_CHECKING:
    from routing.seat import Seat

Need = frozenset[tuple[str, int]]
"Skill and least level; hashable, so that what an agent can do is looked up and not compared again."

NEVER = float("-inf")


@dataclass(slots=True, eq=False)
class Member:
    """An agent as one queue sees him."""

    seat: "Seat"
    tier: int
    calls: int = 0
    "Calls of this queue since he logged in."
    last_began: float = NEVER
    "When his last call of this queue began."


def need_of(queue: Queue, waited: float, skills: Mapping[str, int]) -> Need:
    """What is enough for a caller who has waited so long: the queue's skills and his own, until the queue widens."""
    widest = None
    for widening in queue.widen:
        if waited >= widening.after and (widest is None or widening.after >= widest.after):
            widest = widening
    if widest is not None:
        return frozenset(widest.skills.items())
    wanted = dict(queue.skills)
    for skill, level in skills.items():
        wanted[skill] = max(level, wanted.get(skill, level))
    return frozenset(wanted.items())


def meets(skills: Mapping[str, int], need: Need) -> bool:
    """Whether somebody with these skills is enough."""
    return all(skills.get(skill, -1) >= level for skill, level in need)


def pick(strategy: Strategy, members: Iterable[Member], last: str = "") -> list[Member]:
    """Whom to ask of these, who are all free and able: one, all of a tier for ring-all, or none.

    `last` is the extension that round-robin asked before.
    """
    if strategy is Strategy.RING_ALL:
        able = list(members)
        lowest = min((member.tier for member in able), default=0)
        return [member for member in able if member.tier == lowest]
    if strategy is Strategy.ROUND_ROBIN:
        first = min(members, key=lambda one: (one.tier, one.seat.extension <= last, one.seat.extension), default=None)
    else:
        first = min(members, key=_KEYS[strategy], default=None)
    return [] if first is None else [first]


# Smallest first.  Equal ones are taken in the order they became free.
_KEYS: Mapping[Strategy, Callable[[Member], tuple[float, ...]]] = {
    Strategy.LONGEST_IDLE: lambda one: (one.tier, one.seat.idle_since),
    Strategy.LEAST_RECENT: lambda one: (one.tier, one.last_began, one.seat.idle_since),
    Strategy.FEWEST_CALLS: lambda one: (one.tier, one.calls, one.seat.idle_since),
}
