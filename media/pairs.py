"""Two legs that hear each other: over the relay while they are alike and alone, else over the conference."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from media import patch
from media.path import RELAYED, Decision, Reason, Side, Way, Who, decide
from media.ports import Line, SoundError, Source

if TYPE_CHECKING:
    from media.patch import Point
    from media.playing import Playing
    from media.sound import Desk, Sound

log = logging.getLogger("media")

RETURN = 0.1
"Seconds without a reason for the conference after which a pair leaves it: the pieces of one announcement are one."
APART = (Reason.HELD, Reason.WAITING)
"Reasons for which nothing passes between them."


class Bridge:
    """Two legs that hear each other.  While one side holds, the other hears music instead.

    The way is decided anew whenever something about one of the legs changes.  To the conference it goes at once, so
    that nothing of a prompt or of a recording is missing; from there back a moment later.
    """

    __slots__ = (
        "_desk",
        "_holders",
        "_joined",
        "_mixed",
        "_music",
        "_open",
        "_refused",
        "_sides",
        "_timer",
        "_told",
        "decision",
    )

    def __init__(self, a: Sound, b: Sound, told: Callable[[], None] | None = None) -> None:
        """`told` is called whenever `decision` is another one; the first time before this returns."""
        self._desk: Desk = a.desk
        self._sides = (a, b)
        self._holders: set[Sound] = set()
        self._music: dict[Sound, Playing] = {}
        self._open = True
        self._mixed = False
        self._joined: tuple[Line, Line] | None = None
        "The lines that the relay has joined."
        self._refused: tuple[Line | None, ...] = ()
        "Those that it would not join."
        self._timer: asyncio.TimerHandle | None = None
        self._told = told
        self.decision = Decision(Way.CONFERENCE, Reason.WAITING)
        "The way that the sound takes now, and why."
        self._desk.pairs.begin(self, self._sides)
        self.review()

    def __repr__(self) -> str:
        a, b = self._sides
        return f"<bridge {a.name} and {b.name}, {self.decision if self._open else 'closed'}>"

    @property
    def sides(self) -> tuple[Sound, Sound]:
        return self._sides

    def hold(self, side: Sound, music: Source | None = None) -> None:
        """`side` holds the call: they do not hear each other, the other one hears `music`, silence without it."""
        self._holders.add(side)
        self._settle(music)

    def resume(self, side: Sound, music: Source | None = None) -> None:
        """`side` is back.  Where the other one still holds, `side` hears `music` now."""
        self._holders.discard(side)
        self._settle(music)

    def close(self) -> None:
        """They hear each other no longer; harmless when closed."""
        if not self._open:
            return
        self._open = False
        self._stay()
        self._unjoin()
        self._unmix()
        self._desk.pairs.end(self, self._sides)
        self._settle(None)

    # -- for this package

    def review(self) -> None:
        """Something about one of the legs is not as it was: go the way that is the right one now."""
        if not self._open:
            return
        wished = self._wished()
        if wished.way is Way.CONFERENCE:
            self._stay()
            self._unjoin()
            if wished.reason in APART:
                self._unmix()
            else:
                self._mix()
            self._is(wished)
        elif self._joined is None and not self._mixed:
            self._join()
        elif self._joined is None and self._timer is None:
            self._timer = self._desk.loop.call_later(RETURN, self._go_back)

    def renewed(self) -> None:
        """One of the legs has another line than before, or none."""
        if self._joined is not None and self._joined != self._lines():
            self._unjoin()
        self.review()

    def _wished(self) -> Decision:
        a, b = self._sides
        wished = decide(self._side(a, b), self._side(b, a), relay=self._desk.relay)
        if wished.way is Way.RELAY and self._refused == self._lines():
            return Decision(Way.CONFERENCE, Reason.REFUSED)
        return wished

    def _side(self, me: Sound, other: Sound) -> Side:
        line, company = me.point.line, patch.company(me.point, other.point)
        if self._desk.pairs.of(me.point) > 1:
            company |= {Who.LEG}
        codec = line.codec if line is not None and line.call >= 0 else None
        return Side(line is not None, codec, me in self._holders, company)

    def _lines(self) -> tuple[Line | None, Line | None]:
        a, b = self._sides
        return a.point.line, b.point.line

    def _go_back(self) -> None:
        self._timer = None
        if self._open and self._joined is None and self._wished().way is Way.RELAY:
            self._join()

    def _stay(self) -> None:
        """It does not go back to the relay."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _join(self) -> None:
        a, b = self._lines()
        if a is None or b is None:
            return
        if not self._desk.back.relay(a, b):
            self._refused = (a, b)
            log.info("the relay refuses %r", self)
            self._mix()
            self._is(Decision(Way.CONFERENCE, Reason.REFUSED))
            return
        self._joined = (a, b)
        for side in self._sides:
            self._desk.do(patch.relay(side.point, self._desk.back.silence))
        self._unmix()
        self._is(RELAYED)

    def _unjoin(self) -> None:
        if self._joined is None:
            return
        joined, self._joined = self._joined, None
        self._desk.back.part(*joined)
        for side in self._sides:
            side.point.relayed = False
            self._desk.empty(side.point)

    def _mix(self) -> None:
        if not self._mixed:
            self._mixed = True
            a, b = (side.point for side in self._sides)
            drain = self._desk.back.silence
            self._desk.do(patch.hear(a, b, drain))
            self._desk.do(patch.hear(b, a, drain))

    def _unmix(self) -> None:
        if self._mixed:
            self._mixed = False
            a, b = (side.point for side in self._sides)
            for sink, source in ((a, b), (b, a)):
                self._desk.do(patch.unhear(sink, source))
                self._desk.empty(source)

    def _is(self, decision: Decision) -> None:
        if decision != self.decision:
            self._desk.pairs.went(self.decision, decision)
            self.decision = decision
            if self._told is not None:
                self._told()

    def _settle(self, music: Source | None) -> None:
        """Who holds has changed: music ends before the two hear each other, and begins after they do not."""
        a, b = self._sides
        waits = {me for me, other in ((a, b), (b, a)) if self._waits(me, other)}
        for me in [me for me in self._music if me not in waits]:
            self._music.pop(me).stop()
        self.review()
        for me in (a, b):
            if me in waits and me not in self._music and music is not None:
                try:
                    self._music[me] = me.play(music, loop=True)
                except SoundError as error:
                    log.error("no music on hold: %s", error)

    def _waits(self, me: Sound, other: Sound) -> bool:
        return self._open and other in self._holders and me not in self._holders


class Pairs:
    """All bridges of a desk: who is in which, how many take which way, and what has sent them there."""

    def __init__(self) -> None:
        self._of: dict[Point, list[Bridge]] = {}
        self.ways: Counter[Way] = Counter(dict.fromkeys(Way, 0))
        "Pairs that are open, by the way that their sound takes now."
        self.reasons: Counter[Reason] = Counter({reason: 0 for reason in Reason if reason is not Reason.WAITING})
        "How often a pair took another way, by what decided it; `ALONE` is the relay."

    def __repr__(self) -> str:
        return f"<{self.ways[Way.RELAY]} pairs over the relay, {self.ways[Way.CONFERENCE]} over the conference>"

    def of(self, point: Point) -> int:
        """In how many bridges a leg is."""
        return len(self._of.get(point, ()))

    def begin(self, bridge: Bridge, sides: tuple[Sound, Sound]) -> None:
        """A bridge is there; those that its legs are in already are reviewed."""
        self.ways[bridge.decision.way] += 1
        for side in sides:
            self._of.setdefault(side.point, []).append(bridge)
        self._others(bridge, sides)

    def end(self, bridge: Bridge, sides: tuple[Sound, Sound]) -> None:
        """It is there no longer."""
        self.ways[bridge.decision.way] -= 1
        for side in sides:
            left = [one for one in self._of.get(side.point, ()) if one is not bridge]
            if left:
                self._of[side.point] = left
            else:
                self._of.pop(side.point, None)
        self._others(bridge, sides)

    def went(self, before: Decision, now: Decision) -> None:
        """A pair has changed its way, or the reason for it."""
        self.ways[before.way] -= 1
        self.ways[now.way] += 1
        if now.reason in self.reasons:
            self.reasons[now.reason] += 1

    def look(self, point: Point) -> None:
        """Whoever hears this leg, or is heard by it, has changed."""
        for bridge in self._of.get(point, ()):
            bridge.review()

    def renewed(self, point: Point) -> None:
        """This leg has another line, or none."""
        for bridge in self._of.get(point, ()):
            bridge.renewed()

    def _others(self, bridge: Bridge, sides: tuple[Sound, Sound]) -> None:
        for side in sides:
            for one in self._of.get(side.point, ()):
                if one is not bridge:
                    one.review()


def bridge(a: Sound, b: Sound, told: Callable[[], None] | None = None) -> Bridge:
    """Let two legs hear each other from now on, or from when both have a line; `told`: of each change of their way."""
    return Bridge(a, b, told)
