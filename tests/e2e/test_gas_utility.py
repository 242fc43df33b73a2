"""The gas works: a caller dials 3 for repairs; the hospital goes first, and whoever must know sees it or is told."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from media import Cadence, Tone, wav
from media.tones import cadence_samples
from tests.e2e.conftest import StartServer
from tests.e2e.queues import callers, state, waiting
from tests.e2e.several_trunks import diverted_by
from tests.peers.api import BILLING_NUMBER
from tests.peers.browser import chromium, person
from tests.peers.receiver import Receiver, receiver
from tests.peers.server import ROOT, Server
from tests.peers.sound import loudness
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually

EXAMPLE = ROOT / "docs" / "examples" / "gas-utility.toml"
"The gas works' data, as the page shows them."
NORTH, SOUTH = "4008100031", "4008100032"
HOSPITAL = "02155500003"
WELCOME = 620.0
"The gas works' jingle is a tone that nobody else sends."


@pytest.fixture
def provider() -> Iterator[Receiver]:
    """The provider of text messages."""
    with receiver() as made:
        yield made


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


def record_jingle(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    samples = cadence_samples(Cadence("welcome", (Tone((WELCOME,), 0.6),)), 8000)
    wav.write(folder / "welcome.wav", samples, 8000)


async def furnish(server: Server, phone: Phone) -> str:
    """The gas works as the page sets it up; returns the API key of agent 1001's page."""
    await asyncio.to_thread(record_jingle, server.data / "sounds")
    await server.api.add_tenant("gas")
    await server.api.add_agent(phone.uri, "1001")
    imported = server.tandem("import", str(EXAMPLE))
    assert await imported.ended(30) == 0, imported.log()
    menu = {"kind": "menu", "target": "gas-works"}
    await server.api.add_access_number(NORTH, SOUTH, correlation="optional", default_tenant="gas", entry=menu)
    key = await server.api.post("/v1/api-keys", {"name": "agent 1001", "role": "agent", "extension": "1001"})
    return str(key["secret"])


async def hears_the_menu(caller: Caller) -> None:
    """The jingle, then what espeak-ng says: anything but silence and the jingle."""
    await caller.answered()
    await caller.hears(WELCOME)
    await caller.sound.expect_not(WELCOME)
    await eventually(lambda: loudness(caller.sound.samples()) > 300, "the caller hears words")


async def test_the_hospital_dials_3_and_goes_before_two_others_who_wait(
    start_server: StartServer, phone: Phone, provider: Receiver, browser: Browser
) -> None:
    """R2-01..R2-05, R2-07, R2-08, R1-07: prompts heard, digits dialled, VDNs and areas, the priority list by the
    effective caller, the wallboard and the text message, and at last whose phone rings for whom."""
    server = await start_server({"sms": {"url": f"{provider.url}/messages"}})
    key = await furnish(server, phone)
    async with person(browser) as wall, person(browser) as agent, callers("1", "2", "3") as (one, two, hospital):
        await wall.signs_in(f"{server.api.url}/wallboard", server.api.token)
        await wall.sees("no-areas", "Nobody waits")
        await agent.signs_in(f"{server.api.url}/agent", key)
        await agent.sees("state", "Logged out")

        await one.invite(server.outside, NORTH, caller="13800000001")
        await hears_the_menu(one)
        one.sound.press("3")
        await waiting(server, 1, "repairs")
        await two.invite(server.outside, SOUTH, caller="13800000002")
        await two.hears(WELCOME)
        two.sound.press("1")
        two.sound.press("32")
        await waiting(server, 2, "repairs")
        assert not provider.got

        # the hospital comes by way of the voice platform: only its token says who it is
        token = await server.api.issue_token("gas", caller=HOSPITAL, data={"place": "boiler house"}, extension=None)
        headers = diverted_by(token["original_called_number"])
        await hospital.invite(server.outside, NORTH, caller=BILLING_NUMBER, headers=headers)
        await hears_the_menu(hospital)
        hospital.sound.press("3")
        places = await waiting(server, 3, "repairs")
        await wall.sees("areas", "north 2", within=1500)
        await wall.sees("areas", "south 1", within=1500)
        await wall.sees("queues", "normal 2, urgent 1")
        assert [(place["number"], place["area"], place["priority"]) for place in places] == [
            (HOSPITAL, "north", "urgent"),
            ("13800000001", "north", None),
            ("13800000002", "south", None),
        ]
        [sms] = await provider.expect(1)
        assert (sms.path, sms.json["to"]) == ("/messages", "+8613900000099")
        assert sms.json["text"] == "repairs: 3 wait, 0 agents free"

        await agent.presses("Log in")
        ring = await phone.rings()
        assert HOSPITAL in ring.get("From")
        await agent.sees("call-state", "Ringing", within=2000)
        await agent.sees("caller", HOSPITAL)
        await agent.sees("data", "boiler house")
        await wall.sees("agents", "Ringing")
        await agent.is_pictured("gas-utility-agent.png")
        await wall.is_pictured("gas-utility-wallboard.png")
        ring.reply(200)
        await hospital.hears(phone)
        await wall.sees("areas", "north 1", within=1500)
        await (await hospital.bye()).expect(200)
        await phone.expect("BYE")
        await agent.sees("state", "Wrap-up")
        await agent.presses("Finish wrap-up")

        ring = await phone.rings()
        assert "13800000001" in ring.get("From")
        ring.reply(200)
        await one.hears(phone)
        await (await one.bye()).expect(200)
        await phone.expect("BYE")
        await state(server, "1001", "wrap-up")
        [last] = await waiting(server, 1, "repairs")
        assert last["number"] == "13800000002"
        await (await two.bye()).expect(200)
        assert len(provider.got) == 1
