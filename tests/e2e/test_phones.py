"""Agents' phones that register: over every transport, with both algorithms, several at once, kept over a restart."""

from collections.abc import Awaitable, Callable

from tests.e2e.conftest import StartServer
from tests.e2e.phones import OFFICE, PASSWORD, hire, phones, registrar
from tests.peers.certificates import Authority
from tests.peers.pjsip_phone import PjsipPhone
from tests.peers.ports import PORTS

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
    await udp.register(at[udp], password=PASSWORD, expires=0)
    assert [one["extension"] for one in await phones(server)] == ["1002", "1003"]
