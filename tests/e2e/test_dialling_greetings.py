"""Spoken greetings on real calls: made by espeak-ng and sox, said over RTP, told apart by a campaign's detection."""

import asyncio
import random
from array import array
from pathlib import Path

import numpy as np
import pytest

from amd_set import g711, lines, voices
from dialer.campaign import Amd, Pacing
from dialer.outcome import Outcome
from media import wav
from tests.e2e.dialling import CONFIG, Campaigns, Carrier, centre, numbers
from tests.e2e.legs import shared_server
from tests.e2e.spoken import AGENT, Desk, Spoken
from tests.peers.server import Server, Template
from tests.peers.sound import Pcm, tone
from tests.unit.media.amd_sound import tone as beep

MESSAGE = 1800.0
"Hz of what is left on a machine."
LAW = {**(CONFIG["law_profiles.test"] or {}), "connect_start": "greeting-end"}
LONG = (
    "hello, you have reached the answering machine of the harbour office, we are closed at the moment. please leave "
    "your name and your number"
)
OFFICE = "good morning, harbour office, how can I help you?"


def say(voice: str, text: str, line: str, *, at: float = 0.4, then: float = 5.0, beeps: bool = False) -> Pcm:
    """A call: a quiet line, the words through a codec, a machine's beep, and the line goes on."""
    pick = random.Random(voice + text)
    words = lines.loudness(-18) * voices.say(voices.Voice("espeak-ng", voice, "en", 50, 170), text)
    after = [np.zeros(4000), beep(0.5, 1000)] if beeps else []
    whole = np.concatenate([np.zeros(round(at * 8000)), words, *after, np.zeros(round(then * 8000))])
    noise = np.random.default_rng(pick.getrandbits(32)).normal(0, 12, len(whole))
    return lines.through(line, g711.clip(whole + noise).astype(float), pick)


async def test_spoken_greetings_bring_people_to_agents_and_machines_to_what_their_campaign_says(
    pool: list[Server], tmp_path_factory: pytest.TempPathFactory, template: Template
) -> None:
    """R3-06, R3-09: people who say hello, or their company's name, hear an agent within 2 s of their last word; a
    machine is hung up on, hears the message after its beep, or an agent, as its campaign says; each command has one
    record with its outcome."""
    folder: Path = tmp_path_factory.mktemp("greetings")
    async with shared_server(pool, folder, {**CONFIG, "law_profiles.test": LAW}, template) as server:
        (server.data / "sounds").mkdir(exist_ok=True)
        wav.write(
            server.data / "sounds/message.wav", array("h", tone(MESSAGE, 0, 8_000).astype("int16").tobytes()), 8000
        )
        await centre(server)
        hello, office, hung_up, told, connected = numbers(5, 400)
        sounds = {
            hello: say("en-us+f2", "hello?", "alaw"),
            office: say("en-gb+m3", OFFICE, "gsm"),
            hung_up: say("en-gb+f1", LONG, "narrow"),
            told: say("en-us+m2", LONG, "gsm", beeps=True),
            connected: say("en-gb+m1", LONG, "alaw"),
        }
        async with (
            Campaigns.open(server) as campaigns,
            Carrier.open(sound=False) as carrier,
            Desk.open(server, [f"200{n}" for n in range(1, 7)]) as desk,
        ):
            spoken = Spoken(carrier, sounds)
            pacing = Pacing(rate=100.0, lines=5)
            wanted = {
                "hang-up": ([hello, office, hung_up], Amd(enabled=True)),
                "message": ([told], Amd(enabled=True, machine="message", message="message.wav")),
                "connect": ([connected], Amd(enabled=True, machine="connect")),
            }
            made = {name: await campaigns.add(who, amd=amd, pacing=pacing) for name, (who, amd) in wanted.items()}
            for campaign in made.values():
                await campaigns.order(campaign, "start")

            async def person(number: str) -> None:
                line = await spoken.line(number)
                await line.hears(AGENT)
                await line.hang_up()

            async def machine(number: str, frequency: float | None) -> None:
                line = await spoken.line(number)
                if frequency is not None:
                    await line.hears(frequency, 20)
                await line.ends(20)
                assert line.heard_at(AGENT) is None, "no agent for machines"

            async with asyncio.TaskGroup() as group:
                for number in (hello, office, connected):
                    group.create_task(person(number))
                group.create_task(machine(hung_up, None))
                group.create_task(machine(told, MESSAGE))
            for campaign in made.values():
                await campaigns.over(campaign)
            assert len(desk.rung) == 3
            found = {n: r for one in made.values() for n, r in await campaigns.records(one) if r is not None}
    outcomes = {number: (record.outcome, record.late) for number, record in found.items()}
    assert outcomes == {
        hello: (Outcome.ANSWERED, False),
        office: (Outcome.ANSWERED, False),
        hung_up: (Outcome.MACHINE, False),
        told: (Outcome.MACHINE, False),
        connected: (Outcome.ANSWERED, False),
    }
    assert found[told].detail["message"] == "left"
    assert [found[one].live for one in (hello, office, hung_up, told, connected)] == [True, True, False, False, False]
    assert found[connected].machine_as_human
