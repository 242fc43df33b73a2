"""A node out of service and in again: new calls turned away, running ones go on or end in time; emergencies pass."""

from tests.e2e.conftest import StartServer
from tests.e2e.legs import call_again, end, hear_each_other, talking
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone


async def tandem(server: Server, *arguments: str) -> str:
    child = server.tandem(*arguments)
    assert await child.ended(30) == 0, child.log()
    return child.log()


async def ready(server: Server) -> int:
    return (await server.api.http.get("/readyz")).status_code


async def test_a_drained_node_takes_no_calls_until_it_is_told_to(
    start_server: StartServer, caller: Caller, phone: Phone
) -> None:
    """Drain: 503 + Retry-After to new calls, OPTIONS 503, running calls go on; an emergency call passes; undrain."""
    server = await start_server()
    await talking(server, caller, phone)
    listener = await server.listen()
    assert "1 calls live" in await tandem(server, "drain")
    assert (await listener.expect("server.draining"))["data"]["calls"] == 1
    assert await ready(server) == 503
    async with await Caller.open("second", sound=False) as second:
        await call_again(server, second)
        refused = await second.expect(503)
        assert 1 <= int(refused.get("Retry-After")) <= 5
        await second.request("OPTIONS", server.outside)
        await second.expect(503, method="OPTIONS")
        await second.invite(server.outside, "112", sdp=phone.sdp())
        assert (await second.expect("4xx")).status == 404  # it came in; nobody has set up 112 as a number of ours
        started = await server.api.http.post("/v1/calls", json={"a": {"agent": "1001"}, "b": {"agent": "1001"}})
        assert started.status_code == 503
        await hear_each_other(caller, phone)
        await caller.hold()
        await caller.resume()
        assert (await server.api.get("/v1/drain"))["draining"] is True
        assert "new calls are taken" in await tandem(server, "undrain")
        assert await ready(server) == 200
        await second.request("OPTIONS", server.outside)
        await second.expect(200, method="OPTIONS")
        await call_again(server, second)
        await phone.rings()
        await second.cancel()
    await hear_each_other(caller, phone)
    await end(caller, phone)
    assert await server.api.metric("tandem_gate_total", counter="emergencies") == 1


async def test_a_drain_with_an_end_ends_what_is_left_and_a_stop_behind_it_is_quick(
    start_server: StartServer, caller: Caller, phone: Phone
) -> None:
    """Running calls finish or end after a limit with BYE and CDR; SIGTERM then finds nothing to wait for."""
    server = await start_server({"node": {"shutdown_grace": 60}})
    await talking(server, caller, phone)
    assert "at the latest" in await tandem(server, "drain", "--end-after", "0.5")
    await caller.expect("BYE")
    await phone.expect("BYE")
    row = await server.api.cdr()
    assert (row["cause"], row["ended_by"]) == ("hung-up", "drain")
    assert await server.stop(within=20) == 0
