"""Where a transfer may go: the dial plan, parking slots, and numbers outside by a list of patterns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.directory import Agent, Directory
from routing.goal import Goal
from routing.plan import Plan
from routing.queue import Queue
from routing.transfer_target import Slots, TransferRules, target_of
from routing.vdn import Vdn

OUTSIDE = (r"1[3-9][0-9]{9}", r"\+86[0-9]{10,11}")
RULES = TransferRules(OUTSIDE, slots=Slots("0701", 20))
PLAN = Plan.of(
    Queue("orders", "orders"),
    Queue("theirs", "theirs", tenant="other"),
    Vdn("5001", "repairs", Goal("queue", "orders")),
)
DIRECTORY = Directory(agents=[Agent("1002", "clerk 12", "sip:1002@192.0.2.9", "inside")])


@pytest.mark.parametrize(
    ("dialled", "goal"),
    [
        ("1002", Goal("agent", "1002")),
        ("5001", Goal("vdn", "5001")),
        ("orders", Goal("queue", "orders")),
        ("0701", Goal("park", "0701")),
        ("0720", Goal("park", "0720")),
        ("13800000001", Goal("number", "13800000001")),
        ("+8613800000001", Goal("number", "+8613800000001")),
        ("theirs", None),
        ("1003", None),
        ("0721", None),
        ("701", None),
        ("12800000001", None),
        ("138000000012", None),
        ("900123456", None),
        ("13800000001;x", None),
        ("", None),
    ],
)
def test_a_number_leads_where_the_plan_says_or_nowhere(dialled: str, goal: Goal | None) -> None:
    assert target_of(dialled, PLAN, DIRECTORY, "acme", RULES) == goal


def test_digits_in_front_of_a_number_outside_are_needed_and_taken_off() -> None:
    rules = TransferRules(OUTSIDE, "9")
    assert target_of("913800000001", PLAN, DIRECTORY, None, rules) == Goal("number", "13800000001")
    assert target_of("13800000001", PLAN, DIRECTORY, None, rules) is None


def test_nothing_goes_outside_without_a_list() -> None:
    assert target_of("13800000001", PLAN, DIRECTORY, None, TransferRules()) is None


@given(st.text(max_size=40))
def test_whatever_a_phone_writes_no_number_leaves_that_is_not_listed(dialled: str) -> None:
    goal = target_of(dialled, PLAN, DIRECTORY, None, RULES)
    if goal is not None and goal.kind == "number":
        assert goal.target.lstrip("+").isascii()
        assert goal.target.lstrip("+").isdigit()


def test_slots_are_told_from_other_numbers() -> None:
    slots = Slots("701", 3)
    assert slots.all() == ["701", "702", "703"]
    assert [number in slots for number in ("700", "701", "703", "704", "0701", "", "७०१", 701)] == [
        False, True, True, False, False, False, False, False,
    ]  # fmt: skip
    assert "701" not in Slots()
