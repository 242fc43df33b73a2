"""Kamailio between the carrier and us, with Record-Route: what an edge in front of several nodes does."""

from pathlib import Path

from tests.e2e.legs import call_in, hear_each_other
from tests.peers.kamailio import Kamailio
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone


async def test_a_call_through_a_proxy(server: Server, caller: Caller, phone: Phone, tmp_path: Path) -> None:
    """R0-01, R1-03 behind a proxy: found by its Diversion, talks, is held and taken back; the agent hangs up."""
    async with await Kamailio.open(tmp_path, behind=server.outside) as proxy:
        await call_in(server, caller, phone.uri, target=proxy.address)
        ring = await phone.rings()
        ringing = await caller.expect(180)
        assert ringing.has("Record-Route")
        ring.reply(200)
        await caller.answered()
        await hear_each_other(caller, phone)
        assert caller.sound.tone
        await caller.call.hold()
        await phone.sound.expect_not(caller.sound.tone)
        await caller.call.resume()
        await hear_each_other(caller, phone)
        await (await phone.bye()).expect(200)
        bye = await caller.expect("BYE")
        assert len(bye.all("Via")) == 2, "by way of the proxy"
        cdr = await server.api.cdr()
    assert cdr["cause"] == "normal"
    assert cdr["ended_by"] == "agent"


async def test_a_call_taken_back_through_a_proxy(server: Server, caller: Caller, phone: Phone, tmp_path: Path) -> None:
    """R0-01: the CANCEL of a proxy, hop by hop, ends the ringing."""
    async with await Kamailio.open(tmp_path, behind=server.outside) as proxy:
        await call_in(server, caller, phone.uri, target=proxy.address)
        await phone.rings()
        await caller.expect(180)
        await caller.cancel()
        await caller.expect(487)
        await phone.expect("CANCEL")
        assert (await server.api.cdr())["cause"] == "cancelled"
