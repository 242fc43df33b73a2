"""How long an event takes from the call to a listener: alone, and beside listeners that take nothing."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from .calls import HOLD, warm_up
from .console import headline, note
from .latency import percentile
from .stage import Stage
from .tandem import HOST, Tandem

DEAF = 10
"Listeners that take nothing, in the second half of a run."
SMALL = 2048
"Bytes of their receive buffers, so that they are full soon."


@dataclass(slots=True)
class EventTimes:
    """Milliseconds from an event's own time to its arrival, one entry for each run; the wall clock at both ends."""

    rate: float = 0.0
    "Calls a second, nine events each."
    alone_p50: list[float] = field(default_factory=list)
    alone_p99: list[float] = field(default_factory=list)
    beside_p50: list[float] = field(default_factory=list)
    beside_p99: list[float] = field(default_factory=list)
    "With DEAF listeners that take nothing."
    events: int = 0


def measure(stage: Stage, *, runs: int, rate: float, seconds: float) -> EventTimes:
    """Load a fresh server twice for each run."""
    found = EventTimes(rate)
    for number in range(runs):
        headline(f"Tandem: events at {rate:g} calls/s, run {number + 1} of {runs}")
        for deaf, p50, p99 in ((0, found.alone_p50, found.alone_p99), (DEAF, found.beside_p50, found.beside_p99)):
            taken = _half(stage, deaf, rate, seconds)
            p50.append(percentile(taken, 50))
            p99.append(percentile(taken, 99))
            found.events += len(taken)
            note(f"{deaf} deaf listeners: {p50[-1]:.2f} ms (p99 {p99[-1]:.2f}) of {len(taken)} events")
    return found


def _half(stage: Stage, deaf: int, rate: float, seconds: float) -> list[float]:
    with stage.server("tandem") as server, contextlib.ExitStack() as stack:
        assert isinstance(server, Tandem)
        warm_up(stage, server)
        for _ in range(deaf):
            one = stack.enter_context(socket.socket())
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
            one.connect((HOST, server.events_port))
            one.sendall(b'{"after": 0}\n')
        with _listening(server.events_port) as taken:
            stage.generator.run(server.address, server.numbers(round(rate * seconds)), rate, hold=HOLD)
        return taken


@contextlib.contextmanager
def _listening(port: int) -> Iterator[list[float]]:
    """The delays of the events that come meanwhile, ms; complete at the end."""
    taken: list[float] = []
    with socket.create_connection((HOST, port)) as connection:
        connection.sendall(b"{}\n")
        thread = threading.Thread(target=_read, args=(connection, taken))
        thread.start()
        try:
            yield taken
        finally:
            connection.shutdown(socket.SHUT_RDWR)
            thread.join()


def _read(connection: socket.socket, taken: list[float]) -> None:
    rest = b""
    while piece := connection.recv(1 << 16):
        now = time.time()
        *lines, rest = (rest + piece).split(b"\n")
        taken += [1000 * (now - json.loads(line)["time"]) for line in lines]
