"""A recorder on a clock and a tap of the test: what legs say is made up, what is written is real."""

from pathlib import Path
from typing import Any

from media.recording import Finished, Keys, Leg, News, Order, Recorder, index
from media.recording.packets import Packet, record
from tests.peers.sound import encode, tone

CALL = "019b7656-7d80-7c1e-9f0a-3b6a1d2c4e5f"
CALLER, AGENT, OTHER = 440.0, 1000.0, 1700.0
RATE, SIZE = 8000, 160
BEGIN = 1_000_000_000
KEY = Keys([bytes(range(32))])


class MadeUp:
    """Taps that give what a test puts in."""

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.lost = 0

    def open(self, call: int, tag: int) -> bool:
        return True

    def close(self, tag: int) -> None:
        pass

    def take(self) -> tuple[bytes, int]:
        taken, lost = b"".join(self.records), self.lost
        self.records.clear()
        self.lost = 0
        return taken, lost

    def say(self, tag: int, hz: float, begin: float, count: int, lost: tuple[int, ...] = ()) -> None:
        """A tone in packets from `begin` seconds on."""
        first = round(begin * 50)
        for n in range(first, first + count):
            if n not in lost:
                sound = encode(tone(hz, n * SIZE, SIZE), "PCMA")
                self.records.append(record(tag, Packet(tag, n * SIZE, n, 8, BEGIN + n * 20_000, sound)))


class Clock:
    """Microseconds that a test sets."""

    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> int:
        return self.now

    def at(self, seconds: float) -> None:
        self.now = BEGIN + round(seconds * 1e6)


class Desk:
    """A recorder whose rounds a test turns."""

    def __init__(self, folder: Path, keep_free: int = 0) -> None:
        self.folder, self.taps, self.clock, self.news = folder, MadeUp(), Clock(), list[News]()
        self.recorder = Recorder(self.taps, keep_free=keep_free, clock=self.clock)

    def begin(self, **order: Any) -> int:
        given = {"form": "wav", "rate": RATE, "keys": None, "folder": self.folder / "acme", "call": CALL, **order}
        made = Order(tenant="acme", begin=BEGIN, started_at=1.0, **given)
        return self.recorder.begin(made, self.news.append)

    def join(self, number: int, part: int, *, left: bool, extension: str = "") -> int:
        tag = self.recorder.tag()
        self.recorder.join(number, Leg(tag, part, "caller" if left else "agent", left, extension))
        self.recorder.gate(tag, True)
        return tag

    def round(self, seconds: float) -> None:
        self.clock.at(seconds)
        self.recorder.round(self.clock.now - 400_000)

    def end(self, number: int, seconds: float) -> dict[str, Any]:
        """The call ends; what its index says then."""
        self.clock.at(seconds)
        self.recorder.end(number)
        self.round(seconds + 1)
        self.recorder.stop()
        assert isinstance(self.news[-1], Finished)
        data = index.read(self.folder / "acme", self.news[-1].index.call)
        assert data is not None
        return data
