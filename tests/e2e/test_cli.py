"""The command line beside a server with real calls; what each command can say is proved where the commands are."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.several_trunks import diverted_by
from tests.peers.api import ACCESS_NUMBER, BILLING_NUMBER
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone


@pytest.fixture
def tandem(server: Server) -> Callable[..., Any]:
    """Runs a command against the server; returns its JSON, or its text for a command that has none."""

    async def run(*arguments: str, text: bool = False) -> Any:
        child = server.tandem(*arguments, *(() if text else ("--json",)))
        assert await child.ended(30) == 0, child.log()
        return child.log() if text else json.loads(child.log())

    return run


async def test_a_call_is_set_up_watched_and_ended_by_commands_alone(
    server: Server, caller: Caller, phone: Phone, tandem: Callable[..., Any]
) -> None:
    """R1-01, R1-02, R1-04, R0-14: agents, tenants, access numbers, tokens, calls, records, events."""
    await tandem("agents", "add", "1001", "--contact", phone.uri, "--listener", "inside", "--name", "First", text=True)
    billing = ("--billing-number", BILLING_NUMBER)
    await tandem("tenants", "add", "acme", "--access-id", "7001", "--trunk", "carrier", *billing, text=True)
    await tandem("access-numbers", "add", ACCESS_NUMBER, text=True)
    token = await tandem(
        "tokens", "issue", "-t", "acme", "--caller", "13800000001", "--extension", "1001", "-d", "order=A-1"
    )
    listener = await server.listen()
    await caller.invite(
        server.outside,
        ACCESS_NUMBER,
        caller=BILLING_NUMBER,
        headers=diverted_by(token["original_called_number"]),
    )
    await phone.answers()
    await caller.answered()
    [live] = (await tandem("calls", "list"))["calls"]
    assert (live["caller"], live["state"]) == ("13800000001", "talking")
    assert "13800000001" in await tandem("calls", "list", text=True)
    await tandem("calls", "hangup", live["id"], text=True)
    await caller.expect("BYE")
    await phone.expect("BYE")
    await listener.expect("call.ended")
    await server.api.cdr()
    shown = await tandem("cdrs", "show", live["id"])
    assert (shown["cause"], shown["effective_caller"]) == ("hung-up", "13800000001")
    assert (await tandem("tokens", "show", token["sequence"], "-t", "acme"))["state"] == "consumed"
    first = listener.events[0]["number"]
    told = await tandem(
        "events",
        "follow",
        "--after",
        str(first - 1),
        "--call",
        live["id"],
        "--count",
        str(len(listener.events)),
        text=True,
    )
    assert [line.split()[2] for line in told.splitlines()] == listener.of_call(live["id"])


async def test_a_refused_command_says_why_and_fails(server: Server, caller: Caller, phone: Phone) -> None:
    """R1-04: the server's own words, exit code 1, no traceback."""
    await server.api.furnish(phone.uri)
    billing = ("--billing-number", BILLING_NUMBER)
    child = server.tandem("tenants", "add", "beta", "--access-id", "7001", "--trunk", "carrier", *billing)
    assert await child.ended(30) == 1
    assert "7001" in child.log()
    assert "acme" in child.log()
    assert "Traceback" not in child.log()
