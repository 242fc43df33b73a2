"""Bridge: peers that call themselves by a host name are reached where they are; nothing is looked up for it."""

import pytest

from tests.e2e.legs import call_in, end, hear_each_other
from tests.peers.message import destination_of
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone

NOWHERE = "sbc.carrier.invalid"
"A name no name server knows (RFC 2606)."


@pytest.mark.parametrize("routed", [False, True], ids=["Contact", "Record-Route"])
async def test_a_trunk_that_gives_a_name_gets_our_requests(
    server: Server, caller: Caller, phone: Phone, routed: bool
) -> None:
    """Bridge: our BYE goes to where the INVITE came from, its Request-URI names who the Contact named."""
    caller.proxy = server.outside
    route = f"<sip:{NOWHERE}:{caller.port};lr>"
    headers = {"Contact": f"<sip:trunk@{NOWHERE}:{caller.port}>", **({"Record-Route": route} if routed else {})}
    await call_in(server, caller, phone.uri, headers=headers)
    await phone.answers()
    await caller.answered()
    await hear_each_other(caller, phone)
    await (await phone.bye()).expect(200)
    bye = await caller.expect("BYE")
    assert destination_of(bye.uri)[:2] == (NOWHERE, caller.port)
    assert bye.has("Route") is routed
    assert (await server.api.cdr())["cause"] == "normal"


@pytest.mark.parametrize("routed", [False, True], ids=["Contact", "Record-Route"])
async def test_a_phone_that_gives_a_name_gets_our_requests(
    server: Server, caller: Caller, phone: Phone, routed: bool
) -> None:
    """Bridge: ACK and BYE go to where the 200 came from."""
    await call_in(server, caller, phone.uri)
    ring = await phone.expect("INVITE")
    phone.proxy = server.inside
    headers = {"Record-Route": [f"<sip:far.{NOWHERE};lr>", f"<sip:{NOWHERE}:{phone.port};lr>"]} if routed else {}
    contact = f"sip:1001@{NOWHERE}:{phone.port}"
    ring.reply(180, contact=contact, headers=headers)
    ring.reply(200, contact=contact, headers=headers)
    ack = await phone.expect("ACK")
    assert destination_of(ack.uri)[:2] == (NOWHERE, phone.port)
    assert len(ack.all("Route")) == (2 if routed else 0)
    await caller.answered()
    await hear_each_other(caller, phone)
    await end(caller, phone)
    assert (await server.api.cdr())["cause"] == "normal"
