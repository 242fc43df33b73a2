"""Bridge: how an answered call ends, by whom, with which Reason (RFC 3326), and what its record says."""

import asyncio

from tests.e2e.bystander import bystander
from tests.e2e.conftest import StartServer
from tests.e2e.legs import call_in, hear_each_other, ringing, talking
from tests.peers.server import Server
from tests.peers.sipp import Sipp
from tests.peers.uac import Caller
from tests.peers.uas import Phone

CLEARED = ['Q.850;cause=16;text="Normal call clearing"']


async def test_the_caller_hangs_up(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, BYE from the caller: the phone gets a BYE with our Reason, not the trunk's words."""
    await talking(server, caller, phone)
    await (await caller.bye(headers={"Reason": 'Q.850;cause=31;text="secret of the trunk"'})).expect(200)
    assert (await phone.expect("BYE")).all("Reason") == CLEARED
    await phone.hears_nothing()
    cdr = await server.api.cdr()
    assert (cdr["cause"], cdr["sip_code"], cdr["ended_by"]) == ("normal", 200, "caller")
    assert 0 < cdr["talk"] <= cdr["duration"]
    assert cdr["parts"][0]["cause"].startswith("Q.850;cause=31")
    assert await server.api.calls() == []


async def test_the_agent_hangs_up(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, BYE from the agent."""
    await talking(server, caller, phone)
    await (await phone.bye(headers={"Reason": 'SIP;cause=200;text="secret of the inside"'})).expect(200)
    assert (await caller.expect("BYE")).all("Reason") == CLEARED
    await caller.hears_nothing()
    cdr = await server.api.cdr()
    assert (cdr["cause"], cdr["sip_code"], cdr["ended_by"]) == ("normal", 200, "agent")
    assert await server.api.counted("tandem_calls_total", result="answered", cause="normal") == 1


async def test_both_hang_up_at_once(server: Server) -> None:
    """Bridge, BYE from both sides: each gets its 200, ours are answered too, and there is one record."""
    async with await Caller.open("trunk", manual=["BYE"]) as caller, await Phone.open("1001", manual=["BYE"]) as phone:
        await talking(server, caller, phone)
        mine, his = await asyncio.gather(caller.bye(), phone.bye())
        await mine.expect(200)
        await his.expect(200)
        for peer in (caller, phone):
            for bye in peer.got("BYE"):
                bye.reply(200)
        cdr = await server.api.cdr()
        assert (cdr["cause"], cdr["sip_code"]) == ("normal", 200)
        assert cdr["ended_by"] in ("caller", "agent")


async def test_a_bye_that_crosses_ours_is_answered(server: Server, caller: Caller) -> None:
    """Bridge: the caller hangs up while the agent's BYE is on its way to us."""
    async with await Phone.open("1001", manual=["BYE"]) as phone:
        await talking(server, caller, phone)
        await (await caller.bye()).expect(200)
        ours = await phone.expect("BYE")
        await (await phone.bye()).expect("2xx")
        ours.reply(200)
    assert (await server.api.cdr())["ended_by"] == "caller"


async def test_a_bye_that_nobody_answers_keeps_no_record_waiting(server: Server, caller: Caller) -> None:
    """Bridge: the phone is gone when our BYE comes; the record is written all the same, and ours is repeated."""
    async with await Phone.open("1001", manual=["BYE"]) as phone:
        await talking(server, caller, phone)
        await (await caller.bye()).expect(200)
        bye = await phone.expect("BYE")
        cdr = await server.api.cdr()
        assert (cdr["cause"], cdr["ended_by"]) == ("normal", "caller")
        bye.reply(481)


async def test_a_bye_before_the_ack(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge: the caller hangs up with our 200 in his hands (RFC 3261 15: he may, once it has come)."""
    ring = await ringing(server, caller, phone)
    ring.reply(200)
    answer = await caller.expect(200)
    await (await caller.bye()).expect(200)
    await phone.expect("BYE")
    assert answer.repeats == 0
    assert (await server.api.cdr())["ended_by"] == "caller"


async def test_the_agent_hangs_up_before_the_callers_ack(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge: we may send BYE only after the ACK of our 200 (RFC 3261 15), so the caller gets it then."""
    ring = await ringing(server, caller, phone)
    ring.reply(200)
    answer = await caller.expect(200)
    await phone.expect("ACK")
    await (await phone.bye()).expect(200)
    assert not caller.got("BYE")
    await caller.ack(answer)
    await caller.expect("BYE")
    cdr = await server.api.cdr()
    assert (cdr["cause"], cdr["ended_by"]) == ("normal", "agent")


async def test_sipp_hangs_up_from_either_side(server: Server, trunk: Sipp, agent: Sipp) -> None:
    """Bridge, BYE: scenarios of both sides, the agent's hang-up first."""
    await server.api.furnish(agent.uri)
    for placing, answering in (
        ("trunk-waits-for-hangup", "agent-answers-then-hangs-up"),
        ("trunk-diverted", "agent-answers"),
    ):
        number = (await server.api.issue_token())["original_called_number"]
        answered = await agent.answers(answering, n=1, hold=100)
        await trunk.calls(server.outside, placing, diverted=number)
        await answered.done()
    assert [row["ended_by"] for row in await server.api.cdrs(2)] == ["agent", "caller"]


# --- by order ---


async def test_the_api_hangs_up_an_answered_call(server: Server, caller: Caller, phone: Phone) -> None:
    """Live calls: DELETE ends it with BYE and Reason to both; the record says who did it; nobody else is disturbed."""
    async with bystander(server):
        await talking(server, caller, phone)
        [call] = [call for call in await server.api.calls() if call["extension"] == "1001"]
        await server.api.delete(f"/v1/calls/{call['id']}")
        for peer in (caller, phone):
            assert (await peer.expect("BYE")).all("Reason") == ['SIP;cause=487;text="Ended by an operator"']
        cdr = await server.api.cdr(extension="1001")
        assert (cdr["id"], cdr["cause"], cdr["sip_code"]) == (call["id"], "hung-up", 200)
        assert cdr["ended_by"] not in ("caller", "agent", "tandem")


async def test_the_api_hangs_up_a_ringing_call(server: Server, caller: Caller, phone: Phone) -> None:
    """Live calls: CANCEL to the phone, 480 to the trunk, and the token may be used again."""
    await ringing(server, caller, phone)
    [call] = await server.api.calls()
    await server.api.delete(f"/v1/calls/{call['id']}")
    assert (await phone.expect("CANCEL")).all("Reason") == ['SIP;cause=487;text="Ended by an operator"']
    assert (await caller.expect(480)).all("Reason") == ['SIP;cause=487;text="Ended by an operator"']
    cdr = await server.api.cdr()
    assert (cdr["cause"], cdr["sip_code"], cdr["answered_at"]) == ("hung-up", 480, None)
    assert (await server.api.get(f"/v1/tokens/{cdr['sequence']}", tenant="acme"))["state"] == "free"


async def test_the_api_hangs_up_a_call_in_early_media(server: Server, caller: Caller, phone: Phone) -> None:
    """Live calls: the same while an announcement plays."""
    await call_in(server, caller, phone.uri)
    (await phone.expect("INVITE")).reply(183, sdp=True)
    await caller.expect(183)
    [call] = await server.api.calls()
    await server.api.delete(f"/v1/calls/{call['id']}")
    await phone.expect("CANCEL")
    await caller.expect(480)


async def test_a_call_ends_at_the_maximum_duration(start_server: StartServer, caller: Caller, phone: Phone) -> None:
    """Bridge, maximum duration: BYE with Reason to both, counted from the answer."""
    brief = await start_server({"calls": {"max_duration": 1.5}})
    ring = await ringing(brief, caller, phone)
    ring.reply(200)
    await caller.answered()
    await hear_each_other(caller, phone)
    for peer in (caller, phone):
        assert (await peer.expect("BYE")).all("Reason") == ['SIP;cause=487;text="Maximum duration reached"']
    cdr = await brief.api.cdr()
    assert (cdr["cause"], cdr["sip_code"], cdr["ended_by"]) == ("max-duration", 200, "tandem")
    assert 1.5 <= cdr["talk"] < 5
