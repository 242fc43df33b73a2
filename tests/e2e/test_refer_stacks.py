"""Transfers as whole SIP stacks ask for them: PJSIP and baresip as the agent's phone."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.e2e.legs import call_in
from tests.e2e.test_refer import here
from tests.peers.baresip import Baresip
from tests.peers.pjsip_phone import PjsipPhone
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone

OpenPjsip = Callable[..., Awaitable[PjsipPhone]]


async def answered(server: Server, caller: Caller, phone: PjsipPhone) -> int:
    """The caller talks to agent 1001 at this phone; the phone's number of the call."""
    await call_in(server, caller, phone.uri)
    call = int((await phone.rings()).call)
    await caller.answered()
    await caller.hears(phone.tone)
    return call


async def test_pjsip_transfers_blind_and_is_told(server: Server, caller: Caller, open_pjsip: OpenPjsip) -> None:
    """A busy target: 486 reaches the phone, which talks on; then another one, and 200; the caller hears him alone."""
    phone = await open_pjsip("1001", answer=200)
    async with await Phone.open("1002") as other:
        call = await answered(server, caller, phone)
        await server.api.add_agent(other.uri, "1002")
        await phone.refer(here(server, "1002"), call)
        await other.rejects(486)
        await phone.expect("transfer", status=486, final=True)
        await caller.hears(phone.tone)
        await phone.refer(here(server, "1002"), call)
        await other.answers()
        await phone.ended()
        await caller.hears(other)
        await other.hears(caller)
        await (await caller.bye()).expect(200)
        await other.expect("BYE")


async def test_pjsip_joins_its_two_calls(server: Server, caller: Caller, open_pjsip: OpenPjsip) -> None:
    """Attended, with the first call on hold as phones do it: music first, then each other."""
    phone = await open_pjsip("1001", answer=200)
    async with await Phone.open("1002") as other:
        first = await answered(server, caller, phone)
        await server.api.add_agent(other.uri, "1002")
        await phone.hold(first)
        await server.api.post("/v1/calls", {"a": {"agent": "1001"}, "b": {"agent": "1002"}})
        second = int((await phone.rings()).call)
        await other.answers()
        await other.hears(phone.tone)
        await phone.join(first, second)
        await caller.hears(other)
        await other.hears(caller)
        await phone.expect("transfer", status=200, final=True)
        await phone.ended()
        await phone.ended()
        await (await other.bye()).expect(200)
        await caller.expect("BYE")


async def test_baresip_transfers(server: Server, caller: Caller, tmp_path: Path) -> None:
    """A third stack's REFER."""
    async with await Baresip.open(tmp_path, "1001") as phone, await Phone.open("1002") as other:
        await call_in(server, caller, phone.uri)
        await caller.answered()
        await server.api.add_agent(other.uri, "1002")
        await phone.expect("CALL_ESTABLISHED")
        phone.command("transfer", here(server, "1002"))
        await other.answers()
        await caller.hears(other)
        await other.hears(caller)
        await (await other.bye()).expect(200)
        await caller.expect("BYE")
        assert (await server.api.cdr())["detail"]["transfers"][0]["result"] == "done"
