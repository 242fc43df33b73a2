"""A whole campaign with agents played by SIPp, across one kill -9: every outcome right, nobody called twice."""

import asyncio
import random
from collections import Counter

import pytest

from dialer.outcome import Outcome
from tests.e2e.conftest import StartServer
from tests.e2e.crashing import every_call_ended_once, history_of
from tests.e2e.dialling import CONFIG, LAW, Campaigns, Carrier, centre, numbers
from tests.e2e.queues import log_in, staff
from tests.e2e.rehearsal import Cast, at_work, audit, rehearse
from tests.peers.server import Server
from tests.peers.sipp import Sipp
from tests.peers.uas import Phone

AGENTS = [f"10{at:02}" for at in range(1, 6)]
PATIENT = {**CONFIG, "law_profiles.test": {**LAW, "connect_limit": 60.0}}
"Nobody is abandoned because this machine stands still for two seconds."


@pytest.fixture
async def server(start_server: StartServer) -> Server:
    return await start_server(PATIENT)


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


async def test_an_orderly_stop_leaves_a_record_of_every_call(server: Server, phone: Phone) -> None:
    """R3-09, R3-13: SIGTERM in the middle: who talked has been answered, who rang was taken back; the rest is called
    after the next start."""
    await centre(server)
    talking, ringing, later = numbers(3)
    async with (
        await Phone.open("1002") as other,
        Carrier.open() as carrier,
        Campaigns.open(server) as campaigns,
    ):
        await staff(server, phone, "1001", connection="auto-answer")
        await staff(server, other, "1002", connection="auto-answer")
        carrier.habits = {ringing: carrier.silent, later: carrier.busy}
        listener = await server.listen()
        campaign = await campaigns.add([talking, ringing, later], ring_for=60.0, attempts=1)
        await campaigns.order(campaign, "start")
        answering = {asyncio.create_task(one.answers()) for one in (phone, other)}
        await listener.expect("dial.connected", number=talking)
        await listener.expect("call.ringing", trunk="carrier", where=lambda event: event["data"]["extension"] is None)
        assert await server.stop() == 0
        await carrier.peer.expect("BYE")
        await carrier.peer.expect("CANCEL")
        for task in answering:
            task.cancel()
        assert await campaigns.outcomes(campaign) == {talking: Outcome.ANSWERED, ringing: Outcome.CANCELLED}
        assert await campaigns.store.unfinished("test") == []
        await server.start()
        for extension in ("1001", "1002"):
            await log_in(server, extension)
        assert (await campaigns.over(campaign)).reason == "done"
        assert (await campaigns.outcomes(campaign))[later] is Outcome.BUSY
        assert carrier.rung == [talking, ringing, later]
