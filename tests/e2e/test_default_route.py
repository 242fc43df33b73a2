"""What becomes of a call whose caller's data cannot be found: a named default route, a counter, a reason (R1-05)."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.e2e.conftest import StartServer
from tests.e2e.several_trunks import CARRIER, FIRST, cdr_of, diverted_by, end, furnish, receptionist, refused, served
from tests.peers.api import ACCESS_NUMBER, Json
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually

NUMBER = "original_called_number"


@dataclass(frozen=True)
class Case:
    """One way to fail: what the trunk sends, and what comes of it where no default route is set."""

    headers: Callable[[Json], Any]
    code: int
    prepare: Callable[[Server, Json], Awaitable[None]] | None = None
    source: str = CARRIER
    invite: Mapping[str, str] = field(default_factory=dict)
    state: str = "free"
    "Of the token afterwards: a call that fails uses nothing up."


async def consume(server: Server, token: Json) -> None:
    """A first call uses the token up."""
    async with await Caller.open("first") as caller, await Phone.open("2001") as phone:
        await server.api.patch("/v1/agents/1001", {"contact": phone.uri})
        await served(server, caller, phone, headers=diverted_by(token[NUMBER]))


async def revoke(server: Server, token: Json) -> None:
    await server.api.delete(f"/v1/tokens/{token['sequence']}", tenant=token["tenant"])


async def disable(server: Server, token: Json) -> None:
    await server.api.patch(f"/v1/tenants/{token['tenant']}", {"enabled": False})


async def bind_elsewhere(server: Server, token: Json) -> None:
    await server.api.patch(f"/v1/tenants/{token['tenant']}", {"trunks": ["carrier", "newest"]})


def ours(token: Json) -> Any:
    return diverted_by(token[NUMBER])


CASES = {
    "malformed": Case(lambda token: diverted_by("not-a-number"), 400),
    "too-short": Case(lambda token: diverted_by(token[NUMBER][:-1]), 484),
    "unknown-access-id": Case(lambda token: diverted_by("9999" + token["sequence"]), 404),
    "wrong-trunk": Case(ours, 403, bind_elsewhere, FIRST),
    "tenant-disabled": Case(ours, 403, disable),
    "wrong-billing-number": Case(ours, 403, invite={"caller": "02177770000"}),
    "missing": Case(lambda token: (), 403),
    "token-unknown": Case(lambda token: diverted_by("7001" + f"{(int(token['sequence']) + 1) % 10**8:08}"), 404),
    "token-used": Case(ours, 410, consume, state="consumed"),
    "token-revoked": Case(ours, 410, revoke, state="revoked"),
}


@pytest.mark.parametrize("reason", CASES)
async def test_a_failure_is_refused_or_takes_the_access_numbers_route(
    trunks: Server, phone: Phone, reason: str
) -> None:
    """R1-05: the right code without a default route; with one the reception, counter, reason; no data."""
    case, token = CASES[reason], await furnish(trunks, "sip:1001@127.0.0.1:9")
    if case.prepare:
        await case.prepare(trunks, token)
    async with await Caller.open("trunk", host=case.source) as caller:
        headers = case.headers(token)
        alone = await refused(trunks, caller, case.code, headers=headers, **case.invite)
        assert (alone["correlation"], alone["cause"]) == (reason, reason)
        assert (alone["sip_code"], alone["ended_by"]) == (case.code, "tandem")
        assert await trunks.api.counted("tandem_default_route_total") == 0

        await receptionist(trunks, phone)
        [row] = (await trunks.api.get("/v1/access-numbers"))["access_numbers"]
        await trunks.api.patch(f"/v1/access-numbers/{row['key']}", {"default_route": "reception"})
        listener = await trunks.listen()
        call = await served(trunks, caller, phone, headers=headers, **case.invite)
    assert (call.cdr["correlation"], call.cdr["cause"], call.cdr["route"]) == (reason, "normal", "access-route")
    assert call.cdr["extension"] == "1009"
    assert await trunks.api.counted("tandem_default_route_total", reason=reason) == 1
    assert await trunks.api.counted("tandem_correlation_total", outcome=reason) == 2
    assert (await listener.expect("call.uncorrelated"))["data"]["outcome"] == reason
    assert (await listener.expect("screen.pop"))["data"]["data"] == {}
    nothing_of_the_tenant(alone, call.cdr)
    assert "13800000001" not in call.ring.text + listener.describe()
    assert await trunks.api.token_state(token) == case.state


async def test_an_expired_token_is_told_from_an_unknown_one(trunks: Server, caller: Caller) -> None:
    """R1-02, R1-05: the time to live passed before the call came."""
    await furnish(trunks, "sip:1001@127.0.0.1:9")
    token = await trunks.api.issue_token(ttl=0.05, data={"order": "A-2"})
    await eventually(lambda: time.time() > token["expires_at"], "the token has expired")
    cdr = await refused(trunks, caller, 410, headers=ours(token))
    assert (cdr["correlation"], cdr["cause"], cdr["tenant"]) == ("token-expired", "token-expired", None)


async def test_a_token_in_use_is_busy(trunks: Server, caller: Caller, phone: Phone) -> None:
    """R1-05, R1-09: while one call rings, another with its number is refused, and the first one is not disturbed."""
    token = await furnish(trunks, phone.uri)
    first = await caller.invite(trunks.outside, ACCESS_NUMBER, caller="02088880000", headers=ours(token))
    ring = await phone.rings()
    async with await Caller.open("second") as second:
        cdr = await refused(trunks, second, 486, headers=ours(token))
    assert (cdr["correlation"], cdr["tenant"]) == ("token-busy", None)
    ring.reply(200)
    await first.answered()
    await end(caller, phone)
    await cdr_of(trunks, first)
    assert await trunks.api.token_state(token) == "consumed"


@pytest.mark.parametrize("correlation", ["optional", "off"])
@pytest.mark.parametrize("tenant", [None, "acme"])
async def test_a_number_that_is_missing_where_it_need_not_be_is_no_failure(
    trunks: Server, caller: Caller, phone: Phone, correlation: str, tenant: str | None
) -> None:
    """R1-05: optional and off; the access number's entry point and default tenant count, no default route is used."""
    await furnish(trunks, phone.uri)
    await receptionist(trunks, phone)
    entry = {"kind": "agent", "target": "1001"}
    await trunks.api.add_access_number(
        "4008100002", correlation=correlation, entry=entry, default_tenant=tenant, default_route="reception"
    )
    call = await served(trunks, caller, phone, "4008100002", caller="13911112222")
    outcome = {"optional": "absent", "off": "off"}[correlation]
    assert (call.cdr["correlation"], call.cdr["route"], call.cdr["tenant"]) == (outcome, "access-number", tenant)
    assert (call.cdr["effective_caller"], call.shown) == ("13911112222", "13911112222")
    assert await trunks.api.counted("tandem_default_route_total") == 0


async def test_an_optional_number_that_is_there_counts_and_a_wrong_one_fails(
    trunks: Server, caller: Caller, phone: Phone
) -> None:
    """R1-05: optional means that it may be missing, not that it may be wrong."""
    token = await furnish(trunks, phone.uri)
    await trunks.api.add_access_number("4008100002", correlation="optional", entry={"kind": "agent", "target": "1001"})
    cdr = await refused(trunks, caller, 404, "4008100002", headers=diverted_by("999900000000"))
    assert cdr["correlation"] == "unknown-access-id"
    call = await served(trunks, caller, phone, "4008100002", headers=ours(token))
    assert (call.cdr["correlation"], call.cdr["effective_caller"]) == ("correlated", "13800000001")


async def test_with_correlation_off_a_number_is_not_looked_at(trunks: Server, caller: Caller, phone: Phone) -> None:
    """R1-05: off leaves the token alone."""
    token = await furnish(trunks, phone.uri)
    await trunks.api.add_access_number("4008100002", correlation="off", entry={"kind": "agent", "target": "1001"})
    call = await served(trunks, caller, phone, "4008100002", headers=ours(token))
    assert (call.cdr["correlation"], call.cdr["tenant"], call.cdr["token"]) == ("off", None, None)
    assert await trunks.api.token_state(token) == "free"


async def test_an_unknown_called_number_is_refused(trunks: Server, caller: Caller) -> None:
    """R1-05: the number is in no row of the table, whatever else the call tells."""
    token = await furnish(trunks, "sip:1001@127.0.0.1:9")
    cdr = await refused(trunks, caller, 404, "4008109999", headers=ours(token))
    assert (cdr["correlation"], cdr["called"], cdr["tenant"]) == ("unknown-called-number", "4008109999", None)
    assert await trunks.api.token_state(token) == "free"


async def test_the_nodes_default_route_is_the_last_resort(
    start_server: StartServer, caller: Caller, phone: Phone
) -> None:
    """R1-05: for numbers in no row, and where the row names no route of its own."""
    server = await start_server({"calls": {"default_route": "reception"}})
    await receptionist(server, phone)
    await furnish(server, "sip:1001@127.0.0.1:9", trunks=["carrier"])
    unknown = await served(server, caller, phone, "4008109999")
    missing = await served(server, caller, phone)
    for call, reason in ((unknown, "unknown-called-number"), (missing, "missing")):
        assert (call.cdr["correlation"], call.cdr["route"]) == (reason, "default-route")
        assert await server.api.metric("tandem_default_route_total", reason=reason) == 1
        nothing_of_the_tenant(call.cdr)


async def test_one_tenants_number_never_opens_anothers_data(trunks: Server, phone: Phone) -> None:
    """R1-05: beta calls with acme's access ID, and with acme's sequence number under its own."""
    token = await furnish(trunks, phone.uri, trunks=["carrier"])
    await trunks.api.add_tenant("beta", "7002", trunks=["first"], billing_numbers=["02199990000"])
    async with await Caller.open("trunk", host=FIRST) as caller:
        for number, code in ((token[NUMBER], 403), ("7002" + token["sequence"], 404)):
            cdr = await refused(trunks, caller, code, caller="02199990000", headers=diverted_by(number))
            nothing_of_the_tenant(cdr)
    assert await trunks.api.token_state(token) == "free"


def nothing_of_the_tenant(*records: Json) -> None:
    """The record of a call that failed to correlate shows no tenant, no token and no data of a row."""
    for record in records:
        assert (record["tenant"], record["token"]) == (None, None)
        assert record["effective_caller"] == record["billing_number"]
