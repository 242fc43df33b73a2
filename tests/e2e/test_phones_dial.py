"""What registered phones dial: extensions, feature codes, numbers outside, and emergency numbers past everything."""

from pathlib import Path

from tests.e2e.conftest import StartServer
from tests.e2e.phones import OFFICE, PASSWORD, Nat, hire, invite, phones, register
from tests.e2e.queues import log_in, state
from tests.peers.baresip import Baresip
from tests.peers.kamailio import Kamailio
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually_true


async def test_a_phone_dials_outside_and_an_emergency_number_past_every_limit(
    start_server: StartServer, caller: Caller
) -> None:
    """Allowed numbers behind the digits for outside, over the trunk of the settings; emergencies past caps and drain,
    with an alarm; everything else leads nowhere."""
    trunk = {"target": f"127.0.0.1:{caller.port}"}
    config = {"phones": {**OFFICE["phones"], "trunk": "carrier", "outside": "0"}, "trunks.carrier": trunk}
    server = await start_server({**config, "node": {"max_calls": 1}})
    await hire(server, "1001", "1002", "1003")
    listener = await server.listen()
    async with await Phone.open("1001") as desk, await Phone.open("1002") as other:
        await register(server, desk, f"<{desk.uri}>")
        await register(server, other, f"<{other.uri}>", "1002")
        await log_in(server, "1001")
        await invite(server, desk, "1999")
        await desk.expect(404)
        await invite(server, desk, "1003")  # whose phone has not registered
        await desk.expect(480)
        await invite(server, desk, "0498912345")
        outside = await caller.expect("INVITE")
        assert outside.uri.startswith("sip:498912345@")
        outside.reply(180)
        await desk.expect(180)
        outside.reply(200)
        await desk.answered()
        await desk.hears(caller)
        await caller.hears(desk)
        await state(server, "1001", "talking")

        await invite(server, other, "0498954321", "1002")
        assert (await other.expect(503)).has("Retry-After")
        await other.invite(server.inside, "112", caller="1002")  # not even challenged: he is known at this address
        emergency = await caller.expect("INVITE", user="112")
        emergency.reply(200)
        await other.answered()
        told = await listener.expect("outside.emergency", number="112")
        assert told["data"]["agent"] == "1002"
        await (await other.call.refer("sip:0498912345@127.0.0.1")).expect(603)  # it has shown no password
        await (await other.bye()).expect(200)
        await (await desk.bye()).expect(200)
        await state(server, "1001", "available")

        await server.api.request("PUT", "/v1/drain", {})
        await other.invite(server.inside, "112", caller="1002")
        (await caller.expect("INVITE", user="112")).reply(200)
        await other.answered()
        await (await other.bye()).expect(200)
    cdrs = {cdr["called"]: cdr for cdr in await server.api.cdrs(5)}
    assert (cdrs["1999"]["cause"], cdrs["1999"]["direction"]) == ("no-such-number", "internal")
    assert (cdrs["1003"]["cause"], cdrs["1003"]["extension"]) == ("agent-unreachable", "1003")
    row = cdrs["0498912345"]
    assert (row["direction"], row["trunk"], row["effective_caller"]) == ("outbound", "carrier", "1001")
    assert await server.api.counted("tandem_outside_emergency_total") == 2


async def test_a_phone_behind_address_translation_is_reached_through_it(
    start_server: StartServer, caller: Caller
) -> None:
    """Answers, INVITE, ACK and BYE go where the REGISTER came from, whatever Contact and Via say."""
    server = await start_server(OFFICE)
    await hire(server, "1001")
    await server.api.add_access_number("4008100001", correlation="off", entry={"kind": "agent", "target": "1001"})
    async with await Phone.open("1001") as phone, await Nat.open(server.inside) as nat:
        await register(server, phone, "<sip:1001@10.1.2.3:5060>", via=nat.inside)
        (found,) = await phones(server)
        assert found["source"] == f"127.0.0.1:{nat.outside[1]}"
        assert found["target"] == f"sip:1001@127.0.0.1:{nat.outside[1]}"
        await caller.invite(server.outside, "4008100001", caller="02088880001")
        ring = await phone.expect("INVITE")
        ring.reply(200, headers=[("Contact", "<sip:1001@10.1.2.3:5060>")])
        await caller.answered()
        await phone.expect("ACK")
        await (await caller.bye()).expect(200)
        await phone.expect("BYE")
        assert {message.route.remote for message in (ring, *phone.got("BYE"), *phone.got("ACK"))} == {nat.inside}


async def test_a_phone_behind_a_proxy_is_reached_by_its_path(
    start_server: StartServer, caller: Caller, tmp_path: Path
) -> None:
    """RFC 3327: a Kamailio in front of the phones puts itself into Path; all that is for the phone goes through it."""
    server = await start_server({"phones": {**OFFICE["phones"], "proxies": ["127.0.0.1/32", "127.0.0.5/32"]}})
    await hire(server, "1001")
    await server.api.add_access_number("4008100001", correlation="off", entry={"kind": "agent", "target": "1001"})
    async with (
        await Kamailio.open(tmp_path, behind=server.outside, registrar=server.inside) as proxy,
        await Phone.open("1001", host="127.0.0.3") as phone,
    ):
        await register(server, phone, f"<{phone.uri}>", via=proxy.address)
        (found,) = await phones(server)
        assert found["target"] == phone.uri
        ban = {"address": "127.0.0.5", "reason": "x", "seconds": 9}
        refused = await server.api.http.post("/v1/bans", json=ban)
        assert refused.status_code == 409  # one stranger behind a proxy must not shut out all the others
        assert f"127.0.0.1:{proxy.address[1]}" in found["path"][0]
        await caller.invite(server.outside, "4008100001", caller="02088880001")
        ring = await phone.expect("INVITE")
        ring.reply(200)
        await caller.answered()
        await phone.expect("ACK")
        await (await caller.bye()).expect(200)
        await phone.expect("BYE")
        assert {message.route.remote for message in (ring, *phone.got("BYE"))} == {proxy.address}


async def test_baresip_registers_calls_and_is_called(start_server: StartServer, caller: Caller, tmp_path: Path) -> None:
    """A third stack as an agent's phone: registers, answers a caller of the trunk, and dials an extension."""
    server = await start_server({"phones": {**OFFICE["phones"], "md5_phones": ["baresip"]}})
    await hire(server, "1001", "1002")
    await server.api.add_access_number("4008100001", correlation="off", entry={"kind": "agent", "target": "1001"})
    where = f"127.0.0.1:{server.inside[1]}"
    async with (
        await Baresip.open(tmp_path, "1001", registrar=where, password=PASSWORD) as baresip,
        await Phone.open("1002") as other,
    ):
        await eventually_true(lambda: phones(server, "1001"), "baresip is registered")
        await register(server, other, f"<{other.uri}>", "1002")
        await caller.invite(server.outside, "4008100001", caller="02088880001")
        await caller.answered()
        assert caller.sound.tone
        await baresip.hears(caller.sound.tone)
        await (await caller.bye()).expect(200)
        await baresip.expect("CALL_CLOSED")
        baresip.command("dial", f"sip:1002@{where}")
        await other.answers()
        await baresip.expect("CALL_ESTABLISHED")
        await (await other.bye()).expect(200)
    assert {cdr["direction"] for cdr in await server.api.cdrs(2)} == {"inbound", "internal"}
