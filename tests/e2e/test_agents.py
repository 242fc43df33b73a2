"""Agents by phone: feature codes, phones that answer by themselves, and standing lines."""

from tests.e2e.queues import QUEUE, come, log_in, open_number, open_queue, staff, state
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone


async def dial(phone: Phone, server: Server, code: str, *, extension: str = "1001") -> None:
    """A code is dialled, answered and hung up by the server."""
    call = await phone.invite(server.inside, code, caller=extension)
    await call.answered()
    await phone.expect("BYE", call=call)


async def test_an_agent_changes_his_state_from_his_phone(server: Server, phone: Phone) -> None:
    """R2-05: logs in with his PIN, pauses with a reason, resumes and logs out by feature codes."""
    await open_queue(server)
    await staff(server, phone, "1001", at_work=False, pin="4711")
    listener = await server.listen()
    await dial(phone, server, "*414712")  # a wrong PIN
    await state(server, "1001", "logged-out")
    await dial(phone, server, "*414711")
    await state(server, "1001", "available")
    await dial(phone, server, "*432")
    assert (await state(server, "1001", "paused"))["reason"] == "lunch"
    await dial(phone, server, "*44")
    await state(server, "1001", "available")
    await dial(phone, server, "*45")  # he has nothing to wrap up: a tone, and nothing changes
    await dial(phone, server, "*42")
    await state(server, "1001", "logged-out")

    call = await phone.invite(server.inside, "*41", caller="1001")  # the PIN behind the tone
    await call.answered()
    await phone.sound.expect_tone(1400)
    await phone.sound.pressed("4711#")
    await phone.expect("BYE", call=call)
    await state(server, "1001", "available")
    told = [event["data"]["after"] for event in listener.of_type("agent.state")]
    assert told == ["available", "paused", "available", "logged-out", "available"]
    assert not (await server.api.get("/v1/cdrs", since=server.api.since))["cdrs"], "a code is no call"


async def test_only_agents_dial_codes_and_nothing_but_codes(server: Server, phone: Phone) -> None:
    """Strangers on the inside are refused, and so is what an agent dials that is no code."""
    await staff(server, phone, "1001", (), at_work=False, pin="4711")
    await phone.invite(server.inside, "1002", caller="1001")
    await phone.expect(404)
    await phone.invite(server.inside, "*414711", caller="1002")
    await phone.expect(403)
    async with await Phone.open("1001", host="127.0.0.2") as stranger:
        await stranger.invite(server.inside, "*414711", caller="1001")
        await stranger.expect(403)
    await state(server, "1001", "logged-out")
    assert await server.api.counted("tandem_sip_refusals_total", cause="stranger") == 2


async def test_a_phone_is_told_to_answer_by_itself(server: Server, caller: Caller, phone: Phone) -> None:
    """R2-05: connection mode auto-answer: both headers that phones know."""
    await open_queue(server)
    await open_number(server)
    await staff(server, phone, "1001", connection="auto-answer")
    await come(server, caller, "13800000001")
    ring = await phone.expect("INVITE")
    assert ring.get("Call-Info").endswith(";answer-after=0")
    assert "info=alert-autoanswer" in ring.get("Alert-Info")
    ring.reply(200)
    await caller.hears(phone)


async def test_a_standing_line_serves_one_caller_after_the_other(server: Server, phone: Phone) -> None:
    """R2-05: called once at log-in, a tone and a screen pop at each connect, released by key, ended by hanging up."""
    await open_queue(server, wrap_up=0.0)
    await open_number(server)
    listener = await server.listen()
    await staff(server, phone, "1001", connection="nailed-up")
    line = await phone.expect("INVITE")
    assert line.get("X-Tandem-Line") == "standing"
    await state(server, "1001", "unreachable")
    line.reply(200)
    await phone.expect("ACK")
    await state(server, "1001", "available")
    await listener.expect("agent.line", state="up")

    for number in ("13800000001", "13800000002"):
        async with await Caller.open("trunk") as caller:
            await come(server, caller, number)
            pop = await listener.expect("screen.pop", caller=number)
            await phone.sound.expect_tone(1400, clear=0.2)  # the caller is heard at the same time
            await caller.hears(phone)
            await phone.hears(caller)
            talking = await state(server, "1001", "talking")
            assert talking["call"] == pop["call"]
            if number.endswith("1"):
                await (await caller.bye()).expect(200)
            else:
                await phone.sound.pressed("*0")
                await caller.expect("BYE")
            await state(server, "1001", "available")
            await phone.sound.expect_silence()
    assert len(phone.got("INVITE")) == 1
    assert not phone.got("BYE")

    await (await line.call.bye()).expect(200)
    await state(server, "1001", "logged-out")
    await listener.expect("agent.line", state="closed")
    assert [cdr["cause"] for cdr in await server.api.cdrs(2)] == ["normal", "normal"]


async def test_a_standing_line_that_is_lost_is_called_again(server: Server, caller: Caller, phone: Phone) -> None:
    """R2-05: who does not answer his line is unreachable, is called anew, and logs out by API: his line is ended."""
    await open_queue(server)
    await open_number(server)
    await staff(server, phone, "1001", connection="nailed-up", at_work=False)
    await log_in(server, "1001")
    await phone.rejects(486)
    await state(server, "1001", "unreachable")
    await phone.answers(within=5)
    await state(server, "1001", "available")
    await come(server, caller, "13800000001")
    await caller.hears(phone)
    await server.api.post("/v1/agents/1001/logout", None)  # in a call: it comes into force after it
    await state(server, "1001", "talking")
    await (await caller.bye()).expect(200)
    await phone.expect("BYE")
    await state(server, "1001", "logged-out")
    assert await server.api.counted("tandem_queue_left_total", queue=QUEUE, result="answered") == 1
