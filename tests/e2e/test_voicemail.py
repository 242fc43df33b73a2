"""Messages that callers leave, and the survey after a call."""

import io
import wave

import numpy as np

from tests.e2e.ivr import CALLER, OVER, THANKS, WHICH, come, open_ivr, over, record_prompts
from tests.e2e.legs import hear_each_other
from tests.e2e.queues import open_queue, staff
from tests.peers import sound
from tests.peers.api import ACCESS_NUMBER, TENANT, Json
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone

BOX: Json = {"id": "sales", "tenant": TENANT, "greeting_file": "hello.wav", "longest": 20}
TO_MAILBOX: Json = {"kind": "goal", "goal": {"kind": "voicemail", "target": "sales"}}


async def heard_tone(server: Server, message: Json, caller: Caller) -> float:
    """The share of the caller's own tone in what was kept of him."""
    answer = await server.api.http.get(f"/v1/messages/{message['id']}/sound")
    assert answer.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(answer.content)) as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    assert abs(len(pcm) / 8000 - message["seconds"]) < 0.1
    assert caller.sound.tone is not None
    return sound.share(pcm, caller.sound.tone)


async def test_a_caller_leaves_messages(server: Server, caller: Caller) -> None:
    """R2-01: greeting, tone, message; ended by # in either form or by hanging up; listed, heard and deleted, by its
    tenant only."""
    await open_ivr(server, None, {"box": TO_MAILBOX}, "box", plan={"mailboxes": [BOX]})
    listener = await server.listen()
    for number, way in enumerate(("key", "tone", "bye"), 1):
        await come(server, caller, sdp=caller.sdp(events=way != "tone"))
        await caller.hears(440.0)
        await caller.sound.expect_not(440.0)
        await caller.sound.expect_sent(75)  # 1.5 s: the tone, and what is left is the message
        if way == "key":
            caller.sound.press("#", 60)
            await over(caller)
        elif way == "tone":
            caller.sound.press_tones("#")
            await over(caller)
        else:
            await (await caller.bye()).expect(200)
        told = await listener.expect("call.message", mailbox="sales")
        cdr = (await server.api.cdrs(number))[-1]
        assert told["data"]["tenant"] == TENANT
        assert cdr["ended_by"] == ("caller" if way == "bye" else "tandem")
        found = (await server.api.get("/v1/messages", mailbox="sales"))["messages"]
        newest = found[0]
        assert (newest["call"], newest["caller"], newest["tenant"]) == (told["call"], CALLER, TENANT)
        assert newest["seconds"] == told["data"]["seconds"] > 1
        assert await heard_tone(server, newest, caller) > 0.8
    assert len(found) == 3
    other = await server.api.add_tenant("beta", "7002", billing_numbers=["02088880001"])
    key = await server.api.post("/v1/api-keys", {"name": "beta", "role": "tenant", "tenant": other["id"]})
    stranger = server.api_as(key["secret"])
    assert (await stranger.get("/v1/messages"))["messages"] == []
    assert (await stranger.http.get(f"/v1/messages/{newest['id']}/sound")).status_code == 404
    for message in found:
        await server.api.delete(f"/v1/messages/{message['id']}")
        assert not list((server.data / "messages").glob(f"{message['id']}*"))
    assert (await server.api.http.get(f"/v1/messages/{newest['id']}")).status_code == 404


async def test_a_message_that_is_too_short_is_none(server: Server, caller: Caller) -> None:
    """R2-01: who hangs up at the tone leaves nothing behind."""
    await open_ivr(server, None, {"box": TO_MAILBOX}, "box", plan={"mailboxes": [{**BOX, "shortest": 15}]})
    await come(server, caller)
    await caller.hears(440.0)
    await caller.sound.expect_not(440.0)
    await caller.sound.expect_sent(40)
    await (await caller.bye()).expect(200)
    cdr = await server.api.cdr()
    assert not list((server.data / "messages").glob(f"{cdr['id']}*"))
    assert (await server.api.http.get(f"/v1/messages/{cdr['id']}")).status_code == 404


async def test_a_survey_after_the_agent_has_hung_up(server: Server, caller: Caller, phone: Phone) -> None:
    """R2-01: the caller stays, hears the question, and his answer is an event."""
    record_prompts(server.data / "sounds")
    await server.api.add_tenant()
    nodes = {
        "score": {"kind": "survey", "say": ["which.wav"], "keys": "12345", "next": "thanks"},
        "thanks": {"kind": "prompt", "say": ["thanks.wav"], "next": "over"},
        "over": OVER,
    }
    menu = {"id": "score", "name": "score", "start": "score", "nodes": nodes}
    await server.api.request("PUT", "/v1/menus/score", menu)
    await open_queue(server, survey="score")
    await staff(server, phone, "1001")
    entry = {"kind": "queue", "target": "orders"}
    await server.api.add_access_number(correlation="off", default_tenant=TENANT, entry=entry)
    listener = await server.listen()
    await caller.invite(server.outside, ACCESS_NUMBER, caller=CALLER)
    await phone.answers()
    await caller.answered()
    await hear_each_other(caller, phone)
    await (await phone.bye()).expect(200)
    await caller.hears(WHICH)
    caller.sound.press("9", 60)
    await caller.hears(WHICH)
    caller.sound.press("4", 60)
    await caller.hears(THANKS)
    await over(caller)
    await listener.expect("call.survey", menu="score", node="score", input="9")
    await listener.expect("call.survey", menu="score", node="score", input="4")
