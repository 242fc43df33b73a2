"""Numbers in all their spellings, and the plan that takes them apart."""

from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.digits import (
    MAX_DIGITS,
    BadDigits,
    BadNumber,
    Capacity,
    Dialling,
    DigitPlan,
    Nature,
    Split,
    capacity,
    identities,
    lookup_forms,
    luhn,
    normalise,
    read_number,
    readings,
)

CHINA = Dialling("86", "0")
NOWHERE = Dialling()


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("13800000000", "13800000000"),
        ("+8613800000000", "13800000000"),
        ("008613800000000", "13800000000"),
        ("+86 (138) 0000-0000", "13800000000"),
        ("+86.138.0000.0000;npdi;rn=+8610;cic=1", "13800000000"),
        ("05951234567", "5951234567"),
        ("8613800000000", "13800000000"),
        ("+14155550100", "14155550100"),
        ("0014155550100", "14155550100"),
        ("4008100001;phone-context=+86", "4008100001"),
        ("0", "0"),
        ("00", "0"),
        ("86", "86"),
        ("+86", "86"),
    ],
)
def test_every_spelling_of_a_number_becomes_one(written: str, digits: str) -> None:
    """R1-03: country code, 00, national prefix, visual separators and parameters, per trunk country."""
    assert normalise(written, CHINA) == digits


@pytest.mark.parametrize(
    "written",
    ["", "+", "alice", "*31#10", "12+3", "١٢٣", "1²", ";npdi", "--", "1" * (MAX_DIGITS + 1), "1\x002", "\udcb1"],
)
def test_what_is_no_number_is_refused(written: str) -> None:
    """R1-05: malformed."""
    with pytest.raises(BadNumber, match="not a number"):
        read_number(written)


def test_separators_do_not_hide_how_long_a_number_is() -> None:
    """R1-05: nothing is cut off in silence."""
    with pytest.raises(BadNumber):
        read_number("1-" * 500 + "2")
    assert read_number("1" + "-" * 900 + "2;npdi") == ("12", Nature.UNKNOWN)


@pytest.mark.parametrize(
    ("digits", "nature", "found"),
    [
        ("865100", Nature.INTERNATIONAL, ("5100",)),
        ("15100", Nature.INTERNATIONAL, ("15100",)),
        ("05100", Nature.NATIONAL, ("05100",)),
        ("865100", Nature.SUBSCRIBER, ("865100",)),
        ("00865100", Nature.UNKNOWN, ("00865100", "5100")),
        ("0015100", Nature.UNKNOWN, ("0015100", "15100")),
        ("05100", Nature.UNKNOWN, ("05100", "5100")),
        ("865100", Nature.UNKNOWN, ("865100", "5100")),
        ("5100", Nature.UNKNOWN, ("5100",)),
    ],
)
def test_the_nature_of_address_decides_what_is_taken_off(digits: str, nature: Nature, found: tuple[str, ...]) -> None:
    """R1-03: nature of address decides +CC and 0 stripping."""
    assert readings(digits, nature, CHINA) == found


def test_without_a_country_nothing_but_00_is_taken_off() -> None:
    """R1-03"""
    assert readings("865100", Nature.INTERNATIONAL, NOWHERE) == ("865100",)
    assert readings("05100", Nature.UNKNOWN, NOWHERE) == ("05100",)
    assert readings("00865100", Nature.UNKNOWN, NOWHERE) == ("00865100", "865100")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("+8613800000000", "13800000000", True),
        ("013800000000", "008613800000000", True),
        ("8613800000000", "13800000000", True),
        ("8613800000000", "+8613800000000", True),
        ("+14155550100", "0014155550100", True),
        ("+14155550100", "14155550100", False),
        ("13800000000", "13800000001", False),
        ("+8613800000000", "+8513800000000", False),
    ],
)
def test_two_spellings_are_the_same_number_only_if_they_can_be(one: str, other: str, same: bool) -> None:
    """R1-05: the billing-number check compares numbers, not spellings."""
    left, right = (set(identities(*read_number(text), CHINA)) for text in (one, other))
    assert bool(left & right) is same


def test_a_subscriber_number_is_one_of_our_country() -> None:
    assert identities("8613", Nature.NATIONAL, CHINA) == ("868613",)


@pytest.mark.parametrize(
    ("written", "forms"),
    [
        ("4008100001", ("4008100001", "864008100001", "04008100001")),
        ("+864008100001", ("4008100001", "864008100001", "04008100001")),
        ("04008100001", ("04008100001", "4008100001", "864008100001")),
        ("+14155550100", ("14155550100",)),
        ("0014155550100", ("0014155550100", "14155550100")),
    ],
)
def test_a_table_may_list_a_called_number_in_any_form(written: str, forms: tuple[str, ...]) -> None:
    """R1-05"""
    assert lookup_forms(*read_number(written), CHINA) == forms


@pytest.mark.parametrize(
    ("payload", "digit"),
    [
        ("7992739871", "3"),
        ("0", "0"),
        ("1", "8"),
        ("424242424242424", "2"),
        ("37828224631000", "5"),
        ("510000004711", "1"),
    ],
)
def test_the_check_digit_is_luhns(payload: str, digit: str) -> None:
    """R1-04: optional check digit, ISO/IEC 7812-1."""
    assert luhn(payload) == digit


PLAN = DigitPlan(prefix="95", access_id_width=4, sequence_width=6)


@pytest.mark.parametrize(
    ("digits", "why", "short"),
    [
        ("", "other characters", False),
        ("95510000471x", "other characters", False),
        ("9", "shorter than the prefix", True),
        ("94510000471", "another prefix", False),
        ("95510000471", "too few", True),
        ("9551000047110", "too many", False),
        ("٩٥٥١٠٠٠٠٤٧١١", "other characters", False),
    ],
)
def test_digits_that_do_not_fit_say_why(digits: str, why: str, short: bool) -> None:
    """R1-05: malformed and too short are told apart."""
    with pytest.raises(BadDigits, match=why) as caught:
        PLAN.split(digits)
    assert caught.value.short is short


def test_a_plan_with_fixed_width_composes_and_splits() -> None:
    """R1-03, R1-04: optional prefix, access ID of fixed width, sequence width."""
    assert PLAN.compose("5100", "004711") == "955100004711"
    assert PLAN.split("955100004711") == Split("5100", "004711")


def test_a_plan_with_check_digit_refuses_one_wrong_digit() -> None:
    """R1-04: optional check digit."""
    plan = DigitPlan(access_id_width=4, sequence_width=8, check_digit="luhn")
    number = plan.compose("5100", "00004711")
    assert number == "5100000047111"
    assert plan.split(number) == Split("5100", "00004711")
    for place in range(len(number)):
        other = str((int(number[place]) + 1) % 10)
        with pytest.raises(BadDigits, match="wrong check digit"):
            plan.split(number[:place] + other + number[place + 1 :])


def test_the_check_digit_is_the_same_on_trunks_with_another_prefix() -> None:
    """R1-04"""
    bare, prefixed = (DigitPlan(prefix, 4, 8, "luhn") for prefix in ("", "9"))
    assert prefixed.compose("5100", "00004711") == "9" + bare.compose("5100", "00004711")


@pytest.mark.parametrize("access_id", ["5", "51", "510000"])
def test_a_plan_without_fixed_width_takes_ids_of_any_width(access_id: str) -> None:
    """R1-04: access IDs may be prefix-free instead of of one width."""
    plan = DigitPlan("0", None, 6, "luhn")
    assert plan.split(plan.compose(access_id, "004711")) == Split(access_id, "004711")
    with pytest.raises(BadDigits) as caught:
        plan.split("0" + "004711" + "1")
    assert caught.value.short


def test_a_truncated_number_of_a_known_id_is_seen() -> None:
    """R1-05: too short."""
    plan = DigitPlan("0", None, 6)
    assert plan.short_of("0510000471", "5100")
    assert not plan.short_of("05100004711", "5100")
    assert not plan.short_of("0520000471", "5100")


@pytest.mark.parametrize(
    ("access_id", "sequence", "why"),
    [
        ("510", "004711", "must have 4 digits"),
        ("5100", "04711", "must have 6 digits"),
        ("51x0", "004711", "must be digits"),
        ("5100", "", "must be digits"),
        ("", "004711", "must be digits"),
        ("5100", "00471²", "must be digits"),
    ],
)
def test_nothing_is_composed_that_cannot_be_split(access_id: str, sequence: str, why: str) -> None:
    """R1-04"""
    with pytest.raises(BadDigits, match=why):
        PLAN.compose(access_id, sequence)


def test_fifteen_digits_are_the_limit_and_sixteen_where_the_trunk_says_so() -> None:
    """R1-04: longer than 15 digits is refused, 16 where a trunk carries it."""
    plan = DigitPlan("", 6, 9, "luhn")
    with pytest.raises(BadDigits, match="16 digits, the trunk carries 15"):
        plan.compose("510000", "000004711")
    number = replace(plan, max_digits=16).compose("510000", "000004711")
    assert len(number) == 16
    with pytest.raises(BadDigits, match="too many"):
        DigitPlan("", None, 9, "luhn").split(number)


def test_the_capacity_is_what_the_time_to_live_leaves() -> None:
    """R1-04: the capacity against the TTL is shown."""
    assert capacity(DigitPlan(access_id_width=4, sequence_width=6), 300.0) == Capacity(1_000_000, 300.0, 10_000 / 3)


@given(st.text(max_size=60))
def test_only_its_own_error_leaves_the_reader_of_numbers(text: str) -> None:
    """R1-05: never a crash."""
    try:
        digits, nature = read_number(text)
    except BadNumber:
        return
    assert digits.isascii()
    assert digits.isdigit()
    found = readings(digits, nature, CHINA)
    assert len(set(found)) == len(found)
    assert "" not in found
    assert set(found) <= set(lookup_forms(digits, nature, CHINA))


@given(
    st.text(max_size=20) | st.text("0123456789", max_size=20),
    st.sampled_from([None, 1, 4]),
    st.sampled_from(["none", "luhn"]),
)
def test_only_its_own_error_leaves_the_plan(digits: str, width: int | None, check: Literal["none", "luhn"]) -> None:
    """R1-05: never a crash; and what was split composes to the same number."""
    plan = DigitPlan("9", width, 5, check)
    try:
        access_id, sequence = plan.split(digits)
    except BadDigits:
        return
    assert plan.compose(access_id, sequence) == digits


@given(
    st.text("0123456789", max_size=3),
    st.text("0123456789", min_size=1, max_size=5),
    st.text("0123456789", min_size=1, max_size=6),
    st.sampled_from(["none", "luhn"]),
    st.booleans(),
)
def test_what_is_composed_is_split_again(
    prefix: str, access_id: str, sequence: str, check: Literal["none", "luhn"], fixed: bool
) -> None:
    """R1-03, R1-04"""
    plan = DigitPlan(prefix, len(access_id) if fixed else None, len(sequence), check)
    assert plan.split(plan.compose(access_id, sequence)) == Split(access_id, sequence)
