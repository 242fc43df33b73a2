"""The RTP side of the generator: compiles rtp_load.c once, runs it, speaks with it."""

import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

from tests.peers.ports import PORTS
from tests.peers.wire import Address

from .signalling import Sound
from .tandem import HOST

SOURCE = Path(__file__).with_name("rtp_load.c")
RECORD = SOURCE.with_name("rtp_record.h")
SOCKETS = 8
"For each side; calls share them, and are told apart by what is in their packets."
NEIGHBOURS = 20
"Calls in a row that share a socket: one for each millisecond between two packets."
LATE_MS = 100.0
"A generator that sends so much later than it should does not send 50 packets a second."


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of all streams since the report before."""

    streams: int
    unheard: int
    "Streams of which nothing has arrived."
    sent: int
    expected: int
    "Packets between the first and the last heard of each stream."
    heard: int
    twice: int
    unreadable: int
    "Packets with no record of ours: silence, comfort noise, sound made up for a lost packet."
    crossed: int
    "Packets heard on their own side: calls that are mixed up."
    dropped_here: int
    "Packets the generator was too slow to read: the measurement is void."
    unsent: int
    late_ms: float
    "The longest the generator was kept from sending."
    busy: float
    "Share (0 to 1) of the time in which it did not rest."
    timed: int
    "Packets that told their delay."
    p50_ms: float
    p99_ms: float
    "From sending to the arrival in the kernel."

    @property
    def loss(self) -> float:
        """Share (0 to 1) of packets that did not arrive; 1 while a stream is not heard at all."""
        if self.unheard or not self.expected:
            return 1.0
        return max(0, self.expected - self.heard) / self.expected

    @property
    def void(self) -> bool:
        """Whether the generator itself was too slow, so that nothing is proved."""
        return bool(self.dropped_here or self.unsent) or self.late_ms > LATE_MS


class Rtp:
    """The running generator."""

    def __init__(self) -> None:
        self.port = PORTS.take(4 * SOCKETS, even=True)
        self.process = subprocess.Popen(
            [str(_program()), HOST, str(self.port), str(SOCKETS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._line() == "ready"

    def address(self, trunk: bool, number: int) -> Address:
        """Where a leg's packets are received."""
        return HOST, self.port + 2 * (number // NEIGHBOURS % SOCKETS) + (0 if trunk else 2 * SOCKETS)

    def add(self, sound: Sound) -> None:
        """Begin to send a leg's stream, or go on elsewhere."""
        host, port = sound.remote
        self._say(f"add {_stream(sound.trunk, sound.number)} {host} {port}")

    def remove(self, trunk: bool, number: int) -> None:
        """Send a leg's stream no more, and forget it."""
        self._say(f"remove {_stream(trunk, number)}")

    def timed(self, sockets: int) -> None:
        """How many sockets' streams tell their delay from now on: each packet of them costs more than others."""
        self._say(f"timed {sockets}")

    def pause(self) -> None:
        """All streams are silent."""
        self._say("pause")

    def resume(self) -> None:
        """All streams go on."""
        self._say("resume")

    def report(self) -> Heard:
        """What happened since the report before."""
        self._say("report")
        said = json.loads(self._line())
        return Heard(**{field.name: said[field.name] for field in fields(Heard)})

    def _say(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def close(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(5)
        self.process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _stream(trunk: bool, number: int) -> int:
    return 2 * number + (0 if trunk else 1)


def _program() -> Path:
    """The compiled generator in the user's cache folder, named by its source."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tandem"
    program = cache / f"rtp_load-{hashlib.sha256(SOURCE.read_bytes() + RECORD.read_bytes()).hexdigest()[:12]}"
    if not program.exists():
        compiler = shutil.which("cc") or shutil.which("gcc")
        assert compiler, "a C compiler is missing: package build-essential"
        cache.mkdir(parents=True, exist_ok=True)
        made = program.with_suffix(f".{os.getpid()}")
        subprocess.run([compiler, "-O2", "-o", str(made), str(SOURCE)], check=True)
        made.replace(program)
    return program
