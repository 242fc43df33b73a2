"""The life of a token, from the API to the call that uses it up (R1-01, R1-02, R1-04, R1-08, R1-09)."""

import time
from itertools import pairwise

import pytest

from tests.e2e.conftest import StartServer
from tests.e2e.contention import CONTENDERS, contend
from tests.e2e.legs import end
from tests.e2e.several_trunks import cdr_of, diverted_by, furnish, refused, served
from tests.peers.api import ACCESS_NUMBER, BILLING_NUMBER, Json
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually


def ours(token: Json) -> list[tuple[str, str]]:
    return diverted_by(token["original_called_number"])


async def test_issued_numbers_are_unique_and_work_at_once(trunks: Server, caller: Caller, phone: Phone) -> None:
    """R1-01, R1-02: a thousand numbers, none twice, none near another; a call with the last one follows the answer."""
    await furnish(trunks, phone.uri)
    many = []
    for _ in range(2):
        body = {"tenant": "acme", "tokens": [{"extension": "1001"}] * 500}
        many += (await trunks.api.post("/v1/tokens/bulk", body))["tokens"]
    numbers = [int(token["sequence"]) for token in many]
    assert len(set(numbers)) == 1000
    steps = {b - a for a, b in pairwise(numbers)}
    assert len(steps) > 900  # an earlier number says nothing about the next
    call = await served(trunks, caller, phone, headers=ours(many[-1]))
    assert call.cdr["sequence"] == many[-1]["sequence"]


async def test_a_system_may_bring_its_own_number(trunks: Server, caller: Caller, phone: Phone) -> None:
    """R1-01: the system makes its own; the same one again is refused while it lives."""
    await furnish(trunks, phone.uri)
    token = await trunks.api.issue_token(sequence="00000042", extension="1001", data={"order": "own"})
    assert token["original_called_number"] == "700100000042"
    again = await trunks.api.http.post("/v1/tokens", json={"tenant": "acme", "sequence": "00000042"})
    assert (again.status_code, again.headers["content-type"]) == (409, "application/problem+json")
    call = await served(trunks, caller, phone, headers=ours(token))
    assert call.cdr["sequence"] == "00000042"


async def test_a_full_number_space_is_a_clear_error(start_server: StartServer) -> None:
    """R1-01: of ten numbers ten are issued at most, and the refusal says why."""
    server = await start_server({"trunks.carrier": {"sequence_width": 1}})
    await server.api.furnish("sip:1001@127.0.0.1:9")
    issued, answer = [], await server.api.http.post("/v1/tokens", json={"tenant": "acme"})
    while answer.is_success:
        issued.append(answer.json()["sequence"])
        answer = await server.api.http.post("/v1/tokens", json={"tenant": "acme"})
    assert len(set(issued)) == len(issued) <= 10
    assert len(issued) >= 8
    assert answer.status_code == 409 or answer.status_code == 503
    assert "number" in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_expired_number_is_free_for_another(trunks: Server, caller: Caller, phone: Phone) -> None:
    """R1-02: after its time to live the row serves no call, and its number may be issued again."""
    await furnish(trunks, phone.uri)
    token = await trunks.api.issue_token(sequence="00000007", ttl=0.05, data={"order": "old"})
    await eventually(lambda: time.time() > token["expires_at"], "the token has expired")
    assert (await refused(trunks, caller, 410, headers=ours(token)))["correlation"] == "token-expired"
    listener = await trunks.listen()
    await trunks.api.issue_token(sequence="00000007", extension="1001", data={"order": "new"})
    await served(trunks, caller, phone, headers=ours(token))
    assert (await listener.expect("screen.pop"))["data"]["data"] == {"order": "new"}


async def test_a_token_survives_a_restart(start_server: StartServer, caller: Caller, phone: Phone) -> None:
    """R1-02: the row is in the table when the API answers, so not even kill -9 right behind the answer loses it."""
    server = await start_server()
    await server.api.furnish(phone.uri)
    token = await server.api.issue_token(caller="13800000001")
    server.kill9()
    await server.restart()
    call = await served(server, caller, phone, headers=ours(token))
    assert call.cdr["effective_caller"] == "13800000001"


@pytest.mark.parametrize(
    ("access_id", "why"),
    [("7001", "already"), ("70", "digits"), ("70015", "digits"), ("7", "digits")],
)
async def test_a_conflicting_access_id_is_refused(trunks: Server, access_id: str, why: str) -> None:
    """R1-04: a duplicate, or another width than the trunk's."""
    await furnish(trunks, "sip:1001@127.0.0.1:9")
    body = {"id": "beta", "name": "b", "access_id": access_id, "trunks": ["carrier"], "billing_numbers": ["1"]}
    answer = await trunks.api.http.post("/v1/tenants", json=body)
    assert answer.status_code == 409, answer.text
    assert why in answer.text
    assert [t["id"] for t in (await trunks.api.get("/v1/tenants"))["tenants"]] == ["acme"]


@pytest.mark.parametrize(
    ("access_id", "why"),
    [("88", "already"), ("881", "begins with 88"), ("8", "begins with 8"), ("12345678", "more than 15")],
)
async def test_where_ids_differ_in_width_none_begins_another(trunks: Server, access_id: str, why: str) -> None:
    """R1-04: a prefix of another ID either way round, and prefix + ID + sequence + check digit beyond 15 digits."""
    await trunks.api.add_tenant("zeta", "88", trunks=["checked"])
    body = {"id": "beta", "name": "b", "access_id": access_id, "trunks": ["checked"], "billing_numbers": ["1"]}
    answer = await trunks.api.http.post("/v1/tenants", json=body)
    assert answer.status_code == 409, answer.text
    assert why in answer.text


async def test_the_capacity_is_shown_against_the_time_to_live(trunks: Server) -> None:
    """R1-04: how many numbers there are, and how many a second can be issued for ever."""
    await trunks.api.add_tenant("zeta", "88", trunks=["checked"], token_ttl=100)
    [reach] = (await trunks.api.get("/v1/tenants/zeta"))["capacity"]
    assert reach == {"trunk": "checked", "digits": 10, "numbers": 1_000_000, "ttl": 100.0, "per_second": 10_000.0}


async def test_the_called_number_is_the_access_number_alone(trunks: Server, caller: Caller, phone: Phone) -> None:
    """R1-08: three callers of one access number, and a range, use up no number each."""
    await furnish(trunks, phone.uri)
    await trunks.api.add_access_number("4008200000", "4008200099")
    for number in (ACCESS_NUMBER, ACCESS_NUMBER, ACCESS_NUMBER, "4008200000", "4008200042", "4008200099"):
        token = await trunks.api.issue_token()
        call = await served(trunks, caller, phone, number, headers=ours(token))
        assert (call.cdr["called"], call.cdr["sequence"]) == (number, token["sequence"])
    await refused(trunks, caller, 404, "4008200100", headers=ours(await trunks.api.issue_token()))


@pytest.mark.parametrize("end_of_first", ["busy", "caller gives up", "no answer"])
async def test_a_carriers_retry_is_served_after_a_call_that_nobody_answered(
    trunks: Server, caller: Caller, phone: Phone, end_of_first: str
) -> None:
    """R1-09: claimed at INVITE, released unanswered: the retry with a new Call-ID may follow the failure at once."""
    token = await furnish(trunks, phone.uri)
    first = await caller.invite(trunks.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, headers=ours(token))
    if end_of_first == "busy":
        await phone.rejects(486)
        await caller.expect(486)
    elif end_of_first == "no answer":
        await phone.rejects(480)
        await caller.expect(480)
    else:
        await phone.rings()
        assert await trunks.api.token_state(token) == "claimed"
        await caller.cancel()
        await caller.expect(487)
    await caller.invite(trunks.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, headers=ours(token))
    await phone.answers()
    await caller.answered()
    await end(caller, phone)
    assert (await cdr_of(trunks, first))["answered_at"] is None
    second = await cdr_of(trunks, caller.call)
    assert (second["cause"], second["sequence"]) == ("normal", token["sequence"])
    assert await trunks.api.token_state(token) == "consumed"


async def test_an_answered_call_cannot_be_replayed(trunks: Server, caller: Caller, phone: Phone) -> None:
    """R1-09: during the call and after it; the first call does not notice."""
    token = await furnish(trunks, phone.uri)
    first = await caller.invite(trunks.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, headers=ours(token))
    await phone.answers()
    await caller.answered()
    async with await Caller.open("thief") as thief:
        await thief.invite(trunks.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, headers=ours(token))
        during = await thief.expect("4xx")
        assert during.status in (410, 486)  # used; or still in use until what the call left behind is stored
        await (await first.bye()).expect(200)
        await phone.expect("BYE")
        await cdr_of(trunks, first)
        assert (await refused(trunks, thief, 410, headers=ours(token)))["correlation"] == "token-used"
    assert len(phone.got("INVITE")) == 1


async def test_a_retransmission_is_absorbed(trunks: Server, caller: Caller, phone: Phone) -> None:
    """R1-09: five copies of one INVITE are one call, one event and one token."""
    token = await furnish(trunks, phone.uri)
    listener = await trunks.listen()
    call = await caller.invite(trunks.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, headers=ours(token))
    for _ in range(4):
        call.invite_sent.again()
    ring = await phone.rings()
    call.invite_sent.again()
    await caller.expect(180)
    ring.reply(200)
    await caller.answered()
    await end(caller, phone)
    await listener.expect("call.ended")
    assert len(listener.of_type("call.received")) == len(phone.got("INVITE")) == 1
    assert await trunks.api.counted("tandem_calls_total") == 1
    assert await trunks.api.counted("tandem_token_claims_total") == 1


async def test_a_merged_request_gets_482(trunks: Server, caller: Caller, phone: Phone) -> None:
    """R1-09: the same From tag, Call-ID and CSeq by another way is refused, and the first is not disturbed."""
    token = await furnish(trunks, phone.uri)
    call = await caller.invite(trunks.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, headers=ours(token))
    ring = await phone.rings()
    merged = call.invite_sent.again(branch="new")
    await merged.expect(482)
    ring.reply(200)
    await caller.answered()
    await end(caller, phone)
    assert await trunks.api.counted("tandem_calls_total") == 1


async def test_of_64_calls_at_once_with_one_token_one_wins(trunks: Server, phone: Phone) -> None:
    """R1-09: 64 INVITEs with Call-IDs of their own: one rings, all others are told that the number is in use."""
    token = await furnish(trunks, phone.uri)
    await contend(trunks, phone, token)
    assert await trunks.api.counted("tandem_token_claims_total", result="claimed") == 1
    assert await trunks.api.counted("tandem_token_claims_total", result="busy") == CONTENDERS - 1
