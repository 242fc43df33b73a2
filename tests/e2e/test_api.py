"""The API of a server that has real calls: what each key reaches, live calls, records, health."""

import csv
import io

import httpx

from tests.e2e.conftest import StartServer
from tests.e2e.legs import hear_each_other
from tests.e2e.several_trunks import diverted_by, end, furnish, receptionist, refused, served
from tests.peers.api import ACCESS_NUMBER, BILLING_NUMBER, Json
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone


async def key_of(server: Server, tenant: str) -> str:
    """The secret of a key that belongs to a tenant."""
    body = {"name": f"system of {tenant}", "role": "tenant", "tenant": tenant}
    return str((await server.api.post("/v1/api-keys", body))["secret"])


async def call_of(server: Server, caller: Caller, tenant: str) -> Json:
    """A token of this tenant, and the INVITE that brings it."""
    token = await server.api.issue_token(tenant)
    headers = diverted_by(token["original_called_number"])
    await caller.invite(server.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, headers=headers)
    return token


async def test_a_tenants_key_reaches_its_own_access_id_only(server: Server, caller: Caller, phone: Phone) -> None:
    """R1-04, R1-05: tokens, live calls, records and tenants of others are not there, or forbidden."""
    await server.api.furnish(phone.uri)
    await server.api.add_tenant("beta", "7002")
    own, other = server.api_as(await key_of(server, "acme")), server.api_as(await key_of(server, "beta"))
    token = await own.post("/v1/tokens", {"caller": "13800000001", "extension": "1001"})
    assert (token["tenant"], token["original_called_number"][:4]) == ("acme", "7001")
    foreign = await other.http.post("/v1/tokens", json={"tenant": "acme", "extension": "1001"})
    await forbidden(foreign)
    await forbidden(await other.http.get(f"/v1/tokens/{token['sequence']}", params={"tenant": "acme"}))
    assert (await other.http.get(f"/v1/tokens/{token['sequence']}")).status_code == 404
    assert (await other.http.delete(f"/v1/tokens/{token['sequence']}")).status_code == 404

    headers = diverted_by(token["original_called_number"])
    await caller.invite(server.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, headers=headers)
    await phone.answers()
    await caller.answered()
    [live] = await own.calls()
    assert await other.calls() == []
    assert (await other.http.get(f"/v1/calls/{live['id']}")).status_code == 404
    assert (await other.http.delete(f"/v1/calls/{live['id']}")).status_code == 404
    await own.delete(f"/v1/calls/{live['id']}")
    await caller.expect("BYE")
    await phone.expect("BYE")
    cdr = await own.cdr(since=server.api.since)
    assert (cdr["cause"], cdr["ended_by"].startswith("key ")) == ("hung-up", True)
    assert (await other.get("/v1/cdrs", since=server.api.since))["cdrs"] == []
    assert (await other.http.get(f"/v1/cdrs/{cdr['id']}")).status_code == 404
    assert [t["id"] for t in (await other.get("/v1/tenants"))["tenants"]] == ["beta"]
    for path in ("/v1/agents", "/v1/audit", "/v1/api-keys"):
        await forbidden(await other.http.get(path))
    assert (await server.api_as("").http.get("/v1/calls")).status_code == 401


async def forbidden(answer: httpx.Response) -> None:
    assert answer.status_code == 403, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail"} <= answer.json().keys()


async def test_live_calls_are_listed_shown_and_hung_up_in_every_state(
    server: Server, caller: Caller, phone: Phone
) -> None:
    """R1-07, R1-09: ringing and talking; a hung-up ringing call gives its token back."""
    await server.api.furnish(phone.uri)
    token = await call_of(server, caller, "acme")
    await phone.rings()
    await caller.expect(180)
    [live] = await server.api.calls()
    assert (live["state"], live["extension"], live["billing_number"]) == ("ringing", "1001", BILLING_NUMBER)
    assert await server.api.get(f"/v1/calls/{live['id']}") == live | {"legs": []}
    await server.api.delete(f"/v1/calls/{live['id']}")
    await caller.expect(480)
    await phone.expect("CANCEL")
    await server.api.cdr()
    assert await server.api.token_state(token) == "free"
    assert (await server.api.http.delete(f"/v1/calls/{live['id']}")).status_code == 404
    audit = (await server.api.get("/v1/audit"))["entries"]
    assert any(entry["action"] == "hang up" and live["id"] in str(entry) for entry in audit)


async def test_records_are_filtered_paged_and_exported(trunks: Server, caller: Caller, phone: Phone) -> None:
    """R1-05, R1-07: every filter; pages without gap or repeat; CSV with the same rows, numbers kept as they are."""
    await furnish(trunks, phone.uri)
    await receptionist(trunks, phone)
    api, since = trunks.api, trunks.api.since
    for n in range(3):
        token = await api.issue_token(caller=f"1380000000{n}")
        await served(trunks, caller, phone, headers=diverted_by(token["original_called_number"]))
    await refused(trunks, caller, 403)
    await refused(trunks, caller, 404, "4008109999", caller="+8613900000009")

    async def found(**filters: object) -> list[Json]:
        return list((await api.get("/v1/cdrs", since=since, **filters))["cdrs"])

    everything = await found()
    assert len(everything) == 5
    for filters, count in (
        ({"tenant": "acme"}, 3),
        ({"extension": "1001"}, 3),
        ({"caller": "13800000001"}, 1),
        ({"caller": BILLING_NUMBER}, 4),
        ({"called": "4008109999"}, 1),
        ({"cause": "missing"}, 1),
        ({"answered": True}, 3),
        ({"answered": False}, 2),
        ({"correlation": "unknown-called-number"}, 1),
        ({"trunk": "carrier"}, 5),
        ({"trunk": "newest"}, 0),
        ({"until": everything[-1]["started_at"]}, 0),
    ):
        assert len(await found(**filters)) == count, filters
    paged, cursor = [], None
    while True:
        page = await api.get("/v1/cdrs", since=since, limit=2, cursor=cursor)
        paged += page["cdrs"]
        if (cursor := page["next"]) is None:
            break
    assert paged == everything
    answer = await api.http.get("/v1/cdrs.csv", params={"since": str(since)})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["id"] for row in rows] == [record["id"] for record in everything]
    assert rows[0]["billing_number"] == "+8613900000009"
    assert rows[-1]["effective_caller"] == "13800000000"


async def test_readiness_ends_before_the_server_does(start_server: StartServer, caller: Caller, phone: Phone) -> None:
    """R0-01: ready while it serves; on SIGTERM not ready any more though the running call goes on, and no new call."""
    server = await start_server({"node": {"shutdown_grace": 5}})
    await server.api.furnish(phone.uri)
    await call_of(server, caller, "acme")
    await phone.answers()
    await caller.answered()
    assert (await server.api.http.get("/readyz")).json()["ready"]
    server.child.signal(15)
    async with await Caller.open("late") as late:
        await late.invite(server.outside, ACCESS_NUMBER, caller=BILLING_NUMBER)
        refused = await late.expect("5xx")
        assert (refused.status, refused.has("Retry-After")) == (503, True)
        await (await late.request("OPTIONS", server.outside)).expect(503)
    await hear_each_other(caller, phone)
    assert not caller.got("BYE")
    await end(caller, phone)
    assert await server.child.ended() == 0
    await server.start()
    assert (await server.api.cdr(extension="1001"))["ended_by"] == "caller"


async def test_a_call_that_outlasts_the_grace_is_ended(start_server: StartServer, caller: Caller, phone: Phone) -> None:
    """R0-01: a stop takes no longer than it was allowed to; both sides get BYE and the call its record."""
    server = await start_server({"node": {"shutdown_grace": 0.3}})
    await server.api.furnish(phone.uri)
    await call_of(server, caller, "acme")
    await phone.answers()
    await caller.answered()
    assert await server.stop() == 0
    await caller.expect("BYE")
    await phone.expect("BYE")
    await server.start()
    cdr = await server.api.cdr()
    assert (cdr["cause"], cdr["ended_by"]) == ("hung-up", "shutdown")
