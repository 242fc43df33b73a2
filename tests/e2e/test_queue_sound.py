"""What caller and agent are told around a wait: place and estimate, who answers, whose call it is, the survey after."""

import asyncio
from pathlib import Path

from media import Cadence, Tone, wav
from media.tones import cadence_samples
from tests.e2e.queues import QUEUE, come, log_in, open_number, open_queue, staff, state, waiting
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone

NEXT, AGENT, WHISPER, SURVEY = 620.0, 760.0, 880.0, 1020.0
"Each file is a tone that no peer sends and the music has not."
FILES = {"next": NEXT, "agent-1001": AGENT, f"whisper-{QUEUE}": WHISPER, "survey": SURVEY}


def record(folder: Path) -> None:
    """The queue's sound files: longer than the ear of the test takes in at once."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frequency in FILES.items():
        wav.write(folder / f"{name}.wav", cadence_samples(Cadence(name, (Tone((frequency,), 0.6),)), 8000), 8000)


async def test_everybody_is_told_what_he_must_know(server: Server, caller: Caller, phone: Phone) -> None:
    """R2-05, R2-07: the waiting caller his place, the agent whose call it is, the caller who answers him, both before
    they hear each other; and after the agent has hung up, the survey."""
    await asyncio.to_thread(record, server.data / "sounds" / "queue")
    ask = {"kind": "prompt", "say": ["queue/survey.wav"], "next": "over"}
    nodes = {"ask": ask, "over": {"kind": "goal", "goal": {"kind": "hangup"}}}
    await server.api.request(
        "PUT", "/v1/menus/survey", {"id": "survey", "name": "survey", "start": "ask", "nodes": nodes}
    )
    await open_queue(
        server, announce_every=5, announce_estimate=False, announce_agent=True, whisper=True, survey="survey"
    )
    await open_number(server)
    await staff(server, phone, "1001", at_work=False)
    await come(server, caller, "13800000001")
    await caller.hears(NEXT)
    await log_in(server, "1001")
    await phone.answers()
    await asyncio.gather(phone.hears(WHISPER), caller.hears(AGENT))
    await asyncio.gather(phone.hears(caller), caller.hears(phone))
    await (await phone.bye()).expect(200)
    await caller.hears(SURVEY)
    await caller.expect("BYE")
    cdr = await server.api.cdr()
    assert (cdr["cause"], cdr["extension"]) == ("normal", "1001")


async def test_a_direct_call_and_a_queue_do_not_ring_one_agent_at_a_time(server: Server, caller: Caller) -> None:
    """R2-05: an agent who talks by a direct call is not offered to the queue; a pause he asks for waits for its end; a
    second direct call finds him busy."""
    await open_queue(server, wrap_up=0)
    await open_number(server)
    async with (
        await Phone.open("1001") as phone,
        await Caller.open("direct") as direct,
        await Caller.open("x") as second,
    ):
        await staff(server, phone, "1001")
        await open_number(server, "4008100002", kind="agent", target="1001")
        await direct.invite(server.outside, "4008100002", caller="13800000009")
        await phone.rings()
        await state(server, "1001", "ringing")
        await second.invite(server.outside, "4008100002", caller="13800000008")
        await second.expect(486)
        await come(server, caller, "13800000001")
        [place] = await waiting(server, 1)
        assert not place["offered"]
        explained = await server.api.get(f"/v1/calls/{place['call']}/explanation")
        assert explained["agents"] == {"busy": 1}
        await server.api.post("/v1/agents/1001/pause", {"reason": "lunch"})
        await direct.cancel()
        await phone.expect("CANCEL")
        assert (await state(server, "1001", "paused"))["reason"] == "lunch"
        await waiting(server, 1)
        await server.api.post("/v1/agents/1001/resume", None)
        await phone.answers()
        await caller.hears(phone)
        tandem = server.tandem("queues", "waiting", QUEUE)
        assert await tandem.ended(30) == 0, tandem.log()
        assert "nobody waits" in tandem.log()
