"""A tenant with persons and systems of its own: calls whose row names no agent, so that the analysis decides."""

from typing import Any

from tests.e2e.several_trunks import diverted_by
from tests.peers.api import ACCESS_NUMBER, BILLING_NUMBER
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone


async def call(server: Server, caller: Caller, number: str = "13800000001", **data: Any) -> None:
    """A caller whose row names no agent."""
    token = await server.api.issue_token(caller=number, extension=None, data=data)
    headers = diverted_by(token["original_called_number"])
    await caller.invite(server.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, headers=headers)


async def talks_to(caller: Caller, phone: Phone) -> None:
    """This phone rings and answers, and the caller hangs up after it."""
    await phone.answers()
    await caller.answered()
    await (await caller.bye()).expect(200)
    await phone.expect("BYE")
