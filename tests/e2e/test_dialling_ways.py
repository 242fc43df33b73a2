"""The ways of a campaign: preview, broadcast, standing lines, call-backs, two trunks, orders while it runs."""

from array import array
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from dialer.campaign import CampaignState, Mode, Pacing
from dialer.outcome import Outcome
from media import wav
from tests.e2e.dialling import CARRIER, CONFIG, Campaigns, Carrier, centre, numbers
from tests.e2e.legs import shared_server
from tests.e2e.queues import staff, state
from tests.peers.exchange import Received
from tests.peers.ports import PORTS
from tests.peers.receiver import Receiver
from tests.peers.server import Server, Template
from tests.peers.sound import tone
from tests.peers.uas import Phone
from tests.peers.waiting import eventually, eventually_true

OTHER_TRUNK = PORTS.keep(1)
PROMPT = 1800.0
"Hz of the broadcast's message."


@pytest.fixture
async def server(
    pool: list[Server], tmp_path_factory: pytest.TempPathFactory, template: Template
) -> AsyncIterator[Server]:
    folder: Path = tmp_path_factory.mktemp("dialling")
    other = {"listener": "outside", "addresses": ["192.0.2.9/32"], "target": f"127.0.0.1:{OTHER_TRUNK}", "probe": False}
    async with shared_server(pool, folder, {**CONFIG, "trunks.other": other}, template) as server:
        yield server


@pytest.fixture
async def campaigns(server: Server) -> AsyncIterator[Campaigns]:
    async with Campaigns.open(server) as found:
        yield found


async def test_preview_dials_when_the_agent_picks_up(server: Server, campaigns: Campaigns, phone: Phone) -> None:
    """R3-09, R3-14: screen first; who does not pick up skips, who does hears the ringing, then the called."""
    await centre(server, delay_reject=0.0, missed_before_pause=0)
    await staff(server, phone, "1001")
    listener = await server.listen()
    skipped, called = numbers(2)
    async with Carrier.open(sound=True) as carrier:
        campaign = await campaigns.add([skipped, called], mode=Mode.PREVIEW, redial_gap=3600.0)
        await campaigns.order(campaign, "start")
        shown = await listener.expect("dial.preview", number=skipped)
        assert shown["data"]["fields"] == {"name": "contact 1", "order": "A-1"}
        await phone.rejects(603)
        await listener.expect("dial.skipped", number=skipped, why="skipped")

        async def rings_a_while(ring: Received) -> None:
            ring.reply(180)
            await phone.hears(425.0)  # he hears it ring
            ring.reply(200)

        carrier.usual = rings_a_while
        pop = await listener.expect("screen.pop", where=lambda event: event["data"]["caller"] == called)
        assert pop["data"]["data"]["order"] == "A-2"
        assert carrier.rung == []
        await phone.answers()
        await carrier.peer.hears(phone)
        await phone.hears(carrier.peer)
        await (await phone.bye()).expect(200)
        await carrier.peer.expect("BYE")
        assert carrier.rung == [called]
    await listener.expect("dial.result", number=called, outcome="answered", agent="1001")
    assert (await campaigns.record(campaign)).outcome is Outcome.ANSWERED
    await campaigns.order(campaign, "stop")
    await campaigns.over(campaign)
    progress = await campaigns.store.progress(campaign.id, 0.0)
    assert (progress.open, progress.closed, progress.counts.withheld) == (1, 1, 1)


async def test_a_standing_line_hears_the_called_at_once(server: Server, campaigns: Campaigns, phone: Phone) -> None:
    """R3-10: predictive with one agent is progressive; a nailed-up agent hears a tone, then who was called."""
    await centre(server)
    await staff(server, phone, "1001", connection="nailed-up")
    await phone.answers()
    await state(server, "1001", "available")
    listener = await server.listen()
    async with Carrier.open(sound=True) as carrier:
        campaign = await campaigns.add(numbers(2, 10), mode=Mode.PREDICTIVE)
        await campaigns.order(campaign, "start")
        for _ in range(2):
            connected = await listener.expect("dial.connected", extension="1001")
            assert connected["data"]["late"] is False
            await listener.expect("screen.pop", call=connected["call"])
            order = listener.of_call(connected["call"])
            assert order.index("screen.pop") < order.index("dial.connected")
            await phone.hears(carrier.peer)
            await (await carrier.peer.calls[-1].bye()).expect(200)
        await campaigns.over(campaign)
    assert len(phone.got("INVITE")) == 1, "one line for all calls"
    assert set((await campaigns.outcomes(campaign)).values()) == {Outcome.ANSWERED}
    assert await server.api.counted("tandem_dial_decisions_total", campaign=campaign.id, cause="few-agents") > 0


async def test_a_broadcast_plays_its_prompt_and_takes_no_for_an_answer(server: Server, campaigns: Campaigns) -> None:
    """R3-09: no agents; the message, key 9, and the number is on the list."""
    await server.api.add_tenant()
    sounds = server.data / "sounds"
    sounds.mkdir(exist_ok=True)
    wav.write(sounds / "prompt.wav", array("h", tone(PROMPT, 0, 24_000).astype("int16").tobytes()), 8000)
    (number,) = numbers(1, 20)
    async with Carrier.open(sound=True) as carrier:
        campaign = await campaigns.add([number], mode=Mode.BROADCAST, queue="", prompt="prompt.wav")
        await campaigns.order(campaign, "start")
        await carrier.peer.hears(PROMPT)
        await carrier.peer.sound.pressed("9")
        await carrier.peer.expect("BYE", within=20)
    await campaigns.over(campaign)
    record = await campaigns.record(campaign)
    assert (record.outcome, record.opted_out, record.agent, record.abandoned) == (Outcome.OPTED_OUT, True, "", False)
    assert record.connected_at is not None
    assert (await campaigns.store.facts(campaign.id, [number], 0.0))[number].listed == "own"


async def test_a_late_answer_is_no_second_attempt(server: Server, campaigns: Campaigns, phone: Phone) -> None:
    """R3-09: a 200 that crosses our CANCEL gets ACK and BYE, and is counted; the attempt stays one, not answered."""
    await centre(server)
    await staff(server, phone, "1001", connection="auto-answer")
    (number,) = numbers(1, 30)
    async with Carrier.open(manual=["CANCEL"]) as carrier:

        async def late(ring: Received) -> None:
            ring.reply(180)
            cancel = await carrier.peer.expect("CANCEL", call=ring.call)
            ring.reply(183)
            ring.reply(200, sdp=carrier.peer.sdp())
            cancel.reply(200, sdp=None)

        carrier.usual = late
        campaign = await campaigns.add([number])
        await campaigns.order(campaign, "start")
        await carrier.peer.expect("ACK")
        await carrier.peer.expect("BYE")
        await campaigns.over(campaign)
    assert [record and record.outcome for _, record in await campaigns.records(campaign)] == [Outcome.NO_ANSWER]
    assert (await campaigns.store.progress(campaign.id, 0.0)).counts.attempts == 1
    for counter in ("late_ringing", "late_answers"):
        assert await server.api.counted("tandem_gate_total", counter=counter) == 1
    assert (await state(server, "1001", "available"))["state"] == "available"
    assert phone.got("INVITE") == []


async def test_the_next_trunk_takes_what_the_first_one_does_not(
    server: Server, campaigns: Campaigns, phone: Phone
) -> None:
    """R3-06, R3-09: a 503 of the first trunk is no attempt; the command and its one record are the second's."""
    await centre(server)
    await staff(server, phone, "1001", connection="auto-answer")
    (number,) = numbers(1, 40)
    async with Carrier.open(CARRIER) as first, Carrier.open(OTHER_TRUNK) as second:
        first.usual, second.usual = first.broken, second.busy
        campaign = await campaigns.add([number], trunks=("carrier", "other"))
        await campaigns.order(campaign, "start")
        await campaigns.over(campaign)
        assert (first.rung, second.rung) == ([number], [number])
        assert not second.peer.calls[0].invite_received.has("X-Tandem-Command-ID"), "only a trunk that is to have it"
    record = await campaigns.record(campaign)
    assert (record.outcome, record.trunk, record.sip_code) == (Outcome.BUSY, "other", 486)


async def test_orders_results_and_progress_while_it_runs(server: Server, campaigns: Campaigns, phone: Phone) -> None:
    """R3-07, R3-08, R3-13: pause and resume, drain to a stop with a snapshot; results come to the customer's URL,
    also those it refused first."""
    await centre(server)
    await staff(server, phone, "1001", connection="auto-answer")
    with Receiver() as customer:
        refused: list[str] = []

        def once(got: object) -> int:
            refused.append("x")
            return 500 if len(refused) == 1 else 200

        customer.answer = once
        hook = {"id": "crm", "url": f"{customer.url}/results", "sends": "campaigns"}
        await server.api.request("PUT", "/v1/webhooks/crm", hook)
        listener = await server.listen()
        async with Carrier.open() as carrier:
            carrier.usual = carrier.busy
            pacing = Pacing(rate=5.0)
            campaign = await campaigns.add(numbers(40, 100), results_to="crm", pacing=pacing)
            other = await campaigns.add(numbers(1, 150))
            await campaigns.order(campaign, "start")
            await listener.expect("dial.result", campaign=campaign.id)
            await campaigns.order(campaign, "pause")
            await listener.expect("campaign.state", campaign=campaign.id, state="paused")
            await eventually(lambda: len(listener.of_type("dial.result")) == len(carrier.rung), "calls are over")
            paused_at = len(carrier.rung)
            await campaigns.order(other, "start")
            await campaigns.over(other)
            assert len(carrier.rung) == paused_at + 1, "a paused campaign dials nobody"
            await campaigns.order(campaign, "resume")
            await eventually(lambda: len(carrier.rung) > paused_at + 1, "it goes on")
            await campaigns.order(campaign, "drain")
            assert (await campaigns.over(campaign)).state is CampaignState.STOPPED
            await listener.expect("campaign.ended", campaign=campaign.id, state="stopped")
            dialled = len(carrier.rung) - 1
        records = await campaigns.records(campaign)
        assert len(records) == dialled
        assert await campaigns.snapshots(campaign) == ["stop"]
        progress = await campaigns.store.progress(campaign.id, 0.0)
        assert (progress.contacts, progress.closed, progress.leased) == (40, dialled, 0)
        commands = sorted(record.command for _, record in records if record is not None)

        def told(type_: str) -> list[dict[str, Any]]:
            return [got.json["data"] for got in customer.taken if got.json["type"] == type_]

        await eventually(lambda: told("campaign.ended"), "the end is told")
        await eventually(lambda: len(told("dial.result")) >= dialled, "all results are told")
        assert sorted(one["command"] for one in told("dial.result")) == commands
        assert [one["state"] for one in told("campaign.state")][:3] == ["running", "paused", "running"]
        assert {got.json["data"]["campaign"] for got in customer.taken} == {campaign.id}, "no other campaign's"


async def test_an_agent_on_a_standing_line_chooses_by_api_and_a_stop_is_polite(
    server: Server, campaigns: Campaigns, phone: Phone
) -> None:
    """R3-07, R3-13, R3-14: no and yes to a shown contact; live progress; a stop rings no longer than the law asks."""
    await centre(server)
    await staff(server, phone, "1001", connection="nailed-up")
    await phone.answers()
    await state(server, "1001", "available")
    listener = await server.listen()
    first, second = numbers(2, 200)
    async with Carrier.open() as carrier:
        carrier.usual = carrier.silent
        campaign = await campaigns.add([first, second], mode=Mode.PREVIEW, ring_for=60.0, redial_gap=3600.0)
        path = f"/v1/campaigns/{campaign.id}"
        await server.api.request("POST", f"{path}/start")
        for number, dial in ((first, False), (second, True)):
            shown = await listener.expect("dial.preview", number=number)
            command = shown["data"]["command"]
            live = await server.api.get(f"{path}/live")
            assert (live["state"], live["in_flight"]["preview"]) == ("running", 1)
            await said(server, f"{path}/commands/{command}/choice", dial)
        await listener.expect("call.ringing", trunk="carrier")
        live = await server.api.get(f"{path}/live")
        assert (live["in_flight"]["setting-up"], live["ages"]["<5"], live["cap"]) == (1, 1, 0.03)
        ringing = carrier.peer.calls[0].invite_received
        await server.api.request("POST", f"{path}/stop")
        cancel = await carrier.peer.expect("CANCEL")
        assert cancel.time - ringing.time >= 0.5, "not before the law's least ringing time"
        result = await listener.expect("dial.result", command=command)
        assert (result["data"]["outcome"], result["data"]["cause"]) == ("cancelled", "not-wanted")
        await listener.expect("campaign.ended", campaign=campaign.id, state="stopped")
        assert carrier.rung == [second]
    assert (await server.api.http.get(f"{path}/live")).status_code == 404
    assert not phone.got("BYE"), "his line stays"


async def said(server: Server, path: str, dial: bool) -> None:
    """Yes or no, once the contact is on the agent's screen."""

    async def taken() -> bool:
        return (await server.api.http.post(path, json={"dial": dial})).is_success

    await eventually_true(taken, "the agent looks at the contact")


async def test_a_call_back_is_its_agent_s_and_who_leaves_at_once_is_not_abandoned(
    server: Server, campaigns: Campaigns, phone: Phone
) -> None:
    """R3-09, R3-15: an agreed call-back rings nobody but its agent; a called party who hangs up before the limit has
    answered, and no more."""
    await centre(server)
    await staff(server, phone, "1001", connection="auto-answer")
    listener = await server.listen()
    agreed, hasty = numbers(2, 210)
    async with await Phone.open("1002") as other, Carrier.open(sound=True) as carrier:
        await staff(server, other, "1002", connection="auto-answer")
        campaign = await campaigns.add([agreed], for_agent="1002")
        await campaigns.order(campaign, "start")
        await other.answers()
        await carrier.peer.hears(other)
        await (await other.bye()).expect(200)
        await campaigns.over(campaign)
        assert (await campaigns.record(campaign)).agent == "1002"
        assert phone.got("INVITE") == []

        async def leaves(ring: Received) -> None:
            await carrier.answers(ring)
            await carrier.peer.expect("ACK", call=ring.call)
            await ring.call.bye()

        carrier.usual = leaves
        campaign = await campaigns.add([hasty])
        await campaigns.order(campaign, "start")
        await campaigns.over(campaign)
        await listener.expect("dial.result", number=hasty, outcome="answered", abandoned=False, connected_at=None)
    counts = (await campaigns.store.progress(campaign.id, 0.0)).counts
    assert (counts.live, counts.connected, counts.abandoned) == (1, 0, 0)
    for extension in ("1001", "1002"):
        await state(server, extension, "available")
