"""Stacks that are not ours as agents and as trunk: PJSIP with its own defaults, baresip; whole calls with sound."""

from collections.abc import Awaitable, Callable

import pytest

from tests.e2e.legs import call_in
from tests.peers.baresip import Baresip
from tests.peers.pjsip_phone import PjsipPhone
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone

OpenPhone = Callable[..., Awaitable[PjsipPhone]]


@pytest.mark.parametrize("rel100", ["off", "optional", "required"])
async def test_a_pjsip_phone_is_an_agent(server: Server, open_pjsip: OpenPhone, caller: Caller, rel100: str) -> None:
    """R0-01 with a second stack: rings, answers, holds, resumes, hangs up; with and without 100rel."""
    phone = await open_pjsip("1001", rel100=rel100)
    await call_in(server, caller, phone.uri, headers={"Supported": "100rel"})
    await phone.rings()
    await phone.reply(180)
    ringing = await caller.expect(180)
    if ringing.has("RSeq"):
        await (await caller.call.prack(ringing)).expect(200)
    await phone.reply(200)
    await caller.answered()
    await caller.hears(phone.tone)
    assert caller.sound.tone
    await phone.hears(caller.sound.tone)
    await phone.hold()
    await caller.sound.expect_not(phone.tone)
    await phone.resume()
    await caller.hears(phone.tone)
    await phone.hears(caller.sound.tone)
    await phone.hang_up()
    await caller.expect("BYE")
    assert (await server.api.cdr())["ended_by"] == "agent"


async def test_baresip_is_an_agent(server: Server, baresip: Baresip, caller: Caller) -> None:
    """R0-01 with a third stack: answers, is heard, hears, hangs up."""
    await call_in(server, caller, baresip.uri)
    await caller.answered()
    await caller.hears(baresip.tone)
    assert caller.sound.tone
    await baresip.hears(caller.sound.tone)
    await (await caller.bye()).expect(200)
    await baresip.expect("CALL_CLOSED")
    assert (await server.api.cdr())["ended_by"] == "caller"


async def test_a_pjsip_phone_calls_as_a_trunk(server: Server, open_pjsip: OpenPhone, phone: Phone) -> None:
    """R0-01, R1-05 (off): session timers and 100rel by the defaults of that stack, our agent hangs up."""
    await server.api.add_agent(phone.uri)
    await server.api.add_access_number(correlation="off", entry={"kind": "agent", "target": "1001"})
    trunk = await open_pjsip("trunk")
    await trunk.dial(f"sip:4008100001@{server.outside[0]}:{server.outside[1]}")
    await phone.answers()
    await phone.hears(trunk.tone)
    assert phone.sound.tone
    await trunk.hears(phone.sound.tone)
    await (await phone.bye()).expect(200)
    await trunk.ended()
