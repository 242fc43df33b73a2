"""The same server on PostgreSQL: tokens are as atomic as on SQLite, and what it knew survives a crash."""

from tests.e2e.conftest import StartServer
from tests.e2e.contention import contend
from tests.e2e.odd_octets import odd_octets_are_kept
from tests.e2e.several_trunks import diverted_by, refused, served
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.postgres import Postgres


async def test_of_64_calls_at_once_with_one_token_one_wins_on_postgresql(
    start_server: StartServer, postgres: Postgres, caller: Caller, phone: Phone
) -> None:
    """R1-09: one winner; then a busy agent releases a token, its retry consumes it, and a replay is refused."""
    server = await start_server({"storage": {"url": postgres.create("contention")}, "calls": {"claim_deadline": 5}})
    await server.api.furnish(phone.uri)
    await contend(server, phone, await server.api.issue_token())

    token = await server.api.issue_token(caller="13800000001", data={"order": "A-1"})
    headers = diverted_by(token["original_called_number"])
    await caller.invite(server.outside, "4008100001", caller="02088880000", headers=headers)
    await phone.rejects(486)
    await caller.expect(486)
    call = await served(server, caller, phone, headers=headers)
    assert (call.cdr["correlation"], call.cdr["effective_caller"]) == ("correlated", "13800000001")
    assert (await refused(server, caller, 410, headers=headers))["correlation"] == "token-used"


async def test_what_was_known_survives_a_crash_on_postgresql(
    start_server: StartServer, postgres: Postgres, caller: Caller, phone: Phone
) -> None:
    """R1-02, R1-09: a token issued before kill -9 is served after it, and one that was answered stays used."""
    server = await start_server({"storage": {"url": postgres.create("crash")}})
    await server.api.furnish(phone.uri)
    used, kept = [await server.api.issue_token() for _ in range(2)]
    await caller.invite(
        server.outside, "4008100001", caller="02088880000", headers=diverted_by(used["original_called_number"])
    )
    await phone.answers()
    await caller.answered()
    server.kill9()
    await server.restart()
    [lost] = await server.api.cdrs()
    assert (lost["cause"], lost["sequence"]) == ("lost", used["sequence"])
    cdr = await refused(server, caller, 410, headers=diverted_by(used["original_called_number"]))
    assert cdr["correlation"] == "token-used"
    call = await served(server, caller, phone, headers=diverted_by(kept["original_called_number"]))
    assert call.cdr["cause"] == "normal"


async def test_octets_that_postgresql_could_not_hold_cost_no_record(
    start_server: StartServer, postgres: Postgres, caller: Caller, phone: Phone
) -> None:
    """Bad input: in a Call-ID or a Reason; its text is UTF-8."""
    server = await start_server({"storage": {"url": postgres.create("octets")}})
    await server.api.furnish(phone.uri)
    await odd_octets_are_kept(server, caller, phone)
