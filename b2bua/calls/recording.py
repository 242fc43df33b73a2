"""The recording of one call: a mono WAV file for each leg that talks, paused and resumed together.

A pause writes silence, so the files of a call stay in step.  That a file cannot be written ends no call.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from b2bua.log import logger
from media import Playing, SoundError

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from media import Recording

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


class CallRecording:
    """The files of one call.  It keeps no way back to its call: cycles would keep the legs alive."""

    __slots__ = ("_announcing", "_legs", "_order", "files", "paused")

    def __init__(self) -> None:
        self.files: dict[int, Recording] = {}
        "By leg."
        self.paused = False
        self._legs: tuple[int, ...] = ()
        "Those that talk now; none before the call is answered."
        self._order: RecordingOrder | None = None
        self._announcing: dict[int, Playing] = {}

    @property
    def state(self) -> str:
        """off | on | paused"""
        return "off" if not self.files else "paused" if self.paused else "on"

    def talking(self, call: Session, legs: tuple[int, ...]) -> None:
        """These legs talk from now on: record them where that is wished."""
        self._legs = legs
        if self._order is not None:
            wished, by = self._order.on, self._order.by
        else:
            wished, by = bool(self.files) or wanted(call), REQUEST
        opened = wished and self._open(call)
        for leg in legs:
            self._go_on(leg)
        if opened:
            self._tell(call, by)

    def resting(self) -> None:
        """Nobody talks until the next `talking`: what a caller says, or dials, while he waits is nobody's."""
        self._legs = ()
        for recording in self.files.values():
            recording.pause()

    def obey(self, call: Session, order: RecordingOrder) -> None:
        """Start, pause or resume; before the call is answered the order is kept until then."""
        self._order = order
        before = self.state
        self.paused = not order.on
        for leg, recording in self.files.items():
            if self.paused:
                recording.pause()
            else:
                self._go_on(leg)
        opened = order.on and self._open(call)
        if opened or self.state != before:
            self._tell(call, order.by)

    def _open(self, call: Session) -> bool:
        """A file for each leg that has none; whether any was opened."""
        opened = False
        for leg in self._legs:
            if leg not in self.files and call.parties.alive(leg):
                opened = self._open_one(call, leg) or opened
        return opened

    def _open_one(self, call: Session, leg: int) -> bool:
        settings, part = call.exchange.settings, call.record.parts[leg]
        path = folder_of(call) / f"{call.id}-{part.n}-{part.role}.wav"
        try:
            # two directory operations in a row; the second is PJSIP's own and cannot be made elsewhere
            path.parent.mkdir(parents=True, exist_ok=True)
            recording = call.sounds[leg].record(path)
        except (OSError, SoundError) as error:
            call.exchange.metrics.recordings.inc("failed")
            log.warning("a call is not recorded", call=call.id, file=path.name, error=str(error), do="see to the disk")
            return False
        call.exchange.metrics.recordings.inc("started")
        self.files[leg] = recording
        call.record.row.detail.setdefault("recordings", []).append(path.name)
        if self.paused:
            recording.pause()
        if settings.recording.announcement is not None:
            self._announce(call, leg, recording, settings.recording.announcement)
        return True

    def _announce(self, call: Session, leg: int, recording: Recording, announcement: Path) -> None:
        """Who has not heard yet that he is recorded is not."""
        try:
            playing = self._announcing[leg] = call.sounds[leg].play(announcement)
        except SoundError as error:
            log.warning("the announcement cannot be played", call=call.id, error=str(error), do="see to the file")
            return
        recording.pause()

        def announced(_ending: object) -> None:
            self._announcing.pop(leg, None)
            self._go_on(leg)

        playing.then(announced)

    def _go_on(self, leg: int) -> None:
        """Write what this leg says, where nothing speaks against it."""
        if leg in self.files and leg in self._legs and leg not in self._announcing and not self.paused:
            self.files[leg].resume()

    def _tell(self, call: Session, by: str) -> None:
        files = [recording.path.name for recording in self.files.values()]
        call.exchange.tell("call.recording", call, {"state": self.state, "by": by, "files": files})


def wanted(call: Session) -> bool:
    """Whether the configuration, or the queue the call comes from, asks for it."""
    exchange = call.exchange
    match exchange.settings.recording.when:
        case "always":
            return True
        case "never":
            return False
    queue = call.journey.queue
    return queue is not None and (plan := exchange.plan().queues.get(queue)) is not None and plan.record


def folder_of(call: Session) -> Path:
    """Where the files of its tenant are."""
    return call.exchange.settings.recordings / (call.record.row.tenant or NO_TENANT)
