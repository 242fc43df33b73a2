"""Looks at the sound of every leg that is up, about once a second, and tells what is wrong with it.

One reading a leg and second serves the alarms, the live figures and the time-out of a far end that has died.  Legs in
doubt are read twice as often, so that an alarm comes within two seconds.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from b2bua.calls.quality_alarms import LegAlarms, TrunkAlarms
from b2bua.calls.quality_view import LegSoundView, view_of_leg
from b2bua.calls.record import write_sound
from b2bua.calls.session import Silent
from b2bua.log import logger
from b2bua.sip.engine.quality import UNKNOWN, line_of, sound_of
from b2bua.sip.leg import Leg
from b2bua.sip.signals import Quality
from media.leg_alarm import LegAlarm, Trouble
from media.leg_sound import LegSound, Line, Recent, difference
from media.silence import Counted, Verdict
from media.silence import SilenceWatch as Silence

if TYPE_CHECKING:
    from b2bua.calls.exchange import Exchange
    from b2bua.calls.session import Session
    from b2bua.sip.engine import SipLeg
    from b2bua.storage.calls import PartRecord

log = logger("calls")

HALF = 0.5
"Seconds between two looks at legs in doubt; all are looked at every other time."
SLICE = 50
"Calls looked at in one go: about a millisecond."
BREATH = 0.005
"Seconds between two such goes: the threads that carry the sound may have this core only."
MOST_TOLD = 10
"Alarms told in one go: each is an event on disk."
SETTLED = 5.0
"Seconds a leg must be up before its score counts for its trunk."
POOR_PART = 0.1
"Share of a leg's life in trouble from which on it is poor, however the rest sounded."


class Watched:
    """What is known of one leg."""

    __slots__ = (
        "alarm",
        "announced",
        "first",
        "last",
        "line",
        "poor",
        "recent",
        "role",
        "sends",
        "silence",
        "since",
        "told",
        "trunk",
        "words",
    )

    def __init__(self, since: float, now: float, sound: LegSound, timeout: float, role: str, trunk: str) -> None:
        """`since`: when it was answered, and `now`, by the loop's clock."""
        self.since, self.role, self.trunk = since, role, trunk
        self.alarm = LegAlarm(since)
        self.silence = Silence(timeout, now)
        self.recent = Recent(now, sound)
        self.first = self.last = sound
        "The first and the last reading: what a line was in this call that goes on after it."
        self.line = UNKNOWN
        self.told = Trouble.NONE
        self.words: set[str] = set()
        "All that was ever wrong with it."
        self.poor = False
        "Its score of the last seconds is too low."
        self.announced = False
        "Its far end has said that it pauses."
        self.sends = True
        "By its SDP, as far as that was asked for."


class QualityWatch:
    """All legs of this node."""

    def __init__(
        self,
        exchange: Exchange,
        sound_of: Callable[[int], LegSound | None] = sound_of,
        line_of: Callable[[SipLeg], Line] = line_of,
    ) -> None:
        """`sound_of`, `line_of`: the engine's, or a test's."""
        self._exchange, self._sound_of, self._line_of = exchange, sound_of, line_of
        self._timeout = exchange.settings.media.silence_timeout
        self._watched: dict[int, Watched] = {}
        self._doubtful: list[tuple[Session, int]] = []
        self._puzzling: set[int] = set()
        "Legs with which a fault of ours was met: each is told once."
        self.legs = LegAlarms(exchange)
        self.trunks = TrunkAlarms(exchange)

    def __repr__(self) -> str:
        return f"<{len(self._watched)} legs watched, {len(self._doubtful)} in doubt>"

    async def run(self, sessions: dict[str, Session]) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(HALF)
            await self.look_again()
            await asyncio.sleep(HALF)
            await self.look(sessions.values())

    async def look(self, sessions: Iterable[Session]) -> None:
        """At every leg; all others get their turn after each `SLICE` calls, or thousands of legs would hold them up."""
        clock = asyncio.get_running_loop().time
        now, alarms = clock(), self._exchange.settings.quality.silence_alarm > 0
        doubtful: list[tuple[Session, int]] = []
        live, poor = Counter[str](), Counter[str]()
        for n, session in enumerate(list(sessions)):
            if n % SLICE == SLICE - 1 or self.legs.told >= MOST_TOLD:
                self.legs.turn()
                await asyncio.sleep(BREATH)
                now = clock()
            for leg_id, leg in _up(session):
                one = self._judged(session, leg_id, leg, now)
                if one is None:
                    continue
                if alarms and one.alarm.uneasy:
                    doubtful.append((session, leg_id))
                if one.trunk and (one.told is not Trouble.NONE or now - one.since >= SETTLED):
                    live[one.trunk] += 1
                    poor[one.trunk] += one.poor or one.told is not Trouble.NONE
        self._doubtful = doubtful
        self.legs.turn()
        self.trunks.look(now, live, poor)

    async def look_again(self) -> None:
        """At those in doubt."""
        clock = asyncio.get_running_loop().time
        now = clock()
        for n, (session, leg_id) in enumerate(self._doubtful):
            if n % (2 * SLICE) == 2 * SLICE - 1 or self.legs.told >= MOST_TOLD:
                self.legs.turn()
                await asyncio.sleep(BREATH)
                now = clock()
            leg, party = session.legs.get(leg_id), session.parties.by_leg.get(leg_id)
            if leg is not None and party is not None and party.state is Leg.UP:
                self._judged(session, leg_id, leg, now)
        self.legs.turn()

    def _judged(self, session: Session, leg_id: int, leg: SipLeg, now: float) -> Watched | None:
        """What is known of a leg now; a fault of ours with one leg leaves the others watched."""
        try:
            return self._judge(session, leg_id, leg, now)
        except Exception as error:
            if leg_id not in self._puzzling:
                self._puzzling.add(leg_id)
                self._exchange.metrics.faults.inc("quality")
                log.error(
                    "the sound of a leg cannot be judged", call=session.id, leg=leg_id,
                    do="report the lines below as a defect", exc_info=error,
                )  # fmt: skip
            return None

    def _judge(self, session: Session, leg_id: int, leg: SipLeg, now: float) -> Watched | None:
        sound = self._sound_of(leg.native_id())
        if sound is None:
            return None
        one = self._watched.get(leg_id)
        if one is None:
            one = self._watched[leg_id] = self._begin(session, leg_id, now, sound)
            one.line = self._line_of(leg)
        one.last = sound
        party, rules = session.parties.by_leg[leg_id], self._exchange.settings.quality
        expected = party.described and not party.held
        counted = Counted(sound.packets, sound.octets, sound.rtcp_age_ms / 1000 if sound.rtcp_age_ms >= 0 else None)
        if self._timeout and one.silence.look(now, counted, expected=expected) is Verdict.DEAD:
            session.deliver(Silent(leg_id))
        trouble = self._trouble(one, leg, sound, now, expected=expected)
        if trouble is not one.told:
            held = not expected or not one.sends
            self.legs.changed(session, leg_id, leg, one.told, trouble, now, held=held)
            one.told = trouble
            if trouble is not Trouble.NONE:
                one.words.add(trouble.value)
        if one.recent.look(now, sound):
            one.line = self._line_of(leg)
            score = one.recent.figures(sound, one.line).mos
            one.poor = score is not None and score < rules.poor_mos
        return one

    def _begin(self, session: Session, leg_id: int, now: float, sound: LegSound) -> Watched:
        part = session.record.parts.get(leg_id)
        since = now
        if part is not None and part.answered_at is not None:
            since = now - max(0.0, session.record.at(now) - part.answered_at)
        role = str(session.parties.by_leg[leg_id].role)
        trunk = str(part.detail.get("trunk", "")) if part is not None else ""
        return Watched(since, now, sound, self._timeout, role, trunk)

    def _trouble(self, one: Watched, leg: SipLeg, sound: LegSound, now: float, *, expected: bool) -> Trouble:
        rules, alarm = self._exchange.settings.quality, one.alarm
        after, believe = rules.silence_alarm, rules.believe_reports
        expected = expected and after > 0
        one.sends = True
        trouble = alarm.look(now, sound, expected=expected, after=after, announced=one.announced, believe=believe)
        if trouble not in (Trouble.ONE_WAY, Trouble.DEAD):
            return trouble
        line = self._line_of(leg)  # asked only now: whether it sends at all, and whether it has said that it pauses
        one.announced, one.sends = line.pauses, line.receives
        expected = expected and line.receives
        return alarm.look(now, sound, expected=expected, after=after, announced=line.pauses, believe=believe)

    # -- for the API and the record

    def view(self, session: Session) -> tuple[LegSoundView, ...]:
        """How the legs of a call sound now."""
        return tuple(self._views(session))

    def _views(self, session: Session) -> Iterator[LegSoundView]:
        for leg_id, leg in _up(session):
            one, part = self._watched.get(leg_id), session.record.parts.get(leg_id)
            sound = self._sound_of(leg.native_id())
            if one is not None and sound is not None and part is not None:
                line = self._line_of(leg)
                yield view_of_leg(part, one.told, sound, line, one.recent.figures(sound, line))

    def alarm_of(self, session: Session) -> str:
        """What is wrong with the sound of a call now; empty: nothing."""
        if not self.legs.standing:
            return ""
        found = (one.told for leg in session.legs if (one := self._watched.get(leg)) is not None)
        return next((one.value for one in found if one is not Trouble.NONE), "")

    def ended(self, session: Session) -> None:
        """The call is over: what its legs were goes into their trunks' windows and into the record."""
        now = session.clock()
        for leg_id, part in session.record.parts.items():
            self._puzzling.discard(leg_id)
            one = self._watched.pop(leg_id, None)
            if one is None:
                continue
            self.legs.gone(leg_id, one.told)
            if part.rx_packets is None and part.answered_at is not None:
                self._stays(part, one)
            if one.words:
                part.detail["alarms"] = sorted(one.words)
                part.detail["alarmed"] = round(one.alarm.troubled, 1)
            if one.trunk and (part.mos is not None or one.words):
                troubled = one.alarm.troubled > POOR_PART * max(SETTLED, now - one.since)
                low = part.mos is not None and part.mos < self._exchange.settings.quality.poor_mos
                standing = one.told is not Trouble.NONE
                self.trunks.ended(one.trunk, now, poor=troubled or low or standing)

    @staticmethod
    def _stays(part: PartRecord, one: Watched) -> None:
        """Its line goes on without the call (a standing line): what it was in this call, as it was last seen."""
        sound, line = difference(one.last, one.first), one.line
        if sound.packets or sound.sent:
            buffer_ms = 0.0 if sound.relayed else line.buffer_ms
            write_sound(part, Quality(line.codec, sound, line.packet_ms, buffer_ms))


def _up(session: Session) -> Iterator[tuple[int, SipLeg]]:
    for leg_id, leg in session.legs.items():
        if session.parties.by_leg[leg_id].state is Leg.UP:
            yield leg_id, leg
