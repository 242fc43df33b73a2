"""Contacts of a file, imported and dialled: rows a second, INVITEs a second at a SIPp carrier, processor time of each.

Tandem has one core, SIPp the other; the import that is timed has both.  A broadcast campaign without a prompt to speak
of dials as fast as it may: everything from the contact's row to the INVITE and back to the record is done for each, the
law's last check and the command on disk included.
"""

import array
import asyncio
import csv
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from media import wav
from tests.peers.sipp import Run, Sipp

from .accounting import Used
from .console import headline, note
from .stage import Stage
from .tandem import Tandem

SHARES = {"unanswered": "3456789", "answered": "0123456789"}
"Last digits of the numbers dialled: nobody answers, or three of ten do."
WARM_UP = 4.0
"Seconds before anything counts."
RATE = 1000.0
"What the campaign may do at most: more than it can."
LINES = 3000
TALK = 1000
"Milliseconds until an answered call is hung up by the called."
ROWS = 100_000
"Of the measured import."
LAW = 'hours = ["daily 00:00-24:00"]\nwindows = ["campaign"]\nring_least = 0.5\n'
CONFIGURATION = f"""
[trunks.dialled]
listener = "outside"
addresses = ["192.0.2.1/32"]
target = "{{target}}"
command_header = true

[law_profiles.bench]
{LAW}"""


@dataclass(slots=True)
class DiallingRates:
    """One entry for each run, by who answers: `unanswered`, `answered`."""

    rates: dict[str, list[float]] = field(default_factory=dict)
    "INVITEs a second at the carrier, mean of the measured seconds."
    least: dict[str, list[float]] = field(default_factory=dict)
    "The slowest second."
    cpu_ms: dict[str, list[float]] = field(default_factory=dict)
    "Processor milliseconds of the server for each attempt."
    imported: list[float] = field(default_factory=list)
    "Seconds of the import of ROWS rows."


def measure(
    stage: Stage, *, runs: int, seconds: float, kinds: Sequence[str] = tuple(SHARES), rows: int = ROWS
) -> DiallingRates:
    """A fresh server for each run and kind of number (of SHARES)."""
    found = DiallingRates()
    for number in range(runs):
        headline(f"Tandem: dialling, run {number + 1} of {runs}")
        for kind in kinds:
            digits = SHARES[kind]
            rate, least, cpu = asyncio.run(_run(stage, digits, seconds, rows))
            found.rates.setdefault(kind, []).append(rate)
            found.least.setdefault(kind, []).append(least)
            found.cpu_ms.setdefault(kind, []).append(cpu)
            note(f"{kind}: {rate:.0f} attempts/s (slowest second {least:.0f}), {cpu:.2f} ms CPU an attempt")
        found.imported.append(_import(stage, rows))
    return found


def _import(stage: Stage, rows: int) -> float:
    """Seconds of an import on an idle server that has both cores."""
    folder, cores = stage.fresh("import"), f"{stage.cores.server},{stage.cores.generator}"
    server = Tandem(folder, prefix=["taskset", "-c", cores], more=CONFIGURATION.format(target="192.0.2.1:5060"))
    try:
        server.start()
        return _fill(server, folder, SHARES["answered"], rows)
    finally:
        server.close()


async def _run(stage: Stage, digits: str, seconds: float, rows: int) -> tuple[float, float, float]:
    folder = stage.fresh("dialling")
    async with Sipp(folder, "carrier") as carrier:
        target = f"{carrier.host}:{carrier.port}"
        server = Tandem(
            folder, prefix=stage.cores.on_server([]), max_calls=LINES + 800, more=CONFIGURATION.format(target=target)
        )
        try:
            server.start()
            _fill(server, folder, digits, rows)
            run = await carrier.answers("load-carrier", messages=False, hold=TALK, extra=("-timer_resol", "5"))
            server.post("/v1/campaigns/bench/start", {})
            await asyncio.sleep(WARM_UP)
            meter, began = stage.meter(server), time.time()
            await asyncio.sleep(seconds)
            used, ended = meter.read(), time.time()
            server.post("/v1/campaigns/bench/stop", {})
            await asyncio.sleep(1.0)  # SIPp writes its counters once a second
            _check(server, run.failed, used)
        finally:
            server.close()
    each = rates_between(run, began, ended)
    mean = statistics.mean(each)
    return mean, min(each), 1000 * used.cpu / (mean * used.seconds)


def rates_between(run: Run, began: float, ended: float) -> list[float]:
    """Calls a second that came to SIPp in each of its periods between two times (epoch seconds)."""
    lines = csv.DictReader((run.folder / f"{run.name}.csv").read_text().splitlines(), delimiter=";")
    timed = ((float(line["CurrentTime"].split()[-1]), float(line["CallRate(P)"])) for line in lines)
    return [rate for at, rate in timed if began + 1.0 < at <= ended]


def _check(server: Tandem, failed: int, used: Used) -> None:
    note(f"core {used.cpu / used.seconds:.0%} busy (others: {used.foreign:.0%}), {failed} calls failed at the carrier")
    live = server.get("/v1/campaigns/bench/progress")
    note(f"counted: { ({name: count for name, count in live['counts'].items() if count}) }")


def _fill(server: Tandem, folder: Path, digits: str, rows: int) -> float:
    """A campaign and its contacts; seconds of the import."""
    server.add_tenant()
    sounds = folder / "data" / "sounds"
    sounds.mkdir(parents=True, exist_ok=True)
    wav.write(sounds / "prompt.wav", array.array("h", bytes(3200)), 8000)
    server.put(
        "/v1/campaigns/bench",
        {
            "id": "bench", "tenant": server.tenant, "mode": "broadcast", "trunks": ["dialled"],
            "caller_id": "+442079460999", "callback_number": "+442079460998", "seller": "Gas and Light",
            "prompt": "prompt.wav", "profile": "bench", "region": "GB", "redial_gap": 0, "attempts": 1,
            "retries": {}, "pacing": {"rate": RATE, "lines": LINES},
        },
    )  # fmt: skip
    return import_rows(server, "bench", _numbers(digits, rows), folder / "contacts.csv")


def _numbers(digits: str, rows: int) -> list[str]:
    """British mobile numbers (all of +447400 are valid) that end in one of these digits, in no order."""
    pick = random.Random(4)
    found = [f"+447400{at:05}{pick.choice(digits)}" for at in range(rows)]
    pick.shuffle(found)
    return found


def import_rows(server: Tandem, campaign: str, numbers: Sequence[str], file: Path) -> float:
    """One batch of a file; seconds from the upload's begin until it can be dialled."""
    lines = (f"{number},person {at},A-{at},{at % 7}\n" for at, number in enumerate(numbers))
    file.write_text("number,name,order,tariff\n" + "".join(lines))
    began = time.monotonic()
    server.put_file(f"/v1/campaigns/{campaign}/batches/leads", file, "text/csv")
    while (batch := server.get(f"/v1/campaigns/{campaign}/batches/leads"))["state"] == "loading":
        time.sleep(0.1)
    seconds = time.monotonic() - began
    assert batch["contacts"] == len(numbers), batch
    note(f"{len(numbers)} rows imported in {seconds:.1f} s")
    return seconds
