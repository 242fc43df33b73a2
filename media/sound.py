"""What a call does with sound: one `Sound` per leg, and the `Desk` they all run on (bridges: media/pairs.py).

Everything here belongs to the event loop's thread.  What goes on (a bridge, music, a recording) goes on when the line
is replaced: `attach` with the new one is enough.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from media import patch, wav
from media.pairs import Pairs
from media.patch import Point, Step
from media.path import Who
from media.playing import Playing, Recording
from media.ports import Back, Ending, Line, Listener, Port, SoundError, Source
from media.tap import BATCH, ROOM, Ring, Tap
from media.tones import Cadence, cadence_samples

log = logging.getLogger("media")

SWEEP = 0.02
"Seconds after which a leg that nobody hears any longer is drained; a leg that ends, or is bridged anew, is not."


class Desk:
    """Where all sound of the process meets; owner of what is shared: endless players, tone files, the drain."""

    current: Desk | None = None
    "The desk of the process (one PJSIP, so one conference); what `Sound()` and `bridge()` use."

    def __init__(self, back: Back, folder: Path, *, relay: bool = True) -> None:
        self.back = back
        self.folder = folder
        "Where tone files are kept; made when it is not there."
        self.relay = relay
        "Pairs may leave the conference."
        self.pairs = Pairs()
        self.loop = asyncio.get_running_loop()
        self.silence = Point("silence", back.silence)
        self.recordings: set[Recording] = set()
        self.refused = 0
        "Connections that the back end refused: a line went away before its leg's `attach(None)` arrived."
        self._rounds: dict[Path, Point] = {}
        self._places: dict[int, Sound] = {}
        self._unheard: set[Point] = set()
        self._sweep: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<desk of {len(self._places)} legs, {len(self._rounds)} endless players, {self.refused} refused>"

    def record(self, path: Path, sounds: Iterable[Sound]) -> Recording:
        """Record several legs in one file, mixed.  Raises SoundError."""
        point = Point(path.name, self.back.open_recorder(path), who=Who.RECORDER)
        recording = Recording(self, point, path, sounds)
        self.recordings.add(recording)
        self.hear(point, self.silence)  # so that the file goes on while the legs are silent or away
        for sound in recording.sounds:
            sound.recordings.add(recording)
            self.hear(point, sound.point)
        return recording

    def close(self) -> None:
        """Give back all players and recorders; for the end of the process, when no leg is left."""
        for recording in list(self.recordings):
            recording.stop()
        for point in self._rounds.values():
            if point.line is not None:
                self.back.release(point.line)
        self._rounds.clear()
        if self._sweep is not None:
            self._sweep.cancel()
        if Desk.current is self:
            Desk.current = None

    # -- for this package

    def do(self, steps: Iterable[Step]) -> None:
        """Carry out what the pure part decided."""
        for step in steps:
            if not step.join:
                self.back.cut(step.source, step.sink)
            elif not self.back.join(step.source, step.sink):
                self.refused += 1
                log.info("a connection was refused: %r to %r", step.source, step.sink)

    def hear(self, sink: Point, source: Point) -> None:
        self.do(patch.hear(sink, source, self.back.silence))
        self.pairs.look(sink)
        self.pairs.look(source)

    def unhear(self, sink: Point, source: Point) -> None:
        self.do(patch.unhear(sink, source))
        self.pairs.look(sink)
        self.unheard(source)

    def unheard(self, source: Point) -> None:
        """Somebody has stopped to hear `source`."""
        self.pairs.look(source)
        self.empty(source)

    def empty(self, source: Point) -> None:
        """Was it the last one who heard it?"""
        if patch.deserted(source):
            self._unheard.add(source)
            if self._sweep is None:
                self._sweep = self.loop.call_later(SWEEP, self._drain)

    def _drain(self) -> None:
        self._sweep = None
        for point in self._unheard:
            self.do(patch.drain_off(point, self.back.silence))
        self._unheard.clear()

    def file(self, source: Source) -> Path:
        """The file to play for a source; a tone pattern is written once."""
        if not isinstance(source, Cadence):
            return source
        path = self.folder / f"{source.name}-{self.back.clock_rate}.wav"
        if not path.exists():
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                wav.write(path, cadence_samples(source, self.back.clock_rate), self.back.clock_rate)
            except OSError as error:
                raise SoundError(path, error.strerror or "cannot be written") from error
        return path

    def endless(self, path: Path) -> Point:
        """The one player of this file that goes round for ever, for all who want to hear it."""
        point = self._rounds.get(path)
        if point is None:
            point = self._rounds[path] = Point(path.name, self.back.open_player(path, loop=True))
        return point

    def settle(self, sound: Sound, place: int) -> None:
        """A leg has this place now: whoever had it before has lost it without a word."""
        before = self._places.get(place)
        if before is not None and before is not sound:
            before.away()
        self._places[place] = sound

    def vacate(self, sound: Sound, place: int) -> None:
        if self._places.get(place) is sound:
            del self._places[place]


class Sound:
    """The sound of one leg."""

    __slots__ = ("_desk", "_place", "closed", "playings", "point", "recordings", "taps")

    def __init__(
        self, name: str = "leg", desk: Desk | None = None, *, who: Literal[Who.LEG, Who.SUPERVISOR] = Who.LEG
    ) -> None:
        desk = desk or Desk.current
        if desk is None:
            raise RuntimeError("no desk is open: media.pj.open_desk() comes before the first leg")
        self._desk = desk
        self._place = -1
        self.closed = False
        self.point = Point(name, drains=True, who=who)
        self.playings: set[Playing] = set()
        self.recordings: set[Recording] = set()
        self.taps: set[Listener] = set()

    def __repr__(self) -> str:
        return f"<sound {self.point!r}>"

    @property
    def name(self) -> str:
        return self.point.name

    @property
    def desk(self) -> Desk:
        return self._desk

    @property
    def native(self) -> int:
        """The leg's number in the relay and for native taps; -1: it has no stream, or none with packets of ours."""
        line = self.point.line
        return line.call if line is not None and line.alive else -1

    @property
    def attached(self) -> bool:
        """Whether the leg can be heard and hear now."""
        return self.point.line is not None

    def attach(self, handle: Line | Port | None) -> None:
        """The leg's sound runs on this from now on (None: on nothing for now); what was going on goes on over it.

        `handle` is what the SIP engine gave: a pjsua2 AudioMedia, or better a `Line` around it.
        """
        if handle is None or self.closed:
            self.away()
            return
        line = handle if isinstance(handle, Line) else Line(handle)
        place = self._desk.back.place(line)
        if place < 0:
            self.away()
            return
        if place != self._place:
            self._desk.vacate(self, self._place)
            self._place = place
        self._desk.settle(self, place)
        self._desk.do(patch.arrive(self.point, line, self._desk.back.silence))
        for playing in self.playings:
            playing.carry_on()
        self._desk.pairs.renewed(self.point)

    def play(self, source: Source, *, loop: bool = False) -> Playing:
        """Let the leg hear a file once from its start, or with `loop` join the file's endless player wherever that is.

        All legs that hear an endless source share one player: music on hold or ringback costs one connection, no more.
        Several playings are mixed.  Raises SoundError.
        """
        desk = self._desk
        path = desk.file(source)
        if loop:
            point, info = desk.endless(path), None
        else:
            try:
                info = wav.inspect(path)
            except wav.BadWave as error:
                raise SoundError(path, error.why) from error
            point = Point(path.name, desk.back.open_player(path, loop=False))
        playing = Playing(desk, self, point, info)
        self.playings.add(playing)
        desk.hear(self.point, point)
        if self.attached:
            playing.carry_on()
        if self.closed:
            playing.end(Ending.LOST)
        return playing

    def record(self, path: Path) -> Recording:
        """Write what this leg says to a new WAV file: mono, 16 bit, the desk's clock rate, pauses included.

        Raises SoundError.
        """
        return self._desk.record(path, (self,))

    def tap(self, *, batch: int = BATCH, room: int = ROOM) -> Tap:
        """What this leg says as it comes: `batch` frames of 20 ms at a time, `room` frames kept for a slow reader.

        Raises SoundError.
        """
        ring = Ring(self._desk.loop, batch=batch, room=room)
        point = Point(f"tap on {self.name}", self._desk.back.open_tap(ring.put), who=Who.LISTENER)
        tap = Tap(self._desk, self, point, ring)
        self.taps.add(tap)
        self._desk.hear(point, self.point)
        return tap

    def detach(self) -> None:
        """The leg's line goes on without it, to be attached elsewhere: unlike `close`, every connection is cut."""
        if self.point.line is None:
            return
        steps = patch.depart(self.point, self._desk.back.silence)
        self._desk.do(steps)
        self._gone()

    def drain(self) -> None:
        """Nobody is going to hear this leg for a while: what it says is thrown away, so that it is fresh then."""
        self._desk.empty(self.point)

    def close(self) -> None:
        """The leg has ended: playings and recordings are lost, bridges void.  No connection is cut by hand."""
        if self.closed:
            return
        self.closed = True
        self.away()
        for playing in list(self.playings):
            playing.end(Ending.LOST)
        for tap in list(self.taps):
            tap.stop()
        for recording in list(self.recordings):
            recording.lose(self)
        self.recordings.clear()
        company = [*self.point.hears, *self.point.heard_by]
        patch.forget(self.point)
        for point in company:
            self._desk.pairs.look(point)

    def away(self) -> None:
        """For this package: no line for now."""
        if self.point.line is None:
            return
        patch.leave(self.point)
        self._gone()

    def _gone(self) -> None:
        """It has no line any more."""
        self._desk.vacate(self, self._place)
        self._place = -1
        for playing in self.playings:
            playing.pause()
        self._desk.pairs.renewed(self.point)
        for source in self.point.hears:
            self._desk.empty(source)
