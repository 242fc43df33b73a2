"""A server with two carriers that calls go out to, as one group, and short times; and calls over them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from tests.peers.api import Json
from tests.peers.configuration import Changes
from tests.peers.ports import PORTS
from tests.peers.server import Server
from tests.peers.uas import Phone
from tests.peers.waiting import eventually_true

FIRST, SECOND = PORTS.keep(1), PORTS.keep(1)
"Ports of the carriers."
QUICK = {"listener": "outside", "first_response": 0.4, "progress_timeout": 0.8, "answer_timeout": 1.0, "probe": False}

CONFIG: Changes = {
    "trunks.carrier": {"addresses": ["127.0.0.1/32"]},
    "trunks.first": {
        **QUICK,
        "addresses": ["192.0.2.1/32"],
        "target": f"127.0.0.1:{FIRST}",
        "failover_codes": [403],
        "retry_after_most": 1.0,
    },
    "trunks.second": {**QUICK, "addresses": ["192.0.2.2/32"], "target": f"127.0.0.1:{SECOND}"},
    "trunks.patient": {
        **QUICK,
        "addresses": ["192.0.2.3/32"],
        "target": f"127.0.0.1:{FIRST}",
        "answer_timeout": 30.0,
    },
    "trunks.forbidden": {**QUICK, "addresses": ["192.0.2.4/32"], "target": "255.255.255.255"},
    "trunk_groups.both": {"members": ["first 1", "second 2"]},
    "trunk_groups.cut-off": {"members": ["forbidden 1", "second 2"]},
}
_NUMBERS = count(13_800_000_001)


@asynccontextmanager
async def carriers(**first: Any) -> AsyncIterator[tuple[Phone, Phone]]:
    """Both carriers, without sound; `first` is for the first one."""
    async with (
        await Phone.open("first", port=FIRST, **{"sound": False, **first}) as one,
        await Phone.open("second", port=SECOND, sound=False) as other,
    ):
        yield one, other
        print(one.ladder(), other.ladder())


async def dial(server: Server, over: str = "both", number: str = "") -> str:
    """Call a number over a trunk or group: a call that we place ourselves, whose first party it is."""
    number = number or str(next(_NUMBERS))
    body = {"a": {"number": number, "trunk": over}, "b": {"number": "1", "trunk": "second"}}
    await server.api.post("/v1/calls", body)
    return number


async def record(server: Server, number: str) -> Json:
    """Of the call whose first party has this number, once it is over."""

    async def found() -> list[Json]:
        return [row for row in await server.api.cdrs(1) if row["effective_caller"] == number]

    rows = await eventually_true(found, f"the record of {number}")
    return rows[0]
