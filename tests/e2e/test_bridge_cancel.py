"""Bridge: the caller gives up (RFC 3261 section 9), at any moment of the call's set-up."""

import sqlite3

from tests.e2e.legs import call_again, call_in, end, hear_each_other, ringing
from tests.peers.server import Server
from tests.peers.sipp import Sipp
from tests.peers.uac import Caller
from tests.peers.uas import Phone


async def test_a_caller_who_gives_up_stops_the_ringing(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, CANCEL (R1-09): 200 and 487 to the trunk, CANCEL with Reason to the phone, the record says cancelled."""
    await ringing(server, caller, phone)
    sent = await caller.cancel(headers={"Reason": 'Q.850;cause=16;text="secret of the trunk"'})
    await sent.expect(200)
    await caller.expect(487, method="INVITE")
    cancel = await phone.expect("CANCEL")
    assert cancel.all("Reason") == ['SIP;cause=487;text="Originator cancelled"']
    await phone.expect("ACK")
    cdr = await server.api.cdr()
    assert (cdr["cause"], cdr["sip_code"], cdr["ended_by"], cdr["answered_at"]) == ("cancelled", 487, "caller", None)
    assert (await server.api.get(f"/v1/tokens/{cdr['sequence']}", tenant="acme"))["state"] == "free"
    assert await server.api.counted("tandem_calls_total", result="cancelled", cause="cancelled") == 1


async def test_a_caller_who_gave_up_may_call_again_with_the_same_number(
    server: Server, caller: Caller, phone: Phone
) -> None:
    """R1-09: the token of a cancelled call serves the next one."""
    await ringing(server, caller, phone)
    headers = {"Diversion": caller.call.invite_sent.get("Diversion")}
    await (await caller.cancel()).expect(200)
    await caller.expect(487, method="INVITE")
    await caller.invite(server.outside, "4008100001", caller="02088880000", headers=headers)
    await phone.answers()
    await caller.answered()
    await end(caller, phone)
    assert [row["correlation"] for row in await server.api.cdrs(2)] == ["correlated", "correlated"]


async def test_cancel_before_the_phone_has_said_anything(server: Server, caller: Caller) -> None:
    """Bridge, CANCEL: not before a 1xx (RFC 3261 9.1), so the phone is cancelled as soon as it speaks."""
    async with await Phone.open("1001", trying=False) as phone:
        await call_in(server, caller, phone.uri)
        ring = await phone.expect("INVITE")
        await (await caller.cancel()).expect(200)
        await caller.expect(487, method="INVITE")
        assert not phone.got("CANCEL")
        ring.reply(180)
        await phone.expect("CANCEL")
        assert (await server.api.cdr())["cause"] == "cancelled"


async def test_the_phones_answer_crosses_the_cancel(server: Server, caller: Caller) -> None:
    """Bridge, CANCEL crossing the 200: the phone gets ACK and BYE, the trunk its 487, the token is free again."""
    async with await Phone.open("1001", manual=["CANCEL"]) as phone:
        ring = await ringing(server, caller, phone)
        await (await caller.cancel()).expect(200)
        await caller.expect(487, method="INVITE")
        cancel = await phone.expect("CANCEL")
        ring.reply(200)
        cancel.reply(481)
        await phone.expect("ACK")
        await phone.expect("BYE")
        cdr = await server.api.cdr()
        assert (cdr["cause"], cdr["answered_at"]) == ("cancelled", None)
        assert (await server.api.get(f"/v1/tokens/{cdr['sequence']}", tenant="acme"))["state"] == "free"


async def test_a_cancel_that_comes_too_late_changes_nothing(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, CANCEL crossing the 200: our 200 is out, so the CANCEL is answered and the call stands until its BYE."""
    ring = await ringing(server, caller, phone)
    ring.reply(200)
    answer = await caller.expect(200)
    await (await caller.cancel()).expect(200)
    await caller.ack(answer)
    await hear_each_other(caller, phone)
    assert not caller.got(487)
    await end(caller, phone)
    assert (await server.api.cdr())["cause"] == "normal"


async def test_cancel_during_early_media(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, CANCEL: while an announcement plays."""
    await call_in(server, caller, phone.uri)
    (await phone.expect("INVITE")).reply(183, sdp=True)
    await caller.expect(183)
    await caller.hears(phone)
    await (await caller.cancel()).expect(200)
    await caller.expect(487, method="INVITE")
    await phone.expect("CANCEL")
    await caller.hears_nothing()
    assert (await server.api.cdr())["cause"] == "cancelled"


async def test_cancel_while_the_token_is_still_looked_up(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, CANCEL: no phone rings for a caller who left before his data was found, and his token stays free."""
    await server.api.furnish(phone.uri)
    token = await server.api.issue_token()
    listener = await server.listen()
    with sqlite3.connect(server.data / "tandem.db", isolation_level=None) as file:
        file.execute("BEGIN EXCLUSIVE")
        headers = {"Diversion": f"<sip:{token['original_called_number']}@trunk>"}
        await caller.invite(server.outside, "4008100001", caller="02088880000", headers=headers)
        await listener.expect("call.received")  # else the stack may answer INVITE and CANCEL before there is a call
        await (await caller.cancel()).expect(200)
        await caller.expect(487, method="INVITE")
        file.execute("ROLLBACK")
    file.close()
    assert (await server.api.cdr())["cause"] == "cancelled"
    assert await server.api.token_state(token) == "free"
    ended = await listener.expect("call.ended")
    assert listener.of_call(ended["call"]) == ["call.received", "call.correlated", "call.ended"]
    await call_again(server, caller)
    await phone.answers()
    await caller.answered()
    assert len(phone.got("INVITE")) == 1
    await end(caller, phone)


async def test_sipp_cancels(server: Server, trunk: Sipp, agent: Sipp) -> None:
    """Bridge, CANCEL: both scenarios see it."""
    await server.api.furnish(agent.uri)
    number = (await server.api.issue_token())["original_called_number"]
    rung = await agent.answers("agent-never-answers", n=1)
    await trunk.calls(server.outside, "trunk-cancels-while-ringing", diverted=number)
    await rung.done()
    assert [m.get("Reason") for m in rung.received("CANCEL")] == ['SIP;cause=487;text="Originator cancelled"']
    assert (await server.api.cdr())["cause"] == "cancelled"
