"""The recording of one call while it is written: the tracks of its legs, two channels, the index."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from media.recording.files import Form, Sink, create, name_of
from media.recording.g711 import PCMA, PCMU, RATE, Pcm
from media.recording.index import Index, Lost, Part, Span
from media.recording.missed import Missed
from media.recording.packets import LINEAR, Packet
from media.recording.sealed import Keys
from media.recording.track import Track
from media.recording.upsample import Doubler

FLUSH = 1.0
"Seconds between two times at which what was written is made to survive a crash of the process."
CODECS = {PCMU: "PCMU", PCMA: "PCMA"}


@dataclass(frozen=True, slots=True)
class Order:
    """What a new recording is."""

    call: str
    tenant: str
    folder: Path
    form: Form
    rate: int
    "Samples a second: 8000 or 16000."
    begin: int
    "Microseconds of the monotonic clock."
    started_at: float
    "The same moment, epoch seconds."
    node: str = ""
    keys: Keys | None = field(default=None, repr=False)
    "None: not encrypted."

    @property
    def name(self) -> str:
        return name_of(self.call, self.form, sealed=self.keys is not None)


@dataclass(frozen=True, slots=True)
class Leg:
    """Somebody who is recorded from now on."""

    tag: int
    part: int
    role: str
    left: bool
    "The caller's channel, else the other one."
    extension: str = ""
    ear: bool = False
    "Heard by an ear of the conference, at the recording's own rate."
    codec: str = ""
    "What it speaks, by its SDP."
    clock: int = 0
    "RTP timestamps a second, where packets of a leg that an ear hears come as well, to be counted; 0: they do not."


@dataclass(slots=True)
class _Line:
    """One leg in the file."""

    track: Track
    part: Part
    left: bool
    doubler: Doubler | None
    missed: Missed | None = None
    "What of its packets was lost, where an ear hears it."
    ends: int | None = None
    "When it left, microseconds."


class OneRecording:
    """Used by the writer's thread alone.  Raises OSError where the disk does not take what is written."""

    def __init__(self, order: Order) -> None:
        """Raises OSError, NoOpus."""
        self.order = order
        self.path = order.folder / order.name
        self._sink: Sink = create(self.path, order.form, order.rate, order.keys)
        self._lines: dict[int, _Line] = {}
        self._written = 0
        "Samples."
        self._flushed = 0
        self.index = Index(
            order.call,
            order.tenant,
            order.node,
            order.name,
            order.form,
            order.rate,
            round(order.started_at, 6),
            encrypted=order.keys.first.hex() if order.keys is not None else "",
        )
        try:
            self.note()
        except OSError:
            self._sink.close()
            self.path.unlink(missing_ok=True)
            raise

    def __repr__(self) -> str:
        return f"<recording {self.order.name} of {len(self._lines)} legs, {self.seconds:.2f} s>"

    @property
    def seconds(self) -> float:
        """Written so far."""
        return self._written / self.order.rate

    def at(self, moment: int) -> float:
        """A moment (microseconds) in seconds from the begin."""
        return round(max(0, moment - self.order.begin) / 1e6, 3)

    def join(self, leg: Leg, moment: int) -> None:
        """A leg is recorded; silence until its gate is opened."""
        rate = self.order.rate if leg.ear else RATE
        part = Part(leg.part, leg.role, "left" if leg.left else "right", self.at(moment), extension=leg.extension)
        part.source, part.codec = "conference" if leg.ear else "packets", leg.codec
        track, missed = Track(self.order.begin, rate, self._written * rate // self.order.rate, on=False), None
        if leg.ear and leg.clock:
            missed = Missed(self.order.begin, leg.clock, self._written * leg.clock // self.order.rate)
        part.counted = track.counted if missed is None else missed.track.counted
        self.index.parts.append(part)
        doubler = Doubler() if rate < self.order.rate else None
        self._lines[leg.tag] = _Line(track, part, leg.left, doubler, missed)

    def leave(self, tag: int, moment: int) -> None:
        """A leg is recorded no longer; harmless where it was not."""
        line = self._lines.get(tag)
        if line is not None and line.ends is None:
            line.ends, line.part.end = moment, self.at(moment)
            line.track.gate(moment, False)

    def gate(self, tag: int, moment: int, on: bool) -> None:
        """Whether what a leg says is written from this moment on."""
        line = self._lines.get(tag)
        if line is not None and line.ends is None:
            line.track.gate(moment, on)

    def paused(self, moment: int, by: str) -> None:
        """For the index: a pause begins."""
        self.index.listed(self.index.pauses, Span(self.at(moment), by=by))

    def held(self, part: int, role: str, moment: int, on: bool) -> None:
        """For the index: a side holds, or is back."""
        by = f"{role} {part}"
        if on:
            self.index.listed(self.index.holds, Span(self.at(moment), by=by))
            return
        self.end_of(self.index.holds, moment, by)

    def end_of(self, spans: list[Span], moment: int, by: str = "") -> None:
        """For the index: what began last is over."""
        for span in reversed(spans):
            if span.end is None and (not by or span.by == by):
                span.end = self.at(moment)
                return

    def feed(self, tag: int, packets: list[Packet]) -> None:
        """What came of one leg."""
        line = self._lines.get(tag)
        if line is None:
            return
        if line.missed is not None and packets and packets[0].payload_type != LINEAR:
            line.missed.feed(packets)
        else:
            line.track.feed(packets)

    def write(self, upto: int) -> None:
        """Everything up to this moment (microseconds) that is not written yet."""
        step = self.order.rate // RATE
        count = (upto - self.order.begin) * RATE // 1_000_000 * step - self._written
        if count <= 0:
            return
        frames = np.zeros((count, 2), np.int16)
        filled = [False, False]
        for tag, line in list(self._lines.items()):
            channel = 0 if line.left else 1
            sound = self._sound(line, self._written + count)
            if filled[channel]:
                sound = _added(frames[:, channel], sound)
            frames[:, channel], filled[channel] = sound, True
            if line.ends is not None and line.ends <= upto:
                self._finish(line)
                del self._lines[tag]
        self._sink.write(frames)
        self._written += count
        if self._written - self._flushed >= FLUSH * self.order.rate:
            self._flushed = self._written
            self._sink.flush()

    def close(self, moment: int, cut_off: str = "") -> None:
        """The file is whole; the checksum is still to come.  Raises OSError; the file is closed all the same."""
        for line in self._lines.values():
            if line.part.end is None:
                line.part.end = self.at(moment)
            self._finish(line)
        self._lines.clear()
        for spans in (self.index.pauses, self.index.holds):
            for span in spans:
                if span.end is None:
                    span.end = self.at(moment)
        self.index.seconds = round(self.seconds, 3)
        self.index.cut_off = cut_off
        self._sink.close()

    def note(self) -> None:
        """Write the index as it is now.  Raises OSError."""
        self.index.write(self.order.folder)

    def _sound(self, line: _Line, upto: int) -> Pcm:
        sound = self._taken(line, line.track, upto)
        if line.missed is not None:
            self._taken(line, line.missed.track, upto)
        return sound if line.doubler is None else line.doubler.double(sound)

    def _taken(self, line: _Line, track: Track, upto: int) -> Pcm:
        """What is due of a track; its losses are in the index."""
        sound = track.take(upto * track.rate // self.order.rate)
        for loss in track.losses:
            at, seconds = loss.at / track.rate, loss.samples / track.rate
            new = Lost(line.part.part, round(at, 3), round(seconds, 3), loss.packets)
            self.index.listed(self.index.losses, new)
        track.losses.clear()
        return sound

    def _finish(self, line: _Line) -> None:
        line.part.codec = CODECS.get(line.track.payload_type, line.part.codec)


def _added(one: Pcm, other: Pcm) -> Pcm:
    """Two who speak at once on one channel."""
    both: Pcm = np.clip(one.astype(np.int32) + other, -32768, 32767).astype(np.int16)
    return both
