"""Phones that register (REGISTER, 401, REGISTER, 200): how many a second on one core, SIPp on another.

Every registration is a new one to the server (another Call-ID) of one of some hundred extensions, and is written to the
database behind the answer.
"""

import asyncio
import statistics
from dataclasses import dataclass, field

from tests.peers.sipp import Sipp

from .accounting import Used
from .console import headline, note
from .load import OPTIONS, repeats
from .stage import Stage
from .tandem import Tandem

EXTENSIONS = 500
PASSWORD = "bench-password"
RATES = (600.0, 800.0, 1000.0, 1200.0, 1400.0, 1600.0, 2000.0, 2400.0)
"Registrations a second that are tried, until one does not pass."
RETRANSMITTED = 0.01
"Share of registrations that may show a retransmission."
SETTINGS = """
[phones]
realm = "bench"
algorithms = ["MD5"]
probe = 0

[security]
offices = ["127.0.0.0/8"]
office_rate = 0
"""
"SIPp's digest knows MD5 only; one address of it stands for many phones."


@dataclass(slots=True)
class RegistrarRates:
    """One entry for each run."""

    rates: list[float] = field(default_factory=list)
    "The highest rate that passed."
    cpu_ms: list[float] = field(default_factory=list)
    "Processor milliseconds of a registration at that rate."


def measure(stage: Stage, *, runs: int, seconds: float) -> RegistrarRates:
    """A fresh server for each run."""
    found = RegistrarRates()
    for number in range(runs):
        headline(f"Tandem: phones register, run {number + 1} of {runs}")
        server = Tandem(stage.fresh("registrar"), prefix=stage.cores.on_server([]), more=SETTINGS)
        try:
            server.start()
            _hire(server)
            rate, cpu = asyncio.run(_climb(stage, server, seconds))
        finally:
            server.close()
        found.rates.append(rate)
        found.cpu_ms.append(cpu)
        note(f"{rate:.0f} registrations/s, {cpu:.2f} ms CPU each")
    note(f"median: {statistics.median(found.rates):.0f}/s")
    return found


def _hire(server: Tandem) -> None:
    agents = [{"extension": str(1000 + n), "name": f"desk {n}", "password": PASSWORD} for n in range(EXTENSIONS)]
    server.post("/v1/plan", {"agents": agents})


async def _climb(stage: Stage, server: Tandem, seconds: float) -> tuple[float, float]:
    """The highest rate that passes, and what one registration takes of the processor there."""
    best, cpu = 0.0, 0.0
    folder = stage.fresh("phones")
    injection = folder / "extensions.csv"
    lines = (f"{e};[authentication username={e} password={PASSWORD}];\n" for e in range(1000, 1000 + EXTENSIONS))
    injection.write_text("SEQUENTIAL\n" + "".join(lines), encoding="ascii")
    for rate in RATES:
        meter, count = stage.meter(server), int(rate * seconds)
        async with Sipp(folder, f"phones-{rate:.0f}") as phones:
            run = await phones.start_calls(
                server.inside, "load-register", count, rate=rate, messages=False, inject=injection,
                limit=int(rate * 4), within=seconds + 20, extra=OPTIONS,
            )  # fmt: skip
            await run.child.ended(seconds + 25)
            used = meter.read()
            again = repeats(run)
            passed = run.succeeded == count and again < RETRANSMITTED * count
        how = "passed" if passed else "failed"
        note(f"{rate:.0f}/s {how}: {run.succeeded} of {count}, {again} repeats, {_busy(used)}")
        if not passed:
            break
        best, cpu = rate, 1000 * used.cpu / count
    return best, cpu


def _busy(used: Used) -> str:
    return f"core {used.cpu / used.seconds:.0%} busy (others: {used.foreign:.0%})"
