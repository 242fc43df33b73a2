"""An answer from outside over HTTP: whose call, which place, and what is refused (R0-13)."""

from dataclasses import replace

import pytest

from routing.goal import Goal
from tests.unit.web.server import AGENT, CALL, Api


@pytest.fixture(autouse=True)
async def waiting(web: Api) -> None:
    """Call 0190-a waits; agent 8001 and person clerk-12 exist."""
    web.calls.calls[CALL.id] = replace(CALL, state="waiting")
    await web.ask("POST", "/v1/agents", json=AGENT)
    assert (await web.ask("PUT", "/v1/persons/clerk-12", json={"extension": AGENT["extension"]})).status_code == 200


async def test_a_tenants_program_moves_its_own_call(web: Api) -> None:
    body = {"person": "clerk-12", "data": {"note": "x"}}
    answer = await web.ask("POST", "/v1/calls/0190-a/answer", key="acme", json=body)
    assert (answer.status_code, answer.json()) == (202, {"id": "0190-a", "goal": "person clerk-12"})
    ((call, goal, data, by),) = web.calls.rerouted
    assert (call, goal, data) == ("0190-a", Goal("person", "clerk-12"), {"note": "x"})
    assert by.endswith("(acme)")
    for foreign in ("0190-b", "0190-x"):
        assert (await web.ask("POST", f"/v1/calls/{foreign}/answer", key="acme", json=body)).status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, ""),
        ({"person": "clerk-12", "queue": "q"}, 422, ""),
        ({"number": "0900"}, 422, "number"),
        ({"person": "ghost"}, 409, "person"),
        ({"queue": "q"}, 409, "queue"),
        ({"agent": "9"}, 409, "agent"),
    ],
)
async def test_a_place_that_is_none_is_refused(web: Api, body: dict[str, str], status: int, field: str) -> None:
    answer = await web.ask("POST", "/v1/calls/0190-a/answer", key="operator", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (status, field)
    assert web.calls.rerouted == []


async def test_a_call_that_talks_is_moved_by_a_transfer_only(web: Api) -> None:
    web.calls.calls[CALL.id] = CALL
    answer = await web.ask("POST", "/v1/calls/0190-a/answer", key="operator", json={"person": "clerk-12"})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:tandem:problem:not-waiting")


async def test_answers_without_end_do_not_fill_a_calls_data(web: Api) -> None:
    """Each is small; what they add to one call goes out with its events."""
    full = {f"note{n}": "x" * 1000 for n in range(260)}
    web.calls.calls[CALL.id] = replace(CALL, state="waiting", data=full)
    body = {"agent": AGENT["extension"], "data": {"more": "x" * 3000}}
    assert (await web.ask("POST", "/v1/calls/0190-a/answer", key="acme", json=body)).status_code == 409
    assert (await web.ask("POST", "/v1/calls/0190-a/answer", key="acme", json={**body, "data": {}})).status_code == 202
