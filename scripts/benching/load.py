"""One load run: a SIPp trunk calls through a server (or straight) to a SIPp agent, and we look at what it did."""

import asyncio
import csv
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.peers.sipp import Run, Sipp
from tests.peers.wire import Address

from .accounting import Meter, Used
from .tandem import CALLED, CALLER

PATIENCE = 10.0
"Seconds the calls of a run may take beyond their own time."

RETRANSMITTED = 0.01
"Share of calls that may show a retransmission in a run that passes."

OPTIONS = ("-timer_resol", "1", "-trace_counts", "-pause_msg_ign")
"""Calls are started every millisecond, not in heaps. Sippy's threads now and then send a 180 after the 200, which SIPp
would take for a mistake of the scenario."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """How a run went."""

    rate: float
    calls: int
    "Calls that were to be placed."
    succeeded: int
    failed: int
    repeats: int
    "SIP messages sent again by anybody, seen at either end: at least the number of calls that show one."
    cut: bool
    "Ended early, as it could not pass any more."
    used: Used | None

    @property
    def passed(self) -> bool:
        """No call failed, and fewer than 1 % show a retransmission."""
        return not self.failed and self.succeeded == self.calls and self.repeats < RETRANSMITTED * self.calls

    @property
    def cpu_ms(self) -> float:
        """Processor milliseconds of the server for each call."""
        return 1000 * self.used.cpu / max(1, self.succeeded) if self.used else 0.0

    def __str__(self) -> str:
        verdict = "passed" if self.passed else "cut short" if self.cut else "failed"
        text = f"{self.rate:g}/s {verdict}: {self.succeeded} of {self.calls} calls, {self.repeats} repeats"
        if self.used:
            busy = self.used.cpu / self.used.seconds
            text += f", {self.cpu_ms:.2f} ms CPU a call, core {busy:.0%} busy (others: {self.used.foreign:.0%})"
        return text


class Generator:
    """The pair of SIPp addresses that drives one server; its ports stay the same from run to run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.trunk, self.agent = Sipp(folder, "trunk"), Sipp(folder, "agent")

    def run(
        self,
        target: Address,
        numbers: Sequence[str],
        rate: float,
        *,
        hold: float = 3.0,
        meter: Callable[[], Meter] | None = None,
    ) -> Loaded:
        """Place one call for each number at so many a second; each talks `hold` seconds."""
        return asyncio.run(self._run(target, numbers, rate, hold, meter))

    async def _run(
        self,
        target: Address,
        numbers: Sequence[str],
        rate: float,
        hold: float,
        meter: Callable[[], Meter] | None,
    ) -> Loaded:
        injection = self.folder / "numbers.csv"
        lines = (f"{number};{CALLER};{CALLED}\n" for number in numbers)
        injection.write_text("SEQUENTIAL\n" + "".join(lines), encoding="ascii")
        count, limit = len(numbers), len(numbers) / rate + hold + PATIENCE
        try:
            agent = await self.agent.answers("load-agent", messages=False, extra=OPTIONS)
            watch = meter() if meter else None
            trunk = await self.trunk.start_calls(
                target,
                "load-trunk",
                count,
                rate=rate,
                hold=int(1000 * hold),
                limit=int(rate * (hold + 6)) + 50,
                messages=False,
                inject=injection,
                within=limit + 5,
                extra=OPTIONS,
            )
            cut = await _over(trunk, time.monotonic() + limit, max(1, RETRANSMITTED * count))
            used = watch.read() if watch else None
            if cut:
                await trunk.child.aclose(0.2)
            await agent.stop(1.0 if cut else 3.0)
        finally:
            await self.trunk.close()
            await self.agent.close()
        return Loaded(rate, count, trunk.succeeded, trunk.failed, repeats(trunk) + repeats(agent), cut, used)


async def _over(trunk: Run, end: float, too_many: float) -> bool:
    """Wait until all calls are over; True when it is clear before that the run cannot pass, or time is up."""
    while trunk.child.alive:
        await asyncio.sleep(0.1)
        hopeless = trunk.failed > 0 or trunk.retransmissions >= too_many
        if trunk.child.alive and (hopeless or time.monotonic() > end):
            return True
    return False


def repeats(run: Run) -> int:
    """Messages sent or received again in a run, from SIPp's counters of each message."""
    total = 0
    for path in run.folder.glob(f"*_{run.child.pid}_counts.csv"):
        # A line that SIPp was writing when it ended may be short: the one before counts then.
        for line in csv.DictReader(path.read_text().splitlines(), delimiter=";"):
            values = [value for name, value in line.items() if name and name.endswith("_Retrans") and value]
            total = max(total, sum(map(int, values)))
    return total
