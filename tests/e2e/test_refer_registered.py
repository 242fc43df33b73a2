"""Transfers of phones that have registered: with calls that they place themselves."""

from collections.abc import Awaitable, Callable

from tests.e2e.conftest import StartServer
from tests.e2e.legs import call_again
from tests.e2e.phones import OFFICE, PASSWORD, hire, registrar
from tests.e2e.queues import log_in, state
from tests.peers.configuration import Changes
from tests.peers.pjsip_phone import PjsipPhone
from tests.peers.server import Server
from tests.peers.uac import Caller

OpenPjsip = Callable[..., Awaitable[PjsipPhone]]


async def office(
    start_server: StartServer, open_pjsip: OpenPjsip, *extensions: str, config: Changes = OFFICE
) -> tuple[Server, list[PjsipPhone]]:
    """A server with these agents, whose phones have registered."""
    server = await start_server(config)
    await hire(server, *extensions)
    await server.api.add_tenant()
    await server.api.add_access_number()
    found = []
    for extension in extensions:
        phone = await open_pjsip(extension)
        await phone.register(registrar(server), password=PASSWORD)
        found.append(phone)
    return server, found


def at(server: Server, user: str) -> str:
    host, port = server.listener("inside")
    return f"sip:{user}@{host}:{port}"


async def test_an_agent_asks_a_colleague_and_joins_both(
    start_server: StartServer, caller: Caller, open_pjsip: OpenPjsip
) -> None:
    """Consultation from the phone: the caller hears music meanwhile, then the colleague; nobody stays behind."""
    server, [first, second] = await office(start_server, open_pjsip, "1001", "1002")
    await log_in(server, "1001")
    await log_in(server, "1002")
    await call_again(server, caller)
    customer = int((await first.rings()).call)
    await first.reply(200, customer)
    await caller.answered()
    await caller.hears(first.tone)
    await first.hold(customer)
    asked = await first.dial(at(server, "1002"))
    await second.rings()
    await second.reply(200)
    await second.hears(first.tone)
    await first.hears(second.tone)
    await first.join(customer, asked)
    await caller.hears(second.tone)
    await second.hears(caller.sound.tone or 0.0)
    await first.ended()
    await first.ended()
    await state(server, "1001", "available")
    assert (await state(server, "1002", "talking"))["call"] == (await server.api.calls())[0]["id"]
    await second.hang_up()
    await caller.expect("BYE")
    await state(server, "1002", "available")
    joined = [cdr["cause"] for cdr in await server.api.cdrs(2)]
    assert sorted(joined) == ["normal", "transferred"]
    assert await server.api.metric("tandem_active_legs") == 0


async def test_an_agent_sends_on_whom_he_has_called(start_server: StartServer, open_pjsip: OpenPjsip) -> None:
    """In a call that he has placed, the party he called goes on to somebody else, and he is free."""
    server, [first, second, third] = await office(start_server, open_pjsip, "1001", "1002", "1003")
    for extension in ("1001", "1002", "1003"):
        await log_in(server, extension)
    call = await first.dial(at(server, "1002"))
    await second.rings()
    await second.reply(200)
    await first.hears(second.tone)
    await first.refer(at(server, "1003"), call)
    await third.rings()
    await third.reply(200)
    await third.hears(second.tone)
    await second.hears(third.tone)
    await first.ended()
    await state(server, "1001", "available")
    await state(server, "1002", "talking")
    await third.hang_up()
    await second.ended()
    await state(server, "1002", "available")
    await state(server, "1003", "available")


async def test_a_phone_that_forwards_its_calls(
    start_server: StartServer, caller: Caller, open_pjsip: OpenPjsip
) -> None:
    """A 302 of a registered phone; and a registered phone picks up a parking slot that it dials."""
    server, [first, second] = await office(start_server, open_pjsip, "1001", "1002")
    await call_again(server, caller)
    ring = await first.rings()
    await first.reply(302, int(ring.call), headers={"Contact": f"<{at(server, '1002')}>"})
    await second.rings()
    await second.reply(200)
    await caller.answered()
    await caller.hears(second.tone)
    await second.refer(at(server, "701"))
    await second.ended()
    await first.dial(at(server, "701"))
    await caller.hears(first.tone)
    await (await caller.bye()).expect(200)
    await first.state("disconnected")


async def test_an_agent_joins_two_numbers_outside(
    start_server: StartServer, caller: Caller, open_pjsip: OpenPjsip
) -> None:
    """Who was called outside talks to the customer; a number that the list of transfers does not have is not
    dialled by REFER, though the phone may dial it."""
    async with await Caller.open("outside") as outside:
        office_ = {
            **OFFICE,
            "phones": {**OFFICE["phones"], "trunk": "carrier"},
            "trunks.carrier": {"target": f"127.0.0.1:{outside.port}"},
            "transfers": {"outside": ["1390000000[0-4]"]},
        }
        server, [first] = await office(start_server, open_pjsip, "1001", config=office_)
        await call_again(server, caller)
        customer = int((await first.rings()).call)
        await first.reply(200, customer)
        await caller.answered()
        await first.refer(at(server, "13900000009"), customer)
        await first.expect("transfer", status=403, final=True)
        await first.hold(customer)
        asked = await first.dial(at(server, "13900000009"))
        ring = await outside.expect("INVITE")
        assert "sip:13900000009@" in ring.uri
        ring.reply(200)
        await outside.expect("ACK")
        await first.hears(outside.sound.tone or 0.0)
        await first.join(customer, asked)
        await caller.hears(outside)
        await outside.hears(caller)
        await first.ended()
        await first.ended()
        await (await caller.bye()).expect(200)
        await outside.expect("BYE")
        causes = {cdr["cause"]: cdr for cdr in await server.api.cdrs(2)}
        assert set(causes) == {"normal", "transferred"}
        assert [part["party"] for part in causes["normal"]["parts"]][1:] == ["1001", "13900000009"]
        await call_again(server, caller)
        customer = int((await first.rings()).call)
        await first.reply(200, customer)
        await caller.answered()
        await first.refer(at(server, "13900000001"), customer)
        ring = await outside.expect("INVITE")
        ring.reply(200)
        await caller.hears(outside)
        await first.ended()
        await (await outside.bye()).expect(200)
        await caller.expect("BYE")
        dialled = (await server.api.cdrs(3))[0]["detail"]
        assert dialled["transfers"][0]["result"] == "done"
