"""Which agent takes the call."""

from dataclasses import replace

import pytest

from routing.destination import Destination, Via, destination
from routing.directory import AccessNumber, Directory
from routing.identify import Identified, identify
from routing.outcome import Outcome
from tests.unit.routing.world import ACME, AGENTS, OFF, OPTIONAL, PROFILE, REQUIRED, ROUTES, arrival, directory

WORLD = directory()
TOKEN = "510000004711"


def call(*diversions: str, row: AccessNumber = REQUIRED) -> Identified:
    return identify(arrival(*diversions, called=row.first), PROFILE, WORLD)


@pytest.mark.parametrize(
    ("identified", "extension", "expected"),
    [
        (call(TOKEN), "802", Destination("802", Via.TOKEN)),
        (call(TOKEN), None, Destination("801", Via.TENANT)),
        (call("520000004711"), None, Destination("804", Via.ACCESS_ROUTE, "night-desk")),
        (call(row=OPTIONAL), None, Destination("801", Via.TENANT)),
        (call(row=OFF), None, Destination("803", Via.ACCESS_NUMBER)),
        (call(TOKEN), "999", Destination("801", Via.TENANT, passed=("token 999",))),
    ],
)
def test_token_then_tenant_then_access_number_then_default_route(
    identified: Identified, extension: str | None, expected: Destination
) -> None:
    """R1-05, R1-07: the way a call goes, and the word that says which it was."""
    assert destination(identified, extension, WORLD, "reception") == expected


@pytest.mark.parametrize("number", ["5100", "<sip:alice@h>", "599900004711"])
def test_a_failed_call_takes_a_default_route_only(number: str) -> None:
    """R1-05: a named default route, and nothing that a tenant says."""
    found = destination(call(number), "802", WORLD, "reception")
    assert found == Destination("804", Via.ACCESS_ROUTE, "night-desk")
    found = destination(call(number, row=OPTIONAL), "802", WORLD, "reception")
    assert found == Destination("805", Via.DEFAULT_ROUTE, "reception")


def test_a_call_that_failed_at_its_token_takes_a_default_route_too() -> None:
    """R1-05, R1-09: expired or already used."""
    found = destination(call(TOKEN).but(Outcome.TOKEN_USED), "802", WORLD, "reception")
    assert found == Destination("804", Via.ACCESS_ROUTE, "night-desk")


def test_an_unknown_called_number_takes_the_nodes_route() -> None:
    """R1-05"""
    unknown = identify(arrival(TOKEN, called="123"), PROFILE, WORLD)
    assert destination(unknown, None, WORLD, "reception") == Destination("805", Via.DEFAULT_ROUTE, "reception")
    assert destination(unknown, None, WORLD, None) is None


def test_ways_that_lead_nowhere_are_passed_and_told() -> None:
    """R1-05: an agent who is gone or disabled does not lose the call."""
    agents = (*AGENTS[:2], replace(AGENTS[3], enabled=False), AGENTS[4])
    world = Directory([ACME], [REQUIRED], (replace(agents[0], enabled=False), *agents[1:]), ROUTES[1:])
    found = destination(call(TOKEN), "999", world, "reception")
    passed = ("token 999", "tenant 801", "access-route night-desk")
    assert found == Destination("805", Via.DEFAULT_ROUTE, "reception", passed)
    assert destination(call(TOKEN), "999", world, "nowhere") is None
