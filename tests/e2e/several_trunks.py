"""A server with six trunks told apart by source address, each with its own way to write numbers, and calls to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.peers.api import ACCESS_NUMBER, BILLING_NUMBER, Json
from tests.peers.call import Call
from tests.peers.configuration import Changes
from tests.peers.exchange import Received
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually_true

CARRIER, NEWEST, FIRST, SIP_I, CHECKED, TRUSTED = (f"127.0.0.{n}" for n in range(1, 7))
"Source addresses of the trunks of `CONFIG`, in its order."

USUAL = {"listener": "outside", "access_id_width": 4, "sequence_width": 8}

CONFIG: Changes = {
    "trunks.carrier": {**USUAL, "addresses": [f"{CARRIER}/32"]},
    "trunks.newest": {**USUAL, "addresses": [f"{NEWEST}/32"], "diversion_pick": "newest"},
    "trunks.first": {**USUAL, "addresses": [f"{FIRST}/32"], "diversion_pick": "first"},
    "trunks.sip-i": {
        **USUAL,
        "addresses": [f"{SIP_I}/32"],
        "sources": ["isup-called", "isup-redirecting", "history-info", "diversion"],
        "country_code": "86",
        "national_prefix": "0",
    },
    "trunks.checked": {
        "listener": "outside",
        "addresses": [f"{CHECKED}/32"],
        "prefix": "9",
        "sequence_width": 6,
        "check_digit": "luhn",
    },
    "trunks.trusted": {**USUAL, "addresses": [f"{TRUSTED}/32"], "trust_asserted": True},
}

PLAIN_TRUNKS = ("carrier", "newest", "first", "sip-i", "trusted")
"The trunks on which the usual tenant's numbers may arrive."

Way = Callable[[str], Sequence[tuple[str, str]]]
"From an original called number to the headers that tell it."


def diverted_by(number: str) -> list[tuple[str, str]]:
    """The plainest way to tell the number first called."""
    return [("Diversion", f"<sip:{number}@trunk.example>;reason=unconditional;counter=1")]


async def furnish(server: Server, contact: str, **tenant: Any) -> Json:
    """Agent, tenant and access number as usual, the tenant bound to all plain trunks; returns a fresh token."""
    await server.api.furnish(contact, **{"trunks": PLAIN_TRUNKS, **tenant})
    return await server.api.issue_token(caller="13800000001", data={"order": "A-1"})


@dataclass(frozen=True, slots=True)
class Served:
    """What is left of a call."""

    ring: Received
    "The INVITE as the agent's phone got it."
    cdr: Json

    @property
    def shown(self) -> str:
        """The number on the agent's phone."""
        return self.ring.get("From").partition("sip:")[2].partition("@")[0]


async def end(caller: Caller, phone: Phone) -> None:
    """The trunk hangs up."""
    await (await caller.bye()).expect(200)
    await phone.expect("BYE")


async def served(server: Server, caller: Caller, phone: Phone, number: str = ACCESS_NUMBER, /, **invite: Any) -> Served:
    """A whole call that the agent takes."""
    call = await caller.invite(server.outside, number, **{"caller": BILLING_NUMBER, **invite})
    ring = await phone.answers()
    await caller.answered()
    await end(caller, phone)
    return Served(ring, await cdr_of(server, call))


async def refused(server: Server, caller: Caller, code: int, number: str = ACCESS_NUMBER, /, **invite: Any) -> Json:
    """A whole call that nobody takes, ended with this code; returns its record."""
    call = await caller.invite(server.outside, number, **{"caller": BILLING_NUMBER, **invite})
    await caller.expect(code)
    return await cdr_of(server, call)


async def cdr_of(server: Server, call: Call) -> Json:
    """The record of this very call, once it has ended."""

    async def found() -> list[Json]:
        return [row for row in await server.api.cdrs(1) if row["sip_call_id"] == call.call_id]

    rows = await eventually_true(found, f"the record of call {call.call_id}")
    assert len(rows) == 1, rows
    return rows[0]


async def receptionist(server: Server, phone: Phone) -> None:
    """Agent 1009, who takes what goes astray, and the route to him."""
    await server.api.add_agent(phone.uri, "1009")
    await server.api.add_route("reception", "1009")
