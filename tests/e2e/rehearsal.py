"""A whole campaign rehearsed: contacts whose phones each do something else, agents played by SIPp, crashes on the way,
and the audit of what must be true at its end.  For the test and for scripts/dial_rehearsal."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from dialer.campaign import Campaign, CampaignState, Mode, Pacing
from dialer.command import Record
from dialer.outcome import Outcome
from tests.e2e.dialling import Campaigns, Carrier, centre, numbers
from tests.e2e.queues import log_in
from tests.peers.server import Server
from tests.peers.sipp import Sipp
from tests.peers.waiting import eventually

TALK = 150
"Milliseconds until an agent hangs up."
MIX = ((Outcome.ANSWERED, 0.5), (Outcome.BUSY, 0.25), (Outcome.NO_ANSWER, 0.17), (Outcome.INVALID_NUMBER, 0.08))
"What the phones of a campaign do."
RING = 0.5
"Seconds that the silent ones ring."


@dataclass(frozen=True, slots=True)
class Cast:
    """Whom the campaign calls, by what they do."""

    by_outcome: dict[Outcome, list[str]]
    everybody: list[str]
    "In the order of the import."

    @classmethod
    def of(cls, n: int, dice: random.Random) -> Cast:
        """`n` numbers in the mix."""
        everybody, at = numbers(n), 0
        found: dict[Outcome, list[str]] = {}
        for outcome, share in MIX:
            count = round(n * share)
            found[outcome] = everybody[at : at + count]
            at += count
        found[Outcome.ANSWERED] += everybody[at:]
        mixed = list(everybody)
        dice.shuffle(mixed)
        return cls(found, mixed)

    def teach(self, carrier: Carrier) -> None:
        """Each number does its part from now on."""
        for outcome, habit in (
            (Outcome.BUSY, carrier.busy), (Outcome.NO_ANSWER, carrier.silent), (Outcome.INVALID_NUMBER, carrier.unknown)
        ):  # fmt: skip
            carrier.habits |= dict.fromkeys(self.by_outcome[outcome], habit)


@dataclass(slots=True)
class Result:
    """What came of it."""

    campaign: Campaign
    seconds: float
    records: list[tuple[str, Record | None]]
    unknown: set[str] = field(default_factory=set)
    "Numbers whose calls a crash cut off."
    restarts: list[float] = field(default_factory=list)
    "Seconds until the server was ready again."

    @property
    def outcomes(self) -> Counter[str]:
        return Counter(str(record.outcome) for _, record in self.records if record is not None)


async def at_work(server: Server, agent: Sipp, extensions: Sequence[str]) -> None:
    """Agents behind one SIPp, each with a user of his own, whose phones answer by themselves."""
    await centre(server)
    await agent.answers("agent-answers-then-hangs-up", hold=TALK, messages=False)
    for extension in extensions:
        await server.api.add_agent(agent.uri.replace("sip:agent@", f"sip:{extension}@"), extension)
        body = {"extension": extension, "queues": {"orders": 1}, "connection": "auto-answer"}
        await server.api.request("PUT", f"/v1/agent-profiles/{extension}", body)
        await log_in(server, extension)


async def rehearse(
    server: Server,
    campaigns: Campaigns,
    carrier: Carrier,
    cast: Cast,
    extensions: Sequence[str],
    *,
    mode: Mode = Mode.PROGRESSIVE,
    kill_after: Sequence[int] = (),
    within: float = 30.0,
) -> Result:
    """Run it to its end; the server is killed with SIGKILL each time so many numbers have been called."""
    cast.teach(carrier)
    pacing = Pacing(rate=200.0, lines=60, ratio=1.5 if mode is Mode.POWER else 1.0)
    campaign = await campaigns.add(cast.everybody, mode=mode, ring_for=RING, attempts=1, pacing=pacing)
    begun, restarts = time.monotonic(), []
    await campaigns.order(campaign, "start")
    for called in kill_after:
        await enough(carrier, called, within)
        server.kill9()
        for call in carrier.peer.calls:
            call.end()  # nobody is there to hang up with
        again = time.monotonic()
        await server.restart()
        restarts.append(time.monotonic() - again)
        for extension in extensions:
            await log_in(server, extension)
    ended = await campaigns.over(campaign, within)
    result = Result(ended, time.monotonic() - begun, await campaigns.records(campaign), restarts=restarts)
    last = {number: record.outcome for number, record in result.records if record is not None}
    result.unknown = {number for number, outcome in last.items() if outcome is Outcome.UNKNOWN}
    return result


async def enough(carrier: Carrier, n: int, within: float) -> None:
    """Until so many numbers were called."""
    await eventually(lambda: len(carrier.rung) >= n, f"{n} numbers were called", within)


async def audit(campaigns: Campaigns, carrier: Carrier, cast: Cast, result: Result, agents: int) -> None:
    """Everybody was called, nobody twice, and every outcome is what the phone did; AssertionError says what is not."""
    campaign, records = result.campaign, result.records
    assert (campaign.state, campaign.reason) == (CampaignState.ENDED, "done"), campaign.reason
    rung = Counter(carrier.rung)
    # whose INVITE was about to be sent when the node died may not have been rung: that nobody knows is his outcome
    lost = set(cast.everybody) - set(rung) - result.unknown
    assert not lost, f"not called: {lost}"
    assert not set(rung) - set(cast.everybody)
    twice = {number for number, times in rung.items() if times > 1}
    faults = Counter(number for number, one in records if one is not None and one.outcome is Outcome.TRUNK_FAULT)
    assert not twice, f"called twice: {twice}"
    assert all(record is not None for _, record in records), "a command has no record"
    assert Counter(number for number, _ in records) - faults == Counter(cast.everybody)
    assert len(result.unknown) <= agents * len(result.restarts) * 2, "more are unknown than were in the air"
    last = {number: record.outcome for number, record in records if record is not None}
    fine = {Outcome.ANSWERED: {Outcome.ANSWERED, Outcome.ABANDONED}}
    for outcome, group in cast.by_outcome.items():
        wrong = {number: last[number] for number in group if last[number] not in fine.get(outcome, {outcome})}
        assert wrong.keys() <= result.unknown, wrong
    progress = await campaigns.store.progress(campaign.id, 0.0)
    assert (progress.closed, progress.open, progress.leased, progress.in_call) == (len(cast.everybody), 0, 0, 0)
    assert await campaigns.snapshots(campaign) == ["end"]
