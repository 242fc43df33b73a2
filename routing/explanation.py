"""Why a waiting caller is where he is, in words and figures (R2-07)."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from routing.agent_state import AWAY
from routing.crowd import area_of
from routing.queue import PriorityClass
from routing.queue_state import QueueState
from routing.ranking import Place

MOST = 20
"Callers before him that are named."


@dataclass(frozen=True, slots=True)
class Ahead:
    """Somebody who comes before him."""

    call: str
    queue: str
    priority: str | None
    waited: float
    "Seconds his place counts from."
    why: str
    "came-earlier | class | queue-weight | was-with-agent"


@dataclass(frozen=True, slots=True)
class Explanation:
    """One waiting caller."""

    call: str
    queue: str
    area: str
    priority: str | None
    position: int
    "In his queue; 1 is next."
    waiting: int
    "Callers in his queue."
    waited: float
    "Seconds his place counts from."
    head_start: float
    "Seconds of his class."
    weight: float
    "Seconds of his queue."
    estimate: float | None
    before: tuple[Ahead, ...]
    "Those who come before him with the agents of his queue, from whatever queue; the first ones."
    before_in_all: int
    needs: Mapping[str, int]
    "Skills that are enough now."
    agents: Mapping[str, int]
    "The agents of his queue: free, busy, away, resting, without-skill."
    held_for: str | None
    offered_to: tuple[str, ...]

    def __str__(self) -> str:
        parts = [
            f"{self.call} is number {self.position} of {self.waiting} in {self.queue}: "
            f"{self.waited:.0f} s waited, {self.head_start:.0f} s head start of "
            + (f"class {self.priority}" if self.priority else "no class")
            + (f", {self.weight:.0f} s of the queue" if self.weight else "")
        ]
        reasons = Counter(one.why for one in self.before)
        if reasons:
            parts.append(
                f"{self.before_in_all} before him: " + ", ".join(f"{count} {why}" for why, count in reasons.items())
            )
        if self.held_for:
            parts.append(f"kept for agent {self.held_for}, who served him last")
        if self.offered_to:
            parts.append("offered to " + ", ".join(self.offered_to))
        parts.append("agents: " + (", ".join(f"{count} {word}" for word, count in self.agents.items()) or "none"))
        return "; ".join(parts)


def explain(
    place: Place,
    queues: Mapping[str, QueueState],
    classes: Mapping[str, PriorityClass],
    offered_to: tuple[str, ...],
    now: float,
) -> Explanation:
    """The explanation of one who waits."""
    caller = place.caller
    state = queues[caller.queue]
    shared = {name for member in state.members.values() for name in member.seat.members} | {caller.queue}
    before = sorted(
        (other for name in shared if name in queues for other in queues[name].line if other.key < place.key),
        key=lambda other: other.key,
    )
    known = classes.get(caller.priority or "")
    return Explanation(
        caller.call,
        caller.queue,
        area_of(caller),
        caller.priority,
        state.line.before(place.key) + 1,
        len(state.line),
        now - place.entered,
        known.ahead if known else 0.0,
        float(state.queue.weight),
        state.estimate_of(place),
        tuple(_ahead(other, place, queues, now) for other in before[:MOST]),
        len(before),
        dict(place.need),
        dict(_agents(place, state)),
        place.held_for,
        offered_to,
    )


def _ahead(other: Place, place: Place, queues: Mapping[str, QueueState], now: float) -> Ahead:
    caller = other.caller
    if other.number < 0:
        why = "was-with-agent"
    elif other.entered <= place.entered:
        why = "came-earlier"
    elif other.rank + queues[caller.queue].queue.weight < place.rank + queues[place.caller.queue].queue.weight:
        why = "class"
    else:
        why = "queue-weight"
    return Ahead(caller.call, caller.queue, caller.priority, now - other.entered, why)


def _agents(place: Place, state: QueueState) -> Counter[str]:
    """How many could take him, and what keeps the others."""
    found: Counter[str] = Counter()
    for member in state.members.values():
        seat = member.seat
        if seat.state in AWAY:
            found["away"] += 1
        elif not seat.can(place.need):
            found["without-skill"] += 1
        elif seat.free:
            found["free"] += 1
        elif seat.call is None:
            found["resting"] += 1
        else:
            found["busy"] += 1
    return found
