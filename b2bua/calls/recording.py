"""The recording of one call: which of its legs are written, and when; the writing is `media.recording`'s part.

One file for the call, the caller on its left channel and his agents on the right.  A pause writes silence.  That a file
cannot be written ends no call.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from b2bua.calls.recording_book import Book
from b2bua.log import logger
from media import Playing, Sound, SoundError
from media.recording import TAPPED, Ear, Leg, Order, rtp_clock

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from media.recording import Recorder

log = logger("calls")

NO_TENANT = "_"
"Folder of the calls that belong to nobody; no tenant can have this id."
REQUEST = "settings"
"By whom a recording is that the configuration asks for."


@dataclass(frozen=True, slots=True)
class RecordingOrder:
    """Somebody with the right to it wants the call recorded from now on, or its recording paused."""

    on: bool
    by: str


@dataclass(frozen=True, slots=True)
class _Who:
    """Whose leg it is."""

    part: int
    role: str
    extension: str


@dataclass(slots=True)
class _Line:
    """A leg that is recorded."""

    who: _Who
    tag: int
    ear: Ear | None
    "None: its packets are tapped."
    native: int
    clock: int
    "Of its RTP timestamps, where an ear hears it."
    on: bool = False
    "What it says is written."


class CallRecording:
    """It keeps no way back to its call: cycles would keep the legs alive."""

    __slots__ = (
        "_announcing", "_beside", "_expected", "_legs", "_lines", "_number", "_order", "_recorder", "_whose", "paused",
        "wished",
    )  # fmt: skip

    def __init__(self) -> None:
        self.paused = False
        self.wished = False
        "Whoever has placed the call wants it recorded."
        self._whose: Book | None = None
        "The file; None: there is none, or none any more."
        self._recorder: Recorder | None = None
        self._number = 0
        "By which the recorder knows it."
        self._lines: dict[int, _Line] = {}
        "By leg."
        self._expected: dict[int, _Who] = {}
        "Legs to be recorded from when they have sound."
        self._legs: tuple[int, ...] = ()
        "Those that talk now; none before the call is answered."
        self._beside: frozenset[int] = frozenset()
        "Who speaks to all of them without being one: supervisors who barge in."
        self._order: RecordingOrder | None = None
        self._announcing: dict[int, Playing] = {}

    @property
    def state(self) -> str:
        """off | on | paused"""
        return "off" if self._whose is None else "paused" if self.paused else "on"

    def talking(self, call: Session, legs: tuple[int, ...]) -> None:
        """These legs talk from now on: record them where that is wished."""
        self._legs = legs
        if self._order is not None:
            wished, by = self._order.on, self._order.by
        else:
            wished, by = self._whose is not None or wanted(call), REQUEST
        opened = wished and self._open(call)
        self._settle()
        if opened:
            self._tell(call, by)

    def resting(self) -> None:
        """Nobody talks until the next `talking`: what a caller says, or dials, while he waits is nobody's."""
        self._legs = ()
        self._settle()

    def beside(self, call: Session, legs: frozenset[int]) -> None:
        """These speak to those who talk, besides."""
        if legs == self._beside:
            return
        self._beside = legs
        if self._whose is not None:
            self._open(call)
        self._settle()

    def obey(self, call: Session, order: RecordingOrder) -> None:
        """Start, pause or resume; before the call is answered the order is kept until then."""
        self._order = order
        before = self.state
        self.paused = not order.on
        opened = order.on and self._open(call)
        self._settle()
        if self.state != before and "paused" in (self.state, before) and self._recorder is not None:
            self._recorder.paused(self._number, self.paused, order.by)
        if opened or self.state != before:
            self._tell(call, order.by)

    def renewed(self, leg: int, sound: Sound) -> None:
        """A leg has another stream, perhaps of another codec."""
        if not sound.attached:
            return
        line, who = self._lines.get(leg), self._expected.pop(leg, None)
        # else the tap goes on, or the ear hears the new one
        if line is not None and (
            line.native != _tapped(sound) or (line.ear is not None and line.clock != _clock(sound))
        ):
            who = line.who
            self.left(leg)
        if who is not None:
            self._join(leg, sound, who)
            self._settle()

    def held(self, leg: int, on: bool) -> None:
        """A far end holds, or is back: for those who listen to the file."""
        line = self._lines.get(leg)
        if line is not None and self._recorder is not None:
            self._recorder.held(self._number, line.who.part, line.who.role, on)

    def left(self, leg: int) -> None:
        """A leg is not this call's any more; harmless where it was not recorded."""
        self._expected.pop(leg, None)
        line = self._lines.pop(leg, None)
        if line is None or self._recorder is None:
            return
        self._recorder.leave(line.tag)
        self._recorder.taps.close(line.tag)
        if line.ear is not None:
            line.ear.stop()

    def over(self) -> None:
        """The call is."""
        self._stop()
        if self._recorder is not None:
            self._recorder.end(self._number)

    def _stop(self) -> None:
        for leg in list(self._lines):
            self.left(leg)
        self._expected.clear()
        self._whose = None

    def _open(self, call: Session) -> bool:
        """Record each leg that talks and is not recorded yet; whether there was any."""
        opened = False
        for leg in (*self._legs, *self._beside) if self._legs else ():
            if leg not in self._lines and leg not in self._expected and call.parties.alive(leg):
                if self._whose is None and not self._begin(call):
                    return False
                part, sound = call.record.parts[leg], call.sounds[leg]
                who = _Who(part.n, part.role, call.agents.get(leg, ""))
                if sound.attached:
                    self._join(leg, sound, who)
                else:
                    self._expected[leg] = who
                announcement = call.exchange.settings.recording.announcement
                if announcement is not None and leg in self._legs:
                    self._announce(call, leg, announcement)
                opened = True
        return opened

    def _begin(self, call: Session) -> bool:
        """The file; False where there was one that could not be written."""
        if self._recorder is not None:
            return False
        exchange, settings = call.exchange, call.exchange.settings
        recorder = exchange.recorder
        order = Order(
            call.id,
            call.record.row.tenant or "",
            folder_of(call),
            settings.recording.format,
            settings.media.clock_rate,
            recorder.clock(),
            call.record.at(call.clock()),
            settings.node.name,
            exchange.recording_keys,
        )
        self._whose = Book(exchange, call.record, order.name, self._stop)
        self._recorder, self._number = recorder, recorder.begin(order, self._whose.note)
        call.record.row.detail.setdefault("recordings", []).append(order.name)
        return True

    def _join(self, leg: int, sound: Sound, who: _Who) -> None:
        recorder = self._recorder
        assert recorder is not None
        tag, native, clock, ear = recorder.tag(), _tapped(sound), 0, None
        if native < 0 or not recorder.taps.open(native, tag):
            native = -1
            try:
                ear = Ear(tag, sound)
            except SoundError as error:
                log.warning("a leg is not recorded", call=sound.name, error=str(error), do="record fewer calls at once")
                return
            if sound.native >= 0 and recorder.taps.open(sound.native, tag):
                clock = _clock(sound)  # what is lost on the way to the conference is marked
        codec = sound.point.line.codec if sound.point.line is not None else None
        spoken = codec.name.upper() if codec is not None else ""
        left = who.role == "caller"
        joined = Leg(tag, who.part, who.role, left, who.extension, ear is not None, spoken, clock)
        recorder.join(self._number, joined, ear)
        self._lines[leg] = _Line(who, tag, ear, native, _clock(sound))

    def _announce(self, call: Session, leg: int, announcement: Path) -> None:
        """Who has not heard yet that he is recorded is not."""
        try:
            playing = self._announcing[leg] = call.sounds[leg].play(announcement)
        except SoundError as error:
            log.warning("the announcement cannot be played", call=call.id, error=str(error), do="see to the file")
            return

        def announced(_ending: object) -> None:
            self._announcing.pop(leg, None)
            self._settle()

        playing.then(announced)

    def _settle(self) -> None:
        """Write what each leg says, where nothing speaks against it."""
        for leg, line in self._lines.items():
            talks = leg in self._legs or (leg in self._beside and bool(self._legs))
            on = talks and leg not in self._announcing and not self.paused
            if on is not line.on and self._recorder is not None:
                line.on = on
                self._recorder.gate(line.tag, on)

    def _tell(self, call: Session, by: str) -> None:
        files = list(call.record.row.detail.get("recordings", ()))
        call.exchange.tell("call.recording", call, {"state": self.state, "by": by, "files": files})


def _tapped(sound: Sound) -> int:
    """Under which number the recorder gets a leg's packets; -1: it does not, or cannot read them."""
    line = sound.point.line
    codec = line.codec if line is not None else None
    return sound.native if codec is not None and codec.name.upper() in TAPPED else -1


def _clock(sound: Sound) -> int:
    """Of a leg's RTP timestamps; 0: it speaks nothing that is known."""
    codec = sound.point.line.codec if sound.point.line is not None else None
    return rtp_clock(codec.name, codec.rate) if codec is not None else 0


def wanted(call: Session) -> bool:
    """Whether the configuration asks for it, or the campaign, the tenant or the queue that the call comes from."""
    exchange = call.exchange
    match exchange.settings.recording.when:
        case "always":
            return True
        case "never":
            return False
    if call.recording.wished:
        return True
    tenant = exchange.directory().tenants.get(call.record.row.tenant or "")
    if tenant is not None and tenant.record:
        return True
    queue = call.journey.queue
    return queue is not None and (plan := exchange.plan().queues.get(queue)) is not None and plan.record


def folder_of(call: Session) -> Path:
    """Where the files of its tenant are."""
    return call.exchange.settings.recordings / (call.record.row.tenant or NO_TENANT)
