"""Who hears whom: wishes that outlive the lines they run on.  Pure; what must be done now is returned as steps.

A wish to hear stays until it is taken back; it is fulfilled whenever both ends have a line.  A line that goes away
takes its connections with it, so no step is needed for that.
"""

from dataclasses import dataclass
from itertools import chain

from media.path import Who
from media.ports import Line


class Point:
    """One end: a leg, a player, a recorder, a tap."""

    __slots__ = ("drained", "drains", "heard_by", "hears", "line", "name", "relayed", "who")

    def __init__(self, name: str, line: Line | None = None, *, drains: bool = False, who: Who | None = None) -> None:
        self.name = name
        self.line = line
        self.who = who or (Who.LEG if drains else Who.PLAYER)
        self.hears: dict[Point, int] = {}
        "Sources, each with the number of times it is wished for."
        self.heard_by: dict[Point, None] = {}
        "Sinks.  Kept for points whose line may change; the others never need it."
        self.drains = drains
        "A leg: its jitter buffer must go on being emptied when the last listener has gone."
        self.drained = False
        self.relayed = False
        "What it says goes to another leg past the conference: there is nothing to be emptied."

    def __repr__(self) -> str:
        heard = ", ".join(point.name for point in self.hears)
        return f"<{self.name} {'here' if self.line else 'away'}, hears {heard or 'nobody'}>"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing for the back end to do."""

    join: bool
    "Connect, or else disconnect."
    source: Line
    sink: Line


def hear(sink: Point, source: Point, drain: Line) -> list[Step]:
    """From now on `sink` is to hear `source`."""
    wished = sink.hears.get(source, 0)
    sink.hears[source] = wished + 1
    if wished:
        return []
    if source.drains:
        source.heard_by[sink] = None
    if source.line is None or sink.line is None:
        return []
    return [Step(True, source.line, sink.line), *_heard_again(source, drain)]


def unhear(sink: Point, source: Point) -> list[Step]:
    """`sink` need not hear `source` any longer; harmless when it was not to."""
    wished = sink.hears.get(source, 0)
    if wished > 1:
        sink.hears[source] = wished - 1
    if wished != 1:
        return []
    del sink.hears[source]
    source.heard_by.pop(sink, None)
    if source.line is None or sink.line is None:
        return []
    return [Step(False, source.line, sink.line)]


def arrive(point: Point, line: Line, drain: Line) -> list[Step]:
    """A point has this line from now on, new or the old one renewed: connect all that is wished."""
    point.line = line
    steps = []
    for source in point.hears:
        if source.line is not None:
            steps.append(Step(True, source.line, line))
            steps += _heard_again(source, drain)
    sinks = [Step(True, line, sink.line) for sink in point.heard_by if sink.line is not None]
    if point.drained:
        steps += _heard_again(point, drain) if sinks else [Step(True, line, drain)]
    return steps + sinks


def depart(point: Point, drain: Line) -> list[Step]:
    """A point has no line for now, but the line goes on elsewhere: all its connections are cut.  Its wishes stay."""
    line = point.line
    if line is None:
        return []
    steps = [Step(False, source.line, line) for source in point.hears if source.line is not None]
    steps += [Step(False, line, sink.line) for sink in point.heard_by if sink.line is not None]
    if point.drained:
        steps.append(Step(False, line, drain))
    leave(point)
    return steps


def leave(point: Point) -> None:
    """A point has no line for now; its wishes stay."""
    point.line = None
    point.drained = False


def deserted(point: Point) -> bool:
    """A leg whose sound arrives and that nobody hears, not even the drain."""
    return (
        point.drains
        and point.line is not None
        and not point.drained
        and not point.relayed
        and not any(sink.line for sink in point.heard_by)
    )


def drain_off(point: Point, drain: Line) -> list[Step]:
    """Empty a deserted leg's jitter buffer from now on.

    Unread for half a second, a stream gives half-a-second old sound for the rest of the call once it is read again.
    """
    if point.line is None or not deserted(point):
        return []
    point.drained = True
    return [Step(True, point.line, drain)]


def relay(point: Point, drain: Line) -> list[Step]:
    """From now on a leg's sound takes the short way; whatever else hears it has to be gone."""
    point.relayed = True
    return _heard_again(point, drain)


def company(point: Point, partner: Point) -> frozenset[Who]:
    """What hears this leg, or is heard by it, besides its partner."""
    return frozenset(one.who for one in chain(point.hears, point.heard_by) if one is not partner)


def forget(point: Point) -> None:
    """A point is gone for good: nobody wishes to hear it, and it wishes to hear nobody."""
    point.line = None
    point.drained = point.relayed = False
    for source in point.hears:
        source.heard_by.pop(point, None)
    for sink in point.heard_by:
        sink.hears.pop(point, None)
    point.hears.clear()
    point.heard_by.clear()


def _heard_again(source: Point, drain: Line) -> list[Step]:
    if not source.drained or source.line is None:
        return []
    source.drained = False
    return [Step(False, source.line, drain)]
