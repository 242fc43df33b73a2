"""Session timers (RFC 4028) live on each leg by itself: intervals, refreshers, refusals, and the end of a silent leg.

RFC 4028 allows no interval below 90 s, so where time must pass the server runs under a faster clock (libfaketime).
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import StartServer
from tests.e2e.legs import call_in, end, hear_each_other, shared_server, talking
from tests.peers.api import ACCESS_NUMBER, BILLING_NUMBER, diverted
from tests.peers.exchange import Received
from tests.peers.server import Server, Template
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually, eventually_true

TIMER = {"Supported": "timer"}
FAKETIME = "*/faketime/libfaketimeMT.so.1"
"Debian's libfaketime, below /usr/lib."
SPEED = 25
UNHURRIED = {"media": {"silence_timeout": 0}, "calls": {"claim_deadline": 10, "pull_deadline": 10, "ring_timeout": 180}}
"Limits that shall not pass although the clock hurries."


def interval(message: Received) -> int:
    return int(message.get("Session-Expires").partition(";")[0])


async def test_each_leg_has_its_own_interval(start_server: StartServer, caller: Caller, phone: Phone) -> None:
    """Session timers per leg, never end to end: 400 s with the trunk, 200 s with the agent."""
    server = await start_server({"trunks.carrier": {"min_se": 120}})
    await call_in(server, caller, phone.uri, headers={**TIMER, "Session-Expires": "400;refresher=uac"})
    ring = await phone.rings()
    assert "timer" in ring.tokens("Supported")
    assert (interval(ring), ring.get("Min-SE")) == (1800, "90")
    ring.reply(200, headers={"Session-Expires": "200;refresher=uas", "Require": "timer"})
    await phone.expect("ACK")
    answer = await caller.answered()
    assert answer.get("Session-Expires") == "400;refresher=uac"
    assert "timer" in answer.tokens("Require")
    await hear_each_other(caller, phone)
    await end(caller, phone)


@pytest.mark.parametrize("who", ["uac", "uas"])
async def test_the_trunk_chooses_who_refreshes(server: Server, caller: Caller, phone: Phone, who: str) -> None:
    """Session timers: the refresher that the caller names is kept, be it he or we."""
    headers = {**TIMER, "Session-Expires": f"900;refresher={who}"}
    await call_in(server, caller, phone.uri, headers=headers)
    await phone.answers()
    assert (await caller.answered()).get("Session-Expires") == f"900;refresher={who}"
    await end(caller, phone)


async def test_a_trunk_without_timers_gets_none(server: Server, caller: Caller, phone: Phone) -> None:
    """Session timers optional: nothing is asked of a trunk that knows none; the agent's leg may still have one."""
    await call_in(server, caller, phone.uri)
    ring = await phone.rings()
    ring.reply(200, headers={"Session-Expires": "1800;refresher=uac", "Require": "timer"})
    await phone.expect("ACK")
    assert not (await caller.answered()).has("Session-Expires")
    await end(caller, phone)


async def test_too_short_an_interval_gets_422_and_the_retry_is_served(
    start_server: StartServer, caller: Caller, phone: Phone
) -> None:
    """RFC 4028 9: 422 with our Min-SE; the retry is the one call there was: one event, one record, the token is his."""
    server = await start_server({"trunks.carrier": {"min_se": 120}})
    listener = await server.listen()
    await server.api.furnish(phone.uri)
    token = diverted(await server.api.issue_token())
    headers = {**TIMER, **token, "Session-Expires": "91"}
    await caller.invite(server.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, headers=headers)
    refused = await caller.expect(422)
    assert refused.get("Min-SE") == "120"
    headers |= {"Session-Expires": "120", "Min-SE": "120"}
    await caller.invite(server.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, headers=headers)
    await phone.answers()
    assert interval(await caller.answered()) == 120
    await end(caller, phone)
    await server.api.cdr()
    await listener.expect("call.ended")
    assert [e["type"] for e in listener.events].count("call.received") == 1
    assert await server.api.metric("tandem_sip_refusals_total", cause="session-interval") == 1


async def test_the_agent_may_want_a_longer_interval(server: Server, caller: Caller, phone: Phone) -> None:
    """RFC 4028 7.3: 422 with Min-SE 3600 from the phone; we try again with it, and the trunk sees nothing of it."""
    await call_in(server, caller, phone.uri)
    first = await phone.expect("INVITE")
    first.reply(422, headers={"Min-SE": "3600"})
    second = await phone.expect("INVITE")
    assert (interval(second), second.get("Min-SE")) == (3600, "3600")
    assert second.call_id == first.call_id
    assert second.cseq[0] > first.cseq[0]
    phone.call.ended = False
    second.reply(180)
    second.reply(200, headers={"Session-Expires": "3600;refresher=uac", "Require": "timer"})
    await phone.expect("ACK", where=lambda m: m.cseq[0] == second.cseq[0])
    await caller.answered()
    await hear_each_other(caller, phone)
    await end(caller, phone)


async def test_a_refresh_stays_on_its_leg(server: Server, caller: Caller, phone: Phone) -> None:
    """Session timers: re-INVITE and UPDATE as refresh are answered with the interval; the other leg sees neither."""
    headers = {**TIMER, "Session-Expires": "400;refresher=uac"}
    await talking(server, caller, phone, headers=headers)
    sent = await caller.call.update(headers=headers)
    assert (await sent.expect(200)).get("Session-Expires") == "400;refresher=uac"
    response = await (await caller.call.reinvite(headers=headers)).expect(200)
    assert response.get("Session-Expires") == "400;refresher=uac"
    await caller.call.ack(response)
    await hear_each_other(caller, phone)
    assert not [m for m in phone.call.received if m.is_request and m.to_tag and m.method != "ACK"]
    await end(caller, phone)


async def test_a_refresh_with_too_short_an_interval_gets_422(server: Server, caller: Caller, phone: Phone) -> None:
    """RFC 4028 9: inside a call too; the call goes on."""
    await talking(server, caller, phone, headers={**TIMER, "Session-Expires": "400;refresher=uac"})
    sent = await caller.call.update(headers={**TIMER, "Session-Expires": "30;refresher=uac"})
    assert (await sent.expect(422)).get("Min-SE") == "90"
    await hear_each_other(caller, phone)
    await end(caller, phone)


def faketime() -> Path:
    """The library that speeds up a clock."""
    library = next(Path("/usr/lib").glob(FAKETIME), None)
    assert library, "libfaketime is missing: package libfaketime"
    return library


@pytest.fixture
async def hurried(
    pool: list[Server], tmp_path_factory: pytest.TempPathFactory, template: Template
) -> AsyncIterator[Server]:
    """A server whose clock runs 25 times as fast."""
    env = {"LD_PRELOAD": str(faketime()), "FAKETIME": f"+0 x{SPEED}"}
    folder = tmp_path_factory.mktemp("hurried")
    async with shared_server(pool, folder, UNHURRIED, template, env=env) as server:
        yield server


async def record_of(server: Server, caller: Caller) -> dict[str, Any]:
    """The call's record; found by its Call-ID, as the server's time of day is not ours."""

    async def ended() -> dict[str, Any] | None:
        rows = (await server.api.get("/v1/cdrs", limit=200))["cdrs"]
        return next((dict(r) for r in rows if r["sip_call_id"] == caller.call.call_id and r["ended_at"]), None)

    row = await eventually_true(ended, "the record of the call")
    assert row
    return row


async def test_a_trunk_that_no_longer_refreshes_is_hung_up_with_a_reason(hurried: Server) -> None:
    """Session timers, expiry: BYE with a Reason on that leg, the other one is ended, the record says what happened."""
    async with await Caller.open("trunk", sound=False) as caller, await Phone.open("1001", sound=False) as phone:
        sdp = caller.sdp()
        await call_in(hurried, caller, phone.uri, headers={**TIMER, "Session-Expires": "90;refresher=uac"}, sdp=sdp)
        ring = await phone.rings()
        ring.reply(200, sdp=phone.sdp())
        await phone.expect("ACK")
        await caller.answered()
        bye = await caller.expect("BYE")
        assert bye.get("Reason").replace(" ", "").startswith("SIP;cause=408")
        await phone.expect("BYE")
        cdr = await record_of(hurried, caller)
        assert (cdr["cause"], cdr["ended_by"]) == ("caller-lost", "caller")


async def test_an_agent_that_no_longer_refreshes_is_hung_up_with_a_reason(hurried: Server) -> None:
    """Session timers, expiry on the agent's leg."""
    async with await Caller.open("trunk", sound=False) as caller, await Phone.open("1001", sound=False) as phone:
        await call_in(hurried, caller, phone.uri, sdp=caller.sdp())
        ring = await phone.rings()
        ring.reply(200, sdp=phone.sdp(), headers={"Session-Expires": "90;refresher=uas", "Require": "timer"})
        await phone.expect("ACK")
        await caller.answered()
        bye = await phone.expect("BYE")
        assert bye.get("Reason").replace(" ", "").startswith("SIP;cause=408")
        await caller.expect("BYE")
        assert (await record_of(hurried, caller))["cause"] == "agent-lost"


@pytest.mark.parametrize("allow", ["INVITE, ACK, BYE, CANCEL, UPDATE", "INVITE, ACK, BYE, CANCEL"])
async def test_we_refresh_where_it_is_our_turn(hurried: Server, allow: str) -> None:
    """Session timers: by UPDATE where the peer allows it, else by re-INVITE; the other leg sees none."""
    async with await Caller.open("trunk", sound=False) as caller, await Phone.open("1001", sound=False) as phone:
        headers = {**TIMER, "Session-Expires": "90;refresher=uas", "Allow": allow}
        await call_in(hurried, caller, phone.uri, headers=headers, sdp=caller.sdp())
        ring = await phone.rings()
        ring.reply(200, sdp=phone.sdp())
        await phone.expect("ACK")
        await caller.answered()
        for _ in range(2):
            refresh = await caller.expect("UPDATE" if "UPDATE" in allow else "INVITE")
            assert refresh.get("Session-Expires") == "90;refresher=uac"
            refresh.reply(
                200,
                sdp=caller.sdp() if refresh.has_sdp else None,
                headers={"Session-Expires": "90;refresher=uac", "Require": "timer"},
            )
        assert not [m for m in phone.call.received if m.is_request and m.to_tag and m.method != "ACK"]
        await (await caller.bye()).expect(200)
        await phone.expect("BYE")


async def test_a_peer_that_refuses_our_refresh_is_hung_up_with_a_reason(hurried: Server) -> None:
    """RFC 4028 10: 481 to the refresh means that he has lost the call: BYE with a Reason, and the other leg ends."""
    async with await Caller.open("trunk", sound=False) as caller, await Phone.open("1001", sound=False) as phone:
        headers = {**TIMER, "Session-Expires": "90;refresher=uas", "Allow": "INVITE, ACK, BYE, UPDATE"}
        await call_in(hurried, caller, phone.uri, headers=headers, sdp=caller.sdp())
        ring = await phone.rings()
        ring.reply(200, sdp=phone.sdp())
        await phone.expect("ACK")
        await caller.answered()
        (await caller.expect("UPDATE")).reply(481)
        await eventually(lambda: caller.got("BYE") or phone.got("BYE"), "the call ends")
        await phone.expect("BYE")
