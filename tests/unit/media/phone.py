"""A pretended leg in the real conference: it says a tone and keeps what it hears; its stream comes and goes."""

import math
import struct
from collections import deque

import pjsua2 as pj

from media import Desk, Line, Sound, goertzel

RATE = 8000
FRAME = 160


class Phone(pj.AudioMediaPort):
    """Two-way port; frames come on the conference's thread."""

    def __init__(self, name: str, frequency: float) -> None:
        super().__init__()
        self.name = name
        self.frequency = frequency
        self.heard: deque[bytes] = deque(maxlen=25)
        "The last half second."
        self.frames = 0
        self._phase = 0.0
        shape = pj.MediaFormatAudio()
        shape.init(pj.PJMEDIA_FORMAT_PCM, RATE, 1, 20_000, 16)
        self.createPort(name, shape)

    def onFrameRequested(self, frame: pj.MediaFrame) -> None:
        step = 2 * math.pi * self.frequency / RATE
        samples = [round(8000 * math.sin(self._phase + step * n)) for n in range(FRAME)]
        self._phase = math.fmod(self._phase + step * FRAME, 2 * math.pi)
        frame.type = pj.PJMEDIA_FRAME_TYPE_AUDIO
        frame.buf.assign_from_bytes(struct.pack(f"<{FRAME}h", *samples))
        frame.size = 2 * FRAME

    def onFrameReceived(self, frame: pj.MediaFrame) -> None:
        made = bytearray(2 * FRAME)
        if frame.size:
            frame.buf.copy_to_bytearray(made)
        self.heard.append(bytes(made))
        self.frames += 1

    def hears(self, *frequencies: float) -> bool:
        """Whether the last fifth of a second is these tones and nothing else; without any: silence."""
        if len(self.heard) < 10:
            return False
        sound = goertzel.samples(b"".join(list(self.heard)[-10:]))
        if not frequencies:
            return goertzel.level(sound) < -60
        shares = [goertzel.share(sound, frequency, RATE) for frequency in frequencies]
        return sum(shares) > 0.9 and min(shares) > 0.15

    def destroy(self) -> None:
        pj.AudioMediaPort.__swig_destroy__(self)


class Leg:
    """A leg as the SIP engine has it: its sound, and a stream that may be made anew."""

    def __init__(self, desk: Desk, name: str, frequency: float) -> None:
        self.name = name
        self.frequency = frequency
        self.sound = Sound(name, desk)
        self._phone: Phone | None = None
        self._line: Line | None = None
        self.stream_made()

    @property
    def phone(self) -> Phone:
        assert self._phone is not None
        return self._phone

    def stream_made(self) -> None:
        """A re-INVITE gave the leg a stream, a new one if it had one."""
        self.stream_gone()
        self._phone = Phone(self.name, self.frequency)
        self._line = Line(self._phone)
        self.sound.attach(self._line)

    def stream_gone(self) -> None:
        """The stream is destroyed: its port leaves the conference by itself."""
        if self._phone is None or self._line is None:
            return
        self._line.gone()
        self._phone.destroy()
        self._phone = self._line = None
        self.sound.attach(None)

    def hang_up(self) -> None:
        self.stream_gone()
        self.sound.close()
