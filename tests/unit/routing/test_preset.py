"""The preset list: which class a call belongs to."""

import pytest

from routing.plan import Plan
from routing.preset import priority_of
from routing.queue import PriorityClass, PriorityEntry

PLAN = Plan.of(
    PriorityClass("gold", 120.0),
    PriorityClass("silver", 60.0),
    PriorityEntry("a", "gold", caller="+8613800000001"),
    PriorityEntry("b", "silver", tenant="acme", caller="138*"),
    PriorityEntry("c", "silver", vdn="600", digits="3"),
    PriorityEntry("d", "gold", tenant="beta"),
    PriorityEntry("e", "gold"),
)


@pytest.mark.parametrize(
    ("tenant", "caller", "vdn", "digits", "expected"),
    [
        ("acme", "8613800000001", "", "", "gold"),
        ("acme", "13800000002", "", "", "silver"),
        ("other", "13800000002", "", "", None),
        (None, None, "600", "3", "silver"),
        (None, None, "600", "1", None),
        ("beta", "1", "", "", "gold"),
        (None, "+8613800000001", "600", "3", "gold"),
    ],
)
def test_a_call_belongs_to_the_class_that_is_furthest_ahead(
    tenant: str | None, caller: str | None, vdn: str, digits: str, expected: str | None
) -> None:
    """R2-07"""
    assert priority_of(PLAN, tenant=tenant, caller=caller, called="400", vdn=vdn, digits=digits) == expected
