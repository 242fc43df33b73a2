"""Tokens over HTTP: left before the call comes, readable at once, and nobody else's business (R1-01, R1-02)."""

import asyncio
from typing import Any

from b2bua.storage.tokens import ClaimOutcome, Tokens
from tests.unit.web.server import Api

FULL = {"caller": "13800138000", "extension": "8001", "data": {"order": 7, "vip": True}}


async def issue(web: Api, body: dict[str, Any], key: str = "acme") -> Any:
    answer = await web.ask("POST", "/v1/tokens", key=key, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_an_issued_token_can_be_claimed_the_moment_the_answer_is_there(web: Api) -> None:
    """R1-02: the row is in the table before the system may let its call go."""
    issued = await issue(web, FULL)
    claim = await Tokens(web.node.storage, "one").claim("acme", issued["sequence"], "call-1", 1.0)
    assert claim.outcome is ClaimOutcome.CLAIMED
    assert claim.token is not None
    assert (claim.token.caller, claim.token.extension, claim.token.data) == ("13800138000", "8001", FULL["data"])


async def test_the_answer_has_the_number_to_call_with(web: Api) -> None:
    """R1-01, R1-03: prefix, access ID, sequence and check digit composed for each of the tenant's trunks."""
    issued = await issue(web, FULL)
    sequence = issued["sequence"]
    assert (issued["tenant"], issued["access_id"], len(sequence)) == ("acme", "7001", 6)
    assert issued["original_called_number"] == "7001" + sequence
    assert issued["original_called_numbers"] == {"carrier": "7001" + sequence, "other": "997001" + sequence}
    assert "original_called_numbers" not in await issue(web, {}, key="beta")


async def test_a_trunk_may_be_named_where_the_numbers_differ(web: Api) -> None:
    issued = await issue(web, {"trunk": "other"})
    assert issued["original_called_number"] == "997001" + issued["sequence"]
    refused = await web.ask("POST", "/v1/tokens", key="acme", json={"trunk": "wide"})
    assert refused.json()["errors"] == [{"field": "trunk", "message": "is not one of tenant acme's: carrier, other"}]


async def test_a_tenants_own_sequence_number_is_taken_once(web: Api) -> None:
    """R1-01: the system may make its own number; one that is alive is refused."""
    assert (await issue(web, {"sequence": "004711"}))["original_called_number"] == "7001004711"
    again = await web.ask("POST", "/v1/tokens", key="acme", json={"sequence": "004711"})
    assert (again.status_code, again.json()["type"]) == (409, "urn:tandem:problem:duplicate")
    assert (await issue(web, {"sequence": "004711"}, key="beta"))["original_called_number"] == "7002004711"
    short = await web.ask("POST", "/v1/tokens", key="acme", json={"sequence": "4711"})
    assert short.json()["errors"] == [{"field": "sequence", "message": "must have 6 digits"}]


async def test_many_are_issued_in_one_request(web: Api) -> None:
    body = {"tokens": [{"caller": str(at)} for at in range(200)]}
    answer = await web.ask("POST", "/v1/tokens/bulk", key="acme", json=body)
    assert answer.status_code == 201
    issued = answer.json()["tokens"]
    assert len({token["sequence"] for token in issued}) == 200
    third = await web.ask("GET", f"/v1/tokens/{issued[2]['sequence']}", key="acme")
    assert third.json()["caller"] == "2"


async def test_a_bulk_request_lists_the_mistakes_of_each_token(web: Api) -> None:
    body = {"tokens": [{}, {"sequence": "x"}, {"caller": "a b"}]}
    answer = await web.ask("POST", "/v1/tokens/bulk", key="acme", json=body)
    assert answer.status_code == 422
    assert {mistake["field"] for mistake in answer.json()["errors"]} == {"tokens.1.sequence", "tokens.2.caller"}
    assert (await web.ask("GET", "/v1/tokens", key="acme")).json()["tokens"] == []


async def test_a_nearly_full_number_space_is_a_clear_error(web: Api) -> None:
    """R1-01: 6 digits hold 900,000 living numbers; a bulk request beyond that says so and issues none."""
    await web.node.storage.write(_fill_up)
    answer = await web.ask("POST", "/v1/tokens/bulk", key="acme", json={"tokens": [{}, {}]})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:tandem:problem:number-space-full")
    assert (
        answer.json()["detail"] == "tenant acme has 899999 live sequence numbers of 1000000 possible: no room for more"
    )


def _fill_up(conn: Any) -> None:
    conn.exec_driver_sql(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 899999)"
        " INSERT INTO tokens (tenant, sequence, id, state, data, issued_at, expires_at)"
        " SELECT 'acme', printf('%06d', i), i, 'free', '{}', 0, 1e12 FROM n"
    )


async def test_a_token_lives_no_longer_than_the_tenant_allows(web: Api) -> None:
    before = await web.ask("GET", "/v1/tenants/acme")
    shorter = await issue(web, {"ttl": 5})
    usual = await issue(web, {})
    assert usual["expires_at"] - shorter["expires_at"] > 290
    longer = await web.ask("POST", "/v1/tokens", key="acme", json={"ttl": before.json()["token_ttl"] + 1})
    assert longer.json()["errors"][0]["field"] == "ttl"


async def test_a_token_is_shown_until_it_is_purged_and_revoked_once_and_for_all(web: Api) -> None:
    sequence = (await issue(web, FULL))["sequence"]
    shown = (await web.ask("GET", f"/v1/tokens/{sequence}", key="acme")).json()
    assert (shown["state"], shown["caller"], shown["data"], shown["call"]) == (
        "free",
        "13800138000",
        FULL["data"],
        None,
    )
    revoked = await web.ask("DELETE", f"/v1/tokens/{sequence}", key="acme")
    assert (revoked.status_code, revoked.json()["state"]) == (200, "revoked")
    claim = await Tokens(web.node.storage, "one").claim("acme", sequence, "call-1", 1.0)
    assert claim.outcome is ClaimOutcome.REVOKED
    entry = (await web.ask("GET", "/v1/audit", params={"kind": "token"})).json()["entries"][0]
    assert (entry["action"], entry["key"]) == ("revoke", f"acme/{sequence}")


async def test_a_token_that_a_call_has_is_not_revoked(web: Api) -> None:
    sequence = (await issue(web, {}))["sequence"]
    await Tokens(web.node.storage, "one").claim("acme", sequence, "call-1", 1.0)
    answer = await web.ask("DELETE", f"/v1/tokens/{sequence}", key="acme")
    assert (answer.status_code, answer.json()["detail"]) == (409, f"token {sequence} is claimed by call call-1")


async def test_the_list_pages_by_sequence_number(web: Api) -> None:
    for sequence in ("000003", "000001", "000002"):
        await issue(web, {"sequence": sequence})
    async with web.client("acme") as client:
        first = (await client.get("/v1/tokens", params={"limit": 2})).json()
        rest = (await client.get("/v1/tokens", params={"limit": 2, "after": first["next"]})).json()
    assert [token["sequence"] for token in first["tokens"] + rest["tokens"]] == ["000001", "000002", "000003"]
    assert rest["next"] is None


async def test_a_tenant_reaches_its_own_tokens_only(web: Api) -> None:
    """A tenant's key never tells whether another tenant, or another's token, exists."""
    sequence = (await issue(web, FULL))["sequence"]
    assert (await web.ask("GET", f"/v1/tokens/{sequence}", key="beta")).status_code == 404
    assert (await web.ask("DELETE", f"/v1/tokens/{sequence}", key="beta")).status_code == 404
    foreign = [
        await web.ask("GET", f"/v1/tokens/{sequence}", key="beta", params={"tenant": tenant})
        for tenant in ("acme", "nobody")
    ]
    foreign += [await web.ask("POST", "/v1/tokens", key="beta", json={"tenant": name}) for name in ("acme", "nobody")]
    assert {answer.status_code for answer in foreign} == {403}
    assert len({answer.text for answer in foreign}) == 1


async def test_those_who_reach_all_tenants_must_name_one(web: Api) -> None:
    missing = await web.ask("POST", "/v1/tokens", key="operator", json={})
    assert missing.json()["errors"] == [{"field": "tenant", "message": "must be named: this key belongs to no tenant"}]
    assert (await web.ask("POST", "/v1/tokens", key="operator", json={"tenant": "nobody"})).status_code == 404
    assert (await issue(web, {"tenant": "acme"}, key="operator"))["access_id"] == "7001"


async def test_a_disabled_tenant_gets_no_tokens(web: Api) -> None:
    assert (await web.ask("PATCH", "/v1/tenants/acme", json={"enabled": False})).status_code == 200
    answer = await web.ask("POST", "/v1/tokens", key="acme", json={})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:tandem:problem:disabled")


async def test_numbers_issued_at_the_same_moment_differ(web: Api) -> None:
    """R1-01."""
    async with web.client("acme") as client:
        answers = await asyncio.gather(*(client.post("/v1/tokens", json={}) for _ in range(64)))
    assert len({answer.json()["sequence"] for answer in answers}) == 64


MISTAKES = [
    ('{"caller": "1 2"}', "caller"),
    ('{"caller": "1\\u0000"}', "caller"),
    ('{"caller": 13800138000}', "caller"),
    ('{"extension": "<script>"}', "extension"),
    ('{"callr": "1"}', "callr"),
    ('{"data": []}', "data"),
    ('{"data": {"a": NaN}}', "data"),
    ('{"data": {"a": 1e999}}', "data"),
    ('{"data": {"a": "\\u0000"}}', "data"),
    ('{"data": {"\\ud800": 1}}', "data"),
    ('{"data": {"a": ' + "[" * 12 + "1" + "]" * 12 + "}}", "data"),
    ('{"data": {"a": [' + "0," * 1000 + "0]}}", "data"),
    ('{"data": {"a": "' + "x" * 16_400 + '"}}', "data"),
    ('{"ttl": 0}', "ttl"),
    ('{"ttl": NaN}', "ttl"),
    ('{"sequence": "12345x"}', "sequence"),
    ("[]", ""),
    ("{", ""),
    ("", ""),
]


async def test_a_body_with_a_mistake_names_the_field(web: Api) -> None:
    headers = {"Content-Type": "application/json"}
    async with web.client("acme") as client:
        for body, field in MISTAKES:
            answer = await client.post("/v1/tokens", content=body, headers=headers)
            assert answer.status_code == 422, (body[:60], answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
            assert field in [mistake["field"] for mistake in answer.json()["errors"]], (body[:60], answer.text)
    assert (await web.ask("GET", "/v1/tokens", key="acme")).json()["tokens"] == []
