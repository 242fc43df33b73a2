"""Which agents are asked for a caller: skills, tiers, strategies."""

from collections.abc import Iterable, Mapping
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
    best: Member | None = None
    best_key: tuple[object, ...] = ()
    for member in members:
        key = _key(strategy, member, last)
        if best is None or key < best_key:
            best, best_key = member, key
    return [] if best is None else [best]


def _key(strategy: Strategy, member: Member, last: str) -> tuple[object, ...]:
    """Smallest first.  Extensions differ, so no two keys are equal and the choice can be repeated."""
    seat = member.seat
    match strategy:
        case Strategy.LEAST_RECENT:
            return member.tier, member.last_began, seat.idle_since, seat.extension
        case Strategy.FEWEST_CALLS:
            return member.tier, member.calls, seat.idle_since, seat.extension
        case Strategy.ROUND_ROBIN:
            return member.tier, seat.extension <= last, seat.extension
        case _:
            return member.tier, seat.idle_since, seat.extension
