"""Accounts at carriers: registration and digest, and passwords that go nowhere else."""

import asyncio
import hashlib
import re

from tests.e2e.carriers import dial, record
from tests.e2e.conftest import StartServer
from tests.peers.api import ACCESS_NUMBER
from tests.peers.configuration import merged, toml
from tests.peers.exchange import Received
from tests.peers.ports import PORTS
from tests.peers.uas import Phone
from tests.peers.waiting import eventually_true

REGISTRAR = PORTS.keep(1)
USER, PASSWORD, REALM = "line7", "s3cret", "carrier.example"
ACCOUNT = {
    "listener": "outside",
    "addresses": ["127.0.0.1/32"],
    "target": f"127.0.0.1:{REGISTRAR}",
    "domain": REALM,
    "user": USER,
    "password": PASSWORD,
    "realm": REALM,
    "registers": True,
    "called_header": "to",
    "probe": False,
    "access_id_width": 4,
}
CHALLENGE = f'Digest realm="{REALM}", nonce="0123456789abcdef", qop="auth", algorithm=MD5'


def proves(request: Received, header: str) -> bool:
    """Whether the digest is that of our password (RFC 2617 section 3.2.2)."""
    said = dict(re.findall(r'(\w+)="?([^",]*)"?', request.get(header).partition(" ")[2]))

    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    ha1, ha2 = md5(f"{USER}:{REALM}:{PASSWORD}"), md5(f"{request.method}:{said['uri']}")
    wanted = md5(f"{ha1}:{said['nonce']}:{said['nc']}:{said['cnonce']}:{said['qop']}:{ha2}")
    return bool(said["response"] == wanted and said["username"] == USER)


async def test_we_register_and_answer_only_our_carrier(start_server: StartServer) -> None:
    """REGISTER with digest, calls both ways over the account, and credentials bound to realm and address."""
    async with (
        await Phone.open("registrar", port=REGISTRAR) as carrier,
        await Phone.open("elsewhere", host="127.0.0.9", manual=["BYE"]) as elsewhere,
    ):
        server = await start_server({"trunks.account": ACCOUNT, "trunks.second": {
            "listener": "outside", "addresses": ["192.0.2.2"], "target": "192.0.2.2", "probe": False}})  # fmt: skip
        listener = await server.listen(after=0)
        first = await carrier.expect("REGISTER")
        assert first.start == f"REGISTER sip:{REALM} SIP/2.0"
        assert f"<sip:{USER}@{REALM}>" in first.get("To")
        assert f"<sip:{USER}@127.0.0.1:{server.outside[1]}>" in first.get("Contact")
        assert not first.has("Route")
        first.reply(401, headers={"WWW-Authenticate": CHALLENGE})
        second = await carrier.expect("REGISTER")
        assert proves(second, "Authorization")
        second.reply(200, headers={"Contact": f"{second.get('Contact')};expires=300"})
        await listener.expect("trunk.registered", trunk="account")
        assert (await server.api.get("/v1/trunks/account"))["registered"] == "yes"

        # a call out: the carrier asks, and gets its answer
        number = await dial(server, "account")
        ring = await carrier.expect("INVITE", user=number)
        assert ring.start == f"INVITE sip:{number}@{REALM} SIP/2.0"
        ring.reply(407, headers={"Proxy-Authenticate": CHALLENGE})
        ring = await carrier.expect("INVITE", user=number)
        assert proves(ring, "Proxy-Authorization")
        # whose Contact leads elsewhere, to somebody who asks as well
        ring.reply(200, contact=elsewhere.uri)
        await elsewhere.expect("ACK")
        call = (await server.api.calls())[0]
        await server.api.delete(f"/v1/calls/{call['id']}")
        bye = await elsewhere.expect("BYE")
        assert not bye.has("Proxy-Authorization")
        bye.reply(407, headers={"Proxy-Authenticate": CHALLENGE})
        bye = await elsewhere.expect("BYE")
        assert not bye.has("Proxy-Authorization")
        bye.reply(200)
        await record(server, number)
        assert await server.api.metric("tandem_gate_total", counter="kept_credentials") >= 1

        # nor is another realm answered
        number = await dial(server, "account")
        ring = await carrier.expect("INVITE", user=number)
        ring.reply(401, headers={"WWW-Authenticate": CHALLENGE.replace(REALM, "strangers.example")})
        await record(server, number)
        assert len([one for one in carrier.got("INVITE") if number in one.start]) == 1

        # a call in: the account's user in the Request-URI tells it from the other trunk on this address
        called = await carrier.invite(server.outside, USER, caller="4930", to=f"sip:{ACCESS_NUMBER}@{REALM}")

        async def known() -> bool:
            rows = [row for row in await server.api.cdrs(1) if row["sip_call_id"] == called.call_id]
            return bool(rows) and (rows[0]["trunk"], rows[0]["called"]) == ("account", ACCESS_NUMBER)

        await eventually_true(known, "the record says which trunk it came by")

        # another account after a reload: the old registration is taken back, the new one is not wanted
        text = toml(merged(server.config, {"trunks.account": {"user": "line8"}}))
        await asyncio.to_thread(server.file.write_text, text)
        await server.api.post("/v1/reload", {})
        over = await carrier.expect("REGISTER", where=lambda request: f"sip:{USER}@" in request.get("To"))
        assert over.get("Expires") == "0" or "expires=0" in over.get("Contact")
        over.reply(200)
        refused = await carrier.expect("REGISTER", where=lambda request: "sip:line8@" in request.get("To"))
        refused.reply(403)
        await listener.expect("trunk.unregistered", trunk="account", why="403 Forbidden")
        assert (await server.api.get("/v1/trunks/account"))["registered"] == "no"

        # who was refused asks again, at the same address, and is believed when it is let in
        again = await carrier.expect("REGISTER", where=lambda request: "sip:line8@" in request.get("To"))
        again.reply(401, headers={"WWW-Authenticate": CHALLENGE})
        again = await carrier.expect("REGISTER", where=lambda request: request.has("Authorization"))
        again.reply(200, headers={"Contact": f"{again.get('Contact')};expires=300"})
        await listener.expect("trunk.registered", trunk="account")
        assert (await server.api.get("/v1/trunks/account"))["registered"] == "yes"

        # the carrier moves: the registration is taken back while its old address may still get credentials
        moved = {"user": "line8", "target": f"{elsewhere.host}:{elsewhere.port}"}
        await asyncio.to_thread(server.file.write_text, toml(merged(server.config, {"trunks.account": moved})))
        await server.api.post("/v1/reload", {})
        over = await carrier.expect("REGISTER")
        assert over.get("Expires") == "0" or "expires=0" in over.get("Contact")
        over.reply(401, headers={"WWW-Authenticate": CHALLENGE})
        over = await carrier.expect("REGISTER")
        assert over.get("Expires") == "0" or "expires=0" in over.get("Contact")
        assert over.has("Authorization")
        over.reply(200)
        there = await elsewhere.expect("REGISTER")
        there.reply(200, headers={"Contact": f"{there.get('Contact')};expires=300"})
        await listener.expect("trunk.registered", trunk="account")
        await listener.close()


async def test_an_account_that_a_reload_has_changed_goes_with_its_last_call(start_server: StartServer) -> None:
    """The running call keeps its account and ends in peace, the next one goes over the new one, and the old one is
    gone then; so it is where the trunk itself is gone."""
    plain = {key: value for key, value in ACCOUNT.items() if key not in ("registers", "called_header")}
    second_one = {"listener": "outside", "addresses": ["192.0.2.2/32"], "target": "127.0.0.1:9", "probe": False}
    server = await start_server({"trunks.carrier": plain, "trunks.second": second_one})

    async def changed(**keys: object) -> None:
        config = merged(server.config, {"trunks.carrier": keys})
        server.file.write_text(toml(config))
        await server.api.post("/v1/reload", {})

    async def accounts(count: int) -> None:
        async def there() -> bool:
            return await server.api.metric("tandem_trunk_accounts") == count

        await eventually_true(there, f"{count} accounts of trunks")

    async with await Phone.open("carrier", port=REGISTRAR, sound=False) as carrier:
        first = await dial(server, "carrier")
        ring = await carrier.rings(first)
        assert f"@{REALM}" in ring.start
        await accounts(1)
        await changed(domain="other.example")
        second = await dial(server, "carrier")
        other = await carrier.rings(second)
        assert "@other.example" in other.start
        await accounts(2)
        ring.reply(486)
        await record(server, first)
        await accounts(1)
        await changed(domain=None, password=None, realm=None, user=None)
        other.reply(486)
        await record(server, second)
        await accounts(0)
