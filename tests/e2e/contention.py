"""Many calls at once that all bring the same token: one may win (R1-09)."""

import asyncio
from contextlib import AsyncExitStack

from tests.peers.api import ACCESS_NUMBER, BILLING_NUMBER, Json, diverted
from tests.peers.message import Message
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually

CONTENDERS = 64
SOCKETS = 8


async def contend(server: Server, phone: Phone, token: Json) -> None:
    """64 calls with one token at once; one reaches the phone, the others hear busy, and the records say so."""
    async with AsyncExitStack() as stack:
        callers = [await stack.enter_async_context(await Caller.open(f"c{n}", sound=False)) for n in range(SOCKETS)]
        calls = await asyncio.gather(
            *(
                callers[n % SOCKETS].invite(
                    server.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, headers=diverted(token), sdp=phone.sdp()
                )
                for n in range(CONTENDERS)
            )
        )
        ring = await phone.rings()

        def finals() -> list[Message]:
            return [m for call in calls for m in call.received if m.status >= 300]

        await eventually(lambda: len(finals()) >= CONTENDERS - 1, "all others are refused")
        assert {m.status for m in finals()} == {486}
        [winner] = [call for call in calls if not any(m.status >= 300 for m in call.received)]
        ring.reply(200)
        await winner.answered()
        await (await winner.bye()).expect(200)
        await phone.expect("BYE")
        assert len(phone.got("INVITE")) == 1
    records = await server.api.cdrs(CONTENDERS)
    assert sorted(record["cause"] for record in records) == ["normal"] + ["token-busy"] * (CONTENDERS - 1)
    assert await server.api.token_state(token) == "consumed"
