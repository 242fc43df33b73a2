"""Hours by the clocks of the called: open only where every rule is open in every possible zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.holidays import read_holiday
from dialer.hours import Rule, Week, look, next_open, read_week
from dialer.profiles import BUILT_IN
from routing.business_hours import BadSpan
from tests.unit.dialer.law_cases import at

DAILY = Rule(read_week(["daily 08:00-21:00"]))
ZONES = sorted(name for name in available_timezones() if "/" in name)
SHIFTING = (
    "America/New_York", "America/St_Johns", "Europe/London", "Australia/Lord_Howe", "Africa/Casablanca",
    "America/Santiago", "Asia/Beirut", "Pacific/Apia",
)  # fmt: skip
"Clocks that leap by half an hour, by night, at midnight, for Ramadan, and once over a whole day."
INSTANTS = st.floats(at("2009-01-01 00:00"), at("2036-01-01 00:00"))
SETS = st.lists(st.sampled_from(ZONES), min_size=1, max_size=8, unique=True)
RULES = st.sampled_from([(profile.name, profile.rules("+13055550100", "FL")) for profile in BUILT_IN.values()])


def minute_of(zone: str, now: float) -> tuple[int, int]:
    """Weekday and minute of the day, found another way than the code does."""
    local = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=now)
    local = local.astimezone(ZoneInfo(zone))
    return local.isoweekday() - 1, local.hour * 60 + local.minute


@given(SETS, INSTANTS, RULES)
@settings(max_examples=400, deadline=None)
def test_no_instant_outside_the_hours_of_any_zone_is_open(zones: list[str], now: float, law: tuple) -> None:  # type: ignore[type-arg]
    """R3-12: the local time of the called place; every possible one must be open."""
    clocks = [minute_of(zone, now) for zone in zones]
    inside = all(
        any(opens <= minute < closes for opens, closes in rule.week.days[day])
        for day, minute in clocks
        for rule in law[1]
    )
    assert look(law[1], zones, now).open is inside


@given(SETS, INSTANTS, RULES)
@settings(max_examples=200, deadline=None)
def test_where_it_opens_next_it_is_open(zones: list[str], now: float, law: tuple) -> None:  # type: ignore[type-arg]
    """The instant given to the scheduler is never one at which the check would say no again."""
    found = next_open(law[1], zones, now)
    assert found is None or (found >= now and look(law[1], zones, found).open)


@given(SETS, INSTANTS)
@settings(max_examples=60, deadline=None)
def test_it_opens_next_no_later_than_it_does(zones: list[str], now: float) -> None:
    """Against a walk by quarters of an hour, in which all clocks of the world open, over weeks without a leap."""
    end = now + 15 * 86_400
    if any(
        datetime.fromtimestamp(now, ZoneInfo(zone)).utcoffset()
        != datetime.fromtimestamp(end + 86_400, ZoneInfo(zone)).utcoffset()
        for zone in zones
    ):
        return
    quarters = [now, *((now // 900 + step) * 900 for step in range(1, 2 * 96))]
    first = next((one for one in quarters if look([DAILY], zones, one).open), None)
    found = next_open([DAILY], zones, now)
    if first is not None:
        assert found == first
    else:
        assert found is None  # hours that do not meet on two days never do without a leap


def leaps(zone: str, year: int) -> list[float]:
    """The hours of a year before which a zone's clock leaps."""
    begin, clock = at(f"{year}-01-01 00:00", "UTC"), ZoneInfo(zone)
    offsets = [datetime.fromtimestamp(begin + hour * 3600, clock).utcoffset() for hour in range(366 * 24)]
    return [begin + hour * 3600 for hour in range(1, len(offsets)) if offsets[hour] != offsets[hour - 1]]


@pytest.mark.parametrize("zone", SHIFTING)
@pytest.mark.parametrize(
    "spans", [["daily 08:00-21:00"], ["daily 00:00-02:30"], ["daily 01:30-03:15", "sun 23:30-24:00"]]
)
def test_no_leap_of_a_clock_opens_a_closed_minute(zone: str, spans: list[str]) -> None:
    """R3-12: daylight saving begins and ends; minutes that come twice are open or closed twice."""
    rule = Rule(read_week(spans))
    for year in (2011, 2026):
        for leap in leaps(zone, year):
            for step in range(-24 * 6, 24 * 6):
                now = leap + step * 600
                day, minute = minute_of(zone, now)
                inside = any(opens <= minute < closes for opens, closes in rule.week.days[day])
                assert look([rule], [zone], now).open is inside
                found = next_open([rule], [zone], now)
                assert found is not None
                assert look([rule], [zone], found).open


def test_the_last_zone_to_open_opens_and_the_first_to_close_closes() -> None:
    """A number of no place may be in Honolulu and in New York: only where both are inside the hours."""
    both = ["America/New_York", "Pacific/Honolulu"]
    assert look([DAILY], both, at("2026-06-03 13:59", "America/New_York")).zone == "Pacific/Honolulu"
    assert look([DAILY], both, at("2026-06-03 14:00", "America/New_York")).open
    assert look([DAILY], both, at("2026-06-03 20:59", "America/New_York")).open
    assert look([DAILY], both, at("2026-06-03 21:00", "America/New_York")).zone == "America/New_York"
    assert next_open([DAILY], both, at("2026-06-03 21:00", "America/New_York")) == at(
        "2026-06-04 14:00", "America/New_York"
    )


def test_without_a_zone_it_is_never_open() -> None:
    """R3-12: an unknown zone means: do not dial."""
    assert not look([DAILY], [], at("2026-06-03 12:00")).open
    assert next_open([DAILY], [], at("2026-06-03 12:00")) is None


def test_a_holiday_is_closed_by_its_own_clock() -> None:
    rule = Rule(DAILY.week, (read_holiday("12-25 Christmas Day"),))
    seen = look([rule], ["Asia/Tokyo"], at("2026-12-25 10:00", "Asia/Tokyo"))
    assert (seen.open, seen.holiday) == (False, "Christmas Day")
    assert look([rule], ["America/New_York"], at("2026-12-25 10:00", "Asia/Tokyo")).open
    assert next_open([rule], ["Asia/Tokyo"], at("2026-12-25 00:10", "Asia/Tokyo")) == at(
        "2026-12-26 08:00", "Asia/Tokyo"
    )


def test_who_is_closed_for_two_weeks_has_no_next_opening() -> None:
    days = tuple(read_holiday(f"06-{day:02}") for day in range(1, 31))
    assert next_open([Rule(DAILY.week, days)], ["Europe/London"], at("2026-06-02 12:00")) is None
    assert next_open([Rule(Week())], ["Europe/London"], at("2026-06-02 12:00")) is None


def test_a_week_is_read_as_people_write_it() -> None:
    week = read_week(["mon-fri 08:00-21:00", "sat,sun 09:00-12:00 14:00-18:00"])
    assert week.days == (((480, 1260),),) * 5 + (((540, 720), (840, 1080)),) * 2
    assert read_week(["sat-mon 00:00-24:00"]).days == (((0, 1440),), (), (), (), (), ((0, 1440),), ((0, 1440),))


@pytest.mark.parametrize("line", ["", "mon", "monday 08:00-21:00", "mon-fry 08:00-09:00", "mon 21:00-08:00", "mon 8-9"])
def test_a_week_that_is_none_is_refused(line: str) -> None:
    with pytest.raises(BadSpan):
        read_week([line])
