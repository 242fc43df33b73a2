"""One address floods; the known trunk calls beside it as if nothing were."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benching.accounting import cpu_seconds
from benching.console import headline, note
from benching.cores import Cores
from benching.latency import arrivals, percentile
from benching.signalling import Call, Signalling
from benching.tandem import HOST

from .target import STRANGER, Target
from .verdict import Verdict

METHODS = ("INVITE", "REGISTER", "OPTIONS")
GOOD = 20.0
"Calls a second of the known trunk."
HOLD = 1.0
SUCCESS = 0.999
SLOWER = 2.0
"Set-up p95 under the flood may be so many times that of the idle machine."
LEAD = 3.0
"Seconds that a flood is longer than the calls beside it."


@dataclass(frozen=True, slots=True)
class Good:
    """How the known trunk fared."""

    calls: int
    answered: int
    p95: float
    "Milliseconds from INVITE to 200."

    @classmethod
    def of(cls, calls: list[Call]) -> "Good":
        times = [1000 * (call.answered - call.sent) for call in calls if call.answered is not None]
        return cls(len(calls), len(times), percentile(times, 95))


@contextlib.contextmanager
def flooding(target: tuple[str, int], method: str, rate: float, seconds: float) -> Iterator["subprocess.Popen[str]"]:
    """A flooder beside us; it is over by its end."""
    arguments = [STRANGER, target[0], str(target[1]), method, str(rate), str(seconds)]
    child = subprocess.Popen([sys.executable, "-m", "attacking.flooder", *arguments], stdout=subprocess.PIPE, text=True)
    try:
        yield child
        child.wait(seconds + 30)
    finally:
        child.kill()
        child.wait()


def measure(folder: Path, cores: Cores, *, rate: float, seconds: float) -> list[Verdict]:
    """`rate`: requests a second of the flood."""
    ends = Signalling()
    verdicts: list[Verdict] = []
    host, port = ends.agent.address
    try:
        with Target(folder / "flooded", prefix=cores.on_server([])) as server:
            server.start()
            server.serve_one_tenant(f"sip:agent@{host}:{port}")
            _good(ends, server, 4, seed=1)
            headline(f"the known trunk alone: {GOOD:g} calls/s")
            idle = _good(ends, server, seconds, seed=2)
            note(f"{idle.answered} of {idle.calls} calls, 200 after {idle.p95:.2f} ms (p95)")
            for number, method in enumerate(METHODS):
                verdicts += _one(ends, server, method, idle, rate, seconds, seed=10 + number)
    finally:
        ends.close()
    return verdicts


def _good(ends: Signalling, server: Target, seconds: float, seed: int) -> Good:
    count = round(GOOD * seconds)
    return Good.of(ends.place(server.address, server.numbers(count), arrivals(count, GOOD, seed), HOLD))


def _one(
    ends: Signalling, server: Target, method: str, idle: Good, rate: float, seconds: float, *, seed: int
) -> list[Verdict]:
    headline(f"{method} flood: {rate:g}/s from {STRANGER}")
    used, begin = cpu_seconds(server.pid), time.monotonic()
    with flooding((HOST, server.outside[1]), method, rate, seconds + LEAD) as child:
        time.sleep(1.0)
        found = _good(ends, server, seconds, seed)
    cpu, passed = cpu_seconds(server.pid) - used, time.monotonic() - begin
    assert child.stdout is not None
    sent = int(child.stdout.read() or 0)
    share = found.answered / max(1, found.calls)
    note(
        f"{sent} packets sent in {passed:.0f} s, {cpu:.1f} s of processor, {found.answered} of {found.calls} good calls"
    )
    name = f"{method} flood, {rate:g}/s"
    alive = server.child is not None and server.child.alive
    return [
        Verdict(
            name, "calls of the known trunk answered", f"{share:.2%}", f">= {SUCCESS:.1%}", alive and share >= SUCCESS
        ),
        Verdict(
            name, "set-up p95 beside the flood / idle", f"{found.p95:.1f} / {idle.p95:.1f} ms", f"< {SLOWER:g}x",
            found.p95 < SLOWER * idle.p95,
        ),
        Verdict(
            name, "packets that were really sent", f"{sent / (seconds + LEAD):,.0f}/s", f">= {0.8 * rate:,.0f}/s",
            sent >= 0.8 * rate * seconds,
        ),
    ]  # fmt: skip
