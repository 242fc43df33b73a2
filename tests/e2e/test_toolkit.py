"""What the other end-to-end tests rely on: the fixtures of the server, on the real server."""

import pytest

from tests.e2e.conftest import StartServer
from tests.peers.api import ACCESS_NUMBER, BILLING_NUMBER, diverted
from tests.peers.certificates import Authority
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.postgres import Postgres


async def one_call(server: Server, caller: Caller, phone: Phone) -> None:
    await server.api.furnish(phone.uri)
    token = await server.api.issue_token()
    await caller.invite(server.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, headers=diverted(token))
    await phone.answers()
    await caller.answered()


@pytest.mark.parametrize("time", [1, 2])
async def test_a_shared_server_is_found_empty_every_time(
    server: Server, caller: Caller, phone: Phone, time: int
) -> None:
    listener = await server.listen()
    await one_call(server, caller, phone)
    assert len(await server.api.calls()) == 1
    await (await caller.bye()).expect(200)
    assert (await server.api.cdr())["talk"] >= 0
    event = await listener.expect("call.ended")
    assert listener.of_call(event["call"])[0] == "call.received"
    assert await server.api.counted("tandem_calls_total") == 1


async def test_a_call_left_behind_is_hung_up(server: Server, caller: Caller, phone: Phone) -> None:
    await one_call(server, caller, phone)
    await server.api.sweep()
    await caller.expect("BYE")
    await phone.expect("BYE")
    with pytest.raises(AssertionError, match="other tests use this server"):
        await server.stop()


async def test_a_server_of_ones_own_can_crash_and_start_again(
    start_server: StartServer, caller: Caller, phone: Phone
) -> None:
    server = await start_server({"node": {"name": "crashing"}})
    listener = await server.listen()
    await one_call(server, caller, phone)
    seen = await listener.expect("call.answered")
    server.kill9()
    await server.restart()
    [lost] = await server.api.cdrs()
    assert lost["cause"] == "lost"
    tcp = await server.listen_tcp(after=0)
    assert await tcp.expect("call.answered", call=lost["id"]) == seen  # what a listener saw is on disk
    assert await server.stop() == 0


async def test_postgresql_serves_as_well(
    start_server: StartServer, postgres: Postgres, caller: Caller, phone: Phone
) -> None:
    server = await start_server({"storage": {"url": postgres.create("toolkit")}})
    await one_call(server, caller, phone)
    await (await phone.bye()).expect(200)
    assert (await server.api.cdr())["ended_by"] == "agent"
    command = server.tandem("agents", "list")
    assert await command.ended() == 0
    assert "1001" in command.log()


@pytest.mark.parametrize("transport", ["tcp", "tls"])
async def test_streams_carry_a_call_on_both_sides(
    start_server: StartServer, authority: Authority, transport: str
) -> None:
    certificate = authority.issue("server")
    files = {"tls_certificate": str(certificate), "tls_key": str(certificate.with_suffix(".key"))}
    listener = {"transport": transport, **(files if transport == "tls" else {})}
    server = await start_server({"listeners.outside": listener, "listeners.inside": listener})
    async with (
        await Caller.open("trunk", transport=transport, tls=authority.tls("trunk")) as caller,
        await Phone.open("1001", transport=transport, tls=authority.tls("phone")) as phone,
    ):
        await one_call(server, caller, phone)
        await caller.hears(phone)
        await phone.hears(caller)
        await (await caller.bye()).expect(200)
        await phone.expect("BYE")
