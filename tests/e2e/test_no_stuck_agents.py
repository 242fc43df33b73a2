"""Phones and callers that vanish without a word, and what agents ask for meanwhile: nobody stays reserved, ringing or
talking with a call that is gone (R2-05)."""

from tests.e2e.conftest import StartServer
from tests.e2e.legs import call_in
from tests.e2e.queues import callers, come, log_in, open_number, open_queue, staff, state, waiting
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone

SILENCE = {"media": {"silence_timeout": 1}}
"Seconds after which a party that sends nothing is gone."


async def nobody_is_busy(server: Server) -> None:
    """No agent has a call or the promise of one, and none had to be put right for that."""
    for word in ("reserved", "ringing", "talking"):
        assert await server.api.metric("tandem_agents", state=word) == 0, word
    for what in ("lease", "no-call", "other-call", "in-call", "caller-gone"):
        assert await server.api.counted("tandem_agent_state_repaired_total", what=what) == 0, what


async def test_a_phone_that_vanishes_while_it_rings_holds_nobody(server: Server, caller: Caller) -> None:
    """R2-05: CANCEL finds nobody; the caller keeps his place before one of a lower class, and another agent has him."""
    await open_queue(server, ring_timeout=1, missed_before_pause=1, wrap_up=0.0)
    await open_number(server)
    await server.api.request("PUT", "/v1/priority-classes/gold", {"ahead": 600.0})
    await server.api.request("PUT", "/v1/priorities/vip", {"priority": "gold", "caller": "13800000001"})
    async with await Phone.open("1002") as good, callers("2") as (later,):
        async with await Phone.open("1001", sound=False) as gone:
            await staff(server, gone, "1001")
            await come(server, caller, "13800000001")
            await gone.rings()
            await state(server, "1001", "ringing")
        await come(server, later, "13800000002")
        assert (await state(server, "1001", "paused"))["reason"] == "missed-calls"
        order = await waiting(server, 2)
        assert [(one["number"][-1], one["priority"]) for one in order] == [("1", "gold"), ("2", None)]
        await staff(server, good, "1002")
        await good.answers()
        await caller.hears(good)
        await (await caller.bye()).expect(200)
        await good.expect("BYE")
        await (await later.bye()).expect(200)
        await state(server, "1002", "available")
        await waiting(server, 0)
        await nobody_is_busy(server)


async def test_callers_who_vanish_set_their_agents_free(start_server: StartServer) -> None:
    """R2-05: no BYE comes, only silence: in the middle of the talk, while a phone rings, and while nobody is there."""
    server = await start_server(SILENCE)
    await open_queue(server, wrap_up=0.0)
    await open_number(server)
    async with await Phone.open("1001") as phone, callers("1", "2", "3") as (talks, rings, waits):
        await staff(server, phone, "1001")
        await come(server, talks, "13800000001")
        await phone.answers()
        await talks.hears(phone)
        talks.sound.pause()
        await phone.expect("BYE")
        await state(server, "1001", "available")
        await come(server, rings, "13800000002")
        await phone.rings()
        rings.sound.pause()
        await phone.expect("CANCEL")
        await state(server, "1001", "available")
        await server.api.post("/v1/agents/1001/pause", {"reason": "lunch"})
        await come(server, waits, "13800000003")
        await waiting(server, 1)
        waits.sound.pause()
        await waiting(server, 0)
        await waits.expect("BYE")
        await nobody_is_busy(server)


async def test_a_standing_line_that_dies_in_a_talk_gives_the_caller_back(start_server: StartServer) -> None:
    """R2-05: the caller waits at the head, the line is called again, and nobody is offered to it before it is up. When
    the caller dies, the line stays."""
    server = await start_server(SILENCE)
    await open_queue(server, wrap_up=0.0)
    await open_number(server)
    listener = await server.listen()
    async with await Phone.open("1001") as phone, callers("1") as (caller,):
        await come(server, caller, "13800000001")
        await waiting(server, 1)
        await staff(server, phone, "1001", connection="nailed-up")
        await phone.answers()
        await caller.hears(phone)
        phone.sound.pause()
        await phone.expect("BYE")
        assert (await listener.expect("call.requeued"))["data"]["why"] == "agent-lost"
        await state(server, "1001", "unreachable")
        phone.sound.resume()
        await phone.answers()
        await caller.hears(phone)
        caller.sound.pause()
        assert 'text="No media from the far end"' in (await caller.expect("BYE")).get("Reason")
        await state(server, "1001", "available")
        assert (len(phone.got("INVITE")), len(phone.got("BYE"))) == (2, 1), "the line stays"
        assert len(listener.of_type("screen.pop")) == 2, "none before the line was up"
        assert not listener.of_type("call.refused")
        await nobody_is_busy(server)


async def test_a_call_back_outlives_its_agent_and_frees_the_next(start_server: StartServer) -> None:
    """R2-05: the agent hangs up while the caller's phone rings: the place is at the head again. The next one finds the
    caller busy: that agent is free, and the listeners hear that it failed."""
    async with (
        await Caller.open("trunk") as caller,
        await Phone.open("1001") as leaves,
        await Phone.open("1002") as stays,
    ):
        server = await start_server({"trunks.carrier": {"target": f"127.0.0.1:{caller.port}"}})
        await open_queue(server, callback_key="1", wrap_up=0.0)
        await open_number(server)
        await staff(server, leaves, "1001", at_work=False)
        listener = await server.listen()
        await come(server, caller, "13800000001")
        await waiting(server, 1)
        await caller.sound.pressed("1")
        await caller.expect("BYE")
        await log_in(server, "1001")
        await leaves.answers()
        ring = await caller.expect("INVITE")
        ring.reply(180)
        await (await leaves.bye()).expect(200)
        await caller.expect("CANCEL", call=ring.call)
        [place] = await waiting(server, 1)
        assert (place["number"], place["callback"]) == ("13800000001", True)
        await state(server, "1001", "unreachable")
        await staff(server, stays, "1002")
        await stays.answers()
        ring = await caller.expect("INVITE")
        ring.reply(486)
        await stays.expect("BYE")
        await state(server, "1002", "available")
        await waiting(server, 0)
        failed = await listener.expect("call.callback", state="failed")
        assert failed["data"]["cause"] == "agent-busy"
        states = [event["data"]["state"] for event in listener.of_type("call.callback")]
        assert states == ["waiting", "dialling", "dialling", "failed"]
        await nobody_is_busy(server)


async def test_what_an_agent_asks_for_while_his_phone_rings_waits_for_its_end(server: Server, phone: Phone) -> None:
    """R2-05: a pause, and a log-out: after the talk that came of it, or at once when the caller leaves."""
    await open_queue(server, wrap_up=0.0)
    await open_number(server)
    async with callers("1", "2") as (stays, leaves):
        await staff(server, phone, "1001")
        await come(server, stays, "13800000001")
        ring = await phone.rings()
        await server.api.post("/v1/agents/1001/pause", {"reason": "lunch"})
        await state(server, "1001", "ringing")
        ring.reply(200)
        await stays.hears(phone)
        await state(server, "1001", "talking")
        await (await stays.bye()).expect(200)
        assert (await state(server, "1001", "paused"))["reason"] == "lunch"
        await server.api.post("/v1/agents/1001/resume", None)
        await come(server, leaves, "13800000002")
        await phone.rings()
        await server.api.post("/v1/agents/1001/logout", None)
        await state(server, "1001", "ringing")
        await (await leaves.bye()).expect(200)
        await phone.expect("CANCEL")
        await state(server, "1001", "logged-out")
        await nobody_is_busy(server)


async def test_who_logs_in_while_he_talks_is_asked_afterwards(server: Server, caller: Caller, phone: Phone) -> None:
    """R2-05: a direct call reached him logged out; a caller of his queue waits until that call is over."""
    await open_queue(server)
    await open_number(server, "4008100099")
    await call_in(server, caller, phone.uri)
    await phone.answers()
    await caller.hears(phone)
    body = {"extension": "1001", "queues": {"orders": 1}, "wrap_up": 0}
    await server.api.request("PUT", "/v1/agent-profiles/1001", body)
    async with callers("2") as (later,):
        await come(server, later, "13800000002", "4008100099")
        await waiting(server, 1)
        await log_in(server, "1001")
        assert (await state(server, "1001", "talking"))["queue"] is None
        await (await caller.bye()).expect(200)
        await phone.expect("BYE")
        await phone.answers()
        await later.hears(phone)
        assert len(phone.got("INVITE")) == 2
        assert await server.api.counted("tandem_agent_state_repaired_total", what="in-call") == 0


async def test_the_floor_learns_of_a_call_that_it_did_not_know(server: Server, caller: Caller, phone: Phone) -> None:
    """R2-05: a direct call rang him while he was logged out; he logs in before he answers. The comparison with the live
    legs has him talking within seconds, and counts that; he is free when the call is over."""
    await call_in(server, caller, phone.uri)
    ring = await phone.rings()
    await log_in(server, "1001")
    await state(server, "1001", "available")
    ring.reply(200)
    await caller.hears(phone)
    call = (await state(server, "1001", "talking"))["call"]
    assert call == ring.get("X-Tandem-Call-ID")
    assert await server.api.counted("tandem_agent_state_repaired_total", what="in-call") == 1
    await (await caller.bye()).expect(200)
    await phone.expect("BYE")
    await state(server, "1001", "available")
