"""Ten times more good calls than can be served: what is served must stay what can be served."""

import time
from dataclasses import dataclass
from pathlib import Path

from benching.console import headline, note
from benching.cores import Cores
from benching.latency import arrivals
from benching.signalling import Call, Signalling

from .target import Target
from .verdict import Verdict

FACTOR = 10
GOODPUT = 0.9
HOLD = 0.5
BASE = 40
"Calls that are up before the overload, and must be up behind it."
RECOVERED = 5.0
"Seconds behind the overload from which every call must be served again."


@dataclass(frozen=True, slots=True)
class Served:
    """What became of the calls of some seconds."""

    offered: int
    answered: int
    refused: dict[int, int]
    seconds: float

    @property
    def goodput(self) -> float:
        """Calls a second that were answered."""
        return self.answered / self.seconds

    @classmethod
    def of(cls, calls: list[Call], seconds: float) -> "Served":
        refused: dict[int, int] = {}
        for call in calls:
            if call.refused:
                refused[call.refused] = refused.get(call.refused, 0) + 1
        return cls(len(calls), sum(call.answered is not None for call in calls), refused, seconds)

    def __str__(self) -> str:
        codes = ", ".join(f"{count} x {code}" for code, count in sorted(self.refused.items()))
        lost = self.offered - self.answered - sum(self.refused.values())
        served = f"{self.answered} of {self.offered} answered ({self.goodput:.0f}/s)"
        return f"{served}, refused: {codes or 'none'}, lost: {lost}"


def measure(folder: Path, cores: Cores, *, nominal: float, seconds: float) -> list[Verdict]:
    """`nominal`: calls a second that the server serves without trouble."""
    ends = Signalling()
    host, port = ends.agent.address
    try:
        with Target(folder / "overloaded", prefix=cores.on_server([])) as server:
            server.start()
            server.serve_one_tenant(f"sip:agent@{host}:{port}")
            headline(f"nominal: {nominal:g} good calls a second")
            usual = _calls(ends, server, nominal, seconds, seed=1)
            note(str(usual))
            standing = ends.place(server.address, server.numbers(BASE), arrivals(BASE, 20, 2), hold=None)
            headline(f"overload: {FACTOR * nominal:g} good calls a second")
            over = _calls(ends, server, FACTOR * nominal, seconds, seed=3)
            note(str(over))
            time.sleep(RECOVERED)
            after = _calls(ends, server, nominal / 2, seconds, seed=4)
            headline(f"behind it: {nominal / 2:g} good calls a second")
            note(str(after))
            ends.hang_up(server.address)
            kept = sum(call.over is not None for call in standing)
    finally:
        ends.close()
    name = f"{FACTOR}x overload by good callers"
    return [
        Verdict(name, "answered, of what is answered at nominal", f"{over.goodput / max(1.0, usual.goodput):.0%}",
                f">= {GOODPUT:.0%}", over.goodput >= GOODPUT * usual.goodput),
        Verdict(name, "refusals that are 503", f"{over.refused.get(503, 0)} of {sum(over.refused.values())}", "all",
                set(over.refused) <= {503}),
        Verdict(name, "calls that were up before and end as they should", f"{kept} of {BASE}", "all", kept == BASE),
        Verdict(name, f"answered {RECOVERED:g} s behind it", f"{after.answered} of {after.offered}", "all",
                after.answered == after.offered),
    ]  # fmt: skip


def _calls(ends: Signalling, server: Target, rate: float, seconds: float, *, seed: int) -> Served:
    count = round(rate * seconds)
    return Served.of(ends.place(server.address, server.numbers(count), arrivals(count, rate, seed), HOLD), seconds)
