"""Queues, VDNs, priorities, profiles and calendars over HTTP: the same end points for every kind (R2-03, R2-07)."""

from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from routing.goal import Goal
from tests.unit.web.server import Api
from tests.unit.web.test_openapi import document

QUEUE = {"id": "repairs", "name": "Repairs", "tenant": "acme"}
VDN = {"number": "3", "name": "Repairs", "goal": {"kind": "queue", "target": "repairs"}, "tenant": "acme"}


def places(answer: Any) -> list[tuple[str, str]]:
    return [(one["entity"], one["field"]) for one in answer.json()["errors"]]


async def test_a_queue_and_its_vdn_are_made_changed_and_removed(web: Api) -> None:
    """R2-03: each change is what calls are routed by when the answer goes out."""
    async with web.client() as client:
        created = await client.post("/v1/queues", json=QUEUE)
        assert (created.status_code, created.headers["location"]) == (201, "/v1/queues/repairs")
        assert (await client.post("/v1/queues", json=QUEUE)).status_code == 409
        assert (await client.put("/v1/vdns/3", json=VDN)).status_code == 200
        assert web.node.plan().vdns["3"].goal == Goal("queue", "repairs")
        number = {"first": "4008100001", "entry": {"kind": "vdn", "target": "3"}, "default_tenant": "acme"}
        assert (await client.post("/v1/access-numbers", json=number)).status_code == 201
        kept = await client.delete("/v1/queues/repairs")
        assert (kept.status_code, places(kept)) == (409, [("vdn 3", "goal")])
        assert places(await client.delete("/v1/vdns/3")) == [("access number 4008100001", "entry")]
        changed = await client.patch("/v1/queues/repairs", json={"ring_timeout": 15, "skills": {"gas": 3}})
        assert (changed.json()["ring_timeout"], changed.json()["skills"]) == (15.0, {"gas": 3})
        await client.patch("/v1/queues/repairs", json={"skills": {"gas": None}})
        assert (await client.delete("/v1/access-numbers/4008100001")).status_code == 204
        assert (await client.delete("/v1/vdns/3")).status_code == 204
        assert (await client.delete("/v1/queues/repairs")).status_code == 204
        assert (await client.get("/v1/queues/repairs")).status_code == 404
        told = (await client.get("/v1/audit", params={"kind": "queue"})).json()["entries"]
    assert [one["action"] for one in told] == ["delete", "replace", "create"]
    assert not web.node.plan().queues


async def test_every_mistake_is_named_with_its_field(web: Api) -> None:
    """Wrong data are refused at once and whole; what is in force stays."""
    async with web.client() as client:
        await client.put("/v1/queues/repairs", json=QUEUE)
        wrong = {**QUEUE, "strategy": "best", "ring_timout": 5, "otherwise": {"kind": "moon"}, "sticky": "NaN"}
        answer = await client.put("/v1/queues/repairs", json=wrong)
        assert answer.status_code == 422
        assert sorted(one["field"] for one in answer.json()["errors"]) == [
            "otherwise.kind", "ring_timout", "sticky", "strategy",
        ]  # fmt: skip
        dangling = {
            "ring_timeout": 0,
            "overflow": [{"when": "wait", "more_than": 60, "goal": {"kind": "queue", "target": "repairs"}}],
            "otherwise": {"kind": "vdn", "target": "9"},
            "tenant": "nobody",
        }
        answer = await client.patch("/v1/queues/repairs", json=dangling)
        assert answer.status_code == 409
        assert sorted(places(answer)) == [
            ("queue repairs", field) for field in ("otherwise", "overflow.0.goal", "ring_timeout", "tenant")
        ]
        for body in ({"name": "a\nb"}, {"name": "a\x00b"}, {"id": "other"}, {"name": "x" * 101}, {"name": None}):
            assert (await client.patch("/v1/queues/repairs", json=body)).status_code in (409, 422), body
        assert (await client.put("/v1/queues/.hidden", json={**QUEUE, "id": ".hidden"})).status_code == 409
    assert web.node.plan().queues["repairs"].ring_timeout == 20.0


async def test_a_tenants_key_sees_its_own_and_changes_nothing(web: Api) -> None:
    async with web.client() as client:
        await client.put("/v1/queues/repairs", json=QUEUE)
        await client.put("/v1/queues/shared", json={"name": "Shared"})
    assert [one["id"] for one in (await web.ask("GET", "/v1/queues")).json()["queues"]] == ["repairs", "shared"]
    assert [one["id"] for one in (await web.ask("GET", "/v1/queues", key="acme")).json()["queues"]] == ["repairs"]
    assert (await web.ask("GET", "/v1/plan", key="acme")).json()["queues"][0]["id"] == "repairs"
    assert (await web.ask("GET", "/v1/queues?tenant=acme", key="beta")).status_code == 403
    assert (await web.ask("GET", "/v1/queues/repairs", key="beta")).status_code == 404
    assert (await web.ask("GET", "/v1/agent-profiles", key="acme")).status_code == 403
    for method, path in (("PUT", "/v1/queues/repairs"), ("DELETE", "/v1/queues/repairs"), ("POST", "/v1/plan")):
        for key in ("acme", "operator"):
            assert (await web.ask(method, path, key=key, json={})).status_code == 403


async def test_secrets_are_kept_but_never_shown(web: Api) -> None:
    """An agent's PIN is blotted out in answers and in the audit log, and stays when an answer is sent back."""
    async with web.client() as client:
        made = await client.put("/v1/agent-profiles/8001", json={"pin": "4711", "queues": {}})
        assert made.json()["pin"] == "***"
        back = await client.put("/v1/agent-profiles/8001", json={**made.json(), "skills": {"gas": 1}})
        assert (back.status_code, web.node.plan().agent_profiles["8001"].pin) == (200, "4711")
        assert "4711" not in (await client.get("/v1/audit")).text
        removed = await client.patch("/v1/agent-profiles/8001", json={"pin": ""})
        assert (removed.json()["pin"], web.node.plan().agent_profiles["8001"].pin) == ("", "")
        unknown = await client.put("/v1/agent-profiles/8001", json={"pin": "***"})
        assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "pin")


async def test_many_values_come_together_or_not_at_all(web: Api) -> None:
    """An import is one change: rehearsed without a trace, refused whole with every mistake, repeated without harm."""
    body: dict[str, Any] = {
        "agents": [{"extension": "8002", "name": "Second", "contact": "sip:8002@192.0.2.10", "listener": "inside"}],
        "vdns": [VDN],
        "queues": [QUEUE],
        "agent-profiles": [{"extension": "8002", "queues": {"repairs": 1}}],
    }
    async with web.client() as client:
        rehearsed = await client.post("/v1/plan?rehearse=true", json=body)
        assert rehearsed.json() == {"created": 4, "replaced": 0, "unchanged": 0, "removed": []}
        assert not web.node.plan().queues
        assert (await client.get("/v1/agents/8002")).status_code == 404
        assert (await client.post("/v1/plan", json=body)).json()["created"] == 4
        assert (await client.post("/v1/plan", json=body)).json() == {
            "created": 0,
            "replaced": 0,
            "unchanged": 4,
            "removed": [],
        }
        assert web.node.directory().agent("8002") is not None
        wrong = {"queues": [QUEUE | {"name": "New"}], "vdns": [VDN | {"goal": {"kind": "agent", "target": "9"}}]}
        refused = await client.post("/v1/plan", json=wrong)
        assert (refused.status_code, places(refused)) == (409, [("vdn 3", "goal")])
        assert web.node.plan().queues["repairs"].name == "Repairs"
        unreadable = await client.post("/v1/plan", json={"queues": [QUEUE, {}], "pigs": [], "vdns": [7]})
        fields = [one["field"] for one in unreadable.json()["errors"]]
        assert fields == ["queues.1.id", "queues.1.name", "pigs", "vdns.0"]
        both = {"queues": [{"id": "night"}], "vdns": [VDN | {"goal": {"kind": "queue", "target": "night"}, "area": 1}]}
        both["calendars"] = [{"id": "office", "zone": "Moon"}]
        both["agent-profiles"] = [{"extension": "8001", "queues": {"night": 1}}]
        assert places(await client.post("/v1/plan", json=both)) == [
            ("queue night", "queues.0.name"), ("vdn 3", "vdns.0.area"), ("calendar office", "zone"),
        ]  # fmt: skip
        assert (await client.post("/v1/plan", json={"queues": [QUEUE, QUEUE]})).status_code == 409


async def test_the_document_describes_every_kind(web: Api) -> None:
    made = await document(web)
    schema = {"components": made["components"], "$ref": "#/components/schemas/Queue"}
    async with web.client() as client:
        answer = (await client.put("/v1/queues/repairs", json=QUEUE)).json()
    Draft202012Validator(schema).validate(answer)
    body = made["paths"]["/v1/queues/{key}"]["put"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/Queue"}
