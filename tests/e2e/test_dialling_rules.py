"""Modes with several calls for each agent, and the three branches of the rule-based one, over SIPp carriers."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dialer.campaign import Amd, Campaign, Mode, Pacing
from dialer.counts import Counts
from dialer.outcome import Outcome
from tests.e2e.dialling import CARRIER, CONFIG, Campaigns, numbers
from tests.e2e.legs import shared_server
from tests.e2e.queues import state
from tests.e2e.recordings import record
from tests.e2e.sipp_carrier import agents_at_work, rung, wrong
from tests.peers.rtp import Rtp
from tests.peers.server import Server, Template
from tests.peers.sipp import Run, Sipp
from tests.peers.waiting import eventually, eventually_true

STALE = 1.5
"Seconds after which an agent on pause counts as idle."


@pytest.fixture
async def server(
    pool: list[Server], tmp_path_factory: pytest.TempPathFactory, template: Template
) -> AsyncIterator[Server]:
    folder: Path = tmp_path_factory.mktemp("rules")
    async with shared_server(pool, folder, CONFIG, template) as server:
        yield server


@pytest.fixture
async def campaigns(server: Server) -> AsyncIterator[Campaigns]:
    async with Campaigns.open(server) as found:
        yield found


@pytest.fixture
async def carrier(tmp_path: Path) -> AsyncIterator[Sipp]:
    """Where the trunk's calls go."""
    with Rtp() as sound:
        async with Sipp(tmp_path, "carrier", rtp=sound, port=CARRIER) as peer:
            yield peer
            print(peer.describe())


@pytest.mark.parametrize("mode", [Mode.POWER, Mode.RULE_BASED])
async def test_more_calls_than_agents_and_every_outcome_right(
    server: Server, campaigns: Campaigns, carrier: Sipp, agent: Sipp, mode: Mode
) -> None:
    """R3-06, R3-09, R3-10, R3-14: calls for each idle agent while the cap has room; nobody is called twice, every
    answered call has an agent or is counted as abandoned, and the share keeps the cap."""
    run = await carrier.answers("carrier-by-number")
    await agents_at_work(server, agent, ["1001", "1002", "1003"])
    everybody = [number for number in numbers(150, 100) if number[-1] in "0567"]
    campaign = await campaigns.add(
        everybody, mode=mode, ring_for=0.5, retries={}, attempts=1, pacing=Pacing(rate=100.0, lines=30, ratio=2.0)
    )
    earlier = Counts(attempts=3000, live=1000, connected=1000)
    await campaigns.store.count(campaign.id, time.time(), earlier)
    await campaigns.order(campaign, "start")
    await campaigns.over(campaign, 30.0)
    assert not wrong(await campaigns.records(campaign))
    called = rung(run)
    assert {number: len(called[number]) for number in everybody} == dict.fromkeys(everybody, 1)
    if mode is Mode.POWER:  # the other one begins with one each, until it knows how many people answer
        assert most_at_once(run) > 3, "more than one for each agent"
    cause = {Mode.POWER: "power", Mode.RULE_BASED: "rule-idle"}[mode]
    assert await server.api.counted("tandem_dial_decisions_total", campaign=campaign.id, cause=cause) > 0
    counts = (await campaigns.store.progress(campaign.id, 0.0)).counts
    assert (counts.live, counts.attempts, counts.trunk_faults) == (1015, 3060, 0)
    assert counts.connected + counts.abandoned == counts.live
    assert counts.abandoned <= 0.03 * counts.live


def most_at_once(run: Run) -> int:
    """Calls on their way to their final answer at most, as the carrier saw them."""
    open_, most, final = set[str](), 0, set[str]()
    for message in run.messages():
        if message.method == "INVITE" and not message.sent and message.call_id not in final:
            open_.add(message.call_id)
        elif message.sent and (message.status or 0) >= 200 and message.cseq[1] == "INVITE":
            open_.discard(message.call_id)
            final.add(message.call_id)
        most = max(most, len(open_))
    return most


async def test_the_three_branches(server: Server, campaigns: Campaigns, carrier: Sipp, agent: Sipp) -> None:
    """R3-14, R3-15, R3-16: nobody idle and the share over the cap: none; else who has paused for longer than the limit
    counts as idle, and not before; an agent who comes back is dialled for."""
    run = await carrier.answers("carrier-by-number")
    await agents_at_work(server, agent, ["1001"])
    listener = await server.listen()
    paused = time.time()
    await server.api.request("POST", "/v1/agents/1001/pause", {"reason": "lunch"})
    first, second = numbers(10, 200)[5], numbers(10, 210)[5]

    async def rules(number: str, **pacing: object) -> Campaign:
        return await campaigns.add(
            [number], mode=Mode.RULE_BASED, attempts=1, retries={},
            pacing=Pacing(stale_pause=STALE, literal=True, **pacing),  # type: ignore[arg-type]
        )  # fmt: skip

    campaign = await rules(first)
    await campaigns.order(campaign, "start")
    await campaigns.over(campaign)
    (invite,) = rung(run)[first]
    assert invite.time - paused > STALE, "R3-16: not before the limit"
    assert await server.api.counted("tandem_dial_decisions_total", campaign=campaign.id, cause="no-agent") > 0
    assert await server.api.counted("tandem_dial_decisions_total", campaign=campaign.id, cause="rule-paused") > 0
    assert (await campaigns.record(campaign)).outcome is Outcome.BUSY

    campaign = await rules(second)
    await campaigns.store.count(campaign.id, time.time(), Counts(attempts=300, live=100, connected=96, abandoned=4))
    await campaigns.order(campaign, "start")

    async def held_back() -> bool:
        return await reason(server, campaign) == "abandon-cap"

    await eventually_true(held_back, "R3-15: the cap holds the campaign back")
    assert second not in rung(run)
    told = await listener.expect("campaign.long-pause", extension="1001")
    assert told["data"]["resumed"] is False
    await server.api.request("POST", "/v1/agents/1001/resume")
    await campaigns.over(campaign)
    await eventually(lambda: len(rung(run)[second]) == 1, "R3-14: he is idle: the next contact is dialled")
    await state(server, "1001", "available")


async def test_people_machines_and_tones_that_were_recorded(
    server: Server, campaigns: Campaigns, carrier: Sipp, agent: Sipp
) -> None:
    """R3-09: a carrier that plays recordings: people get an agent, machines none, and a number that is nobody's is
    known by the network's tone before any answer; each counts as what it is."""
    record(carrier.folder)
    run = await carrier.answers("carrier-recordings")
    await agents_at_work(server, agent, ["1001", "1002", "1003"])
    people, machines, nobody = numbers(3, 400), numbers(3, 404), numbers(1, 409)
    campaign = await campaigns.add(
        [*people, *machines, *nobody],
        attempts=1,
        retries={},
        amd=Amd(enabled=True, parameters={"longest": 2.0}),
        ring_for=10.0,
    )
    await campaigns.order(campaign, "start")
    await campaigns.over(campaign, 40.0)
    assert await campaigns.outcomes(campaign) == {
        **dict.fromkeys(people, Outcome.ANSWERED),
        **dict.fromkeys(machines, Outcome.MACHINE),
        **dict.fromkeys(nobody, Outcome.INVALID_NUMBER),
    }
    counts = (await campaigns.store.progress(campaign.id, 0.0)).counts
    # how many of them were late is a matter of how busy this machine is
    assert (counts.live, counts.connected, counts.machines, counts.invalid) == (3, 3, 3, 1)
    await eventually(lambda: run.succeeded == 7, "every call at the carrier went as it should")


async def reason(server: Server, campaign: Campaign) -> str:
    """Why it dials as it does; empty where it does not run yet."""
    found = await server.api.http.get(f"/v1/campaigns/{campaign.id}/live")
    return str(found.json()["reason"]).partition(" ")[0] if found.is_success else ""
