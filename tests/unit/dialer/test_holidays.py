"""Days on which nobody is called."""

from datetime import date, timedelta

import pytest

from dialer.holidays import BadHoliday, easter_sunday, holiday_on, read_holiday


@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("12-25 Christmas Day", date(2026, 12, 25)),
        ("12-25", date(2031, 12, 25)),
        ("2026-02-17 Spring Festival", date(2026, 2, 17)),
        ("easter", date(2026, 4, 5)),
        ("easter-2 Good Friday", date(2026, 4, 3)),
        ("easter+1 Easter Monday", date(2027, 3, 29)),
        ("last mon may Spring bank holiday", date(2026, 5, 25)),
        ("1 mon sep Labor Day", date(2026, 9, 7)),
        ("4 thu nov Thanksgiving Day", date(2026, 11, 26)),
        ("5 sun mar", date(2026, 3, 29)),
        ("Last  MON  may", date(2027, 5, 31)),
        ("02-29", date(2028, 2, 29)),
    ],
)
def test_a_line_is_a_holiday_of_its_day_and_of_no_other_near_it(line: str, day: date) -> None:
    holiday = read_holiday(line)
    assert holiday.falls_on(day)
    assert not any(holiday.falls_on(day + timedelta(days=off)) for off in (*range(-20, 0), *range(1, 20)))


def test_a_dated_holiday_is_one_year_s() -> None:
    assert not read_holiday("2026-02-17 Spring Festival").falls_on(date(2027, 2, 17))


def test_its_name_is_what_follows_the_day() -> None:
    two = (read_holiday("12-25 Christmas Day"), read_holiday("12-26"))
    assert holiday_on(date(2026, 12, 25), two) == "Christmas Day"
    assert holiday_on(date(2026, 12, 26), two) == "12-26"
    assert holiday_on(date(2026, 12, 27), two) is None


@pytest.mark.parametrize(
    "line", ["", "christmas", "13-01", "02-30", "2026-02-29", "12-256", "6 mon may", "easter1", "0 mon may", "last may"]
)
def test_what_is_no_holiday_is_refused(line: str) -> None:
    with pytest.raises(BadHoliday):
        read_holiday(line)


@pytest.mark.parametrize(
    ("year", "month", "day"),
    [(1818, 3, 22), (2008, 3, 23), (2019, 4, 21), (2025, 4, 20), (2038, 4, 25), (2285, 3, 22)],
)  # fmt: skip
def test_easter_is_where_the_almanac_has_it(year: int, month: int, day: int) -> None:
    """The earliest and the latest Easter there can be are among them."""
    assert easter_sunday(year) == date(year, month, day)
