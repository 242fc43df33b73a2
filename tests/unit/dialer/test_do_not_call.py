"""Do-not-call lists in memory."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.do_not_call import OWN, DoNotCall, ImportedList, NumberSet
from tests.unit.dialer.law_cases import LONDON, MIAMI, NEW_YORK, NOON

NUMBERS = st.integers(1_000_000, 1_000_030).map(lambda n: f"+{n}")
STEPS = st.lists(st.tuples(st.sampled_from(["add", "remove"]), NUMBERS), max_size=60)


@given(st.lists(NUMBERS, max_size=30), STEPS)
def test_it_holds_what_a_plain_set_holds(first: list[str], steps: list[tuple[str, str]]) -> None:
    """Whatever is put in and taken out, each change is seen by the next look-up."""
    ours, plain = NumberSet(first), set(first)
    for what, number in steps:
        if what == "add":
            assert ours.add(number) is (number not in plain)
            plain.add(number)
        else:
            assert ours.remove(number) is (number in plain)
            plain.discard(number)
        assert (number in ours) is (number in plain)
        assert len(ours) == len(plain)
    assert set(ours) == plain
    assert all((f"+{n}" in ours) is (f"+{n}" in plain) for n in range(1_000_000, 1_000_031))


def test_a_number_takes_eight_bytes() -> None:
    """A register of a country has millions of them."""
    many = NumberSet(f"+1212{n:07}" for n in range(100_000))
    assert len(many) == 100_000
    assert sys.getsizeof(many._sorted) < 9 * 100_000
    assert "+12120000000" in many
    assert "+12120099999" in many
    assert "+12120100000" not in many


@pytest.mark.parametrize("number", ["", "12125550100", "+1", "+0212555010000", "+1212555010000000", "+1 212 555 0100"])
def test_what_is_no_number_is_refused_and_never_found(number: str) -> None:
    with pytest.raises(ValueError, match=r"no E\.164 number"):
        NumberSet([number])
    some = NumberSet([NEW_YORK])
    with pytest.raises(ValueError, match=r"no E\.164 number"):
        some.add(number)
    assert number not in some
    assert not some.remove(number)


def test_the_own_list_always_counts_and_others_where_they_are_named() -> None:
    """R3-12: own and imported lists, honoured at once."""
    register = ImportedList(NumberSet([NEW_YORK]), NOON)
    lists = DoNotCall(NumberSet([MIAMI]), {"us-register": register})
    assert lists.found_in(MIAMI) == OWN
    assert lists.found_in(NEW_YORK) is None
    assert lists.found_in(NEW_YORK, ["us-register"]) == "us-register"
    lists.own.add(LONDON)
    assert lists.found_in(LONDON) == OWN


def test_a_list_must_be_there_and_fresh() -> None:
    as_of = {"old": NOON - 32 * 86_400, "new": NOON - 86_400, "tomorrow": NOON + 86_400}
    lists = DoNotCall(imported={name: ImportedList(NumberSet(), day) for name, day in as_of.items()})
    assert lists.missing(["own", "new"]) is None
    assert lists.missing(["new", "gone"]) == "gone"
    assert lists.stale(["new", "old"], NOON, 31 * 86_400) == "old"
    assert lists.stale(["new"], NOON, 31 * 86_400) is None
    assert lists.stale(["tomorrow"], NOON, 31 * 86_400) == "tomorrow"
