"""Agents' states over the API: what they may do in which state, and whose key reaches whom."""

import httpx

from b2bua.storage.api_keys import Role
from tests.unit.web.server import Api


async def state(web: Api, answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return str(answer.json()["state"])


async def test_an_agent_logs_in_pauses_and_logs_out(web: Api) -> None:
    """Log in/out and pause with reason by API; somebody nobody has seen yet is logged out."""
    path = "/v1/agents/8001"
    assert await state(web, await web.ask("GET", f"{path}/state")) == "logged-out"
    assert await state(web, await web.ask("POST", f"{path}/login")) == "available"
    paused = await web.ask("POST", f"{path}/pause", json={"reason": "lunch"})
    assert (await state(web, paused), paused.json()["reason"]) == ("paused", "lunch")
    assert await state(web, await web.ask("POST", f"{path}/resume")) == "available"
    listed = (await web.ask("GET", "/v1/agent-states")).json()["agents"]
    assert [(agent["extension"], agent["state"], agent["wrap_up_left"]) for agent in listed] == [
        ("8001", "available", None)
    ]
    assert await state(web, await web.ask("POST", f"{path}/logout")) == "logged-out"
    audit = (await web.ask("GET", "/v1/audit", params={"kind": "agent"})).json()["entries"]
    assert {entry["action"] for entry in audit} >= {"log in", "pause", "resume", "log out"}


async def test_what_makes_no_sense_in_a_state_is_refused(web: Api) -> None:
    """409 with a sentence; 404 for nobody; 422 for a reason that is no line of text."""
    path = "/v1/agents/8001"
    for method, where, body in (
        ("POST", "pause", None),
        ("POST", "resume", None),
        ("POST", "wrap-up", {"seconds": 5}),
        ("DELETE", "wrap-up", None),
    ):
        answer = await web.ask(method, f"{path}/{where}", json=body)
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:tandem:problem:agent-state"), where
    assert (await web.ask("POST", "/v1/agents/8999/login")).status_code == 404
    assert (await web.ask("POST", f"{path}/pause", json={"reason": "a\nb"})).status_code == 422


async def test_an_agents_key_reaches_him_alone(web: Api) -> None:
    """Agent-scoped keys: made for one extension, and for nothing else."""
    body = {"name": "desk", "role": "agent", "extension": "8001"}
    made = await web.ask("POST", "/v1/api-keys", json=body)
    assert made.status_code == 201, made.text
    web.keys["8001"] = made.json()["secret"]
    other = {"extension": "8002", "name": "b", "contact": "sip:8002@192.0.2.10", "listener": "inside"}
    assert (await web.ask("POST", "/v1/agents", json=other)).status_code == 201
    assert await state(web, await web.ask("POST", "/v1/agents/8001/login", key="8001")) == "available"
    listed = (await web.ask("GET", "/v1/agent-states", key="8001")).json()["agents"]
    assert [agent["extension"] for agent in listed] == ["8001"]
    for method, path in (
        ("POST", "/v1/agents/8002/login"),
        ("GET", "/v1/agents/8002/state"),
        ("GET", "/v1/agents/8999/state"),
        ("GET", "/v1/agents"),
        ("GET", "/v1/calls"),
        ("GET", "/v1/cdrs"),
        ("POST", "/v1/tokens"),
    ):
        assert (await web.ask(method, path, key="8001")).status_code == 403, path
    for wrong in ({"role": Role.AGENT}, {"role": Role.ADMIN, "extension": "8001"}):
        answer = await web.ask("POST", "/v1/api-keys", json={"name": "x"} | wrong)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "extension")
    nobody = await web.ask("POST", "/v1/api-keys", json=body | {"extension": "8999"})
    assert nobody.status_code == 404
