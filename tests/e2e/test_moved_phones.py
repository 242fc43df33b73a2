"""A phone whose address changes in the middle of a call shows its password; nobody else ends the call."""

import re

from tests.e2e.conftest import StartServer
from tests.e2e.legs import hear_each_other
from tests.e2e.phones import OFFICE, Nat, credentials, hire, register
from tests.e2e.test_in_dialog import Elsewhere
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone


async def shows(place: Elsewhere, server: Server, user: str) -> bytes:
    """The answer to a BYE with the digest of this extension's password, after the challenge."""
    place.sends("BYE", server.inside)
    asked = (await place.receives()).decode()
    assert asked.startswith("SIP/2.0 401")
    challenge = next(one for one in re.findall(r"WWW-Authenticate: (.*)\r\n", asked) if "algorithm=MD5" in one)
    uri = f"sip:{server.inside[0]}:{server.inside[1]}"
    place.sends("BYE", server.inside, more={"Authorization": credentials(challenge, "BYE", uri, user)})
    return await place.receives()


async def test_a_phone_with_another_address_shows_its_password(start_server: StartServer, caller: Caller) -> None:
    """RFC 3261 22.2: a BYE from an address that the far end of the call does not have is challenged. Without a
    password, and with that of another agent, the call goes on; with the right one it ends. A router that gives the
    phone another port needs none of this."""
    server = await start_server(OFFICE)
    await hire(server, "1001", "1002")
    await server.api.add_access_number("4008100001", correlation="off", entry={"kind": "agent", "target": "1001"})
    async with await Phone.open("1001") as phone, await Nat.open(server.inside) as nat:
        await register(server, phone, "<sip:1001@10.1.2.3:5060>", via=nat.inside)
        await caller.invite(server.outside, "4008100001")
        await phone.answers()
        await caller.answered()
        await hear_each_other(caller, phone)
        pattern = await phone.call.options()
        await pattern.expect(200)
        with Elsewhere("127.0.0.66", pattern) as moved, Elsewhere("127.0.0.1", pattern) as rebound:
            assert (await shows(moved, server, "1002")).startswith(b"SIP/2.0 403")
            moved.sends("ACK", server.inside)
            assert await rebound.asks("OPTIONS", server.inside) == 200
            await hear_each_other(caller, phone)
            assert (await shows(moved, server, "1001")).startswith(b"SIP/2.0 200")
        await caller.expect("BYE")
    assert (await server.api.cdr())["cause"] == "normal"
