"""The configuration read again while calls go on: all mistakes at once, what can change changes, the rest is named."""

import asyncio
import signal

from tests.e2e.conftest import StartServer
from tests.e2e.legs import call_again, end, hear_each_other, talking
from tests.peers.configuration import Changes, merged, toml
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone


async def write(server: Server, changes: Changes) -> None:
    """The server's file with these changes over what it was started with."""
    text = toml(merged(server.config, changes))
    await asyncio.to_thread(server.file.write_text, text)


async def tandem(server: Server, *arguments: str) -> str:
    child = server.tandem(*arguments)
    assert await child.ended(30) == 0, child.log()
    return child.log()


async def test_a_reload_changes_trunks_and_limits_under_a_running_call(
    start_server: StartServer, caller: Caller, phone: Phone
) -> None:
    """SIGHUP and `tandem reload`: a trunk's addresses, law, logging change; listeners wait; the call hears nothing."""
    server = await start_server({"security": {"outside_strangers": "refuse"}})
    await talking(server, caller, phone)
    listener = await server.listen()
    changes: Changes = {
        "trunks.carrier": {"addresses": ["127.0.0.99/32"]},
        "trunks.new": {"listener": "outside", "addresses": ["127.0.0.2/32"]},
        "listeners.inside": {"port": server.inside[1] + 1},
        "screening": {"emergency": ["110"]},
        "log": {"level": "debug"},
    }
    await write(server, changes)
    server.child.signal(signal.SIGHUP)
    told = (await listener.expect("server.reloaded"))["data"]
    assert told["applied"] == ["screening.emergency", "log.level", "trunks.carrier.addresses", "trunks.new"]
    assert told["waiting"] == ["listeners.inside.port"]
    names = [trunk["name"] for trunk in (await server.api.get("/v1/trunks"))["trunks"]]
    assert names == ["carrier", "new"]
    async with await Caller.open("stranger", sound=False) as stranger:
        await call_again(server, stranger)
        await stranger.expect(403)
        await hear_each_other(caller, phone)
        await caller.hold()
        await caller.resume()
        await write(server, {})
        shown = await tandem(server, "reload")
        assert "in force: trunks.carrier.addresses" in shown
        assert "needs a restart" not in shown
        await call_again(server, stranger)
        await phone.rings()
        await stranger.cancel()
    await hear_each_other(caller, phone)
    await end(caller, phone)


async def test_mistakes_are_told_all_at_once_and_the_old_configuration_stays(
    start_server: StartServer, caller: Caller, phone: Phone
) -> None:
    """One mistake or five: nothing changes; a trunk on a listener that needs a restart is a mistake too."""
    server = await start_server()
    await write(
        server,
        {"trunks.carrier": {"addresses": ["300.0.0.1"], "check_digit": "mod11"}, "calls": {"ring_timeout": -1}},
    )
    refused = await server.api.http.post("/v1/reload", json={})
    assert refused.status_code == 422
    fields = {one["field"] for one in refused.json()["errors"]}
    assert fields == {"trunks.carrier.addresses", "trunks.carrier.check_digit", "calls.ring_timeout"}
    child = server.tandem("reload")
    assert await child.ended(30) == 1
    assert "ring_timeout" in child.log()
    await write(
        server,
        {
            "listeners.third": {"side": "outside", "address": "127.0.0.1", "port": server.outside[1] + 2},
            "trunks.other": {"listener": "third", "addresses": ["127.0.0.2/32"]},
        },
    )
    refused = await server.api.http.post("/v1/reload", json={})
    assert refused.status_code == 422
    assert "until a restart listeners.third cannot change" in refused.json()["detail"]
    await server.log_contains("the old one stays")
    await talking(server, caller, phone)
    await end(caller, phone)
