"""Campaigns that tell people from machines, on real calls with real sound."""

from array import array
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dialer.campaign import Amd, Pacing
from dialer.outcome import Outcome
from media import wav
from tests.e2e.dialling import CONFIG, Campaigns, Carrier, centre, numbers
from tests.e2e.legs import shared_server
from tests.e2e.queues import staff
from tests.peers.exchange import Received
from tests.peers.server import Server, Template
from tests.peers.sound import tone
from tests.peers.uas import Phone
from tests.unit.media.amd_sound import call, quiet, talk
from tests.unit.media.amd_sound import tone as beep

MESSAGE = 1800.0
"Hz of what is left on a machine."


@pytest.fixture
async def server(
    pool: list[Server], tmp_path_factory: pytest.TempPathFactory, template: Template
) -> AsyncIterator[Server]:
    folder: Path = tmp_path_factory.mktemp("machines")
    law = {**(CONFIG["law_profiles.test"] or {}), "connect_start": "greeting-end"}
    async with shared_server(pool, folder, {**CONFIG, "law_profiles.test": law}, template) as server:
        yield server


@pytest.fixture
async def campaigns(server: Server) -> AsyncIterator[Campaigns]:
    async with Campaigns.open(server) as found:
        yield found


async def test_people_get_the_agent_and_machines_the_message(
    server: Server, campaigns: Campaigns, phone: Phone
) -> None:
    """R3-09: a machine hears the message after its beep and no agent is rung; a person has his
    agent in time, counted from the end of his first words."""
    await centre(server)
    await staff(server, phone, "1001", connection="auto-answer")
    sounds = server.data / "sounds"
    sounds.mkdir(exist_ok=True)
    wav.write(sounds / "message.wav", array("h", tone(MESSAGE, 0, 8_000).astype("int16").tobytes()), 8000)
    machine, person = numbers(2, 300)
    async with Carrier.open(sound=True) as carrier:
        sound = carrier.peer.sound
        sound.tone = None
        lines = {
            machine: call(quiet(0.3), talk(3.0), quiet(0.5), beep(0.5, 1000), quiet(5.0)),
            person: call(quiet(0.3), talk(0.5), quiet(8.0)),
        }

        async def answers(ring: Received) -> None:
            await carrier.answers(ring)
            sound.play(lines[carrier.number_of(ring)])

        carrier.usual = answers
        amd = Amd(enabled=True, machine="message", message="message.wav", parameters={"longest": 2.0})
        campaign = await campaigns.add([machine, person], amd=amd, pacing=Pacing(rate=100.0, lines=1))
        await campaigns.order(campaign, "start")
        await carrier.peer.hears(MESSAGE)
        await carrier.peer.expect("BYE")
        ring = await phone.expect("INVITE", within=20)
        ring.reply(200)
        await phone.expect("ACK")
        await carrier.peer.hears(phone)
        await (await phone.bye()).expect(200)
        await campaigns.over(campaign)
    assert len(phone.got("INVITE")) == 1, "no agent for machines"
    found = {number: record for number, record in await campaigns.records(campaign) if record is not None}
    assert (found[machine].outcome, found[machine].live, found[machine].detail["message"]) == (
        Outcome.MACHINE, False, "left",
    )  # fmt: skip
    assert (found[person].outcome, found[person].live, found[person].late) == (Outcome.ANSWERED, True, False)
    assert found[person].detail["amd"]["kind"] in ("human", "silence")
    counts = (await campaigns.store.progress(campaign.id, 0.0)).counts
    assert (counts.machines, counts.live, counts.analysed_live, counts.abandoned) == (1, 1, 1, 0)


async def test_the_network_s_tones_before_any_answer_say_what_the_status_does_not(
    server: Server, campaigns: Campaigns, phone: Phone
) -> None:
    """R3-09: busy tone in early media ends the call as busy, whatever the trunk goes on to say."""
    await centre(server)
    await staff(server, phone, "1001", connection="auto-answer")
    async with Carrier.open(sound=True) as carrier:
        sound = carrier.peer.sound
        sound.tone = None

        async def tones(ring: Received) -> None:
            ring.reply(183, sdp=True)
            sound.play(call(*[piece for _ in range(8) for piece in (beep(0.5, 480, 620), quiet(0.5))]))

        carrier.usual = tones
        campaign = await campaigns.add(numbers(1, 310), ring_for=30.0, amd=Amd(enabled=True))
        await campaigns.order(campaign, "start")
        await carrier.peer.expect("CANCEL")
        await campaigns.over(campaign)
    record = await campaigns.record(campaign)
    assert (record.outcome, record.cause, record.answered_at) == (Outcome.BUSY, "busy-tone", None)
    assert phone.got("INVITE") == []
