"""Real calls of a campaign that tells people from machines: how long from the last word to the agent's voice.

A Tandem of its own, a carrier whose numbers say something recorded, agents whose phones answer by themselves.  The
recordings are new ones, of tuning's voices: they are in neither part of the set.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.table import Table

from dialer.campaign import Amd, Campaign, Pacing
from dialer.command import Record
from tests.e2e.dialling import CONFIG, Campaigns, Carrier, centre, numbers
from tests.e2e.spoken import AGENT, Desk, Line, Spoken
from tests.peers.server import Server

from . import g711, make

LIMIT = 2.0
"Seconds after which an agent is late (16 CFR 310.4(b)(4)(ii))."
AGENTS = 8
TALK = 0.3
"Seconds of talk."
MACHINES = 0.2
"Part of the calls."
PATIENCE = 30.0
"Seconds after which nothing more comes of a call."


@dataclass(frozen=True, slots=True)
class Placed:
    """One call and what came of it."""

    recording: make.Recording
    wait: float | None
    "Seconds from the end of the greeting to the agent's voice; None: no agent was heard."
    record: Record | None

    @property
    def late(self) -> bool:
        return self.wait is not None and self.wait > LIMIT

    @property
    def wrong(self) -> bool:
        return self.late or (self.wait is None) == (self.recording.label == "human")


def recordings(folder: Path, count: int) -> list[make.Recording]:
    """Greetings of people and machines in turn."""
    machines = round(count * MACHINES)
    jobs = [("calls", "human", n) for n in range(count - machines)] + [("calls", "machine", n) for n in range(machines)]
    return [make._record(folder, job) for job in jobs]


async def place(folder: Path, said: Sequence[make.Recording]) -> list[Placed]:
    """Call them all."""
    law = {**(CONFIG["law_profiles.test"] or {}), "connect_start": "greeting-end"}
    server = Server(folder / "server", {**CONFIG, "law_profiles.test": law})
    await server.start()
    try:
        await centre(server)
        called = dict(zip(numbers(len(said), 1000), said, strict=True))
        async with (
            Campaigns.open(server) as campaigns,
            Carrier.open(sound=False, quiet=True) as carrier,
            Desk.open(server, [f"{2001 + at}" for at in range(AGENTS)]),
        ):
            spoken = Spoken(carrier, {number: g711.read(folder / one.file) for number, one in called.items()})
            campaign = await campaigns.add(
                list(called), amd=Amd(enabled=True), attempts=1, pacing=Pacing(rate=20.0, lines=AGENTS)
            )
            await campaigns.order(campaign, "start")
            waits = await _served(spoken, called)
            await campaigns.over(campaign, PATIENCE)
            records = await _records(campaigns, campaign)
            spoken.close()
        return [Placed(one, waits[number], records.get(number)) for number, one in called.items()]
    finally:
        server.close_now()


async def _served(spoken: Spoken, called: dict[str, make.Recording]) -> dict[str, float | None]:
    """Whoever hears an agent hangs up a little later; how long each has waited."""

    async def one(number: str) -> float | None:
        line = await spoken.line(number, within=3600)
        heard = await _agent(line)
        if heard is not None:
            await asyncio.sleep(TALK)
            await line.hang_up()
        line.rtp.close()
        return None if heard is None else heard - (line.began + called[number].greeting_end)

    found = await asyncio.gather(*map(one, called))
    return dict(zip(called, found, strict=True))


async def _agent(line: Line) -> float | None:
    """When his voice came; None: the call ended without one."""
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE
    while not line.ring.call.ended and loop.time() < until:
        if (heard := line.heard_at(AGENT)) is not None:
            return heard
        await asyncio.sleep(0.05)
    return line.heard_at(AGENT)


async def _records(campaigns: Campaigns, campaign: Campaign) -> dict[str, Record]:
    return {number: record for number, record in await campaigns.records(campaign) if record is not None}


def table(placed: Sequence[Placed]) -> Table:
    """What it comes to."""
    people = [one for one in placed if one.recording.label == "human"]
    machines = [one for one in placed if one.recording.label != "human"]
    waits = np.array([one.wait for one in people if one.wait is not None])
    late = [one for one in people if one.late]
    counted = [one for one in people if one.record is not None and one.record.abandoned]
    unseen = [one for one in late if one.record is None or not one.record.abandoned]
    shown = Table(title="Real calls with detection on", show_header=False)
    shown.add_column("what")
    shown.add_column("figure", justify="right")
    shown.add_row("people / machines called", f"{len(people)} / {len(machines)}")
    shown.add_row("people with an agent", f"{len(waits)} of {len(people)}")
    shown.add_row("machines that took up an agent", f"{sum(o.wait is not None for o in machines)} of {len(machines)}")
    if len(waits):
        p50, p99, worst = np.quantile(waits, (0.5, 0.99, 1.0))
        shown.add_row("end of the greeting to the agent's voice, p50", f"{p50:.2f} s")
        shown.add_row("the same, p99", f"{p99:.2f} s")
        shown.add_row("the same, longest", f"{worst:.2f} s")
    shown.add_row(f"later than {LIMIT:g} s", str(len(late)))
    shown.add_row("people counted as abandoned by Tandem", str(len(counted)))
    shown.add_row(f"later than {LIMIT:g} s and not counted as abandoned", str(len(unseen)))
    return shown
