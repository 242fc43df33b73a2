"""Whole campaigns over carriers and agents played by SIPp: every outcome is what the number's phone did."""

import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from b2bua.storage.tables import calls
from dialer.campaign import CampaignState, Mode, Pacing
from dialer.command import Record
from dialer.outcome import Outcome
from dialer.retry_rule import RetryRule
from tests.e2e.conftest import StartServer
from tests.e2e.crashing import every_call_ended_once, history_of
from tests.e2e.dialling import Campaigns, numbers
from tests.e2e.sipp_carrier import agents_at_work, config, number_of, rung, wrong
from tests.peers.rtp import Rtp
from tests.peers.sipp import Sipp
from tests.peers.waiting import eventually_true

AGENTS = [f"10{at:02}" for at in range(1, 11)]
AGAIN = 1.0
"Seconds until a busy number is called once more."


@pytest.fixture
async def carriers(tmp_path: Path) -> AsyncIterator[tuple[Sipp, Sipp]]:
    """The first one has a fault with some numbers, the second answers everything."""
    with Rtp() as sound:
        async with Sipp(tmp_path, "carrier", rtp=sound) as first, Sipp(tmp_path, "south", rtp=sound) as second:
            yield first, second
            print(first.describe())


@pytest.mark.timeout(240)
async def test_a_thousand_contacts_and_ten_agents(
    start_server: StartServer, carriers: tuple[Sipp, Sipp], agent: Sipp
) -> None:
    """R3-03, R3-04, R3-06, R3-08..10, R3-13: each contact is called as often as its outcome asks and never twice
    beside; each command has one INVITE per trunk tried, one call record and one final record under its own id; the
    abandoned share keeps the cap."""
    server = await start_server(config(*carriers))
    first, second = carriers
    by_number, answering = await first.answers("carrier-by-number"), await second.answers("agent-answers", hold=20)
    await agents_at_work(server, agent, AGENTS)
    everybody = numbers(1000)
    async with Campaigns.open(server) as campaigns:
        campaign = await campaigns.add(
            everybody,
            mode=Mode.PREDICTIVE,
            trunks=("carrier", "south"),
            ring_for=0.5,
            attempts=2,
            retries={Outcome.BUSY: RetryRule(AGAIN, 1)},
            pacing=Pacing(rate=200.0, lines=60),
        )
        await campaigns.order(campaign, "start")
        over = await campaigns.over(campaign, 180.0)
        assert (over.state, over.reason) == (CampaignState.ENDED, "done")
        records = await campaigns.records(campaign)
        progress = await campaigns.store.progress(campaign.id, 0.0)
        assert await campaigns.snapshots(campaign) == ["end"]
        details = await eventually_true(lambda: call_records(campaigns, 1100), "each call has its record")
    assert not wrong(records)
    by_contact: dict[str, list[Record]] = defaultdict(list)
    for number, record in records:
        assert record is not None
        by_contact[number].append(record)
    assert {number: len(by_contact[number]) for number in everybody} == {
        number: 2 if number.endswith("5") else 1 for number in everybody
    }, "a busy number is called twice, every other one once"
    for number in everybody:
        if number.endswith("5"):
            before, again = by_contact[number]
            assert again.ringing_at is None
            assert again.ended_at - before.ended_at >= AGAIN
    assert {by_contact[number][0].trunk for number in everybody if number.endswith("9")} == {"south"}
    assert (progress.closed, progress.open, progress.leased, progress.in_call) == (1000, 0, 0, 0)
    counts = progress.counts
    assert (counts.attempts, counts.live, counts.trunk_faults) == (1100, 600, 0)
    assert counts.abandoned <= 0.03 * counts.live
    # what went over the wire
    at_first, at_second = rung(by_number), rung(answering)
    assert {number: len(at_first[number]) for number in everybody} == {
        number: len(found) for number, found in by_contact.items()
    }
    assert {number: len(found) for number, found in at_second.items()} == {
        number: 1 for number in everybody if number.endswith("9")
    }
    ids = {record.command: number for number, found in by_contact.items() for record in found}
    for invites in (*at_first.values(), *at_second.values()):
        for invite in invites:
            assert ids[invite.get("X-Tandem-Command-ID")] == number_of(invite)
    # and what is told of it
    events = await history_of(server)
    every_call_ended_once(events)
    for kind in ("dial.started", "dial.result"):
        told = Counter(event["data"]["command"] for event in events if event["type"] == kind)
        assert told == Counter(ids.keys()), kind
    assert Counter(detail["command"] for detail in details) == Counter(ids.keys()), "one call record for each command"


async def call_records(campaigns: Campaigns, n: int) -> list[dict[str, object]]:
    """What the call records say about their commands, once there are so many."""
    rows = await campaigns.storage.read(lambda conn: list(conn.execute(sa.select(calls.c.detail))))
    return [json.loads(row[0]) for row in rows] if len(rows) >= n else []
