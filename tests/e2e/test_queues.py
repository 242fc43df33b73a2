"""Queues: who waits, who is asked, in which order, and what becomes of everybody (R2-05, R2-07)."""

import asyncio

from tests.e2e.conftest import StartServer
from tests.e2e.queues import QUEUE, callers, come, log_in, open_number, open_queue, staff, state, waiting
from tests.peers.api import ACCESS_NUMBER
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually

ELSEWHERE = ['SIP;cause=200;text="Call completed elsewhere"']


async def test_a_caller_waits_with_music_until_an_agent_has_him(server: Server, caller: Caller, phone: Phone) -> None:
    """R2-05: queued, counted, offered, connected, wrapped up; the next call is the same agent's after his wrap-up."""
    await open_queue(server, wrap_up=60.0)
    await open_number(server)
    await staff(server, phone, "1001", at_work=False)
    listener = await server.listen()
    await come(server, caller, "13800000001")
    [place] = await waiting(server, 1)
    assert (place["position"], place["area"], place["number"]) == (1, QUEUE, "13800000001")
    assert await server.api.metric("tandem_queue_waiting", queue=QUEUE) == 1
    await eventually(lambda: loud(caller), "the caller hears music")

    await log_in(server, "1001")
    ring = await phone.rings()
    await state(server, "1001", "ringing")
    assert ring.get("X-Tandem-Call-ID") == place["call"]
    ring.reply(200)
    await caller.hears(phone)
    await phone.hears(caller)
    assert (await state(server, "1001", "talking"))["call"] == place["call"]
    await waiting(server, 0)
    await (await caller.bye()).expect(200)
    await phone.expect("BYE")
    await state(server, "1001", "wrap-up")
    await server.api.delete("/v1/agents/1001/wrap-up")
    await state(server, "1001", "available")

    cdr = await server.api.cdr()
    assert (cdr["cause"], cdr["extension"], cdr["ended_by"]) == ("normal", "1001", "caller")
    told = [event["type"] for event in listener.events if event["call"] == cdr["id"]]
    order = ["call.queued", "call.offered", "call.ringing", "call.dequeued", "call.answered", "call.connected"]
    assert [word for word in told if word in order] == order
    left = await listener.expect("call.dequeued", call=cdr["id"])
    assert (left["data"]["result"], left["data"]["extension"]) == ("answered", "1001")
    pop = await listener.expect("screen.pop", call=cdr["id"])
    assert pop["data"]["queue"] == QUEUE


async def test_the_losing_phones_of_a_ring_all_are_told_who_has_the_call(server: Server, caller: Caller) -> None:
    """R2-05: all phones ring, one has the caller, the others get CANCEL with the reason and their agents are free."""
    await open_queue(server, strategy="ring-all")
    await open_number(server)
    async with await Phone.open("1001") as first, await Phone.open("1002") as second:
        await staff(server, first, "1001")
        await staff(server, second, "1002")
        await come(server, caller, "13800000001")
        ring, other = await asyncio.gather(first.rings(), second.rings())
        ring.reply(200)
        cancel = await second.expect("CANCEL")
        assert cancel.all("Reason") == ELSEWHERE
        assert other.call is cancel.call
        await caller.hears(first)
        await state(server, "1001", "talking")
        await state(server, "1002", "available")
        await (await first.bye()).expect(200)
        await caller.expect("BYE")
        assert (await server.api.cdr())["extension"] == "1001"


async def test_a_caller_who_leaves_stops_the_phone_at_once(server: Server, caller: Caller, phone: Phone) -> None:
    """R2-05: the ringing agent is cancelled and free again; the wait is an abandoned one."""
    await open_queue(server, short_abandon=0.0)
    await open_number(server)
    await staff(server, phone, "1001")
    listener = await server.listen()
    await come(server, caller, "13800000001")
    await phone.rings()
    await (await caller.bye()).expect(200)
    await phone.expect("CANCEL")
    await state(server, "1001", "available")
    cdr = await server.api.cdr()
    assert (cdr["cause"], cdr["ended_by"], cdr["answered_at"]) == ("abandoned", "caller", None)
    assert (await listener.expect("call.dequeued"))["data"]["result"] == "abandoned"
    assert await server.api.counted("tandem_queue_left_total", queue=QUEUE, result="abandoned") == 1


async def test_who_does_not_take_it_rests_and_another_one_is_asked(server: Server, caller: Caller) -> None:
    """R2-05: a phone that rejects, one that is not there, one that rings out: the caller keeps his place."""
    await open_queue(server, ring_timeout=1, delay_reject=60.0, delay_no_answer=60.0, missed_before_pause=1)
    await open_number(server)
    async with (
        await Phone.open("1001") as rejects,
        await Phone.open("1002") as sleeps,
        await Phone.open("1003") as good,
    ):
        await staff(server, rejects, "1001")
        await come(server, caller, "13800000001")
        await rejects.rejects(603)
        await state(server, "1001", "paused")  # one missed call is one too many here
        await staff(server, sleeps, "1002")
        await sleeps.rings()
        await sleeps.expect("CANCEL")
        await state(server, "1002", "paused")
        [place] = await waiting(server, 1)
        await staff(server, good, "1003")
        await good.answers()
        await caller.hears(good)
        assert await server.api.counted("tandem_queue_offers_refused_total", reason="reject") == 1
        assert await server.api.counted("tandem_queue_offers_refused_total", reason="no-answer") == 1
        assert (await server.api.get("/v1/calls"))["calls"][0]["id"] == place["call"]


async def test_priority_overtakes_and_can_be_given_to_somebody_who_waits(server: Server, phone: Phone) -> None:
    """R2-07: who is on the preset list comes first; the others by arrival; a class given by hand counts at once."""
    await open_queue(server)
    await open_number(server)
    await server.api.request("PUT", "/v1/priority-classes/gold", {"ahead": 600.0})
    await server.api.request("PUT", "/v1/priorities/vip", {"priority": "gold", "caller": "13800000003"})
    await staff(server, phone, "1001", at_work=False)
    async with callers("1", "2", "3") as (first, second, third):
        for number, caller in enumerate((first, second, third), 1):
            await come(server, caller, f"1380000000{number}")
            await waiting(server, number)
        order = await waiting(server, 3)
        assert [one["number"][-1] for one in order] == ["3", "1", "2"]
        assert [one["priority"] for one in order] == ["gold", None, None]
        why = await server.api.get(f"/v1/calls/{order[2]['call']}/explanation")
        assert (why["position"], [one["why"] for one in why["before"]]) == (3, ["class", "came-earlier"])
        await server.api.post(f"/v1/calls/{order[2]['call']}/priority", {"priority": "gold"})
        assert [one["number"][-1] for one in await waiting(server, 3)] == ["2", "3", "1"]
        await log_in(server, "1001")
        await phone.answers()
        await second.hears(phone)


async def test_an_agent_who_is_lost_gives_his_caller_back_to_the_head(
    start_server: StartServer, caller: Caller
) -> None:
    """R2-05: his phone dies in the middle of the talk, without a BYE: the caller waits before all others, and the
    agent is not asked any more."""
    server = await start_server({"media": {"silence_timeout": 1}})
    await open_queue(server)
    await open_number(server)
    async with await Phone.open("1001") as lost, await Phone.open("1002") as other, callers("2") as (later,):
        await staff(server, lost, "1001")
        await staff(server, other, "1002", at_work=False)
        await come(server, caller, "13800000001")
        await lost.answers()
        await caller.hears(lost)
        await come(server, later, "13800000002")
        await waiting(server, 1)
        listener = await server.listen()
        lost.sound.pause()
        back, _ = await waiting(server, 2)
        assert back["number"] == "13800000001"
        assert (await listener.expect("call.requeued"))["data"]["why"] == "agent-lost"
        await state(server, "1001", "unreachable")
        await log_in(server, "1002")
        await other.answers()
        await caller.hears(other)
        await (await caller.bye()).expect(200)
        await other.expect("BYE")
        assert (await server.api.cdr(caller="13800000001"))["extension"] == "1002"


async def test_who_waits_too_long_or_finds_too_many_goes_elsewhere(
    server: Server, caller: Caller, phone: Phone
) -> None:
    """R2-05: the longest wait and the length of a queue, and where its rules send a caller; nobody there is one too."""
    await server.api.add_agent(phone.uri, "1001")
    await open_queue(server, "night")
    await open_queue(
        server,
        max_wait=1,
        overflow=[
            {"when": "size", "more_than": 0, "goal": {"kind": "agent", "target": "1001"}},
            {"when": "no-agents", "goal": {"kind": "queue", "target": "night"}},
        ],
        otherwise={"kind": "queue", "target": "night"},
    )
    await open_number(server)
    await come(server, caller, "13800000001")
    [place] = await waiting(server, 1, "night")
    async with callers("2", "3") as (second, third), await Phone.open("1002") as other:
        await staff(server, other, "1002")  # from now on somebody is there, if not for them
        await server.api.post("/v1/agents/1002/pause", {"reason": "lunch"})
        await come(server, second, "13800000002")
        await waiting(server, 1)
        await third.invite(server.outside, ACCESS_NUMBER, caller="13800000003")
        await phone.answers()  # the queue is full: the agent of the rule, whether he is logged in or not
        await third.answered()
        order = await waiting(server, 2, "night")
        assert [one["number"][-1] for one in order] == ["1", "2"]
        assert order[0]["call"] == place["call"]
        assert await server.api.counted("tandem_queue_left_total", queue=QUEUE, result="timeout") == 1
        assert await server.api.counted("tandem_queue_left_total", queue=QUEUE, result="overflow") == 2


async def test_who_comes_back_in_time_has_his_old_place(server: Server) -> None:
    """R2-05: re-entry within the window."""
    await open_queue(server, reentry=30.0)
    await open_number(server)
    async with callers("1", "2") as (first, second):
        await come(server, first, "13800000001")
        await waiting(server, 1)
        await come(server, second, "13800000002")
        await waiting(server, 2)
        await (await first.bye()).expect(200)
        await waiting(server, 1)
        await come(server, first, "13800000001")
        assert [one["number"][-1] for one in await waiting(server, 2)] == ["1", "2"]


async def test_whoever_cannot_wait_is_called_back_in_his_turn(start_server: StartServer) -> None:
    """R2-05: he presses the key, hangs up, keeps his place before those who came later; the agent first, then he."""
    async with await Caller.open("trunk") as caller, callers("2") as (later,), await Phone.open("1001") as agent:
        target = f"127.0.0.1:{caller.port}"
        server = await start_server({"trunks.carrier": {"target": target}})
        await open_queue(server, callback_key="1")
        await open_number(server)
        await staff(server, agent, "1001", at_work=False)
        listener = await server.listen()
        await come(server, caller, "13800000001")
        await waiting(server, 1)
        await come(server, later, "13800000002")
        await waiting(server, 2)
        await caller.sound.pressed("1")
        assert (await listener.expect("call.callback"))["data"]["state"] == "waiting"
        await caller.expect("BYE")
        first, second = await waiting(server, 2)
        assert (first["number"], first["callback"], second["number"]) == ("13800000001", True, "13800000002")
        await log_in(server, "1001")
        await agent.answers()
        ring = await caller.expect("INVITE")
        assert "13800000001" in ring.uri
        ring.reply(180)
        ring.reply(200)
        await caller.expect("ACK")
        await caller.hears(agent)
        await agent.hears(caller)
        await (await agent.bye()).expect(200)
        await caller.expect("BYE")
        [cdr] = [one for one in await server.api.cdrs(2) if one["direction"] == "outbound"]
        assert (cdr["cause"], cdr["extension"], cdr["effective_caller"]) == ("normal", "1001", "13800000001")
        states = [event["data"]["state"] for event in listener.events if event["type"] == "call.callback"]
        assert states == ["waiting", "dialling", "connected"]


async def test_music_before_the_answer_costs_the_caller_nothing(server: Server, caller: Caller, phone: Phone) -> None:
    """R2-05: as early media; he is answered by the agent, and a VDN says what the call counts as (R2-03)."""
    await open_queue(server, answer="early", announce_agent=False)
    vdn = {"number": "600", "name": "repairs", "goal": {"kind": "queue", "target": QUEUE}, "area": "north"}
    await server.api.request("PUT", "/v1/vdns/600", vdn)
    await open_number(server, kind="vdn", target="600")
    await staff(server, phone, "1001", at_work=False)
    await caller.invite(server.outside, ACCESS_NUMBER, caller="13800000001")
    await caller.expect(183)
    await eventually(lambda: loud(caller), "the caller hears music")
    [place] = await waiting(server, 1)
    assert (place["vdn"], place["area"]) == ("600", "north")
    await log_in(server, "1001")
    await phone.answers()
    await caller.answered()
    await caller.hears(phone)
    pop = (await server.api.get("/v1/calls"))["calls"][0]
    assert (pop["state"], pop["extension"]) == ("talking", "1001")


def loud(caller: Caller) -> bool:
    """Something that is not silence has come in."""
    samples = caller.sound.samples()
    return len(samples) > 0 and int(abs(samples).max()) > 200
