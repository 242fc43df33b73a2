"""The filter list: one verdict for each call (R2-06)."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.directory import Directory
from routing.filtering import CallFacts, FilterRule, Verdict, filter_problems, fits, verdict
from routing.plan import Plan

CALL = CallFacts(
    tenant="acme", trunk="carrier", caller="13800138000", called="4008100001", vdn="2001", queue="repairs",
    extension="1001", cause="normal", answered=True, duration=61.0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("given", "matches"),
    [
        ({}, True),
        ({"tenant": "acme"}, True),
        ({"tenant": "beta"}, False),
        ({"caller": "138*"}, True),
        ({"caller": "138"}, False),
        ({"caller": "13800138000", "called": "4008100001"}, True),
        ({"caller": "13800138000", "called": "4008100002"}, False),
        ({"vdn": "2001", "queue": "repairs", "extension": "1001"}, True),
        ({"queue": "sales"}, False),
        ({"cause": "cancelled"}, False),
        ({"answered": True}, True),
        ({"answered": False}, False),
        ({"shorter_than": 61.0}, False),
        ({"shorter_than": 61.5}, True),
        ({"trunk": "carrier"}, True),
    ],
)
def test_a_rule_fits_when_all_it_gives_is_true(given: dict[str, Any], matches: bool) -> None:
    assert fits(FilterRule("r", "drop", **given), CALL) is matches


def test_the_first_rule_that_fits_decides() -> None:
    """R2-06: keep and drop rules, in their order."""
    rules = [
        FilterRule("rest", "drop", order=9),
        FilterRule("tests", "drop", order=1, caller="1380013*"),
        FilterRule("ours", "keep", order=2, tenant="acme"),
    ]
    assert verdict(rules, CALL) == Verdict("tests", False)
    assert verdict(rules, replace(CALL, caller="02100000000")) == Verdict("ours", True)
    assert verdict(rules, replace(CALL, caller="02100000000", tenant="beta")) == Verdict("rest", False)


def test_a_call_that_no_rule_names_is_kept() -> None:
    """R2-06: an empty list filters nothing."""
    assert verdict([], CALL) == Verdict("", True)
    assert verdict([FilterRule("short", "drop", shorter_than=3.0)], CALL) == Verdict("", True)


@given(st.permutations([FilterRule(str(n), "keep" if n % 2 else "drop", order=n // 2) for n in range(6)]))
def test_the_order_of_the_list_is_the_rules_own(rules: list[FilterRule]) -> None:
    assert verdict(rules, CALL) == Verdict("0", False)


def test_mistakes_are_all_told() -> None:
    wrong = FilterRule("r", "keep", caller="abc", queue="nowhere", vdn="1", shorter_than=0.0)
    told = list(filter_problems(wrong, Plan(), Directory()))
    assert [sentence.partition(":")[0] for sentence in told] == ["caller", "vdn", "queue", "shorter_than"]
    assert list(filter_problems(FilterRule("r", "drop", queue="re*"), Plan(), Directory())) == []
