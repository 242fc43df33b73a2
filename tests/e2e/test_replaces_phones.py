"""Calls that phones take over from one another: behind address translation, from elsewhere, and calls they placed."""

from tests.e2e.conftest import StartServer
from tests.e2e.legs import hear_each_other
from tests.e2e.phones import OFFICE, Nat, credentials, hire, invite, md5_challenge, register
from tests.peers.api import ACCESS_NUMBER
from tests.peers.call import Call
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.wire import Address

PRIVATE = "<sip:1001@10.1.2.3:5060>"
"Contact of a phone that does not know how it is seen."


async def each_hears(one: Phone, other: Phone) -> None:
    await one.hears(other)
    await other.hears(one)


def named(call: Call) -> str:
    """A call of a phone's as a Replaces has it."""
    dialog = call.dialogs.current
    assert dialog is not None
    return f"{call.call_id};to-tag={dialog.remote_tag};from-tag={dialog.local_tag}"


async def takes_over(server: Server, phone: Phone, what: str, *, via: Address | None = None) -> Call:
    """INVITE with Replaces from a phone of 1001's, which shows its password."""
    target, headers = via or server.inside, {"Replaces": what, "Require": "replaces"}
    asked = await phone.invite(target, "1001", caller="1001", headers=headers)
    challenge = await md5_challenge(asked.invite_sent)
    shown = credentials(challenge, "INVITE", f"sip:1001@{target[0]}:{target[1]}", "1001")
    call = await phone.invite(target, "1001", caller="1001", headers={**headers, "Authorization": shown})
    await call.answered()
    return call


async def test_a_phone_behind_address_translation_moves_and_transfers_its_calls(
    start_server: StartServer, caller: Caller
) -> None:
    """Its Contact leads nowhere, and it is known by where it is seen: Replaces from there and, with the password, from
    another phone of the agent's at another address; then an attended transfer from there."""
    server = await start_server(OFFICE)
    await hire(server, "1001", "1002")
    await server.api.add_access_number(ACCESS_NUMBER, correlation="off", entry={"kind": "agent", "target": "1001"})
    async with (
        await Phone.open("1001") as phone,
        await Phone.open("cell", host="127.0.0.2") as cell,
        await Phone.open("1002") as other,
        await Nat.open(server.inside) as nat,
    ):
        await register(server, phone, PRIVATE, via=nat.inside)
        await register(server, other, f"<{other.uri}>", "1002")
        await caller.invite(server.outside, ACCESS_NUMBER, caller="02088880001")
        ring = await phone.expect("INVITE")
        ring.reply(200, headers=[("Contact", PRIVATE)])
        await caller.answered()
        await phone.expect("ACK")
        first = ring.call

        moved = await takes_over(server, cell, named(first))
        await phone.expect("BYE", call=first)
        await hear_each_other(caller, cell)
        back = await takes_over(server, phone, named(moved), via=nat.inside)
        await cell.expect("BYE", call=moved)
        await hear_each_other(caller, phone)

        asked = await phone.invite(nat.inside, "1002", caller="1001")
        challenge = await md5_challenge(asked.invite_sent)
        uri = f"sip:1002@{nat.inside[0]}:{nat.inside[1]}"
        shown = {"Authorization": credentials(challenge, "INVITE", uri, "1001")}
        asked = await phone.invite(nat.inside, "1002", caller="1001", headers=shown)
        await other.answers()
        await asked.answered()
        replaces = named(asked).replace(";", "%3B").replace("=", "%3D").replace("@", "%40")
        await (await back.refer(f"sip:1002@{nat.inside[0]}?Replaces={replaces}")).expect(202)
        await hear_each_other(caller, other)
        await (await caller.bye()).expect(200)
        await other.expect("BYE")


async def test_an_agent_moves_a_call_that_he_has_placed(start_server: StartServer) -> None:
    """The call goes on at his other phone, the one that has dialled gets BYE, and whom he called hears no difference;
    nobody else's password will do."""
    server = await start_server(OFFICE)
    await hire(server, "1001", "1002")
    async with (
        await Phone.open("1001") as phone,
        await Phone.open("cell", host="127.0.0.2") as cell,
        await Phone.open("1002") as other,
        await Phone.open("thief", sound=False) as thief,
    ):
        await register(server, phone, f"<{phone.uri}>")
        await register(server, other, f"<{other.uri}>", "1002")
        await invite(server, phone, "1002")
        await other.answers()
        await phone.answered()
        placed = phone.call
        await each_hears(phone, other)
        offer, replaces = other.sdp(), {"Replaces": named(placed)}
        refused = await thief.invite(server.inside, "1001", caller="1002", headers=replaces, sdp=offer)
        challenge = await md5_challenge(refused.invite_sent)
        shown = credentials(challenge, "INVITE", f"sip:1001@{server.inside[0]}:{server.inside[1]}", "1002")
        stolen = {**replaces, "Authorization": shown}
        await (await thief.invite(server.inside, "1001", caller="1002", headers=stolen, sdp=offer)).expect(403)

        await takes_over(server, cell, named(placed))
        await phone.expect("BYE", call=placed)
        await each_hears(cell, other)
        [call] = await server.api.calls()
        assert call["extension"] == "1001"
        await (await cell.bye()).expect(200)
        await other.expect("BYE")
    cdr = await server.api.cdr()
    assert (cdr["cause"], cdr["ended_by"]) == ("normal", "agent")
