"""Steps that turn one way of writing numbers into another."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.number_rules import BadRule, NumberPlan, Region, Rules

GERMANY = Region("49", "0", "00")
NORTH_AMERICA = Region("1", "1", "011")


def rules(*steps: str, region: Region = GERMANY) -> Rules:
    return Rules.parse(steps, region)


@pytest.mark.parametrize(
    ("steps", "number", "wanted"),
    [
        (("e164",), "030123", "+4930123"),
        (("e164",), "004930123", "+4930123"),
        (("e164",), "+4930123", "+4930123"),
        (("e164",), "0043199", "+43199"),
        (("digits",), "030123", "4930123"),
        (("national",), "+4930123", "030123"),
        (("national",), "+43199", "0043199"),
        (("international",), "030123", "004930123"),
        (("strip 9", "e164"), "9030123", "+4930123"),
        (("strip 9",), "030123", "030123"),
        (("add 77",), "123", "77123"),
        ((r"^0([1-9]\d*)$ -> +49\1",), "030123", "+4930123"),
        ((r"^0([1-9]\d*)$ -> +49\1",), "0043199", "0043199"),
        ((r"(\d{3}) -> 030\1",), "123", "030123"),
        (("e164", r"\+49(\d+) -> 0\1"), "030123", "030123"),
        (("e164",), "anonymous", "anonymous"),
        (("e164",), "", ""),
        (("add 9",), "", ""),
        (("strip 0",), "0" * 50, "0" * 50),  # no number any more
    ],
)
def test_steps(steps: tuple[str, ...], number: str, wanted: str) -> None:
    assert rules(*steps).apply(number) == wanted


def test_where_national_numbers_begin_with_the_country_code() -> None:
    assert rules("e164", region=NORTH_AMERICA).apply("12125550100") == "+12125550100"
    assert rules("e164", region=NORTH_AMERICA).apply("01149301234") == "+49301234"


@given(st.from_regex(r"\+[1-9][0-9]{3,14}", fullmatch=True))
def test_each_form_says_the_same_number(number: str) -> None:
    for form in ("digits", "international", "national"):
        told = rules(form).apply(number)
        if form != "digits":  # without a plus or a prefix nobody can tell a country code from an area
            assert rules("e164").apply(told) == number
    assert rules("digits").apply(number) == number[1:]


@given(st.text(max_size=60), st.lists(st.sampled_from(["e164", "national", "strip 0", "add 00", r"0(.*) -> \1"])))
def test_never_raises_and_is_bounded(number: str, steps: list[str]) -> None:
    assert len(rules(*steps).apply(number)) <= max(len(number), 40) + 40


@pytest.mark.parametrize(
    "step",
    ["", "e16", "strip", "add", "strip 1 2", "(a+)+ -> 1", "(a*)* -> 1", r"(\d)(\1) -> 9", "(?=a) -> 1", "( -> 1",
     r"(\d+) -> \2", ".*.*.*.* -> 1", "(ab){2,} -> 1", "x" * 200 + " -> 1"],
)  # fmt: skip
def test_what_is_no_step_or_could_hang_is_refused(step: str) -> None:
    with pytest.raises(BadRule):
        rules(step)


def test_a_form_needs_a_country_code() -> None:
    with pytest.raises(BadRule, match="country_code"):
        rules("e164", region=Region())


def test_the_worst_pattern_that_is_allowed_is_quick() -> None:
    worst = rules(".*.*.*x -> 1")
    began = time.perf_counter()
    worst.apply("0" * 40)
    assert time.perf_counter() - began < 0.05


def test_examples_are_checked() -> None:
    plan = NumberPlan(called_out=rules("e164"))
    assert plan.example("called_out 030123 -> +4930123") is None
    assert plan.example("called_out 030123 -> 123") == '"called_out 030123 -> 123": the rules make +4930123 of it'
    for text in ("030123 -> 1", "called_out -> 1", "called_up 1 -> 1", "called_out 1"):
        assert "is no example" in (plan.example(text) or "")
