"""In which order the members of a group are tried: by priority, and inside one by weight (RFC 2782's rule).  Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

Draw = Callable[[], float]
"The next random number, from 0 up to but not including 1."


@dataclass(frozen=True, slots=True)
class Member:
    """One of a group."""

    name: str
    priority: int = 1
    "Lower ones are tried first; the others only when all of those have failed."
    weight: int = 1
    "Share of the calls among those of one priority; 0: only when the others have failed."


def in_order(members: Iterable[Member], draw: Draw) -> list[str]:
    """Every name once, the one to be tried first in front."""
    by_priority: dict[int, list[Member]] = {}
    for member in members:
        by_priority.setdefault(member.priority, []).append(member)
    return [name for priority in sorted(by_priority) for name in _weighed(by_priority[priority], draw)]


def _weighed(members: list[Member], draw: Draw) -> list[str]:
    left, found = list(members), []
    while len(left) > 1:
        found.append(left.pop(_at(left, draw())).name)
    return found + [member.name for member in left]


def _at(members: list[Member], mark: float) -> int:
    """The place of the one in whose share `mark` (0 to 1) lies."""
    weights = [member.weight for member in members]
    total = sum(weights)
    if not total:
        return int(mark * len(members))
    below = 0.0
    for at, weight in enumerate(weights):
        below += weight / total
        if weight and mark < below:
            return at
    return max(at for at, weight in enumerate(weights) if weight)  # the shares add up to 1 but for rounding
