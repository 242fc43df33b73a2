"""Dialled calls: from a contact to an agent, and everything that can become of one, with real carriers and phones."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dialer.campaign import CampaignState, Mode
from dialer.outcome import Outcome
from tests.e2e.dialling import CALLER_ID, CONFIG, Campaigns, Carrier, centre, numbers
from tests.e2e.legs import shared_server
from tests.e2e.queues import staff, state
from tests.peers.exchange import Received
from tests.peers.message import user_of
from tests.peers.server import Server, Template
from tests.peers.uas import Phone


@pytest.fixture
async def server(
    pool: list[Server], tmp_path_factory: pytest.TempPathFactory, template: Template
) -> AsyncIterator[Server]:
    folder: Path = tmp_path_factory.mktemp("dialling")
    async with shared_server(pool, folder, CONFIG, template) as server:
        yield server


@pytest.fixture
async def campaigns(server: Server) -> AsyncIterator[Campaigns]:
    async with Campaigns.open(server) as found:
        yield found


async def test_an_answered_call_gets_its_agent_at_once(server: Server, campaigns: Campaigns, phone: Phone) -> None:
    """R3-03..06, R3-08, R3-09, R3-14: command, INVITE, screen pop, talk, one record, the end with a snapshot."""
    await centre(server)
    await staff(server, phone, "1001", connection="auto-answer")
    listener = await server.listen()
    (number,) = numbers(1)
    async with Carrier.open(sound=True) as carrier:
        campaign = await campaigns.add([number], record=True)
        await campaigns.order(campaign, "start")
        pop = await listener.expect("screen.pop", extension="1001")
        ring = await phone.expect("INVITE")
        ring.reply(200)
        await phone.expect("ACK")
        await carrier.peer.hears(phone)
        await phone.hears(carrier.peer)
        invite = carrier.peer.calls[0].invite_received
        assert user_of(invite.get("From")) == CALLER_ID
        assert carrier.number_of(invite) == number
        assert pop["data"]["data"] | {"command": ""} == {
            "name": "contact 1", "order": "A-1", "campaign": campaign.id, "contact": f"{campaign.id}-b1-000001",
            "command": "",
        }  # fmt: skip
        command = pop["data"]["data"]["command"]
        assert invite.get("X-Tandem-Command-ID") == ring.get("X-Tandem-Command-ID") == command
        assert user_of(ring.get("From")) == number
        await (await phone.bye()).expect(200)
        await carrier.peer.expect("BYE")
    assert (await campaigns.over(campaign)).state is CampaignState.ENDED
    record = await campaigns.record(campaign)
    assert (record.command, record.outcome, record.live, record.agent) == (command, Outcome.ANSWERED, True, "1001")
    times = [record.ringing_at, record.answered_at, record.connected_at, record.ended_at]
    assert times == sorted(time for time in times if time is not None)
    assert not record.late
    cdr = await server.api.cdr()
    assert (cdr["id"], cdr["direction"], cdr["tenant"], cdr["called"]) == (record.call, "outbound", "acme", number)
    assert (cdr["cause"], cdr["extension"], cdr["detail"]["command"]) == ("normal", "1001", command)
    assert cdr["detail"]["recordings"] == [f"{record.call}.wav"]
    assert await campaigns.snapshots(campaign) == ["end"]
    ended = await listener.expect("campaign.ended", campaign=campaign.id)
    assert ended["data"]["outcomes"] == {"answered": 1}
    types = listener.of_call(record.call)
    assert types[:2] == ["call.received", "dial.started"]
    assert types.index("dial.connected") < types.index("dial.result") < types.index("call.ended")
    assert [event["data"]["state"] for event in listener.of_type("campaign.state")] == ["running"]


async def test_what_becomes_of_calls_that_nobody_answers(server: Server, campaigns: Campaigns, phone: Phone) -> None:
    """R3-09: busy, silent and unknown numbers, and a trunk's fault, which is no attempt: it is dialled once more."""
    await centre(server)
    await staff(server, phone, "1001", connection="auto-answer")
    busy, silent, unknown, faulty = numbers(4, 10)
    async with Carrier.open() as carrier:

        async def faulty_once(ring: Received) -> None:
            await (carrier.broken if carrier.rung.count(faulty) == 1 else carrier.busy)(ring)

        carrier.habits = {
            busy: carrier.busy, silent: carrier.silent, unknown: carrier.unknown, faulty: faulty_once,
        }  # fmt: skip
        campaign = await campaigns.add([busy, silent, unknown, faulty])
        await campaigns.order(campaign, "start")
        await campaigns.over(campaign)
        assert sorted(carrier.rung) == sorted([busy, silent, unknown, faulty, faulty])
        assert await campaigns.outcomes(campaign) == {
            busy: Outcome.BUSY, silent: Outcome.NO_ANSWER, unknown: Outcome.INVALID_NUMBER, faulty: Outcome.BUSY,
        }  # fmt: skip
        progress = await campaigns.store.progress(campaign.id, 0.0)
        assert (progress.closed, progress.counts.attempts, progress.counts.trunk_faults) == (4, 4, 1)
        assert progress.counts.short_ring == 1, "rung for a second, as this law allows"
        silent_call = next(call for call in carrier.peer.calls if carrier.number_of(call.invite_received) == silent)
        cancel = next(one for one in silent_call.received if one.method == "CANCEL")
        assert cancel.time - silent_call.invite_received.time >= 1.0, "counted from the first 18x"
    assert (await state(server, "1001", "available"))["state"] == "available"


async def test_no_agent_within_the_limit_is_a_message_and_a_way_out(
    server: Server, campaigns: Campaigns, phone: Phone
) -> None:
    """R3-15's abandoned call: the agent's phone is not answered in time, the called hears who calls and opts out."""
    await centre(server)
    await staff(server, phone, "1001", connection="auto-answer")
    listener = await server.listen()
    (number,) = numbers(1, 20)
    async with Carrier.open(sound=True) as carrier:
        campaign, again = await campaigns.add([number]), await campaigns.add([number])
        await campaigns.order(campaign, "start")
        await phone.rings()
        await listener.expect("dial.abandoned", number=number)
        await phone.expect("CANCEL")
        await carrier.peer.sound.pressed("9")
        await carrier.peer.expect("BYE", within=20)
    await campaigns.over(campaign)
    record = await campaigns.record(campaign)
    assert (record.outcome, record.abandoned, record.opted_out) == (Outcome.ABANDONED, True, True)
    facts = await campaigns.store.facts(campaign.id, [number], 0.0)
    assert facts[number].listed == "own"
    await campaigns.order(again, "start")
    await campaigns.over(again)
    assert await campaigns.records(again) == []
    assert (await campaigns.store.progress(again.id, 0.0)).closed == 1, "his other campaigns leave him alone, too"


async def test_wrong_data_end_a_campaign_before_any_call(server: Server, campaigns: Campaigns, phone: Phone) -> None:
    """R3-11, R3-12: no agents, no trunk, no law, no contacts: ended with every reason, and nothing was dialled."""
    await centre(server)
    listener = await server.listen()
    async with Carrier.open() as carrier:
        nobody = await campaigns.add(numbers(1, 30))
        await campaigns.order(nobody, "start")
        ended = await campaigns.over(nobody)
        assert (ended.state, ended.reason) == (CampaignState.ENDED, "queue: orders has no agent for this campaign")
        wrong = await campaigns.add([], trunks=("none",), profile="nowhere", queue="gone", mode=Mode.POWER)
        await campaigns.order(wrong, "start")
        assert (await campaigns.over(wrong)).state is CampaignState.ENDED
        told = await listener.expect("campaign.refused", campaign=wrong.id)
        assert [reason.partition(":")[0] for reason in told["data"]["reasons"]] == [
            "contacts", "trunks", "profile", "queue",
        ]  # fmt: skip
        await staff(server, phone, "1001")  # a phone that is picked up by hand
        slow = await campaigns.add(numbers(1, 31), mode=Mode.POWER)
        await campaigns.order(slow, "start")
        assert (await campaigns.over(slow)).reason.startswith("mode: power needs phones that answer by themselves")
        assert carrier.rung == []
