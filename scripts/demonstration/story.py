"""The call itself: SIPp is the trunk, a scripted phone is the agent, and both have a tone to recognise them by."""

import asyncio
import json
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from benching.tandem import CALLED, CALLER, HOST, Tandem
from tests.peers.rtp import Rtp
from tests.peers.sdp import Sdp
from tests.peers.sipp import Run, Sipp
from tests.peers.uas import Phone
from tests.peers.waiting import eventually, eventually_true

from .show import Show

AGENT = "8001"
REAL_CALLER = "13800138000"
ORDER = {"order": "A-1007", "customer": "gold", "question": "where is my parcel?"}
CALLER_TONE, AGENT_TONE = 800.0, 1400.0


class Story:
    """Everything between two processes started and both ended."""

    def __init__(self, folder: Path, server: Tandem, show: Show) -> None:
        self.folder, self.server, self.show = folder, server, show
        self.events: list[dict[str, Any]] = []

    async def tell(self) -> None:
        """All steps. AssertionError when one is not as it should be."""
        self._start()
        async with await Phone.open(AGENT, tone=AGENT_TONE) as phone, Sipp(self.folder, "trunk") as trunk:
            with Rtp(tone=CALLER_TONE) as caller:
                trunk.rtp = caller
                self._configure(phone)
                listening = asyncio.create_task(self._listen())
                try:
                    await self._call(phone, trunk, caller)
                finally:
                    listening.cancel()

    def _start(self) -> None:
        show, server = self.show, self.server
        show.step("Tandem starts, on loopback, with an SQLite file in a folder of its own")
        server.start()
        show.say(f"trunks call {HOST}:{server.outside[1]}, phones are reached from {HOST}:{server.inside[1]}")
        show.say(f"API http://{HOST}:{server.api_port}, events on TCP port {server.events_port}")
        show.done("it is ready (GET /readyz)")

    def _configure(self, phone: Phone) -> None:
        show = self.show
        show.step("Through the HTTP API: an agent, a tenant, an access number")
        self.server.serve_one_tenant(phone.uri, extension=AGENT)
        show.say(f"agent {AGENT} has the phone {phone.uri}")
        show.say(f"tenant acme has the access ID 7001 and calls under {CALLER}")
        show.done(f"access number {CALLED} takes calls")

    async def _call(self, phone: Phone, trunk: Sipp, caller: Rtp) -> None:
        show, server = self.show, self.server
        show.step("Acme's system leaves what it knows about its caller (POST /v1/tokens)")
        token = {"tenant": "acme", "caller": REAL_CALLER, "extension": AGENT, "data": ORDER}
        show.json(token)
        issued = await asyncio.to_thread(server.post, "/v1/tokens", token)
        diverted = issued["original_called_number"]
        show.done(f"sequence number {issued['sequence']}: its call must carry {diverted} (access ID, sequence number)")

        show.step("The carrier brings the call: a real INVITE, placed by SIPp")
        show.say(f"INVITE sip:{CALLED}   From: {CALLER}   Diversion: <sip:{diverted}@...>;reason=unconditional")
        run = await trunk.start_calls(
            server.outside, "trunk-waits-for-hangup", called=CALLED, caller=CALLER, diverted=diverted
        )
        ring = await _or_refused(phone.rings(AGENT), run)
        show.done(f"the agent's phone rings; the call's id is in X-Tandem-Call-ID: {ring.get('X-Tandem-Call-ID')}")
        pop = await self._event("screen.pop")
        show.say("before it rings, the agent's screen pops up:")
        show.screen_pop(pop["data"])
        assert ORDER.items() <= _flat(pop["data"]).items(), f"the business data are not in the screen pop: {pop}"

        show.step("The agent answers; both sides send a tone")
        ring.reply(200)
        await phone.expect("ACK", call=ring.call)
        await _or_refused(self._caller_sends(run, caller), run)
        heard = await phone.sound.expect_tone(CALLER_TONE)
        show.done(f"the agent hears the caller: {CALLER_TONE:g} Hz holds {heard:.0%} of the sound's energy")
        heard = await caller.expect_tone(AGENT_TONE)
        show.done(f"the caller hears the agent: {AGENT_TONE:g} Hz holds {heard:.0%} of the sound's energy")

        show.step("The agent hangs up")
        await (await phone.bye()).expect(200)
        await run.done()
        show.done("SIPp saw every message it should: 1 call, no failure")
        await self._event("call.ended")

        show.step("What is left of the call")
        call = pop["call"]
        show.events([event for event in self.events if event["call"] == call])
        record = await eventually_true(lambda: self._record(call), "the call record is stored")
        assert record is not None
        show.cdr(record)
        assert record["sequence"] == issued["sequence"], "the record has another sequence number"
        used = await asyncio.to_thread(server.get, f"/v1/tokens/{issued['sequence']}", tenant="acme")
        assert used["state"] == "consumed", used
        show.done(f"token {issued['sequence']} is {used['state']}: it serves no second call")

    async def _caller_sends(self, run: Run, caller: Rtp) -> None:
        """SIPp does the signalling only; its sound end point learns from the 200 in SIPp's trace where to send."""
        answer = (await eventually(lambda: run.received(200), "SIPp received the 200"))[0]
        caller.follow(Sdp.parse(answer.part("application/sdp")))

    async def _record(self, call: str) -> dict[str, Any] | None:
        response = await asyncio.to_thread(self.server.api.get, f"/v1/cdrs/{call}")
        found: dict[str, Any] | None = response.json() if response.is_success else None
        return found if found and found["ended_at"] else None

    # --- events ---

    async def _listen(self) -> None:
        reader, writer = await asyncio.open_connection(HOST, self.server.events_port)
        try:
            writer.write(json.dumps({"token": self.server.secret, "after": 0}).encode() + b"\n")
            while line := await reader.readline():
                self.events.append(json.loads(line))
        finally:
            writer.close()

    async def _event(self, kind: str) -> dict[str, Any]:
        def found() -> list[dict[str, Any]]:
            return [event for event in self.events if event.get("type") == kind]

        return (await eventually(found, f"event {kind}"))[0]


async def _or_refused(step: Awaitable[Any], run: Run) -> Any:
    """Wait for a step; when it fails, with what SIPp saw."""
    try:
        return await step
    except AssertionError as error:
        raise AssertionError(f"{error}\n{run.describe()}") from None


def _flat(data: dict[str, Any]) -> dict[str, Any]:
    """Members of an object and of the objects in it."""
    found = dict(data)
    for value in data.values():
        if isinstance(value, dict):
            found |= value
    return found
