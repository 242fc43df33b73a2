"""TLS: certificates change while the server serves, and are looked at where it connects."""

import asyncio
import shutil
import ssl
from pathlib import Path

import pytest

from tests.e2e.conftest import StartServer
from tests.e2e.legs import call_again, end, hear_each_other
from tests.peers.certificates import Authority
from tests.peers.configuration import Changes
from tests.peers.ports import PORTS
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually_true
from tests.peers.wire import Tls


def put(certificate: Path, folder: Path) -> dict[str, str]:
    """Copy a certificate and its key to where the server reads them; the settings of its listener."""
    shutil.copy(certificate.with_suffix(".key"), folder / "sip.key")
    shutil.copy(certificate, folder / "sip.pem")
    return {"transport": "tls", "tls_certificate": str(folder / "sip.pem"), "tls_key": str(folder / "sip.key")}


async def shown(server: Server) -> bytes:
    """The certificate that a new connection to the outside listener gets."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection(*server.outside, ssl=context)
    certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return bytes(certificate)


async def test_a_new_certificate_needs_no_restart(
    start_server: StartServer, authority: Authority, tmp_path: Path, phone: Phone
) -> None:
    """Certificate reload: new connections get what is in the file now, a call on an old one goes on and ends in peace;
    a pair that does not match changes nothing."""
    server = await start_server({"listeners.outside": put(authority.issue("first"), tmp_path)})
    await server.api.furnish(phone.uri)
    async with await Caller.open("trunk", transport="tls", tls=authority.tls("trunk")) as caller:
        await call_again(server, caller)
        await phone.answers()
        await caller.answered()
        before = await shown(server)
        shutil.copy(authority.issue("stranger"), tmp_path / "sip.pem")
        second = authority.issue("second")
        await eventually_true(lambda: said(server, "a changed certificate is not used"), "the pair is refused")
        assert await shown(server) == before
        put(second, tmp_path)

        async def changed() -> bool:
            return await shown(server) == ssl.PEM_cert_to_DER_cert(second.read_text())

        await eventually_true(changed, "the new certificate is shown")
        await hear_each_other(caller, phone)
        await end(caller, phone)


async def said(server: Server, event: str) -> bool:
    """Whether the log has such a line."""
    return event in server.log()


@pytest.mark.parametrize("hosts", [("127.0.0.1",), ("phone.example",)], ids=["right", "wrong"])
async def test_who_we_connect_to_is_who_he_should_be(
    start_server: StartServer, authority: Authority, tmp_path: Path, caller: Caller, hosts: tuple[str, ...]
) -> None:
    """SAN check: a certificate that our authority has signed, but for somebody else, is not talked to."""
    changes: Changes = {
        "listeners.inside": {**put(authority.issue("first"), tmp_path), "tls_ca": str(authority.file)},
    }
    server = await start_server(changes)
    certificate = authority.issue("phone", hosts=hosts)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    tls = Tls(context, authority.tls("other").client)
    async with await Phone.open("1001", transport="tls", tls=tls, host="127.0.0.1", port=PORTS.take()) as phone:
        await server.api.furnish(phone.uri)
        await call_again(server, caller)
        if hosts == ("127.0.0.1",):
            await phone.answers()
            await caller.answered()
            await end(caller, phone)
        else:
            assert (await caller.expect("4xx")).status == 480
            assert phone.calls == []
            why = "it is for phone.example, not for 127.0.0.1"
            await eventually_true(lambda: said(server, why), "the log says why")
