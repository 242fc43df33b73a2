"""Tenants over HTTP: what cannot stand side by side is refused with all reasons; secrets stay inside (R1-04, R1-06)."""

from typing import Any

from tests.unit.web.server import TENANTS, Api

GAMMA: dict[str, Any] = TENANTS[0] | {"id": "gamma", "access_id": "7003"}
PULL = {
    "kind": "json",
    "url": "https://crm.test/rows/{sequence}",
    "mode": "both",
    "timeout_ms": 300,
    "secret": "hush-hush",
}


async def test_a_duplicate_or_prefixed_access_id_is_refused(web: Api) -> None:
    """R1-04: an access ID marks one customer system uniquely, and none begins another."""
    same = await web.ask("POST", "/v1/tenants", json=GAMMA | {"access_id": "7001"})
    assert same.status_code == 409
    assert same.json()["errors"] == [
        {"field": "access_id", "message": "7001 is already tenant acme's", "entity": "tenant gamma"}
    ]
    longer = await web.ask("POST", "/v1/tenants", json=GAMMA | {"access_id": "70011"})
    assert {mistake["message"] for mistake in longer.json()["errors"]} >= {
        "70011 begins with 7001, which is tenant acme's"
    }


async def test_all_conflicts_are_listed_at_once(web: Api) -> None:
    """R1-04: width, unknown trunk, unknown agent and missing billing numbers in one answer."""
    body = GAMMA | {
        "access_id": "70099",
        "trunks": ["carrier", "nowhere"],
        "billing_numbers": [],
        "default_extension": "9999",
    }
    answer = await web.ask("POST", "/v1/tenants", json=body)
    assert answer.status_code == 409
    assert {mistake["field"] for mistake in answer.json()["errors"]} == {
        "access_id",
        "trunks",
        "billing_numbers",
        "default_extension",
    }
    assert (await web.ask("GET", "/v1/tenants/gamma")).status_code == 404


async def test_numbers_too_long_for_the_trunk_are_refused(web: Api) -> None:
    """R1-04: the trunks of one tenant share the width of their sequence numbers, and the whole number fits."""
    answer = await web.ask("POST", "/v1/tenants", json=GAMMA | {"trunks": ["carrier", "wide"]})
    assert answer.status_code == 409
    assert "differ in sequence_width" in answer.json()["detail"]


async def test_the_capacity_is_shown_against_the_ttl(web: Api) -> None:
    """R1-04: 10^6 numbers kept for 300 s last for 3,333 tokens a second."""
    shown = (await web.ask("GET", "/v1/tenants/acme")).json()
    assert shown["capacity"][0] == {
        "trunk": "carrier",
        "digits": 10,
        "numbers": 1_000_000,
        "ttl": 300.0,
        "per_second": 3333.333,
    }
    assert shown["live_tokens"] == 0
    await web.ask("POST", "/v1/tokens", key="acme", json={})
    assert (await web.ask("GET", "/v1/tenants/acme")).json()["live_tokens"] == 1


async def test_a_created_tenant_is_routed_by_when_the_answer_comes(web: Api) -> None:
    created = await web.ask("POST", "/v1/tenants", json=GAMMA)
    assert (created.status_code, created.headers["location"]) == (201, "/v1/tenants/gamma")
    assert web.node.directory().tenant_of("7003") is not None
    again = await web.ask("POST", "/v1/tenants", json=GAMMA)
    assert (again.status_code, again.json()["type"]) == (409, "urn:tandem:problem:duplicate")


async def test_a_tenant_is_replaced_changed_and_deleted(web: Api) -> None:
    async with web.client() as client:
        fields = {name: value for name, value in TENANTS[0].items() if name != "id"}
        replaced = await client.put("/v1/tenants/acme", json=fields | {"name": "Acme Ltd", "token_ttl": 60})
        assert (replaced.json()["name"], replaced.json()["token_ttl"]) == ("Acme Ltd", 60.0)
        changed = await client.patch("/v1/tenants/acme", json={"default_extension": "8001"})
        assert (changed.json()["name"], changed.json()["default_extension"]) == ("Acme Ltd", "8001")
        cleared = await client.patch("/v1/tenants/acme", json={"default_extension": None})
        assert cleared.json()["default_extension"] is None
        wrong = await client.patch("/v1/tenants/acme", json={"name": None, "colour": "red", "token_ttl": -1})
        assert {mistake["field"] for mistake in wrong.json()["errors"]} == {"name", "colour", "token_ttl"}
        assert (await client.delete("/v1/tenants/acme")).status_code == 204
        assert (await client.get("/v1/tenants/acme")).status_code == 404
        assert (await client.patch("/v1/tenants/acme", json={})).status_code == 404
    assert web.node.directory().tenant_of("7001") is None


async def test_a_deleted_tenants_keys_end_with_it(web: Api) -> None:
    assert (await web.ask("GET", "/v1/tokens", key="acme")).status_code == 200
    await web.ask("DELETE", "/v1/tenants/acme")
    assert (await web.ask("GET", "/v1/tokens", key="acme")).status_code == 401


async def test_a_connections_secret_goes_in_and_never_comes_out(web: Api) -> None:
    """R1-06: the tenant's own connection; its secret is in no answer, not in the audit log either."""
    async with web.client() as client:
        answers = [
            await client.patch("/v1/tenants/acme", json={"connection": PULL}),
            await client.get("/v1/tenants/acme"),
            await client.get("/v1/tenants"),
            await client.get("/v1/audit"),
        ]
    assert all("hush" not in answer.text for answer in answers)
    assert answers[0].json()["connection"] == {
        "kind": "json",
        "url": "https://crm.test/rows/{sequence}",
        "mode": "both",
        "timeout_ms": 300,
        "has_secret": True,
    }
    kept = web.node.directory().tenants["acme"].connection
    assert kept is not None
    assert kept.secret == "hush-hush"


async def test_a_secret_stays_until_it_is_named_or_the_url_leads_elsewhere(web: Api) -> None:
    def secret() -> str | None:
        connection = web.node.directory().tenants["acme"].connection
        assert connection is not None
        return connection.secret

    async with web.client() as client:
        await client.patch("/v1/tenants/acme", json={"connection": PULL})
        await client.patch("/v1/tenants/acme", json={"connection": {"timeout_ms": 400}})
        assert secret() == "hush-hush"
        moved = await client.patch("/v1/tenants/acme", json={"connection": {"url": "https://evil.test/{sequence}"}})
        assert (moved.status_code, moved.json()["errors"][0]["field"]) == (422, "connection.secret")
        await client.patch("/v1/tenants/acme", json={"connection": {"secret": None}})
        assert secret() is None
        await client.patch("/v1/tenants/acme", json={"connection": None})
    assert web.node.directory().tenants["acme"].connection is None


async def test_all_mistakes_of_a_connection_are_named(web: Api) -> None:
    body = {"connection": {"kind": "soap", "url": "ftp://u:p@crm.test/{pin}", "timeout_ms": 1, "secret": "a b"}}
    answer = await web.ask("PATCH", "/v1/tenants/acme", json=body)
    assert answer.status_code == 422
    assert {mistake["field"] for mistake in answer.json()["errors"]} == {
        "connection.kind",
        "connection.url",
        "connection.timeout_ms",
        "connection.secret",
    }


async def test_a_tenant_sees_itself_and_nobody_else(web: Api) -> None:
    assert [one["id"] for one in (await web.ask("GET", "/v1/tenants", key="acme")).json()["tenants"]] == ["acme"]
    assert (await web.ask("GET", "/v1/tenants/acme", key="acme")).status_code == 200
    foreign = [await web.ask("GET", f"/v1/tenants/{name}", key="acme") for name in ("beta", "nobody")]
    assert [answer.status_code for answer in foreign] == [403, 403]
    assert foreign[0].text == foreign[1].text


async def test_every_change_is_in_the_audit_log_with_its_author(web: Api) -> None:
    await web.ask("PATCH", "/v1/tenants/acme", json={"name": "Acme Ltd"})
    page = (await web.ask("GET", "/v1/audit", params={"kind": "tenant", "key": "acme"})).json()
    newest = page["entries"][0]
    assert (newest["action"], newest["before"]["name"], newest["after"]["name"]) == ("replace", "Acme", "Acme Ltd")
    assert newest["actor"].endswith("(admin)")
    older = await web.ask("GET", "/v1/audit", params={"limit": 1, "before": newest["id"]})
    assert older.json()["entries"][0]["id"] < newest["id"]
