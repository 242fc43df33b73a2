"""Live calls over HTTP: list, show, hang up, start."""

from b2bua.calls.view import CannotStart, Party
from tests.unit.web.server import AGENT, Api


async def test_live_calls_are_listed_and_shown(web: Api) -> None:
    listed = (await web.ask("GET", "/v1/calls", key="operator")).json()
    assert ([call["id"] for call in listed["calls"]], listed["total"]) == (["0190-a", "0190-b", "0190-c"], 3)
    shown = (await web.ask("GET", "/v1/calls/0190-a", key="operator")).json()
    assert (shown["caller"], shown["billing_number"], shown["data"]) == ("13800138000", "02155550000", {"order": 7})
    only = (await web.ask("GET", "/v1/calls", key="operator", params={"tenant": "beta"})).json()
    assert [call["id"] for call in only["calls"]] == ["0190-b"]


async def test_a_tenant_sees_and_ends_its_own_calls_only(web: Api) -> None:
    """A call of nobody yet is not a tenant's either; a foreign call looks like one that does not exist."""
    assert [call["id"] for call in (await web.ask("GET", "/v1/calls", key="acme")).json()["calls"]] == ["0190-a"]
    for foreign in ("0190-b", "0190-c"):
        shown, unknown = [await web.ask("GET", f"/v1/calls/{name}", key="acme") for name in (foreign, "0190-x")]
        assert shown.status_code == unknown.status_code == 404
        assert shown.text.replace(foreign, "0190-x") == unknown.text
        assert (await web.ask("DELETE", f"/v1/calls/{foreign}", key="acme")).status_code == 404
    assert web.calls.ended == []
    assert (await web.ask("DELETE", "/v1/calls/0190-a", key="acme")).status_code == 202
    assert [ended for ended, _ in web.calls.ended] == ["0190-a"]


async def test_a_hang_up_is_in_the_audit_log(web: Api) -> None:
    assert (await web.ask("DELETE", "/v1/calls/0190-b", key="operator")).status_code == 202
    assert (await web.ask("DELETE", "/v1/calls/0190-b", key="operator")).status_code == 404
    entry = (await web.ask("GET", "/v1/audit", params={"kind": "call"})).json()["entries"][0]
    assert (entry["action"], entry["key"]) == ("hang up", "0190-b")
    assert entry["actor"] == web.calls.ended[0][1]
    assert entry["actor"].endswith("(operator)")


async def test_an_operator_starts_a_call_between_two_parties(web: Api) -> None:
    await web.ask("POST", "/v1/agents", json=AGENT | {"extension": "8002"})
    body = {"a": {"agent": "8001"}, "b": {"agent": "8002"}, "tenant": "acme"}
    started = await web.ask("POST", "/v1/calls", key="operator", json=body)
    assert (started.status_code, started.json(), started.headers["location"]) == (
        202,
        {"id": "0190-new"},
        "/v1/calls/0190-new",
    )
    body = {"a": {"agent": "8001"}, "b": {"number": "13800138000", "trunk": "carrier"}}
    await web.ask("POST", "/v1/calls", key="operator", json=body)
    assert web.calls.started == [
        (Party("agent", "8001"), Party("agent", "8002"), "acme"),
        (Party("agent", "8001"), Party("number", "13800138000", "carrier"), None),
    ]


async def test_a_call_that_cannot_be_started_says_why(web: Api) -> None:
    body = {"a": {"agent": "8001"}, "b": {"agent": "9998"}}
    unknown = await web.ask("POST", "/v1/calls", key="operator", json=body)
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (409, "b.agent")
    for party in ({}, {"agent": "8001", "number": "1"}, {"number": "1"}, {"agent": "8001", "trunk": "carrier"}):
        answer = await web.ask("POST", "/v1/calls", key="operator", json={"a": party, "b": {"agent": "8001"}})
        assert answer.status_code == 422, party
    for refusal, status in ((CannotStart("the server is stopping", busy=True), 503), (CannotStart("no"), 409)):
        web.calls.refusal = refusal
        body = {"a": {"agent": "8001"}, "b": {"agent": "8001"}}
        answer = await web.ask("POST", "/v1/calls", key="operator", json=body)
        assert (answer.status_code, "retry-after" in answer.headers) == (status, status == 503)


async def test_a_tenant_starts_no_calls(web: Api) -> None:
    body = {"a": {"agent": "8001"}, "b": {"agent": "8001"}, "tenant": "acme"}
    assert (await web.ask("POST", "/v1/calls", key="acme", json=body)).status_code == 403
    assert web.calls.started == []
