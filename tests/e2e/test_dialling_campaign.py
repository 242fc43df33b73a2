"""A whole campaign with agents played by SIPp, across one kill -9: every outcome right, nobody called twice."""

import random
from collections import Counter

import pytest

from dialer.outcome import Outcome
from tests.e2e.conftest import StartServer
from tests.e2e.crashing import every_call_ended_once, history_of
from tests.e2e.dialling import CONFIG, Campaigns, Carrier
from tests.e2e.rehearsal import Cast, at_work, audit, rehearse
from tests.peers.server import Server
from tests.peers.sipp import Sipp

AGENTS = [f"10{at:02}" for at in range(1, 6)]


@pytest.fixture
async def server(start_server: StartServer) -> Server:
    return await start_server(CONFIG)


async def test_sixty_contacts_and_five_agents_across_a_crash(server: Server, agent: Sipp) -> None:
    """R3-05..09, R3-13: every number is rung once, its outcome is what its phone did; only what was in the air when
    the node died is unknown; no contact is lost."""
    cast = Cast.of(60, random.Random(7))
    await at_work(server, agent, AGENTS)
    async with Carrier.open() as carrier, Campaigns.open(server) as campaigns:
        result = await rehearse(server, campaigns, carrier, cast, AGENTS, kill_after=[20])
        await audit(campaigns, carrier, cast, result, len(AGENTS))
        answered = [one for _, one in result.records if one is not None and one.outcome is Outcome.ANSWERED]
        assert not [one for one in answered if one.late or one.agent not in AGENTS]
        assert result.outcomes[Outcome.ABANDONED] == 0, "progressive keeps an agent for each call"
        counts = (await campaigns.store.progress(result.campaign.id, 0.0)).counts
        assert (counts.live, counts.connected, counts.abandoned) == (len(answered), len(answered), 0)
        assert counts.attempts == 60
    events = await history_of(server)
    every_call_ended_once(events)
    told = Counter(event["data"]["command"] for event in events if event["type"] == "dial.result")
    assert set(told.values()) == {1}
    assert await server.api.metric("tandem_dial_results_total", outcome="answered") > 0
