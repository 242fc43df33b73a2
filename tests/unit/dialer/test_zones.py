"""The time zones a number can be in."""

import pytest
from phonenumbers.tzdata import TIMEZONE_DATA

from dialer.zones import possible_zones, ready, zones_of
from tests.unit.dialer.law_cases import FREEPHONE, LONDON, NEW_YORK, SHANGHAI


def test_a_number_of_a_place_has_its_zone() -> None:
    ready()
    assert zones_of(NEW_YORK) == {"America/New_York"}
    assert zones_of(LONDON) == {"Europe/London"}
    assert zones_of(SHANGHAI) == {"Asia/Shanghai"}


def test_a_number_of_no_place_may_be_anywhere_in_its_country_code() -> None:
    """R3-12: every possible zone of the number."""
    assert {"America/New_York", "Pacific/Honolulu", "America/Anchorage"} <= zones_of(FREEPHONE)
    assert {"Europe/London", "Europe/Jersey"} <= zones_of("+447911123456")


@pytest.mark.parametrize("code", ["850", "448"])
def test_an_area_code_in_two_zones_is_in_both_whatever_the_exchange(code: str) -> None:
    """R3-12: Pensacola or Tallahassee: a number moves with its owner, and a mobile's exchange says nothing."""
    assert zones_of(f"+1{code}4325000") >= {"America/Chicago", "America/New_York"}
    assert zones_of(f"+1{code}5775000") >= {"America/Chicago", "America/New_York"}


def test_no_exchange_is_surer_of_its_zone_than_its_area_code() -> None:
    every = {
        f"+{prefix:0<11}": zones
        for prefix, zones in TIMEZONE_DATA.items()
        if prefix.startswith("1") and len(prefix) > 3
    }
    for number, zones in every.items():
        assert zones_of(number) == frozenset() or zones_of(number) >= set(zones)


@pytest.mark.parametrize("number", ["", "112", "+999123456789", "no number", "+870773111632"])
def test_what_is_nowhere_has_none(number: str) -> None:
    assert zones_of(number) == frozenset()


def test_what_the_owner_states_is_one_more_possibility() -> None:
    assert possible_zones(NEW_YORK, "", "America/Denver") == {"America/New_York", "America/Denver"}
    assert possible_zones(NEW_YORK, "America/Denver", stated_only=True) == {"America/Denver"}
    assert possible_zones(NEW_YORK, "", "", stated_only=True) == {"America/New_York"}


def test_a_number_that_is_nowhere_is_where_the_owner_says() -> None:
    assert possible_zones("+870773111632", "Europe/Oslo") == {"Europe/Oslo"}


def test_a_zone_that_nobody_knows_makes_all_unknown() -> None:
    assert possible_zones(NEW_YORK, "America/Gotham") == frozenset()
    assert possible_zones(NEW_YORK, "../etc/passwd") == frozenset()
