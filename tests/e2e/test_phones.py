"""Agents' phones that register: over every transport, with both algorithms, several at once, kept over a restart."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.e2e.conftest import StartServer
from tests.e2e.phones import OFFICE, PASSWORD, credentials, hire, kept, md5_challenge, phones, register, registrar
from tests.e2e.queues import log_in, state
from tests.peers.api import ACCESS_NUMBER
from tests.peers.certificates import Authority
from tests.peers.pjsip_phone import PjsipPhone
from tests.peers.ports import PORTS
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually_true

OpenPjsip = Callable[..., Awaitable[PjsipPhone]]


async def talk(one: PjsipPhone, other: PjsipPhone, uri: str) -> None:
    """One dials the other, both hear each other, and the other hangs up."""
    await one.dial(uri)
    await other.rings()
    await other.reply(200)
    await one.hears(other.tone)
    await other.hears(one.tone)
    await other.hang_up()
    await one.ended()


async def test_phones_register_and_call_each_other_over_every_transport(
    start_server: StartServer, open_pjsip: OpenPjsip, authority: Authority
) -> None:
    """Registrar on UDP, TCP and TLS with SHA-256; a phone is rung on the connection that it has registered by."""
    certificate = authority.issue("127.0.0.1")
    inside = {"side": "inside", "address": "127.0.0.1"}
    tls = {"tls_certificate": str(certificate), "tls_key": str(certificate.with_suffix(".key"))}
    server = await start_server(
        {
            **OFFICE,
            "listeners.tcp": {**inside, "transport": "tcp", "port": PORTS.take()},
            "listeners.tls": {**inside, "transport": "tls", "port": PORTS.take(), **tls},
        }
    )
    await hire(server, "1001", "1002", "1003")
    udp = await open_pjsip(name="1001")
    tcp = await open_pjsip(name="1002", transport="tcp")
    over_tls = await open_pjsip(name="1003", transport="tls", certificate=certificate, ca=authority.file)
    at = {
        udp: registrar(server),
        tcp: registrar(server, "tcp", "tcp"),
        over_tls: registrar(server, "tls", "tls"),
    }
    for phone, uri in at.items():
        await phone.register(uri, password=PASSWORD)
    found = await phones(server)
    assert [(one["extension"], one["transport"], one["reachable"]) for one in found] == [
        ("1001", "udp", True), ("1002", "tcp", True), ("1003", "tls", True),
    ]  # fmt: skip
    assert await server.api.counted("tandem_phone_requests_total", answer="REGISTER 200") == 3
    host = registrar(server).partition(":")[2]
    await talk(udp, tcp, f"sip:1002@{host}")
    host, port = server.listener("tcp")
    await talk(tcp, over_tls, f"sip:1003@{host}:{port};transport=tcp")
    host, port = server.listener("tls")
    await talk(over_tls, udp, f"sip:1001@{host}:{port};transport=tls")
    cdrs = await server.api.cdrs(3)
    assert [(c["direction"], c["effective_caller"], c["extension"]) for c in cdrs] == [
        ("internal", "1001", "1002"), ("internal", "1002", "1003"), ("internal", "1003", "1001"),
    ]  # fmt: skip
    reader, writer = await asyncio.open_connection(*server.listener("tcp"))
    writer.write(b"\r\n\r\n")  # is anybody there? (RFC 5626 4.4.1)
    assert await asyncio.wait_for(reader.read(10), 5) == b"\r\n"
    writer.close()
    await udp.register(at[udp], password=PASSWORD, expires=0)
    assert [one["extension"] for one in await phones(server)] == ["1002", "1003"]


async def test_nobody_comes_in_without_the_password(start_server: StartServer) -> None:
    """Wrong passwords and replays are refused and counted, unknown extensions look like wrong passwords, and no INVITE
    costs a call before its sender is known."""
    server = await start_server(OFFICE)
    await hire(server, "1001", "1002")
    uri = f"sip:1001@127.0.0.1:{server.inside[1]}"
    async with await Phone.open("1001") as phone, await Phone.open("1001", host="127.0.0.2") as thief:
        contact = ("Contact", f"<{phone.uri}>")

        async def asks(user: str, status: int, *, password: str = PASSWORD, by: str = "") -> None:
            """REGISTER with credentials for a challenge, and what it gets."""
            target = f"sip:{user}@127.0.0.1:{server.inside[1]}"
            challenge = await md5_challenge(await phone.request("REGISTER", server.inside, user, headers=[contact]))
            answer = credentials(challenge, "REGISTER", target, by or user, password=password)
            sent = await phone.request("REGISTER", server.inside, user, headers=[contact, ("Authorization", answer)])
            await sent.expect(status)

        first = await (await phone.request("REGISTER", server.inside, "1001")).expect(401)
        unknown = await (await phone.request("REGISTER", server.inside, "9999")).expect(401)
        assert [v.partition("nonce")[0] for v in first.all("WWW-Authenticate")] == [
            v.partition("nonce")[0] for v in unknown.all("WWW-Authenticate")
        ]
        assert len(first.all("WWW-Authenticate")) == 2
        await asks("1001", 403, password="guess")
        await asks("9999", 403)
        await asks("1001", 403, by="1002")
        assert await phones(server) == []
        await asks("1001", 200)

        challenge = await md5_challenge(await phone.request("REGISTER", server.inside, "1001"))
        answer = credentials(challenge, "REGISTER", uri, "1001")
        headers = [("Contact", f"<{phone.uri}>;expires=0"), ("Authorization", answer)]
        await (await phone.request("REGISTER", server.inside, "1001", headers=headers)).expect(200)
        await asks("1001", 200)
        stolen = await thief.request("REGISTER", server.inside, "1001", headers=headers)
        await stolen.expect(401)
        again = await phone.request("REGISTER", server.inside, "1001", headers=headers)
        assert "stale=true" in (await again.expect(401)).get("WWW-Authenticate")
        assert len(await phones(server)) == 1

        await phone.invite(server.inside, "1002", caller="1001")
        await phone.expect(401)
        await phone.invite(server.inside, "112", caller="9999")
        await phone.expect(401)
        refer = [("Refer-To", "<sip:0900123@127.0.0.1>"), ("From", f"<{uri}>;tag=r")]
        challenge = await md5_challenge(await phone.request("REFER", server.inside, "1001", headers=refer))
        shown = [*refer, ("Authorization", credentials(challenge, "REFER", uri, "1001"))]
        told = await (await phone.request("REFER", server.inside, "1001", headers=shown)).expect(405)
        assert "REGISTER" in told.tokens("Allow") or "register" in told.tokens("Allow")
        assert await server.api.counted("tandem_calls_total") == 0
        assert await server.api.counted("tandem_sip_refusals_total", cause="wrong-credentials") == 4
        assert await server.api.counted("tandem_phone_requests_total", answer="REGISTER guilty") == 4


async def test_all_phones_of_an_agent_ring_and_one_wins(start_server: StartServer, caller: Caller) -> None:
    """Several contacts: those with the best q together, the others after them; the losers are told why."""
    server = await start_server(OFFICE)
    await hire(server, "1001")
    await server.api.add_access_number(correlation="off", entry={"kind": "agent", "target": "1001"})
    async with await Phone.open("1001") as desk, await Phone.open("1001") as cell, await Phone.open("1001") as home:
        for phone, q in ((desk, 1.0), (cell, 1.0), (home, 0.3)):
            await register(server, phone, f"<{phone.uri}>;q={q}")
        await caller.invite(server.outside, ACCESS_NUMBER, caller="02088880001")
        for phone in (desk, cell):
            (await phone.expect("INVITE")).reply(180)
        await caller.expect(180)
        desk.call.invite_received.reply(200)
        await caller.answered()
        cancel = await cell.expect("CANCEL")
        assert "elsewhere" in cancel.get("Reason")
        assert not home.got("INVITE")
        await caller.hears(desk)
        await desk.hears(caller)
        await (await desk.bye()).expect(200)
        await caller.expect("BYE")

        await caller.invite(server.outside, ACCESS_NUMBER, caller="02088880001")
        for phone in (desk, cell):
            await phone.rejects(486)
        (await home.expect("INVITE")).reply(200)
        await caller.answered()
        await caller.hears(home)
        await (await caller.bye()).expect(200)
        await home.expect("BYE")
    assert [cdr["extension"] for cdr in await server.api.cdrs(2)] == ["1001", "1001"]


async def test_registrations_outlast_a_crash_and_silent_phones_are_noticed(start_server: StartServer) -> None:
    """Kept over kill -9; unreachable after OPTIONS without an answer, back with the first one; dropped by command."""
    server = await start_server({**OFFICE, "phones": {**OFFICE["phones"], "probe": 1}})
    await hire(server, "1001", "1002")
    await server.api.post("/v1/agent-profiles", {"extension": "1001"})
    async with await Phone.open("1001", manual=["OPTIONS"]) as phone:
        await log_in(server, "1001")
        await state(server, "1001", "unreachable")
        await register(server, phone, f"<{phone.uri}>;expires=120")
        await state(server, "1001", "available")
        await eventually_true(lambda: kept(server), "the registration is in the database")
        before = await phones(server)
        server.kill9()
        await server.restart()
        assert await phones(server) == before
        await state(server, "1001", "available")
        listener = await server.listen()
        await phone.expect("OPTIONS")
        await listener.expect("agent.phone", state="unreachable", within=15)
        await state(server, "1001", "unreachable")
        assert (await phones(server))[0]["reachable"] is False
        (await phone.expect("OPTIONS")).reply(405)
        await listener.expect("agent.phone", state="reachable")
        await state(server, "1001", "available")
        listed = server.tandem("phones", "list")
        await listed.ended(30)
        assert phone.uri in listed.log()
        await server.tandem("phones", "drop", "1001").ended(30)
        await listener.expect("agent.phone", state="dropped")
        await state(server, "1001", "unreachable")
