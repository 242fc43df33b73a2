"""A server full of live calls, and what must be true of it after it was killed: for the tests and the long series."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.peers.api import ACCESS_NUMBER, BILLING_NUMBER, Json, diverted
from tests.peers.listener import Event, Listener
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import PATIENCE

RINGING_EXTENSION = "1002"


@dataclass
class Load:
    """Calls that were up when the server ended."""

    caller: Caller
    phone: Phone
    "Extension 1001, which answers."
    quiet: Phone
    "Extension 1002, which only rings."
    answered: list[Json] = field(default_factory=list)
    "Tokens of the calls that were answered."
    ringing: list[Json] = field(default_factory=list)
    "Tokens of those that were not."


@asynccontextmanager
async def load(server: Server, answered: int, ringing: int, *, furnish: bool = True) -> AsyncIterator[Load]:
    """That many calls, all answered or ringing when this yields."""
    async with (
        await Caller.open("trunk", sound=False) as caller,
        await Phone.open("1001", sound=False) as phone,
        await Phone.open(RINGING_EXTENSION, sound=False) as quiet,
    ):
        if furnish:
            await server.api.furnish(phone.uri)
            await server.api.add_agent(quiet.uri, RINGING_EXTENSION)
        else:
            await server.api.patch("/v1/agents/1001", {"contact": phone.uri})
            await server.api.patch(f"/v1/agents/{RINGING_EXTENSION}", {"contact": quiet.uri})
        up = Load(caller, phone, quiet)
        up.answered = await issue(server, answered, "1001")
        up.ringing = await issue(server, ringing, RINGING_EXTENSION)
        answering = asyncio.create_task(answer(phone, answered))
        for token in up.answered + up.ringing:
            await call(server, caller, token)
        await answering
        for placed in caller.calls[:answered]:
            await placed.answered()
        for _ in range(ringing):
            await quiet.rings()
        yield up
        for placed in (*caller.calls, *phone.calls, *quiet.calls):
            placed.end()  # nobody is there to hang up with


async def issue(server: Server, n: int, extension: str) -> list[Json]:
    """Tokens for calls to an agent."""
    if not n:
        return []
    tokens = [{"extension": extension, "caller": f"1380000{i:04}"} for i in range(n)]
    return list((await server.api.post("/v1/tokens/bulk", {"tenant": "acme", "tokens": tokens}))["tokens"])


async def call(server: Server, caller: Caller, token: Json) -> None:
    """One INVITE of the trunk, whose sound goes nowhere."""
    await caller.invite(server.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, headers=diverted(token), sdp=caller.sdp())


async def answer(phone: Phone, n: int) -> None:
    """The next `n` calls of this phone, as they come."""
    for _ in range(n):
        ring = await phone.rings()
        ring.reply(200, sdp=phone.sdp())


async def audit(server: Server, up: Load, seen: Listener, hung_up: int = 0) -> None:
    """What must hold when the server is back after kill -9 (R1-09, R0-14); AssertionError says what does not.

    `hung_up`: of so many answered calls, the first ones, the BYE was on its way when the server died.
    """
    rows = await server.api.cdrs(len(up.answered))
    records = {record["sequence"]: record for record in rows}
    assert len(records) == len(rows), "two records of one call"
    for number, token in enumerate(up.answered):
        record = records[token["sequence"]]
        assert record["cause"] == "lost" or (number < hung_up and record["cause"] == "normal"), record
        assert record["answered_at"] is not None
        assert record["ended_at"] >= record["answered_at"], record
        assert (record["tenant"], record["extension"]) == ("acme", "1001"), record
        assert await server.api.token_state(token) == "consumed", record
    for token in up.ringing:
        assert await server.api.token_state(token) == "free", token
        assert token["sequence"] not in records or records[token["sequence"]]["answered_at"] is None
    every_call_ended_once(await numbers_go_on(server, seen))


def every_call_ended_once(events: list[Event]) -> None:
    """`call.ended` is the last word on every call, whatever happened to it; no call may be alive."""
    told = Counter(event["call"] for event in events if event["type"] == "call.received")
    ended = Counter(event["call"] for event in events if event["type"] == "call.ended")
    assert told == ended, (told - ended, ended - told)
    assert set(told.values()) == {1}


async def numbers_go_on(server: Server, seen: Listener) -> list[Event]:
    """All events of both lives are there, numbered without gap or repeat; what a listener saw did not change."""
    events = await history_of(server)
    assert [event["number"] for event in events] == list(range(1, len(events) + 1))
    for event in seen.events:
        assert events[event["number"] - 1] == event
    return events


async def history_of(server: Server) -> list[Event]:
    """Every event there is, read as a script would: whoever ends his input gets what there is and is let go."""
    reader, writer = await asyncio.open_connection(*server.events_address, limit=1 << 20)
    try:
        writer.write(b'{"after": 0}\n')
        writer.write_eof()
        async with asyncio.timeout(PATIENCE):
            return [json.loads(line) async for line in reader]
    finally:
        writer.close()
