"""Access numbers, agents, routes and trunks over HTTP (R1-04, R1-05)."""

from dataclasses import replace
from typing import Any

from b2bua.sip.digest import ha1
from b2bua.storage.catalogue import agents
from b2bua.storage.plan import Plans
from routing.directory import Credentials
from routing.notices import Webhook
from routing.plan import KINDS
from tests.unit.web.server import AGENT, Api

RANGE = {"first": "4008100000", "last": "4008100099", "correlation": "required", "default_tenant": "acme"}


async def test_an_access_number_is_created_shown_changed_moved_and_deleted(web: Api) -> None:
    """R1-05: what a called number or range expects of its calls."""
    async with web.client() as client:
        created = await client.post("/v1/access-numbers", json=RANGE | {"entry": {"kind": "agent", "target": "8001"}})
        assert (created.status_code, created.json()["key"]) == (201, "4008100000-4008100099")
        path = created.headers["location"]
        assert (await client.get(path)).json()["entry"] == {"kind": "agent", "target": "8001"}
        changed = await client.patch(path, json={"correlation": "optional", "entry": None})
        assert (changed.json()["correlation"], changed.json()["entry"]) == ("optional", None)
        moved = await client.put(path, json={"first": "4008100500", "trunks": ["carrier"], "correlation": "off"})
        assert moved.json()["key"] == "4008100500@carrier"
        assert (await client.get(path)).status_code == 404
        listed = (await client.get("/v1/access-numbers")).json()["access_numbers"]
        assert [one["key"] for one in listed] == ["4008100500@carrier"]
        assert (await client.delete("/v1/access-numbers/4008100500@carrier")).status_code == 204
    assert web.node.directory().access_numbers == ()


async def test_overlapping_ranges_and_unknown_names_are_refused_together(web: Api) -> None:
    """R1-05."""
    await web.ask("POST", "/v1/access-numbers", json=RANGE)
    body = {"first": "4008100050", "last": "4008100150", "default_tenant": "nobody", "default_route": "nowhere"}
    answer = await web.ask("POST", "/v1/access-numbers", json=body)
    assert answer.status_code == 409
    assert [mistake["field"] for mistake in answer.json()["errors"]] == ["default_tenant", "default_route", "first"]


async def test_entry_points_that_do_not_exist_are_refused(web: Api) -> None:
    """R1-05: a number leads to a VDN, a queue, a menu ... that there is, or to nowhere."""
    async with web.client() as client:
        for kind, status, field in (("vdn", 409, "entry"), ("menu", 409, "entry"), ("ivr", 422, "entry.kind")):
            body = {"first": "4008100001", "entry": {"kind": kind, "target": "8001"}}
            answer = await client.post("/v1/access-numbers", json=body)
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (status, field)
        assert (await client.put("/v1/queues/repairs", json={"name": "Repairs"})).status_code == 200
        body = {"first": "4008100001", "entry": {"kind": "queue", "target": "repairs"}}
        assert (await client.post("/v1/access-numbers", json=body)).status_code == 201


async def test_an_agents_keys_end_with_him(web: Api) -> None:
    """The next agent with the extension is not reached with a key of the one before, on this node from that moment."""
    await web.ask("POST", "/v1/agents", json=AGENT | {"extension": "8005"})
    body = {"name": "desk", "role": "agent", "extension": "8005"}
    made = (await web.ask("POST", "/v1/api-keys", json=body)).json()
    web.keys["before"] = made["secret"]
    assert (await web.ask("GET", "/v1/agents/8005/state", key="before")).status_code != 401
    assert (await web.ask("DELETE", "/v1/agents/8005")).status_code == 204
    assert (await web.ask("GET", "/v1/agents/8005/state", key="before")).status_code == 401
    await web.ask("POST", "/v1/agents", json=AGENT | {"extension": "8005"})
    assert (await web.ask("GET", "/v1/agents/8005/state", key="before")).status_code == 401
    ends = {one["extension"]: one["revoked_at"] for one in (await web.ask("GET", "/v1/api-keys")).json()["api_keys"]}
    assert ends["8005"] is not None


async def test_an_agent_is_created_shown_changed_and_deleted(web: Api) -> None:
    async with web.client() as client:
        created = await client.post("/v1/agents", json=AGENT | {"extension": "8002"})
        assert (created.status_code, created.json()) == (
            201, AGENT | {"extension": "8002", "enabled": True, "password": None, "srtp": None, "srtp_keys": []},
        )  # fmt: skip
        changed = await client.patch("/v1/agents/8002", json={"enabled": False})
        assert changed.json()["enabled"] is False
        assert web.node.directory().agent("8002") is None
        fields = {name: value for name, value in AGENT.items() if name != "extension"}
        assert (await client.put("/v1/agents/8002", json=fields)).json()["enabled"] is True
        assert [one["extension"] for one in (await client.get("/v1/agents")).json()["agents"]] == ["8001", "8002"]
        assert (await client.delete("/v1/agents/8002")).status_code == 204
        assert (await client.get("/v1/agents/8002")).status_code == 404


async def test_an_agent_must_be_reached_from_an_inside_listener(web: Api) -> None:
    answer = await web.ask("POST", "/v1/agents", json=AGENT | {"extension": "8002", "listener": "outside"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "listener")


async def test_a_phones_password_is_kept_as_hashes_and_never_shown(web: Api) -> None:
    """Credentials: only the HA1 of each algorithm is stored; changes keep it until it is named."""
    phone = {"extension": "8002", "name": "Second desk", "password": "correct horse"}
    async with web.client() as client:
        created = await client.post("/v1/agents", json=phone)
        assert (created.status_code, created.json()["password"], created.json()["contact"]) == (201, "***", "")
        kept = web.node.directory().credentials("8002")
        assert kept is not None
        assert kept.md5 == ha1("MD5", "8002", "phones.test", "correct horse")
        assert kept.sha256 == ha1("SHA-256", "8002", "phones.test", "correct horse")
        assert kept.md5 not in repr(kept)
        for verb, body in (
            ("PATCH", {"name": "Another desk"}),
            ("PUT", {"name": "Another desk"}),
            ("PATCH", {"password": "***"}),
        ):
            answer = await client.request(verb, "/v1/agents/8002", json=body)
            assert answer.json()["password"] == "***", answer.text
            assert web.node.directory().credentials("8002") == kept
        written = (await client.get("/v1/audit")).text
        assert "correct horse" not in written
        assert kept.md5 not in written
        assert kept.sha256 not in written
        refused = await client.patch("/v1/agents/8002", json={"password": None})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (409, "contact")
        fixed = {"password": None, "contact": "sip:8002@192.0.2.10", "listener": "inside"}
        assert (await client.patch("/v1/agents/8002", json=fixed)).json()["password"] is None
        assert web.node.directory().credentials("8002") is None
        assert (await client.patch("/v1/agents/8002", json={"password": "short"})).status_code == 422


CONTACTS = {
    "sip:8001@192.0.2.10": 201,
    "sips:8001@phone.example.com:5061;transport=tls": 201,
    "sip:[2001:db8::1]:5060": 201,
    "sip:8001@host\r\nVia: x": 422,
    "sip:8001@host?Replaces=1": 422,
    "tel:8001": 422,
    "sip:<8001>@host": 422,
    "sip:8001@host;" + "a" * 5000: 422,
}


async def test_an_agents_contact_is_a_plain_sip_uri(web: Api) -> None:
    async with web.client() as client:
        for at, (contact, status) in enumerate(CONTACTS.items()):
            body = AGENT | {"extension": f"81{at:02}", "contact": contact}
            answer = await client.post("/v1/agents", json=body)
            assert answer.status_code == status, (contact, answer.text)


async def test_an_agent_somebody_depends_on_is_not_deleted(web: Api) -> None:
    await web.ask("POST", "/v1/routes", json={"name": "reception", "extension": "8001"})
    answer = await web.ask("DELETE", "/v1/agents/8001")
    assert (answer.status_code, answer.json()["errors"][0]["entity"]) == (409, "route reception")


async def test_a_route_is_created_shown_changed_and_deleted(web: Api) -> None:
    async with web.client() as client:
        await client.post("/v1/agents", json=AGENT | {"extension": "8002"})
        created = await client.post("/v1/routes", json={"name": "reception", "extension": "8001"})
        assert created.status_code == 201
        assert (await client.put("/v1/routes/reception", json={"extension": "8002"})).json()["extension"] == "8002"
        assert (await client.patch("/v1/routes/reception", json={"extension": "8001"})).json()["extension"] == "8001"
        unknown = await client.patch("/v1/routes/reception", json={"extension": "9"})
        assert unknown.json()["detail"] == "route reception, extension: there is no agent 9"
        assert (await client.get("/v1/routes")).json()["routes"] == [{"name": "reception", "extension": "8001"}]
        assert (await client.delete("/v1/routes/reception")).status_code == 204
        assert (await client.get("/v1/routes/reception")).status_code == 404


async def test_trunks_are_shown_and_belong_to_the_file(web: Api) -> None:
    """R1-04: the digits of a trunk are configuration of the node; the answer to a change names the file."""
    shown = (await web.ask("GET", "/v1/trunks/other", key="operator")).json()
    assert (shown["prefix"], shown["sequence_width"], shown["numbers"]) == ("99", 6, 1_000_000)
    listed = (await web.ask("GET", "/v1/trunks")).json()["trunks"]
    assert [one["name"] for one in listed] == ["carrier", "other", "wide"]
    assert (await web.ask("GET", "/v1/trunks/nowhere")).status_code == 404
    changes: list[tuple[str, str]] = [("POST", "")] + [(method, "/carrier") for method in ("PUT", "PATCH", "DELETE")]
    for method, path in changes:
        answer = await web.ask(method, f"/v1/trunks{path}")
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:tandem:problem:owned-by-file")
        assert str(web.node.settings.file) in answer.json()["detail"]


async def test_two_changes_at_once_do_not_undo_each_other(web: Api) -> None:
    import asyncio

    async with web.client() as client:
        changes: list[dict[str, Any]] = [{"name": "Second desk"}, {"enabled": False}, {"contact": "sip:9@192.0.2.11"}]
        await asyncio.gather(*(client.patch("/v1/agents/8001", json=change) for change in changes))
        shown = (await client.get("/v1/agents/8001")).json()
    assert (shown["name"], shown["enabled"], shown["contact"]) == ("Second desk", False, "sip:9@192.0.2.11")


async def test_a_secret_that_stays_is_the_one_another_node_has_just_set(web: Api) -> None:
    """What this node has in memory may be a second old: a password that was changed elsewhere must not come back."""
    phone = {"extension": "8002", "name": "Second desk", "password": "correct horse"}
    hook = {"id": "crm", "url": "https://crm.example.com/x", "secret": "old secret"}
    async with web.client() as client:
        assert (await client.post("/v1/agents", json=phone)).status_code == 201
        assert (await client.put("/v1/webhooks/crm", json=hook)).status_code == 200
        storage, now = web.node.storage, 1_800_000_000.0
        there = await agents(storage).get("8002")
        changed = Credentials("pbx.example.com", "f" * 32, "e" * 64)
        await agents(storage).replace(replace(there, credentials=changed), by="another node", now=now)
        await Plans(storage).replace(Webhook("crm", hook["url"], secret="new secret"), by="another node", now=now)

        answer = await client.put("/v1/agents/8002", json={"name": "Third desk"})
        assert (answer.status_code, answer.json()["name"], answer.json()["password"]) == (200, "Third desk", "***")
        del hook["secret"]
        assert (await client.put("/v1/webhooks/crm", json=hook | {"tenant": "acme"})).status_code == 200
    assert (await agents(storage).get("8002")).credentials == changed
    assert (await Plans(storage).get(KINDS["webhooks"], "crm")).secret == "new secret"
