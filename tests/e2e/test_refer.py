"""REFER from an agent's phone: we send his caller elsewhere ourselves, and tell the phone what comes of it."""

from urllib.parse import quote

import pytest

from tests.e2e.conftest import StartServer
from tests.e2e.legs import call_again, call_in, end, hear_each_other
from tests.e2e.queues import QUEUE, come, open_number, open_queue, staff, state, waiting
from tests.peers.call import Call
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
        assert "refer" in ring.tokens("Allow")
        assert len(ring.all("Allow")) == 1
        assert "refer" not in caller.got(200)[0].tokens("Allow")
        assert (await state(server, "1001", "talking"))["call"] == call, "he may have the caller back"
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


async def test_who_has_sent_a_caller_to_a_busy_phone_has_him_again(
    server: Server, caller: Caller, phone: Phone
) -> None:
    """The sender waits on his leg: he is told 486 and talks on; a NOTIFY he does not know ends no call (RFC 5057 5.1);
    the second transfer of the call is told from the first (RFC 3515 2.4.6)."""
    phone.automatic.discard("NOTIFY")
    async with await Phone.open("1002") as other:
        await talking_to_1001(server, caller, phone)
        await server.api.add_agent(other.uri, "1002")
        await phone.call.hold()
        await (await phone.call.refer(here(server, "1002"))).expect(202)
        (await told(phone, "100", final=False)).reply(200)
        await other.rejects(486)
        (await told(phone, "486", final=True)).reply(481)
        await phone.call.resume()
        await hear_each_other(caller, phone)
        second = await phone.call.refer(here(server, "1003"))
        await second.expect(202)
        last = await told(phone, "403", final=True)
        assert last.get("Event") == f"refer;id={second.cseq[0]}"
        last.reply(200)
        await hear_each_other(caller, phone)
        await end(caller, phone)
        [entry] = (await server.api.cdr())["detail"]["transfers"]
        assert entry["result"] == "agent-busy"


async def test_a_caller_nobody_takes_rings_the_sender_who_has_left(
    server: Server, caller: Caller, phone: Phone
) -> None:
    """The transfer goes on when the sender hangs up behind the 202; on failure his phone rings again, and shows why."""
    async with await Phone.open("1002") as other:
        await talking_to_1001(server, caller, phone)
        await server.api.add_agent(other.uri, "1002")
        await (await phone.call.refer(here(server, "1002"))).expect(202)
        await (await phone.bye()).expect(200)
        ring = await other.expect("INVITE")
        ring.reply(180)
        await caller.hears(425)
        ring.reply(603)
        again = await phone.rings()
        assert again.get("X-Tandem-Recall") == "1002;cause=agent-declined"
        assert "Recall" in again.get("From")
        again.reply(200)
        await hear_each_other(caller, phone)
        await end(caller, phone)
        assert [part["party"] for part in (await server.api.cdr())["parts"]][1:] == ["1001", "1002", "1001"]


async def test_a_caller_who_comes_back_has_the_sender_before_those_who_wait(
    server: Server, caller: Caller, phone: Phone
) -> None:
    """The sender is in his wrap-up of the very call that comes back: that ends for him; nobody gets him first."""
    async with await Phone.open("1002") as other, await Caller.open("next") as following:
        await open_queue(server, wrap_up=60.0)
        await open_number(server)
        await staff(server, phone, "1001")
        await staff(server, other, "1002", ())
        await come(server, caller, "13800000001")
        await phone.answers()
        await come(server, following, "13800000002")
        await (await phone.call.refer(here(server, "1002"))).expect(202)
        ring = await other.rings()
        await (await phone.bye()).expect(200)
        await state(server, "1001", "wrap-up")
        ring.reply(603)
        again = await phone.rings()
        assert again.get("X-Tandem-Recall") == "1002;cause=agent-declined"
        again.reply(200)
        await hear_each_other(caller, phone)
        await waiting(server, 1)


STRANGE = [
    ("<sip:1002@HERE;method=BYE>", 403, ""),
    ("<sip:1002@HERE?X-Evil=1>", 403, ""),
    ("<sip:1002@HERE?Replaces=a>", 400, ""),
    ("<http://example.com/>", 400, ""),
    ("<sip:@HERE>", 400, ""),
    ("<sip:1002@203.0.113.9>", 202, "403"),
    ("<sip:900123@HERE>", 202, "403"),
    ("<sip:1001@HERE>", 202, "486"),
    ("<sip:1002@HERE?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>", 202, "481"),
]


async def test_what_a_phone_may_not_ask_for(server: Server, caller: Caller, phone: Phone) -> None:
    """Nothing but INVITE, no smuggled header, no other host, no number that the dial plan does not allow; who wants no
    NOTIFY gets none (RFC 4488); the call goes on."""
    await talking_to_1001(server, caller, phone)
    host, port = server.listener("inside")
    for target, status, news in STRANGE:
        refer = await phone.call.refer("", headers={"Refer-To": target.replace("HERE", f"{host}:{port}")})
        await refer.expect(status)
        if news:
            await told(phone, news, final=True)
    twice = await phone.call.send("REFER", headers=[("Refer-To", "<sip:1002@x>"), ("r", "<sip:1003@x>")])
    await twice.expect(400)
    quiet = await phone.call.refer(here(server, "1009"), headers={"Refer-Sub": "false", "Supported": "norefersub"})
    assert (await quiet.expect(202)).get("Refer-Sub") == "false"
    await (await caller.call.refer(here(server, "1001"))).expect(603)
    await hear_each_other(caller, phone)
    assert len(phone.got("NOTIFY")) == len([news for _, _, news in STRANGE if news])
    await end(caller, phone)


async def test_ten_transfers_to_a_dead_phone_and_an_end(server: Server, caller: Caller, phone: Phone) -> None:
    """Bare pjsua dies of this: ten REFERs to a target where nobody listens, then BYE."""
    await talking_to_1001(server, caller, phone)
    await server.api.add_agent("sip:1002@127.0.0.1:9", "1002")
    for _ in range(10):
        await phone.call.refer(here(server, "1002"))
    await phone.expect(202)
    await (await phone.bye()).expect(200)
    await (await caller.bye()).expect(200)
    cdr = await server.api.cdr()
    assert cdr["ended_by"] == "caller"
    async with await Caller.open("next") as following:
        await following.request("OPTIONS", server.outside)
        await following.expect(200)


async def test_a_carrier_may_transfer_where_its_trunk_says_so(start_server: StartServer, caller: Caller) -> None:
    """`transfers = true` on the trunk: the agent is sent elsewhere, the carrier's leg is done."""
    server = await start_server({"trunks.carrier": {"transfers": True}})
    async with await Phone.open("1001") as phone, await Phone.open("1002") as other:
        await talking_to_1001(server, caller, phone)
        await server.api.add_agent(other.uri, "1002")
        await (await caller.call.refer(f"sip:1002@{server.outside[0]}")).expect(202)
        await other.answers()
        await caller.expect("BYE")
        await phone.hears(other)
        await other.hears(phone)
        await (await other.bye()).expect(200)
        await phone.expect("BYE")
        assert (await server.api.cdr())["detail"]["transfers"][0]["by"] == "trunk carrier"


def replaces(server: Server, call: Call) -> str:
    """A Refer-To that names this call of the phone's."""
    dialog = call.dialogs.current
    assert dialog is not None
    named = f"{call.call_id};to-tag={dialog.remote_tag};from-tag={dialog.local_tag}"
    return f"{here(server, 'x')}?Replaces={quote(named, safe='')}"


async def consult(server: Server, phone: Phone, other: Phone) -> tuple[Call, Call]:
    """The agent's second call, to 1002, who has answered: his call with the customer, and this one."""
    first = phone.call
    await server.api.add_agent(other.uri, "1002")
    await server.api.post("/v1/calls", {"a": {"agent": "1001"}, "b": {"agent": "1002"}})
    second = (await phone.answers()).call
    await other.answers()
    return first, second


@pytest.mark.parametrize("asks", ["customer's leg", "other leg"])
async def test_two_calls_of_a_phone_are_joined(server: Server, caller: Caller, phone: Phone, asks: str) -> None:
    """Attended transfer (RFC 5589 7.3): the far ends of both calls talk, the sender's legs end, the customer's call
    keeps its id and its record."""
    async with await Phone.open("1002") as other:
        call = await talking_to_1001(server, caller, phone)
        await phone.call.hold()
        first, second = await consult(server, phone, other)
        one, named = (first, second) if asks == "customer's leg" else (second, first)
        await (await one.refer(replaces(server, named))).expect(202)
        await caller.hears(other)
        await other.hears(caller)
        await phone.expect("BYE", call=first)
        await phone.expect("BYE", call=second)
        await told(phone, "100", final=False)
        await told(phone, "200", final=True)
        [live] = await server.api.calls()
        assert (live["id"], live["extension"]) == (call, "1002")
        await (await other.bye()).expect(200)
        await caller.expect("BYE")
        joined, consulted = await server.api.cdrs(2)
        joined, consulted = (joined, consulted) if joined["id"] == call else (consulted, joined)
        assert [part["party"] for part in joined["parts"]][1:] == ["1001", "1002"]
        assert consulted["cause"] == "transferred"


async def test_a_call_of_somebody_else_is_not_joined(server: Server, caller: Caller, phone: Phone) -> None:
    """Only who owns both calls may join them; an early-only Replaces of an answered call is refused (RFC 3891 3)."""
    async with await Phone.open("1002") as other, await Phone.open("1003") as third:
        await talking_to_1001(server, caller, phone)
        first, second = await consult(server, phone, other)
        early = replaces(server, second) + quote(";early-only", safe="")
        await (await first.refer(early)).expect(202)
        await told(phone, "486", final=True)
        await server.api.add_agent(third.uri, "1003")
        await server.api.post("/v1/calls", {"a": {"agent": "1003"}, "b": {"agent": "1001"}})
        await third.answers()
        await phone.answers()
        await (await third.call.refer(replaces(server, first))).expect(202)
        await told(third, "403", final=True)
        await caller.hears(phone)
        assert len(await server.api.calls()) == 3


async def test_a_transfer_while_the_other_phone_rings_is_a_blind_one(
    server: Server, caller: Caller, phone: Phone
) -> None:
    """The consultation is given up, and its target rung for the customer; a queue that was asked keeps the place."""
    async with await Phone.open("1002") as other:
        await talking_to_1001(server, caller, phone)
        await server.api.add_agent(other.uri, "1002")
        first = phone.call
        await server.api.post("/v1/calls", {"a": {"agent": "1001"}, "b": {"agent": "1002"}})
        second = (await phone.answers()).call
        ring = await other.rings()
        await (await first.refer(replaces(server, second))).expect(202)
        await phone.expect("BYE", call=second)
        await other.expect("CANCEL", call=ring.call)
        await other.answers()
        await phone.expect("BYE", call=first)
        await caller.hears(other)
        await (await caller.bye()).expect(200)
        await other.expect("BYE")


async def test_a_call_that_is_on_its_way_is_not_ended_by_a_second_transfer(
    server: Server, caller: Caller, phone: Phone
) -> None:
    """The sender's leg stays in the customer's call until the target answers: named in another REFER it is no call of
    his own that could be given up for it."""
    async with await Phone.open("1002") as other, await Phone.open("1003") as third:
        await talking_to_1001(server, caller, phone)
        await server.api.add_agent(third.uri, "1003")
        first, second = await consult(server, phone, other)
        await (await first.refer(here(server, "1003"))).expect(202)
        await told(phone, "100", final=False)
        ring = await third.rings()
        await (await second.refer(replaces(server, first))).expect(202)
        await told(phone, "480", final=True)
        ring.reply(200)
        await told(phone, "200", final=True)
        await hear_each_other(caller, third)
        assert len(await server.api.calls()) == 2


async def test_a_phone_sends_its_caller_to_a_queue(server: Server, caller: Caller, phone: Phone) -> None:
    """A queue, VDN or menu takes him in at once: 200, and the sender is free."""
    await talking_to_1001(server, caller, phone)
    await open_queue(server)
    await (await phone.call.refer(here(server, QUEUE))).expect(202)
    await told(phone, "100", final=False)
    await told(phone, "200", final=True)
    await phone.expect("BYE")
    await waiting(server, 1)


async def test_a_redirection_is_followed_where_a_transfer_could_go(
    server: Server, caller: Caller, phone: Phone
) -> None:
    """302 of a phone: to an agent, yes; to a number outside, another host or in a circle, no: that is a refusal."""
    async with await Phone.open("1002") as other:
        await call_in(server, caller, phone.uri)
        await server.api.add_agent(other.uri, "1002")
        ring = await phone.expect("INVITE")
        contacts = ["<sip:900123@x>", f"<{here(server, '1002')}?X=1>", f"<{here(server, '1002')}>;q=0.5"]
        ring.reply(302, headers=[("Contact", contact) for contact in contacts])
        await other.answers()
        await caller.answered()
        await hear_each_other(caller, other)
        await end(caller, other)
        assert (await server.api.cdr())["extension"] == "1002"
        await call_again(server, caller)
        (await phone.expect("INVITE")).reply(302, headers={"Contact": "<sip:13900000001@192.0.2.9>"})
        await caller.expect(480)
        await call_again(server, caller)
        for _ in range(3):
            (await phone.expect("INVITE")).reply(302, headers={"Contact": f"<{here(server, '1002')}>"})
            (await other.expect("INVITE")).reply(302, headers={"Contact": f"<{here(server, '1001')}>"})
        await caller.expect(480)


async def test_an_agent_on_a_standing_line_transfers_and_keeps_it(server: Server, caller: Caller, phone: Phone) -> None:
    """His line has its callers as legs of their own: the caller goes, the line stays, and hears nobody."""
    async with await Phone.open("1002") as other:
        await open_queue(server, wrap_up=0.0)
        await open_number(server)
        await staff(server, phone, "1001", connection="nailed-up")
        await phone.answers()
        await state(server, "1001", "available")
        await staff(server, other, "1002", ())
        await come(server, caller, "13800000001")
        await caller.hears(phone)
        await (await phone.call.refer(here(server, "1002"))).expect(202)
        await told(phone, "100", final=False)
        await other.answers()
        await told(phone, "200", final=True)
        await caller.hears(other)
        await other.hears(caller)
        await state(server, "1001", "available")
        await phone.sound.expect_silence()
        assert not phone.got("BYE")
        await end(caller, other)
        await server.api.post("/v1/agents/1001/logout", None)
        await phone.expect("BYE")
