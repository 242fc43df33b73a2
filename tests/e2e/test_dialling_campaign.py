"""A whole campaign with agents played by SIPp, across one kill -9: every outcome right, nobody called twice."""

from collections import Counter

import pytest

from b2bua.storage.dial_store import DialStore
from dialer.campaign import CampaignState
from dialer.outcome import Outcome
from tests.e2e.conftest import StartServer
from tests.e2e.crashing import every_call_ended_once, history_of
from tests.e2e.dialling import CONFIG, Campaigns, Carrier, centre, numbers
from tests.e2e.queues import log_in
from tests.peers.server import Server
from tests.peers.sipp import Sipp
from tests.peers.waiting import eventually

AGENTS = [f"10{at:02}" for at in range(1, 6)]
TALK = 150
"Milliseconds until an agent hangs up."


@pytest.fixture
async def server(start_server: StartServer) -> Server:
    return await start_server(CONFIG)


async def at_work(server: Server, agent: Sipp) -> None:
    """Five agents behind one SIPp, each with a user of his own."""
    await centre(server)
    await agent.answers("agent-answers-then-hangs-up", hold=TALK)
    for extension in AGENTS:
        contact = agent.uri.replace("sip:agent@", f"sip:{extension}@")
        await server.api.add_agent(contact, extension)
        body = {"extension": extension, "queues": {"orders": 1}, "connection": "auto-answer"}
        await server.api.request("PUT", f"/v1/agent-profiles/{extension}", body)
        await log_in(server, extension)


async def test_sixty_contacts_and_five_agents_across_a_crash(server: Server, agent: Sipp) -> None:
    """R3-05..09, R3-13: every number is rung once, its outcome is what its phone did; only what was in the air when
    the node died is unknown; no contact is lost."""
    people, busy, silent, dead = numbers(30), numbers(15, 30), numbers(10, 45), numbers(5, 55)
    everybody = [who for row in zip(people, [*busy, *silent, *dead], strict=True) for who in row]
    await at_work(server, agent)
    async with Carrier.open() as carrier, Campaigns.open(server) as campaigns:
        carrier.habits = {
            **dict.fromkeys(busy, carrier.busy),
            **dict.fromkeys(silent, carrier.silent),
            **dict.fromkeys(dead, carrier.unknown),
        }
        campaign = await campaigns.add(everybody, ring_for=0.5, attempts=1)
        await campaigns.order(campaign, "start")
        await eventually(lambda: len(carrier.rung) >= 20, "twenty numbers were called")
        server.kill9()
        for call in carrier.peer.calls:
            call.end()  # nobody is there to hang up with
        await server.restart()
        for extension in AGENTS:
            await log_in(server, extension)
        ended = await campaigns.over(campaign, within=30)
        assert (ended.state, ended.reason) == (CampaignState.ENDED, "done")
        assert Counter(carrier.rung).most_common(1)[0][1] == 1, "somebody was called twice"
        assert set(carrier.rung) == set(everybody)
        records = await campaigns.records(campaign)
        last = {number: record.outcome for number, record in records if record is not None}
        assert len(records) - len(everybody) == sum(
            record is not None and record.outcome is Outcome.TRUNK_FAULT for _, record in records
        ), "only commands that were never sent are made anew"
        unknown = {number for number, outcome in last.items() if outcome is Outcome.UNKNOWN}
        assert len(unknown) <= len(AGENTS)
        for wanted, group in (
            (Outcome.ANSWERED, people), (Outcome.BUSY, busy), (Outcome.NO_ANSWER, silent),
            (Outcome.INVALID_NUMBER, dead),
        ):  # fmt: skip
            assert {last[number] for number in group if number not in unknown} == {wanted}
        answered = [record for _, record in records if record is not None and record.outcome is Outcome.ANSWERED]
        assert not [record for record in answered if record.late or record.agent not in AGENTS]
        progress = await DialStore(campaigns.storage).progress(campaign.id, 0.0)
        assert (progress.closed, progress.open, progress.in_call, progress.counts.abandoned) == (60, 0, 0, 0)
        assert await campaigns.snapshots(campaign) == ["end"]
    events = await history_of(server)
    every_call_ended_once(events)
    told = Counter(event["data"]["command"] for event in events if event["type"] == "dial.result")
    assert set(told.values()) == {1}
    assert await server.api.metric("tandem_dial_results_total", outcome="answered") > 0
