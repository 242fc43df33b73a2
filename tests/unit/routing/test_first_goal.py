"""Where a call goes first."""

from dataclasses import replace

import pytest

from routing.directory import AccessNumber, Directory, EntryPoint
from routing.first_goal import FirstGoal, Via, first_goal
from routing.goal import Goal
from routing.identify import Identified, identify
from routing.outcome import Outcome
from tests.unit.routing.world import ACME, AGENTS, OFF, OPTIONAL, PROFILE, REQUIRED, ROUTES, arrival, directory

WORLD = directory()
TOKEN = "510000004711"


def call(*diversions: str, row: AccessNumber = REQUIRED) -> Identified:
    return identify(arrival(*diversions, called=row.first), PROFILE, WORLD)


def to(extension: str, via: Via, route: str = "", passed: tuple[str, ...] = ()) -> FirstGoal:
    return FirstGoal(Goal("agent", extension), via, route, passed)


@pytest.mark.parametrize(
    ("identified", "extension", "expected"),
    [
        (call(TOKEN), "802", to("802", Via.TOKEN)),
        (call(TOKEN), None, to("801", Via.TENANT)),
        (call("520000004711"), None, to("804", Via.ACCESS_ROUTE, "night-desk")),
        (call(row=OPTIONAL), None, to("801", Via.TENANT)),
        (call(row=OFF), None, to("803", Via.ACCESS_NUMBER)),
        (call(TOKEN), "999", to("801", Via.TENANT, passed=("token 999",))),
    ],
)
def test_token_then_tenant_then_access_number_then_default_route(
    identified: Identified, extension: str | None, expected: FirstGoal
) -> None:
    """R1-05, R1-07: the way a call goes, and the word that says which it was."""
    assert first_goal(identified, extension, None, WORLD, "reception") == expected


@pytest.mark.parametrize("number", ["5100", "<sip:alice@h>", "599900004711"])
def test_a_failed_call_takes_a_default_route_only(number: str) -> None:
    """R1-05: a named default route, and nothing that a tenant says."""
    found = first_goal(call(number), "802", None, WORLD, "reception")
    assert found == to("804", Via.ACCESS_ROUTE, "night-desk")
    found = first_goal(call(number, row=OPTIONAL), "802", None, WORLD, "reception")
    assert found == to("805", Via.DEFAULT_ROUTE, "reception")


def test_a_call_that_failed_at_its_token_takes_a_default_route_too() -> None:
    """R1-05, R1-09: expired or already used."""
    found = first_goal(call(TOKEN).but(Outcome.TOKEN_USED), "802", None, WORLD, "reception")
    assert found == to("804", Via.ACCESS_ROUTE, "night-desk")


def test_an_unknown_called_number_takes_the_nodes_route() -> None:
    """R1-05"""
    unknown = identify(arrival(TOKEN, called="123"), PROFILE, WORLD)
    assert first_goal(unknown, None, None, WORLD, "reception") == to("805", Via.DEFAULT_ROUTE, "reception")
    assert first_goal(unknown, None, None, WORLD, None) is None


def test_ways_that_lead_nowhere_are_passed_and_told() -> None:
    """R1-05: an agent who is gone or disabled does not lose the call."""
    agents = (*AGENTS[:2], replace(AGENTS[3], enabled=False), AGENTS[4])
    world = Directory([ACME], [REQUIRED], (replace(agents[0], enabled=False), *agents[1:]), ROUTES[1:])
    found = first_goal(call(TOKEN), "999", None, world, "reception")
    passed = ("token 999", "tenant 801", "access-route night-desk")
    assert found == to("805", Via.DEFAULT_ROUTE, "reception", passed)
    assert first_goal(call(TOKEN), "999", None, world, "nowhere") is None


def test_what_the_analysis_says_comes_after_the_token_and_before_the_tenant() -> None:
    """R0-05: the token's agent is the strongest word, the analysis the next."""
    queue = Goal("queue", "orders")
    assert first_goal(call(TOKEN), "802", queue, WORLD, None) == to("802", Via.TOKEN)
    assert first_goal(call(TOKEN), None, queue, WORLD, None) == FirstGoal(queue, Via.ANALYSIS)
    assert first_goal(call(TOKEN).but(Outcome.TOKEN_USED), None, queue, WORLD, "reception") == to(
        "804", Via.ACCESS_ROUTE, "night-desk"
    )


def test_an_access_number_leads_to_any_goal_that_is_there() -> None:
    """R2-03: queues, menus and VDNs are entry points; one that is gone is passed."""
    row = replace(OFF, entry=EntryPoint("queue", "orders"))
    world = Directory([ACME], [row], AGENTS, ROUTES)
    found = identify(arrival(TOKEN, called=row.first), PROFILE, world)
    assert first_goal(found, None, None, world, None) == FirstGoal(Goal("queue", "orders"), Via.ACCESS_NUMBER)
    elsewhere = first_goal(found, None, None, world, "reception", there=lambda goal: False)
    assert elsewhere == to("805", Via.DEFAULT_ROUTE, "reception", ("access-number queue orders",))
