"""Who is next: the order of waiting callers (R2-07).

A caller's rank is the time his place counts from, less the head start of his class and of his queue.  Lower comes
first, over all queues an agent serves.  So it is first come first served inside a class, and nobody starves: who has
waited as long as the others' head start comes before everybody who comes after him.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass

from routing.effects import Caller
from routing.picking import Need

Key = tuple[float, int]


def rank(entered: float, ahead: float, weight: float) -> float:
    """Monotonic seconds; lower is first."""
    return entered - ahead - weight


@dataclass(slots=True, eq=False)
class Place:
    """A caller's place in a queue."""

    caller: Caller
    number: int
    "Counts the places given; decides between equal ranks."
    entered: float
    "What his order counts from."
    joined: float
    "When he came to this queue."
    rank: float
    need: Need = frozenset()
    offer: str | None = None
    "The offer that runs for him."
    held_for: str | None = None
    "The agent who served him last, for whom he is kept."
    held_until: float = 0.0
    announce_at: float | None = None
    estimate: float | None = None
    "What was estimated when he came."

    @property
    def key(self) -> Key:
        return self.rank, self.number

    def __repr__(self) -> str:
        return f"<Place {self.caller.call} in {self.caller.queue}, rank {self.rank:g}>"


class Line:
    """The callers of one queue in their order; those whom an offer runs for stand apart, and keep their place."""

    def __init__(self) -> None:
        self.open: list[tuple[float, int, Place]] = []
        self.offered: list[tuple[float, int, Place]] = []

    def __len__(self) -> int:
        return len(self.open) + len(self.offered)

    def __iter__(self) -> Iterator[Place]:
        """All of them, in order."""
        return (entry[2] for entry in sorted(self.open + self.offered))

    def everybody(self) -> list[Place]:
        """All of them, in no order."""
        return [entry[2] for entries in (self.open, self.offered) for entry in entries]

    def add(self, place: Place) -> None:
        insort(self.offered if place.offer else self.open, (*place.key, place))

    def remove(self, place: Place) -> None:
        """Raises LookupError when he does not stand here."""
        entries = self.offered if place.offer else self.open
        at = bisect_left(entries, place.key)
        if at == len(entries) or entries[at][2] is not place:
            raise LookupError(f"{place!r} does not stand in line")
        del entries[at]

    def offer(self, place: Place, offer: str | None) -> None:
        """An offer has begun for him, or is over."""
        self.remove(place)
        place.offer = offer
        self.add(place)

    def before(self, key: Key) -> int:
        """How many come before this key."""
        return bisect_left(self.open, key) + bisect_left(self.offered, key)

    def first(self) -> Place | None:
        heads = [entries[0] for entries in (self.open, self.offered) if entries]
        return min(heads)[2] if heads else None
