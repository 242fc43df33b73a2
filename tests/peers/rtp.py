"""A sound end point: sends a tone as RTP at its 20 ms pace, keeps what it hears, tells which tone that is.

All end points of a process share one thread, so the pace holds while the event loop (or the test) is busy.
"""

import asyncio
import contextlib
import itertools
import math
import random
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tests.peers import sound
from tests.peers.rtp_packet import KeyEvent, Rtcp, RtpPacket, read_rtcp, sender_report
from tests.peers.sdp import EVENTS, Sdp
from tests.peers.sound_thread import THREAD, bind_pair
from tests.peers.waiting import deadline

PERIOD = 0.02
WINDOW = 0.48
"Seconds of sound, counted back from now, that decide what is heard."
CLEAR = 0.85
"Share of energy from which a tone counts as recognised."
COMFORT_NOISE = 13

TONES = itertools.cycle([500.0, 800.0, 1100.0, 1400.0, 1700.0, 2000.0, 2300.0, 2600.0, 650.0, 950.0, 1250.0, 1550.0])
"Frequencies given in turn, so that no two ends of a call sound alike; all fit the 80 ms measuring block."

PAYLOADS = {0: "PCMU", 8: "PCMA"}


@dataclass(frozen=True, slots=True)
class Heard:
    """One packet as it came in."""

    time: float
    packet: RtpPacket
    source: tuple[str, int]


class Rtp:
    """One RTP/RTCP port pair. Fields may be read and verbs called from any thread."""

    def __init__(self, host: str = "127.0.0.1", *, tone: float | None = None, codec: str = "PCMA") -> None:
        self.host, self.codec = host, codec
        self.tone: float | None = next(TONES) if tone is None else tone
        "Frequency sent, in Hz; None sends digital silence."
        self.level = 8000.0
        self.period = PERIOD
        "Seconds between two packets."
        self.sending = False
        self.remote: tuple[str, int] | None = None
        self.events_type = EVENTS
        self.rtcp_period: float | None = 1.0
        "Seconds between sender reports; None sends none."
        self.noise_period: float | None = None
        "Seconds between comfort noise packets sent instead of sound; None sends sound."
        self.payload_type: int | None = None
        "Overrides the payload type of the codec, for wrong or dynamic numbers."
        self.ssrc = random.getrandbits(32)
        self.sequence = random.getrandbits(15)
        self.timestamp = random.getrandbits(31)
        self.loses: frozenset[int] = frozenset()
        "Of each hundred packets of sound, by their sequence numbers, those that are lost on the way."
        self.packets_lost = 0
        "Numbers that were used up for packets that never left."
        self.told_loss = 0
        "What our reports say to have lost of what comes, in 1/256."
        self.packets_sent = self.octets_sent = 0
        self.received: deque[Heard] = deque(maxlen=30_000)
        "Every RTP packet received, ten minutes of them."
        self.packets_received = 0
        self.reports: list[Rtcp] = []
        "Every RTCP packet received."
        self.digits = ""
        "Keys received as telephone-events, one for each press."
        self._pressed: set[tuple[int, int]] = set()
        self._keys: deque[tuple[str, int]] = deque()
        self._key: tuple[str, int, int, int] | None = None
        self._key_gap = 0
        self._tones: deque[sound.Samples] = deque()
        self._samples = 0
        self._marker = True
        self._paused_at: float | None = None
        self._due = self._report_due = self._noise_due = 0.0
        self._lock = threading.Lock()
        self.rtp_socket, self.rtcp_socket = bind_pair(host)
        self.port = int(self.rtp_socket.getsockname()[1])
        THREAD.add(self)

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self.port

    # --- sending ---

    def send_to(self, remote: tuple[str, int], codec: str | None = None) -> None:
        """Send the tone there from now on."""
        self.remote = remote
        self.codec = codec or self.codec
        self.resume()

    def follow(self, description: Sdp, *, send: bool = True, codecs: Sequence[str] = tuple(sound.DECODE)) -> None:
        """Take over where the other side wants its sound and as what; hold (any way of saying it) stops our sending.

        `codecs` are those of our own description: the other side's offer may name more.
        """
        audio = description.audio
        ours = next((name for name in audio.codecs.values() if name in sound.DECODE and name in codecs), None)
        self.codec = ours or self.codec
        self.events_type = audio.payload_type("telephone-event") or self.events_type
        self.remote = (audio.connection, audio.port)
        open_ = audio.port != 0 and audio.connection not in ("0.0.0.0", "::")
        if send and ours and open_ and audio.direction in ("sendrecv", "recvonly"):
            self.resume()
        else:
            self.pause()

    def pause(self) -> None:
        """Send nothing (hold, or silence suppression without comfort noise); timestamps run on."""
        with self._lock:
            if self.sending:
                self._paused_at = time.monotonic()
            self.sending = False

    def resume(self) -> None:
        """Send again; the first packet carries the marker."""
        with self._lock:
            if not self.sending:
                self._marker = True
                self.sending = True
                self._due = now = time.monotonic()
                if self._paused_at is not None:
                    self.timestamp += int((now - self._paused_at) / PERIOD) * sound.FRAME
        THREAD.wake()

    def comfort_noise(self, period: float | None = 0.2) -> None:
        """Send only comfort noise (RFC 3389, type 13) every `period` seconds from now on; None: the tone again."""
        self.noise_period, self._marker = period, True
        self._noise_due = 0.0

    def reports_only(self) -> None:
        """Send RTCP and not a single RTP packet from now on, comfort noise neither; `comfort_noise(None)` ends it."""
        self.noise_period = self._noise_due = math.inf

    def press(self, digits: str, milliseconds: int = 100) -> None:
        """Queue keys as telephone-events; they replace the tone while they last."""
        self._keys.extend((digit, milliseconds * 8) for digit in digits)

    def press_tones(self, digits: str, milliseconds: int = 80) -> None:
        """Queue keys as tones in the sound (ITU-T Q.23), with as much silence behind each."""
        frames = max(1, milliseconds // 20)
        for digit in digits:
            for frame in range(frames):
                parts = [sound.tone(f, frame * sound.FRAME, sound.FRAME, 5000.0) for f in sound.key_tones(digit)]
                self._tones.append(parts[0] + parts[1])
            self._tones.extend([np.zeros(sound.FRAME)] * frames)

    def play(self, samples: sound.Samples | sound.Pcm) -> float:
        """Send this sound in place of the tone, and of what was played before, from now on until its end.

        Returns when its first packet is due, by the monotonic clock.
        """
        whole = np.asarray(samples, dtype=float)
        with self._lock:
            self._tones.clear()
            self._tones.extend(
                whole[at : at + sound.FRAME] for at in range(0, len(whole) - sound.FRAME + 1, sound.FRAME)
            )
            return self._due

    async def pressed(self, digits: str, milliseconds: int = 100) -> None:
        """As `press`, and wait until the last one is on the wire."""
        self.press(digits, milliseconds)
        end = deadline(None)
        while self._keys or self._key:
            assert time.monotonic() < end, f"{self!r} did not send {digits!r}: does it send at all?"
            await asyncio.sleep(PERIOD)

    # --- hearing ---

    def samples(self, last: float = WINDOW) -> sound.Pcm:
        """What was heard in the last seconds, in order of the sender's timestamps; gaps are left out."""
        since = time.monotonic() - last
        frames: dict[tuple[int, int], sound.Pcm] = {}
        for one in reversed(list(self.received)):
            if one.time < since:
                break
            codec = PAYLOADS.get(one.packet.payload_type)
            if codec:
                frames[one.packet.ssrc, one.packet.timestamp] = sound.decode(one.packet.payload, codec)
        return np.concatenate([frames[k] for k in sorted(frames)]) if frames else np.zeros(0, np.int16)

    def heard(self, frequency: float, last: float = WINDOW) -> float:
        """Share (0 to 1) of the energy of the last seconds that lies at a frequency; 0 for silence or too little."""
        heard = self.samples(last)
        if len(heard) < 0.6 * last * sound.RATE:
            return 0.0
        return sound.share(heard, frequency)

    async def expect_tone(self, frequency: float, within: float | None = None, clear: float = CLEAR) -> float:
        """Wait until a tone is clearly heard; returns its share. AssertionError says what was heard instead."""
        end = deadline(within)
        while (found := self.heard(frequency)) < clear:
            if time.monotonic() > end:
                raise AssertionError(f"{frequency:g} Hz not heard ({found:.2f}): {self.describe()}")
            await asyncio.sleep(0.05)
        return found

    async def expect_silence(self, within: float | None = None) -> None:
        """Wait until nothing has been heard for a whole window (no packets, or silent ones)."""
        end = deadline(within)
        while sound.loudness(self.samples()) >= sound.SILENCE:
            assert time.monotonic() < end, f"not silent: {self.describe()}"
            await asyncio.sleep(0.05)

    async def expect_not(self, frequency: float, within: float | None = None) -> None:
        """Wait until a tone is no longer heard (silence, or something else instead)."""
        end = deadline(within)
        while self.heard(frequency) >= 0.1:
            assert time.monotonic() < end, f"{frequency:g} Hz is still heard: {self.describe()}"
            await asyncio.sleep(0.05)

    async def expect_digits(self, digits: str, within: float | None = None) -> None:
        """Wait until exactly these keys have come as telephone-events (since `digits` was last emptied)."""
        end = deadline(within)
        while self.digits != digits:
            assert time.monotonic() < end, f"digits {self.digits!r}, not {digits!r}: {self.describe()}"
            await asyncio.sleep(PERIOD)

    async def expect_packets(self, more: int = 10, within: float | None = None) -> None:
        """Wait until so many packets more have arrived."""
        end, wanted = deadline(within), self.packets_received + more
        while self.packets_received < wanted:
            assert time.monotonic() < end, f"{wanted - self.packets_received} packets missing: {self.describe()}"
            await asyncio.sleep(PERIOD)

    async def expect_sent(self, more: int, within: float | None = None) -> None:
        """Wait until so many packets more have been sent."""
        end, wanted = deadline(within), self.packets_sent + more
        while self.packets_sent < wanted:
            assert time.monotonic() < end, f"{wanted - self.packets_sent} packets not sent: {self.describe()}"
            await asyncio.sleep(PERIOD)

    @property
    def streams(self) -> list[int]:
        """The SSRCs heard, in order of appearance."""
        return list(dict.fromkeys(one.packet.ssrc for one in list(self.received)))

    @property
    def sources(self) -> list[tuple[str, int]]:
        """The addresses packets came from, in order of appearance."""
        return list(dict.fromkeys(one.source for one in list(self.received)))

    @property
    def payload_types(self) -> list[int]:
        return list(dict.fromkeys(one.packet.payload_type for one in list(self.received)))

    def lost(self) -> int:
        """Packets missing between the first and the last sequence number of each stream heard."""
        total = 0
        for ssrc in self.streams:
            numbers = np.array([h.packet.sequence for h in list(self.received) if h.packet.ssrc == ssrc], np.int64)
            steps = (np.diff(numbers) + 0x8000) % 0x10000 - 0x8000
            unrolled = np.concatenate([[0], np.cumsum(steps)])
            total += int(unrolled.max() - unrolled.min() + 1 - len(np.unique(unrolled)))
        return total

    def describe(self) -> str:
        """One line for a failure message."""
        heard = self.samples()
        return (
            f"port {self.port} sends {self.tone} Hz {self.codec} to {self.remote} "
            f"({'on' if self.sending else 'paused'}, {self.packets_sent} sent), received {self.packets_received} "
            f"from {self.sources}, now {len(heard)} samples, loudness {sound.loudness(heard):.0f}, "
            f"strongest {sound.strongest(heard):.0f} Hz, digits {self.digits!r}, {len(self.reports)} RTCP"
        )

    __repr__ = describe

    def close(self) -> None:
        """Stop and free the ports; may be called twice."""
        self.sending = False
        THREAD.remove(self)

    def __enter__(self) -> "Rtp":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- the sound thread ---

    def work(self, now: float) -> float:
        """Send what is due and return when to be called again."""
        with self._lock:
            if not self.sending or self.remote is None:
                return now + 1.0
            if now - self._due > 0.5:  # the machine slept: do not send a burst of old sound
                self._due = now
            while self._due <= now:
                self._due += self.period
                self._send_frame(now)
            if self.rtcp_period is not None and now >= self._report_due:
                self._report_due = now + self.rtcp_period
                self._send_report()
            return self._due

    def receive(self, now: float) -> None:
        """Read everything waiting on the RTP socket."""
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while True:
                data, source = self.rtp_socket.recvfrom(2048)
                with contextlib.suppress(ValueError):
                    packet = RtpPacket.parse(data)
                    self.received.append(Heard(now, packet, (source[0], source[1])))
                    self.packets_received += 1
                    self._take_key(packet)

    def receive_control(self) -> None:
        """Read everything waiting on the RTCP socket."""
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while True:
                self.reports += read_rtcp(self.rtcp_socket.recv(2048))

    def _take_key(self, packet: RtpPacket) -> None:
        if packet.payload_type != self.events_type:
            return
        with contextlib.suppress(ValueError):
            event = KeyEvent.parse(packet.payload)
            press = (packet.ssrc, packet.timestamp)  # all packets of one press share the timestamp
            if press not in self._pressed:
                self._pressed.add(press)
                self.digits += event.digit

    def _send_frame(self, now: float) -> None:
        self.timestamp = (self.timestamp + sound.FRAME) & 0xFFFFFFFF
        start, self._samples = self._samples, self._samples + sound.FRAME
        if self._key or (self._keys and self._key_gap <= 0):
            self._send_key()
            return
        self._key_gap -= 1
        if self.noise_period is not None:
            if now >= self._noise_due:
                self._noise_due = now + self.noise_period
                self._transmit(COMFORT_NOISE, b"\x46", self.timestamp)
            return
        frame = np.zeros(sound.FRAME) if self.tone is None else sound.tone(self.tone, start, sound.FRAME, self.level)
        if self._tones:
            frame = self._tones.popleft()
        number = 0 if self.codec == "PCMU" else 8
        self._transmit(number if self.payload_type is None else self.payload_type, sound.encode(frame, self.codec))

    def _send_key(self) -> None:
        if self._key is None:
            digit, duration = self._keys.popleft()
            self._key = (digit, duration, 0, self.timestamp)
            self._marker = True
        digit, duration, done, started = self._key
        done = min(done + sound.FRAME, duration)
        self._key = (digit, duration, done, started)
        self._transmit(self.events_type, bytes(KeyEvent(digit, done)), started)
        if done == duration:
            for _ in range(3):  # RFC 4733 2.5.1.4: the end is sent three times
                self._transmit(self.events_type, bytes(KeyEvent(digit, done, end=True)), started)
            self._key, self._key_gap = None, 3

    def _transmit(self, payload_type: int, payload: bytes, timestamp: int | None = None) -> None:
        self.sequence = (self.sequence + 1) & 0xFFFF
        at = self.timestamp if timestamp is None else timestamp
        packet = RtpPacket(payload_type, self.sequence, at, self.ssrc, payload, self._marker)
        self._marker = False
        if self.sequence % 100 in self.loses:
            self.packets_lost += 1
            return
        if self.remote is not None:
            with contextlib.suppress(OSError):  # nobody listens there (yet): real phones do not care either
                self.rtp_socket.sendto(bytes(packet), self.remote)
        self.packets_sent += 1
        self.octets_sent += len(payload)

    def _send_report(self) -> None:
        if self.remote is not None:
            last = self.received[-1].packet if self.received else None
            heard = (last.ssrc, last.sequence) if last else None
            counts = self.packets_sent, self.octets_sent
            report = sender_report(self.ssrc, time.time(), self.timestamp, *counts, heard=heard, lost=self.told_loss)
            with contextlib.suppress(OSError):
                self.rtcp_socket.sendto(report, (self.remote[0], self.remote[1] + 1))
