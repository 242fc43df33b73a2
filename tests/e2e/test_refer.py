"""REFER from an agent's phone: we send his caller elsewhere ourselves, and tell the phone what comes of it."""

from tests.e2e.legs import call_in, hear_each_other
from tests.e2e.queues import staff, state
from tests.peers.exchange import Received
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone


async def talking_to_1001(server: Server, caller: Caller, phone: Phone) -> str:
    """The caller talks to agent 1001; the call's id."""
    await call_in(server, caller, phone.uri)
    await phone.answers()
    await caller.answered()
    await hear_each_other(caller, phone)
    return str((await server.api.calls())[0]["id"])


def here(server: Server, user: str) -> str:
    """A URI of ours, as a phone writes it."""
    host, port = server.listener("inside")
    return f"sip:{user}@{host}:{port}"


async def told(phone: Phone, status: str, *, final: bool) -> Received:
    """The next NOTIFY says this."""
    notify = await phone.expect("NOTIFY")
    assert notify.get("Event").startswith("refer")
    assert notify.content_type == "message/sipfrag"
    assert notify.body.decode().startswith(f"SIP/2.0 {status}"), notify.text
    assert notify.get("Subscription-State").startswith("terminated" if final else "active")
    return notify


async def test_a_phone_sends_its_caller_to_another_agent(server: Server, caller: Caller, phone: Phone) -> None:
    """Blind transfer (RFC 5589 6.1): 202, NOTIFY 100 and 200, the other agent has him, the trunk sees nothing."""
    listener = await server.listen()
    async with await Phone.open("1002") as other:
        call = await talking_to_1001(server, caller, phone)
        await staff(server, other, "1002", ())
        await server.api.post("/v1/agents/1001/login", None)
        refer = await phone.call.refer(here(server, "1002"), headers={"Referred-By": f"<{phone.uri}>"})
        await refer.expect(202)
        await told(phone, "100", final=False)
        ring = await other.rings()
        assert ring.get("X-Tandem-Call-ID") == call
        ring.reply(200)
        await told(phone, "200", final=True)
        await phone.expect("BYE")
        await caller.hears(other)
        await other.hears(caller)
        await phone.sound.expect_silence()
        wanted = await listener.expect("transfer.requested", call=call)
        assert (wanted["data"]["to"], wanted["data"]["how"]) == ("1002", "refer")
        await listener.expect("transfer.done", call=call)
        await state(server, "1001", "available")
        assert (await state(server, "1002", "talking"))["call"] == call
        await (await other.bye()).expect(200)
        await caller.expect("BYE")
        cdr = await server.api.cdr()
        assert (cdr["extension"], cdr["cause"]) == ("1002", "normal")
        [entry] = cdr["detail"]["transfers"]
        assert (entry["result"], entry["referred_by"]) == ("done", phone.uri)
