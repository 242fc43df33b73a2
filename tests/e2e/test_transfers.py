"""Transfers: by the keys of the agent's phone and by API, to an agent, a queue, a VDN and outside, and back again."""

from tests.e2e.conftest import StartServer
from tests.e2e.ivr import HELLO, TO_AGENT, open_ivr
from tests.e2e.ivr import come as come_in
from tests.e2e.legs import call_in
from tests.e2e.queues import QUEUE, log_in, open_number, open_queue, staff, state, waiting
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone


async def talking_to_1001(server: Server, caller: Caller, phone: Phone) -> str:
    """The caller talks to agent 1001, whom a token named; the call's id."""
    await call_in(server, caller, phone.uri)
    await phone.answers()
    await caller.answered()
    await caller.hears(phone)
    return str((await server.api.calls())[0]["id"])


async def test_an_agent_sends_his_caller_to_another_by_keys(server: Server, caller: Caller, phone: Phone) -> None:
    """R0-14, R2-05: *2 1002 #: no key reaches the caller, the other agent has him and his data."""
    listener = await server.listen()
    async with await Phone.open("1002") as other:
        call = await talking_to_1001(server, caller, phone)
        await staff(server, other, "1002", ())
        await server.api.post("/v1/agents/1001/login", None)
        phone.sound.press("5*29999#")  # nobody: he stays
        await phone.sound.expect_tone(425, clear=0.2)  # soon over, so looked for first
        await caller.sound.expect_digits("5")
        phone.sound.press("*21002#")
        ring = await other.rings()
        await phone.expect("BYE")
        assert ring.get("X-Tandem-Call-ID") == call
        ring.reply(200)
        await caller.hears(other)
        await other.hears(caller)
        await caller.sound.expect_digits("5")
        told = await listener.expect("call.transferred", call=call)
        assert {**told["data"], "tenant": ""} == {
            "tenant": "",
            "kind": "agent",
            "to": "1002",
            "from": "1001",
            "by": "agent 1001",
        }
        await listener.expect("screen.pop", call=call, extension="1002")
        assert (await state(server, "1002", "talking"))["call"] == call
        await (await other.bye()).expect(200)
        await caller.expect("BYE")
        cdr = await server.api.cdr()
        assert (cdr["extension"], cdr["cause"]) == ("1002", "normal")
        assert [part["party"] for part in cdr["parts"] if part["role"] == "agent"] == ["1001", "1002"]


async def test_the_api_sends_a_caller_to_a_queue_and_a_vdn(server: Server, caller: Caller, phone: Phone) -> None:
    """R2-03, R2-05: whoever waits elsewhere is counted there; a place that is not there is refused with its reason."""
    call = await talking_to_1001(server, caller, phone)
    await open_queue(server)
    await server.api.request(
        "PUT", "/v1/vdns/5001", {"number": "5001", "name": "repairs", "goal": {"kind": "queue", "target": QUEUE}}
    )
    path = f"/v1/calls/{call}/transfer"
    for body, status in (
        ({"kind": "queue", "target": "nowhere"}, 409),
        ({"kind": "agent", "target": "1999"}, 409),
        ({"kind": "sideways", "target": "x"}, 422),
    ):
        assert (await server.api.http.post(path, json=body)).status_code == status
    assert (await server.api.http.post("/v1/calls/none/transfer", json={"kind": "hangup"})).status_code == 404
    await server.api.post(path, {"kind": "vdn", "target": "5001"})
    await phone.expect("BYE")
    [place] = await waiting(server, 1)
    assert (place["call"], place["area"]) == (call, "5001")
    async with await Phone.open("1002") as other:
        await staff(server, other, "1002")
        await other.answers()
        await caller.hears(other)
        await waiting(server, 0)
        await server.api.post(path, {"kind": "hangup"})
        await other.expect("BYE")
        await caller.expect("BYE")


async def test_an_agents_key_moves_his_own_call_only(server: Server, caller: Caller, phone: Phone) -> None:
    """R2-05: agent-scoped keys transfer the call their agent is in."""
    call = await talking_to_1001(server, caller, phone)
    await open_queue(server)
    async with await Phone.open("1002") as other:
        await staff(server, other, "1002", ())
        answers = {}
        for extension in ("1002", "1001"):
            body = {"name": f"desk {extension}", "role": "agent", "extension": extension}
            secret = (await server.api.post("/v1/api-keys", body))["secret"]
            headers = {"Authorization": f"Bearer {secret}"}
            for kind, target in (("number", "13900000001"), ("queue", QUEUE)):
                answer = await server.api.http.post(
                    f"/v1/calls/{call}/transfer", json={"kind": kind, "target": target}, headers=headers
                )
                answers[extension, kind] = answer.status_code
    assert answers == {("1002", "number"): 404, ("1002", "queue"): 404, ("1001", "number"): 403, ("1001", "queue"): 202}
    await phone.expect("BYE")
    await waiting(server, 1)


async def test_a_caller_whom_nobody_takes_comes_back_to_his_agent(server: Server, caller: Caller, phone: Phone) -> None:
    """R2-05: a transfer to a busy phone: the agent who sent him has him again, also where he was in his wrap-up."""
    listener = await server.listen()
    await open_queue(server, wrap_up=60.0)
    await open_number(server)
    await staff(server, phone, "1001")
    await caller.invite(server.outside, "4008100001", caller="13800000001")
    await phone.answers()
    await caller.hears(phone)
    call = (await server.api.calls())[0]["id"]
    async with await Phone.open("1002") as other:
        await staff(server, other, "1002", ())
        await server.api.post(f"/v1/calls/{call}/transfer", {"kind": "agent", "target": "1002"})
        await other.rejects(486)
    ring = await phone.rings()
    ring.reply(200)
    await caller.hears(phone)
    await listener.expect("call.transferred", to="1002")
    assert (await listener.expect("call.transferred", to="1001"))["data"]["by"].startswith("transfer failed: ")
    assert (await state(server, "1001", "talking"))["call"] == call
    await (await caller.bye()).expect(200)


async def test_a_caller_goes_outside_by_keys_and_to_a_menu_by_api(start_server: StartServer, caller: Caller) -> None:
    """R2-05: the code for outside and a number dial through the trunk he came by; from there he goes to the IVR, and by
    the keys of its agent to a VDN behind which it stands."""
    async with await Caller.open("outside") as outside, await Phone.open("1001") as phone:
        target = f"127.0.0.1:{outside.port}"
        server = await start_server({"trunks.carrier": {"target": target}, "feature_codes": {"outside": "9"}})
        hello = {"kind": "prompt", "say": ["hello.wav"], "next": "desk"}
        await open_ivr(server, phone, {"ask": hello, "desk": TO_AGENT})
        vdn = {"number": "5001", "name": "again", "goal": {"kind": "menu", "target": "main"}}
        await server.api.request("PUT", "/v1/vdns/5001", vdn)
        await log_in(server, "1001")
        await come_in(server, caller)
        await caller.hears(HELLO)
        await phone.answers()
        await caller.hears(phone)
        phone.sound.press("*2913900000009#")
        ring = await outside.expect("INVITE")
        assert "sip:13900000009@" in ring.uri
        await phone.expect("BYE")
        await state(server, "1001", "available")
        ring.reply(180)
        ring.reply(200)
        await outside.expect("ACK")
        await caller.hears(outside)
        await outside.hears(caller)
        call = (await server.api.calls())[0]["id"]
        await server.api.post(f"/v1/calls/{call}/transfer", {"kind": "menu", "target": "main"})
        await outside.expect("BYE")
        await caller.hears(HELLO)
        await phone.answers()
        await caller.hears(phone)
        phone.sound.press("*25001#")
        await phone.expect("BYE")
        await caller.hears(HELLO)
        await phone.answers()
        await (await caller.bye()).expect(200)
        await phone.expect("BYE")
        await state(server, "1001", "available")
