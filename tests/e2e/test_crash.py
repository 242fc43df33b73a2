"""kill -9 and SIGTERM while calls live: what was answered is on record, what was not may be called again."""

import pytest

from tests.e2e.conftest import StartServer
from tests.e2e.crashing import audit, load, numbers_go_on
from tests.e2e.several_trunks import diverted_by, refused, served
from tests.peers.uac import Caller
from tests.peers.uas import Phone

ANSWERED, RINGING = 40, 10


async def test_kill_9_during_50_calls_loses_no_record_and_frees_no_used_token(start_server: StartServer) -> None:
    """R1-02, R1-09, R0-14: answered calls are "lost", tokens stay consumed, the unanswered are free, numbers go on."""
    server = await start_server()
    seen = await server.listen_tcp(after=0)
    async with load(server, ANSWERED, RINGING) as up:
        await seen.expect("call.answered", call=(await server.api.calls())[0]["id"])
        assert len(await server.api.calls()) == ANSWERED + RINGING
        server.kill9()
        await server.restart()
        await audit(server, up, seen)
        assert await server.api.calls() == []

        stranger = await up.caller.calls[0].bye()
        await stranger.expect(481)
        cdr = await refused(
            server, up.caller, 410, headers=diverted_by(up.answered[0]["original_called_number"]), sdp=up.caller.sdp()
        )
        assert cdr["correlation"] == "token-used"

    now = await server.listen()
    async with await Caller.open("again") as caller, await Phone.open("1002") as phone:
        await server.api.patch("/v1/agents/1002", {"contact": phone.uri})
        call = await served(server, caller, phone, headers=diverted_by(up.ringing[0]["original_called_number"]))
        assert (call.cdr["cause"], call.cdr["sequence"]) == ("normal", up.ringing[0]["sequence"])
    await now.expect("call.ended")
    await numbers_go_on(server, now)


async def test_sigterm_ends_calls_with_bye_and_records(start_server: StartServer) -> None:
    """R0-14, R1-09: BYE to both sides, a code to the unanswered, a CDR each, exit code 0, a clean start."""
    server = await start_server()
    seen = await server.listen_tcp(after=0)
    async with load(server, 3, 2) as up:
        assert await server.stop() == 0
        for answered in up.caller.calls[:3]:
            await answered.expect("BYE")
        for ringing in up.caller.calls[3:]:
            assert (await ringing.expect("5xx" if ringing.statuses[-1] >= 500 else "4xx")).status in (480, 503)
        for call in up.phone.calls:
            await call.expect("BYE")
        for call in up.quiet.calls:
            await call.expect("CANCEL")
        await server.start()
        records = {record["sequence"]: record for record in await server.api.cdrs(5)}
        assert len(records) == 5
        for token in up.answered + up.ringing:
            record, talked = records[token["sequence"]], token in up.answered
            assert (record["cause"], record["ended_by"]) == ("hung-up", "shutdown")
            assert (record["answered_at"] is not None) == talked
            assert await server.api.token_state(token) == ("consumed" if talked else "free")
        assert "crash" not in server.log()
        await numbers_go_on(server, seen)
    assert await server.stop() == 0


@pytest.mark.parametrize("rounds", [2])
async def test_two_crashes_in_a_row_count_each_call_once(start_server: StartServer, rounds: int) -> None:
    """R1-09: a crash right after recovery finds nothing to lose again."""
    server = await start_server()
    seen = await server.listen_tcp(after=0)
    async with load(server, 2, 1) as up:
        for _ in range(rounds):
            server.kill9()
            await server.restart()
        await audit(server, up, seen)
        assert len(await server.api.cdrs(2, cause="lost")) == 2
