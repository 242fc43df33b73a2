"""What the workers do beside the calls, over carriers and agents played by SIPp: checks, events, results, orders."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from dialer.campaign import CampaignState, Pacing
from dialer.outcome import Outcome
from tests.e2e.dialling import CARRIER, CONFIG, Campaigns, numbers
from tests.e2e.legs import shared_server
from tests.e2e.sipp_carrier import agents_at_work, rung, wrong
from tests.peers.receiver import Receiver
from tests.peers.rtp import Rtp
from tests.peers.server import Server, Template
from tests.peers.sipp import Sipp
from tests.peers.waiting import eventually

AGENTS = ("1001", "1002")


@pytest.fixture
async def server(
    pool: list[Server], tmp_path_factory: pytest.TempPathFactory, template: Template
) -> AsyncIterator[Server]:
    folder: Path = tmp_path_factory.mktemp("workers")
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


async def test_checks_come_first_and_a_stalled_customer_stops_no_call(
    server: Server, campaigns: Campaigns, carrier: Sipp, agent: Sipp
) -> None:
    """R3-11, R3-12: a campaign with wrong data ends with its reasons, and a number that comes onto the list while the
    campaign runs is not called.  R3-05: who subscribes gets the events of the agents and of every call.  R3-07: orders
    over HTTP; while the customer's system does not take results, calls and records go on; later it gets every one.
    R3-08: the campaign is over with its last call."""
    run = await carrier.answers("carrier-by-number")
    await agents_at_work(server, agent, AGENTS)
    everybody = [number for number in numbers(20, 500) if number[-1] in "0145"]
    *called, listed = everybody
    listener = await server.listen()
    with Receiver() as customer:
        customer.answer = lambda got: 200 if customer.released.wait(60) else 503
        hook = {"id": "crm", "url": f"{customer.url}/results", "sends": "campaigns"}
        await server.api.request("PUT", "/v1/webhooks/crm", hook)

        refused = await campaigns.add(everybody, trunks=("none",), queue="gone")
        await campaigns.order(refused, "start")
        over = await campaigns.over(refused)
        assert over.state is CampaignState.ENDED
        for what in ("trunks", "queue"):
            assert what in over.reason
        assert (await campaigns.records(refused), rung(run)) == ([], {})

        campaign = await campaigns.add(
            everybody, results_to="crm", ring_for=30.0, attempts=1, retries={}, pacing=Pacing(rate=3.0)
        )
        path = f"/v1/campaigns/{campaign.id}"
        await server.api.request("POST", f"{path}/start")
        await listener.expect("dial.started", where=lambda event: event["data"]["campaign"] == campaign.id)
        await server.api.request("POST", f"{path}/pause")
        await listener.expect("campaign.state", campaign=campaign.id, state="paused")
        await server.api.request("POST", "/v1/do-not-call/own/numbers", {"numbers": [listed]}, tenant="acme")
        await server.api.request("POST", f"{path}/resume")
        assert (await campaigns.over(campaign, 30.0)).reason == "done"
        records = await campaigns.records(campaign)
        assert not wrong(records)
        assert sorted(number for number, _ in records) == called
        assert {number: len(found) for number, found in rung(run).items()} == dict.fromkeys(called, 1)
        assert [got for got in customer.taken if got.path == "/results"] == [], "it has not answered yet"
        customer.released.set()
        commands = sorted(record.command for _, record in records if record is not None)

        def told(type_: str) -> list[dict[str, Any]]:
            return [got.json["data"] for got in customer.taken if got.json["type"] == type_]

        await eventually(lambda: told("campaign.ended"), "the end is told")
        await eventually(lambda: sorted(one["command"] for one in told("dial.result")) == commands, "and every result")
    answered = {number for number, record in records if record is not None and record.outcome is Outcome.ANSWERED}
    assert answered == {number for number in called if number[-1] != "5"}
    ended = await listener.expect("campaign.ended", campaign=campaign.id)
    results = [event for event in listener.events if event["type"] == "dial.result"]
    assert sorted(event["data"]["command"] for event in results) == commands
    assert max(event["number"] for event in results) < ended["number"], "over with the last result, not before"
    talked = {event["data"]["agent"] for event in results if event["data"]["agent"]}
    assert talked <= set(AGENTS)
    assert talked <= {event["data"]["extension"] for event in listener.of_type("agent.state")}


async def test_an_answer_that_no_agent_takes_hears_the_message_and_opts_out(
    server: Server, campaigns: Campaigns, carrier: Sipp, agent: Sipp
) -> None:
    """R3-15, R3-09, R3-12: the agent's phone rings on, so within the limit nobody is there: the called hears who
    called, presses the key and is let go; it is an abandoned call in the record and in the counts, and he is on the
    list: another campaign leaves him alone."""
    run = await carrier.answers("carrier-opts-out")
    await agents_at_work(server, agent, ["1001"])
    await agent.close()
    silent = await agent.answers("agent-never-answers")
    listener = await server.listen()
    (number,) = numbers(1, 530)
    campaign, again = await campaigns.add([number], attempts=1, retries={}), await campaigns.add([number])
    await campaigns.order(campaign, "start")
    await listener.expect("dial.abandoned", number=number)
    await campaigns.over(campaign)
    record = await campaigns.record(campaign)
    assert (record.outcome, record.abandoned, record.opted_out, record.live, record.connected_at) == (
        Outcome.ABANDONED, True, True, True, None,
    )  # fmt: skip
    counts = (await campaigns.store.progress(campaign.id, 0.0)).counts
    assert (counts.live, counts.connected, counts.abandoned) == (1, 0, 1)
    await eventually(lambda: silent.received("CANCEL"), "the agent's phone is let go")
    await eventually(lambda: run.succeeded == 1, "ACK and BYE came to the carrier")
    await campaigns.order(again, "start")
    await campaigns.over(again)
    assert await campaigns.records(again) == []
    assert len(rung(run)[number]) == 1
