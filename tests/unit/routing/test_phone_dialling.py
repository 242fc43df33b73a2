"""Where a number leads that an agent dials on his phone."""

import pytest

from routing.directory import Agent, Directory
from routing.goal import Goal
from routing.phone_dialling import PhoneRules, phone_goal
from routing.plan import Plan
from routing.queue import Queue
from routing.vdn import Vdn

DIRECTORY = Directory(agents=[Agent("1001", "a", "", ""), Agent("1002", "b", "", "", enabled=False)])
PLAN = Plan.of(
    Vdn("3", "Repairs", Goal("queue", "repairs")),
    Vdn("4", "Another tenant's", Goal("queue", "repairs"), tenant="acme"),
    Queue("repairs", "Repairs"),
)


@pytest.mark.parametrize(
    ("dialled", "goal"),
    [
        ("1001", Goal("agent", "1001")),
        ("1002", None),
        ("3", Goal("vdn", "3")),
        ("4", None),
        ("repairs", Goal("queue", "repairs")),
        ("0498912345", Goal("number", "498912345")),
        ("0+498912345", Goal("number", "+498912345")),
        ("498912345", None),
        ("0", None),
        ("0abc", None),
        ("0" + "1" * 40, None),
        ("", None),
    ],
)
def test_where_a_number_leads(dialled: str, goal: Goal | None) -> None:
    assert phone_goal(dialled, PLAN, DIRECTORY, None, PhoneRules("carrier", "0"), emergency=False) == goal


def test_an_emergency_number_leads_out_whatever_is_called_so() -> None:
    rules = PhoneRules("", "0")
    assert phone_goal("1001", PLAN, DIRECTORY, None, rules, emergency=True) == Goal("number", "1001")
    assert phone_goal("0498912345", PLAN, DIRECTORY, None, rules, emergency=False) is None
    anything = PhoneRules("carrier")
    assert phone_goal("498912345", PLAN, DIRECTORY, None, anything, emergency=False) == Goal("number", "498912345")
