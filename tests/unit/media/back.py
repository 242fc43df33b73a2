"""A back end that only takes notes: what a test needs to see which connections stand."""

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from media.path import Codec
from media.ports import Line, SoundError


@dataclass
class Place:
    """A port of the pretended conference."""

    number: int
    name: str
    played: int = 0
    frames: Callable[[bytes], None] | None = None

    def __repr__(self) -> str:
        return self.name


class Notes:
    """`ports.Back` without sound.  Connections are pairs of names; a place that goes away takes its own along."""

    clock_rate = 8000

    def __init__(self) -> None:
        self.silence = Line(Place(0, "silence"))
        self.joined: set[tuple[str, str]] = set()
        self.commands = 0
        "Joins and cuts so far: the conference takes 100 of them a frame."
        self.relayed: set[tuple[str, str]] = set()
        "Pairs of names that the relay has joined."
        self.refuses = False
        "The relay joins nobody."
        self.open: set[Line] = set()
        self.ports_left = 1000
        self.ears: list[Line] = []
        self.says: dict[int, list[bytes]] = {}
        "Frames on their way to an ear, by its number."
        self._numbers = 0

    def leg(self, name: str, number: int | None = None, codec: Codec | None = None) -> Line:
        """A line as the SIP engine would hand over; with a codec it is one that the relay knows."""
        self._numbers += 1
        number = self._numbers if number is None else number
        return Line(Place(number, name), -1 if codec is None else number, codec)

    def gone(self, line: Line) -> None:
        """The stream behind a line is destroyed."""
        line.gone()
        self.joined = {pair for pair in self.joined if repr(line.port) not in pair}
        self.relayed = {pair for pair in self.relayed if repr(line.port) not in pair}

    def place(self, line: Line) -> int:
        return int(line.port.number) if line.alive else -1

    def join(self, source: Line, sink: Line) -> bool:
        self.commands += 1
        if not (source.alive and sink.alive):
            return False
        self.joined.add((repr(source.port), repr(sink.port)))
        return True

    def cut(self, source: Line, sink: Line) -> None:
        self.commands += 1
        self.joined.discard((repr(source.port), repr(sink.port)))

    def relay(self, a: Line, b: Line) -> bool:
        if self.refuses or not (a.alive and b.alive):
            return False
        self.relayed.add((repr(a.port), repr(b.port)))
        return True

    def part(self, a: Line, b: Line) -> None:
        self.relayed.discard((repr(a.port), repr(b.port)))

    def open_player(self, path: Path, *, loop: bool) -> Line:
        return self._opened(f"{path.stem}{' for ever' if loop else ''}", path)

    def position(self, player: Line) -> int:
        return int(player.port.played)

    def open_recorder(self, path: Path) -> Line:
        path.write_bytes(b"RIFF" + bytes(40))
        return self._opened(f"recorder {path.stem}", path)

    def open_tap(self, put: Callable[[bytes], None]) -> Line:
        line = self._opened("tap", Path("tap"))
        line.port.frames = put
        return line

    def open_ear(self) -> Line:
        line = self._opened("ear", Path("ear"))
        self.ears.append(line)
        return line

    def heard(self) -> tuple[bytes, bytes, int]:
        """What `says` was given for each ear that is open."""
        ears = [ear for ear in self.ears if ear.alive]
        numbers = [ear.port.number for ear in ears for _ in self.says.get(ear.port.number, [])]
        sounds = [frame for ear in ears for frame in self.says.pop(ear.port.number, [])]
        return array("i", numbers).tobytes(), b"".join(sounds), 0

    def release(self, line: Line) -> None:
        self.open.remove(line)
        self.gone(line)

    def _opened(self, name: str, path: Path) -> Line:
        if not self.ports_left:
            raise SoundError(path, "too many objects")
        self.ports_left -= 1
        line = self.leg(name)
        self.open.add(line)
        return line
