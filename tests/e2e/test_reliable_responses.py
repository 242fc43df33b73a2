"""Reliable provisional responses (RFC 3262): each leg agrees on its own, whatever the other one can or wants."""

import pytest

from tests.e2e.conftest import StartServer
from tests.e2e.legs import call_again, call_in, end, hear_each_other
from tests.peers.exchange import Received
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually

REQUIRED = {"Require": "100rel", "Supported": "100rel"}
SUPPORTED = {"Supported": "100rel"}
NOTHING: dict[str, str] = {}


def is_reliable(response: Received) -> bool:
    return "100rel" in response.tokens("Require") and response.has("RSeq")


async def taken(caller: Caller, status: int) -> Received:
    """Wait for a provisional response and acknowledge it where it asks for that."""
    response = await caller.expect(status)
    if is_reliable(response):
        await (await caller.call.prack(response)).expect(200)
    return response


@pytest.mark.parametrize(
    "trunk", [REQUIRED, SUPPORTED, NOTHING], ids=["trunk requires", "trunk supports", "trunk without"]
)
@pytest.mark.parametrize("agent_reliable", [True, False], ids=["agent reliable", "agent plain"])
async def test_each_leg_has_its_own_agreement(
    server: Server, caller: Caller, phone: Phone, trunk: dict[str, str], agent_reliable: bool
) -> None:
    """Bridge, 100rel: 180 and then 183 with sound; reliable to a trunk that can, plain to one that cannot."""
    await call_in(server, caller, phone.uri, headers=trunk)
    ring = await phone.expect("INVITE")
    assert "100rel" in ring.tokens("Supported")
    assert "100rel" not in ring.tokens("Require")
    ring.reply(180, reliable=agent_reliable)
    if agent_reliable:
        assert (await phone.expect("PRACK")).get("RAck") == f"1 {ring.cseq[0]} INVITE"
    first = await taken(caller, 180)
    ring.reply(183, sdp=True, reliable=agent_reliable)
    if agent_reliable:
        assert (await phone.expect("PRACK")).get("RAck") == f"2 {ring.cseq[0]} INVITE"
    second = await taken(caller, 183)
    await caller.hears(phone)
    assert is_reliable(first) == is_reliable(second) == bool(trunk)
    if trunk:
        assert int(second.get("RSeq")) == int(first.get("RSeq")) + 1
    ring.reply(200, sdp=None if agent_reliable else True)
    await phone.expect("ACK")
    await caller.answered()
    await hear_each_other(caller, phone)
    await end(caller, phone)


async def test_an_agent_that_requires_it_elsewhere_too(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, 100rel: the trunk knows nothing of it, and gets a plain 183; the phone's PRACK carries nothing of his."""
    await call_in(server, caller, phone.uri)
    ring = await phone.expect("INVITE")
    ring.reply(183, sdp=True, reliable=True)
    prack = await phone.expect("PRACK")
    assert prack.body == b""
    response = await caller.expect(183)
    assert not response.has("RSeq")
    assert not response.has("Require")
    ring.reply(200, sdp=None)
    await phone.expect("ACK")
    await caller.answered()
    await hear_each_other(caller, phone)
    await end(caller, phone)


async def test_a_repeated_provisional_response_is_acknowledged_once_and_passed_on_once(
    server: Server, caller: Caller, phone: Phone
) -> None:
    """RFC 3262 4: the same RSeq again (its PRACK was lost) does not ring twice at the trunk, nor start anything."""
    async with await Phone.open("1001", manual=["PRACK"]) as slow:
        await call_in(server, caller, slow.uri)
        ring = await slow.expect("INVITE")
        ring.reply(180, reliable=True)
        prack = await slow.expect("PRACK")
        ring.again()
        ring.again()
        prack.reply(200, sdp=None)
        await caller.expect(180)
        ring.reply(183, sdp=True, reliable=True)
        second = await slow.expect("PRACK")
        second.reply(200, sdp=None)
        assert [p.get("RAck").split()[0] for p in slow.got("PRACK")] == ["1", "2"]
        await caller.expect(183)
        ring.reply(200, sdp=None)
        await slow.expect("ACK")
        await caller.answered()
        await hear_each_other(caller, slow)
        assert len(caller.got(180)) == len(caller.got(183)) == 1
        await end(caller, slow)


async def test_our_provisional_response_is_repeated_until_acknowledged(
    server: Server, caller: Caller, phone: Phone
) -> None:
    """RFC 3262 3: 0.5 s and doubling; the repetition of a PRACK gets its 200 again."""
    await call_in(server, caller, phone.uri, headers=REQUIRED)
    ring = await phone.rings()
    response = await caller.expect(180)
    await eventually(lambda: response.repeats >= 2, "the 180 comes again while nobody acknowledges")
    prack = await caller.call.prack(response)
    answer = await prack.expect(200)
    prack.again()
    await eventually(lambda: answer.repeats, "the 200 of the PRACK again")
    ring.reply(200)
    await phone.expect("ACK")
    await caller.answered()
    await end(caller, phone)


async def test_a_prack_for_another_response_acknowledges_nothing(server: Server, caller: Caller, phone: Phone) -> None:
    """RFC 3262 3: an RAck that fits no response of ours does not stop the repetition; the right one does."""
    await call_in(server, caller, phone.uri, headers=REQUIRED)
    ring = await phone.rings()
    response = await caller.expect(180)
    await caller.call.prack(response, headers={"RAck": f"{int(response.get('RSeq')) + 7} 1 INVITE"})
    await eventually(lambda: response.repeats, "the 180 comes again")
    await (await caller.call.prack(response)).expect(200)
    ring.reply(200)
    await phone.expect("ACK")
    await caller.answered()
    await end(caller, phone)


async def test_a_trunk_set_to_off_gets_it_only_where_it_insists(
    start_server: StartServer, caller: Caller, phone: Phone
) -> None:
    """Trunk setting rel100 = off: a trunk that supports it gets plain responses, one that requires it reliable ones."""
    server = await start_server({"trunks.carrier": {"rel100": "off"}})
    await call_in(server, caller, phone.uri, headers=SUPPORTED)
    ring = await phone.rings()
    assert not is_reliable(await caller.expect(180))
    ring.reply(200)
    await phone.expect("ACK")
    await caller.answered()
    await end(caller, phone)
    await call_again(server, caller, headers=REQUIRED)
    ring = await phone.rings()
    assert is_reliable(await taken(caller, 180))
    ring.reply(200)
    await phone.expect("ACK")
    await caller.answered()
    await end(caller, phone)


async def test_a_trunk_set_to_required_refuses_who_cannot(
    start_server: StartServer, caller: Caller, phone: Phone
) -> None:
    """Trunk setting rel100 = required: 421 with Require to a trunk without it, reliable responses to one that can."""
    server = await start_server({"trunks.carrier": {"rel100": "required"}})
    await caller.invite(server.outside, "4008100001")
    refused = await caller.expect(421)
    assert "100rel" in refused.tokens("Require")
    await call_in(server, caller, phone.uri, headers=SUPPORTED)
    ring = await phone.rings()
    assert is_reliable(await taken(caller, 180))
    ring.reply(200)
    await phone.expect("ACK")
    await caller.answered()
    await end(caller, phone)
