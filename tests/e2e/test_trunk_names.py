"""TLS from trunks: told apart by the names of their certificates, turned away without one, let go when they stall."""

import asyncio
import socket
import ssl
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.conftest import StartServer
from tests.e2e.several_trunks import cdr_of
from tests.peers.certificates import Authority
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.waiting import PATIENCE, eventually_true


async def test_a_certificate_says_whose_call_it_is(start_server: StartServer, authority: Authority) -> None:
    """TLS name: verified names only; another name on the same address is a stranger."""
    certificate = authority.issue("tandem")
    usual = {"listener": "outside", "addresses": ["127.0.0.1"], "access_id_width": 4}
    server = await start_server({
        "listeners.outside": {
            "transport": "tls", "tls_certificate": str(certificate), "tls_key": str(certificate.with_suffix(".key")),
            "tls_ca": str(authority.file), "tls_verify_client": True,
        },
        "trunks.carrier": None,
        "trunks.north": {**usual, "tls_names": ["north.example"]},
        "trunks.south": {**usual, "tls_names": ["south.example", "south.example.net"]},
    })  # fmt: skip
    for name, trunk in (("north.example", "north"), ("south.example.net", "south"), ("west.example", None)):
        async with await Caller.open(name, transport="tls", tls=authority.tls(name), sound=False) as caller:
            call = await caller.invite(server.outside, "4008100001")
            if trunk is None:
                await caller.expect(403)
            else:
                assert (await cdr_of(server, call))["trunk"] == trunk


async def test_who_shows_no_certificate_of_ours_gets_no_connection(
    start_server: StartServer, authority: Authority, tmp_path: Path
) -> None:
    """Mutual TLS: without a certificate, and with one of another authority, the handshake fails and nothing is heard of
    the caller; with one of ours he is served. Both TLS 1.2 and 1.3."""
    server_certificate, ours = authority.issue("tandem"), authority.issue("north.example")
    foreign = Authority(tmp_path / "others").issue("north.example")
    settings = {
        "transport": "tls", "tls_certificate": str(server_certificate),
        "tls_key": str(server_certificate.with_suffix(".key")),
        "tls_ca": str(authority.file), "tls_verify_client": True,
    }  # fmt: skip
    server = await start_server({"listeners.outside": settings})
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        for certificate, served in ((None, False), (foreign, False), (ours, True)):
            context = ssl.create_default_context(cafile=str(authority.file))
            context.check_hostname = False
            context.minimum_version = context.maximum_version = version
            if certificate is not None:
                context.load_cert_chain(certificate, certificate.with_suffix(".key"))
            assert await asks(server, context) is served, (version, certificate)
    assert await server.api.metric("tandem_gate_total", counter="requests") == 2


async def asks(server: Server, context: ssl.SSLContext) -> bool:
    """Whether OPTIONS over a connection of its own is answered."""
    ask = (
        "OPTIONS sip:a@tandem SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bKmutual\r\nMax-Forwards: 70\r\n"
        "From: <sip:a@b>;tag=1\r\nTo: <sip:a@tandem>\r\nCall-ID: mutual\r\nCSeq: 1 OPTIONS\r\n"
        "Content-Length: 0\r\n\r\n"
    )
    writer = None
    try:
        reader, writer = await asyncio.open_connection(*server.outside, ssl=context)
        writer.write(ask.encode())
        return (await reader.read(4096)).startswith(b"SIP/2.0 200")
    except (ssl.SSLError, ConnectionError):
        return False
    finally:
        if writer is not None:
            writer.close()


async def test_handshakes_that_come_to_nothing_end_and_are_faults(
    start_server: StartServer, authority: Authority
) -> None:
    """TLS per source: who does not get on with his handshake is let go after five seconds, and whoever does that too
    often, or sends no TLS at all, is banned."""
    certificate = authority.issue("tandem")
    files = {"tls_certificate": str(certificate), "tls_key": str(certificate.with_suffix(".key"))}
    server = await start_server(
        {
            "listeners.outside": {"transport": "tls", **files},
            "trunks.carrier": {"addresses": ["127.0.0.1/32"]},
            "security": {"faults": 3},
        }
    )
    slow, writer = await asyncio.open_connection(*server.outside, local_addr=("127.0.0.67", 0))
    for _ in range(3):
        reader, noise = await asyncio.open_connection(*server.outside, local_addr=("127.0.0.66", 0))
        noise.write(b"OPTIONS sip:a@b SIP/2.0\r\n\r\n")
        with suppress(ConnectionError):
            await reader.read()
        noise.close()

    async def banned() -> bool:
        found = (await server.api.get("/v1/bans"))["bans"]
        return [(ban["address"], ban["reason"]) for ban in found] == [("127.0.0.66", "handshake")]

    await eventually_true(banned, "a ban")
    with suppress(ConnectionError):
        assert await asyncio.wait_for(slow.read(), 4 * PATIENCE) == b""
    writer.close()
    assert await server.api.metric("tandem_gate_total", counter="handshakes_failed") == 4


async def test_who_refuses_our_certificate_is_not_to_blame(start_server: StartServer, authority: Authority) -> None:
    """A site's phones do not trust the new certificate and say so, again and again: no ban but an alarm; nor for going
    without a word. Noise from next door is a fault as ever."""
    certificate = authority.issue("tandem")
    files = {"tls_certificate": str(certificate), "tls_key": str(certificate.with_suffix(".key"))}
    limits = {"faults": 3, "connection_rate": 1000, "connection_burst": 1000}
    server = await start_server(
        {
            "listeners.outside": {"transport": "tls", **files},
            "trunks.carrier": {"addresses": ["127.0.0.1/32"]},
            "security": limits,
        }
    )
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        strict = ssl.create_default_context()  # which knows nothing of our authority
        strict.minimum_version = strict.maximum_version = version
        for _ in range(4):
            await asyncio.to_thread(refuse, server, strict)
    for _ in range(4):
        _, writer = await asyncio.open_connection(*server.outside, local_addr=("127.0.0.67", 0))
        writer.close()

    async def refused() -> bool:
        counted = await server.api.metric("tandem_gate_total", counter="certificate_refused")
        return counted == 8 and "peers refuse our certificate" in server.log()

    await eventually_true(refused, "eight refusals are counted, and there is an alarm")
    for _ in range(3):
        reader, noise = await asyncio.open_connection(*server.outside, local_addr=("127.0.0.66", 0))
        noise.write(b"OPTIONS sip:a@b SIP/2.0\r\n\r\n")
        with suppress(ConnectionError):
            await reader.read()
        noise.close()

    async def banned() -> bool:
        found = (await server.api.get("/v1/bans"))["bans"]
        return [ban["address"] for ban in found] == ["127.0.0.66"]

    await eventually_true(banned, "only the noise is banned")


def refuse(server: Server, strict: ssl.SSLContext) -> None:
    """A client that tells the server by an alert that it does not trust its certificate."""
    plain = socket.create_connection(server.outside, PATIENCE, ("127.0.0.67", 0))
    with plain, pytest.raises(ssl.SSLCertVerificationError):
        strict.wrap_socket(plain, server_hostname="tandem")
