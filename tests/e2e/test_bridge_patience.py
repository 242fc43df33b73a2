"""Bridge: far ends that stop answering in the middle of a transaction are given up after 64*T1 (RFC 3261 17)."""

import asyncio
from contextlib import AsyncExitStack

from tests.e2e.legs import hear_each_other
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually_true

PATIENCE = 45.0
"Seconds: 64*T1 is 32."


async def test_far_ends_that_fall_silent_are_given_up(server: Server) -> None:
    """Bridge: the ACK of our 200 never comes; our BYE, our CANCEL, our INVITE are never answered. Nothing stays behind.

    All wait for the same 32 s, so they wait together; a call beside them talks on.
    """
    async with AsyncExitStack() as stack:

        async def ends(name: str, *, manual: tuple[str, ...] = (), trying: bool = True) -> tuple[Caller, Phone]:
            """A trunk, and a phone that is the agent of its number."""
            caller = await stack.enter_async_context(await Caller.open(name))
            phone = await stack.enter_async_context(await Phone.open(name, manual=manual, trying=trying))
            await server.api.add_agent(phone.uri, name)
            entry = {"kind": "agent", "target": name}
            await server.api.add_access_number(name, correlation="off", entry=entry)
            await caller.invite(server.outside, name, caller="13911112222")
            return caller, phone

        talker, listener = await ends("3000")
        await listener.answers()
        await talker.answered()

        no_ack, agent = await ends("3001")
        await agent.answers()
        answer = await no_ack.expect(200)

        leaver, no_bye = await ends("3002", manual=("BYE",))
        await no_bye.answers()
        await leaver.answered()
        await leaver.bye()

        canceller, no_cancel = await ends("3003", manual=("CANCEL",))
        await no_cancel.rings()
        await canceller.expect(180)
        await canceller.cancel()

        quitter, deaf = await ends("3004", trying=False)
        await deaf.expect("INVITE")
        await quitter.cancel()

        silent = [await server.api.cdr(called=called) for called in ("3002", "3003", "3004")]
        assert [row["cause"] for row in silent] == ["normal", "cancelled", "cancelled"]
        await asyncio.gather(agent.expect("BYE", within=PATIENCE), no_ack.expect("BYE", within=PATIENCE))
        assert answer.repeats >= 8  # 0.5, 1, 2, 4, 4, ... seconds apart
        lost = await server.api.cdr(called="3001")
        assert (lost["cause"], lost["ended_by"]) == ("caller-lost", "caller")
        await hear_each_other(talker, listener)

        async def only_the_talking_call_is_left() -> bool:
            return await server.api.metric("tandem_legs_active") == 2

        await eventually_true(only_the_talking_call_is_left, "the legs of the four calls are gone", PATIENCE)
