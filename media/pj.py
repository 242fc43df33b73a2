"""PJSIP's conference bridge as the back end of sound: the one module of `media` that touches pjsua2.

Traps that shape it, all seen with 2.17:
- The conference acts on commands between two frames, on 100 a frame: when a call returns nothing has happened yet.
- A player that is deleted while its end of file is told is used after it was freed: players linger after their cut.
- A Python port is called 50 times a second even when it hears nobody: it must be out of C before Python lets go of it.
- The sound device closes itself after a second without connections, and with it the clock that carries out removals.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from pathlib import Path

import pjsua2 as pj

from media.ports import Line, SoundError
from media.sound import Desk

log = logging.getLogger("media")

LINGER = 0.5
"Seconds a player is kept after its cut, which is done within two frames; its end of file is told in milliseconds."
FRAME = 0.02
"Seconds per frame of the conference."
SPARE_PORTS = 256
"Ports for players, recorders and taps, beside those of the legs."


def configure(media: pj.MediaConfig, *, legs: int, clock_rate: int = 8000, recorders: int = 0) -> None:
    """Set up PJSIP's media for a switchboard; to be called before `libInit`.

    `legs` is the most legs there will be.  Each leg pays 8 bytes for each port the conference has room for: with the
    default of 10,240 that is 80 kB, written to when the leg starts.  `recorders`: legs recorded at once beyond the few
    that the spare ports have room for.
    """
    media.hasIoqueue, media.threadCnt = True, 1
    media.clockRate = media.sndClockRate = clock_rate
    media.channelCount = 1
    media.audioFramePtime = round(FRAME * 1000)
    media.quality = 3  # small resampling filter; only legs of another rate than the clock's pay for it
    media.noVad = True  # its detector cuts quiet speech; what nobody sends is passed over by native/gap.c
    media.ecTailLen = 0
    media.sndAutoCloseTime = -1
    media.confThreads = 1
    media.maxMediaPorts = legs + SPARE_PORTS + recorders


class Conference:
    """`ports.Back` on PJSIP's conference bridge, clocked by its null sound device."""

    def __init__(self, endpoint: pj.Endpoint, clock_rate: int) -> None:
        self.clock_rate = clock_rate
        device = endpoint.audDevManager()
        device.setNullDev()
        self.silence = Line(device.getPlaybackDevMedia())
        self._endpoint: pj.Endpoint | None = endpoint
        self._loop = asyncio.get_running_loop()
        self._open: dict[Line, object] = {}
        "Players, recorders, taps and ears; held here so that no garbage collection on a foreign thread ever ends one."
        self._lingering: deque[tuple[float, object]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def ports(self) -> int:
        """Ports of the conference that are taken, the null device's included."""
        return int(self._endpoint.mediaActivePorts()) if self._endpoint is not None else 0

    def place(self, line: Line) -> int:
        return int(line.port.getPortId()) if line.alive else -1

    def join(self, source: Line, sink: Line) -> bool:
        if not (source.alive and sink.alive):
            return False
        if isinstance(sink.port, _Ear):
            return pj.tandem_ear_hear(sink.port.place, source.port.getPortId(), 1) == 0
        try:
            source.port.startTransmit(sink.port)
        except pj.Error:
            return False
        return True

    def cut(self, source: Line, sink: Line) -> None:
        if not (source.alive and sink.alive):
            return
        if isinstance(sink.port, _Ear):
            pj.tandem_ear_hear(sink.port.place, source.port.getPortId(), 0)
            return
        try:
            source.port.stopTransmit(sink.port)
        except pj.Error:  # one of them is not there any more, and the connection with it
            pass

    def relay(self, a: Line, b: Line) -> bool:
        return a.alive and b.alive and pj.tandem_relay_join(a.call, b.call) == 0

    def part(self, a: Line, b: Line) -> None:
        for line in (a, b):
            if line.alive:  # else its number may be another leg's, and its own end has parted the two
                pj.tandem_relay_part(line.call)
                if line.stream:
                    pj.tandem_gap_forget(line.stream)  # what it had heard before they were joined

    def open_player(self, path: Path, *, loop: bool) -> Line:
        player = pj.AudioMediaPlayer()
        try:
            player.createPlayer(str(path), 0 if loop else pj.PJMEDIA_FILE_NO_LOOP)
        except pj.Error as error:
            raise SoundError(path, str(error.reason)) from None
        return self._keep(player)

    def position(self, player: Line) -> int:
        return int(player.port.getPos())

    def open_recorder(self, path: Path) -> Line:
        if path.suffix.lower() != ".wav":
            raise SoundError(path, "a recording is a .wav file")
        recorder = pj.AudioMediaRecorder()
        try:
            recorder.createRecorder(str(path))
        except pj.Error as error:
            raise SoundError(path, str(error.reason)) from None
        return self._keep(recorder)

    def open_tap(self, put: Callable[[bytes], None]) -> Line:
        tap = _TapPort(put, round(FRAME * self.clock_rate) * 2)
        shape = pj.MediaFormatAudio()
        shape.init(pj.PJMEDIA_FORMAT_PCM, self.clock_rate, 1, round(FRAME * 1_000_000), 16)
        try:
            tap.createPort("tap", shape)
        except pj.Error as error:
            raise SoundError("tap", str(error.reason)) from None
        return self._keep(tap)

    def open_ear(self) -> Line:
        place = pj.tandem_ear_open()
        if place < 0:
            raise SoundError("ear", f"PJSIP error {-place}")
        return self._keep(_Ear(place))

    def heard(self) -> tuple[bytes, bytes, int]:
        return pj.tandem_ears_take()

    def release(self, line: Line) -> None:
        port = self._open.pop(line, None)
        if not line.alive or port is None:
            return
        line.gone()
        line.port = None
        if isinstance(port, _TapPort):
            port.destroy()
        elif isinstance(port, _Ear):
            pj.tandem_ear_close(port.place)
        elif isinstance(port, pj.AudioMediaPlayer):
            self._lingering.append((self._loop.time() + LINGER, port))
            if self._timer is None:
                self._timer = self._loop.call_later(LINGER, self._let_go)

    async def close(self) -> None:
        """Give everything back; before `libDestroy`, after the last leg."""
        for line in list(self._open):
            self.release(line)
        if self._timer is not None:
            self._timer.cancel()
        await asyncio.sleep(4 * FRAME)
        self._lingering.clear()
        await asyncio.sleep(4 * FRAME)
        self._endpoint = None  # a process that wants another endpoint must be able to let go of this one

    def _keep(self, port: pj.AudioMedia | _Ear) -> Line:
        line = Line(port)
        self._open[line] = port
        return line

    def _let_go(self) -> None:
        self._timer = None
        now = self._loop.time()
        while self._lingering and self._lingering[0][0] <= now:
            self._lingering.popleft()
        if self._lingering:
            self._timer = self._loop.call_at(self._lingering[0][0], self._let_go)


class _Ear:
    """A sink in C; PJSUA2 knows nothing of it but its place."""

    __slots__ = ("place",)

    def __init__(self, place: int) -> None:
        self.place = place

    def getPortId(self) -> int:
        """As of every other port here."""
        return self.place


class _TapPort(pj.AudioMediaPort):
    """Called by the conference's thread for each frame, also when nobody speaks into it."""

    def __init__(self, put: Callable[[bytes], None], size: int) -> None:
        super().__init__()
        self._put = put
        self._silence = bytes(size)

    def onFrameReceived(self, frame: pj.MediaFrame) -> None:
        """On the conference's thread; an exception here would be printed and lost, so none is raised."""
        if frame.size:
            made = bytearray(frame.size)
            frame.buf.copy_to_bytearray(made)
            self._put(bytes(made))
        else:
            self._put(self._silence)

    def destroy(self) -> None:
        """Take the port out of C while Python still holds it: after this no frame can reach it."""
        pj.AudioMediaPort.__swig_destroy__(self)


class NativeTaps:
    """`recording.Taps` on the legs' own sockets."""

    def open(self, call: int, tag: int) -> bool:
        return pj.tandem_tap_open(call, tag) == 0

    def close(self, tag: int) -> None:
        pj.tandem_tap_close(tag)

    def take(self) -> tuple[bytes, int]:
        return pj.tandem_taps_take()


async def open_desk(endpoint: pj.Endpoint, folder: Path, *, clock_rate: int = 8000, relay: bool = True) -> Desk:
    """Open the process's desk on a started endpoint; `folder` keeps generated tones.  Close with `close_desk`."""
    desk = Desk(Conference(endpoint, clock_rate), folder, relay=relay)
    Desk.current = desk
    return desk


async def close_desk(desk: Desk) -> None:
    """End all sound; before the endpoint is destroyed."""
    desk.close()
    if isinstance(desk.back, Conference):
        await desk.back.close()
