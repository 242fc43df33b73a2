"""The built-in laws, and those of a file."""

from pathlib import Path

import pytest

from b2bua.settings import SettingsError, load
from dialer.holidays import read_holiday
from dialer.hours import read_week
from dialer.profiles import BUILT_IN, CN, DAY, HOUR, UK, US, US_REG_F, AttemptLimit
from tests.unit.dialer.law_cases import LONDON, MIAMI, NEW_YORK


@pytest.mark.parametrize(
    ("law", "start", "windows", "formula"),
    [
        (US, "greeting-end", ("30d",), "ftc"),
        (US_REG_F, "greeting-end", ("30d",), "ftc"),
        (UK, "answer", ("24h",), "ofcom"),
        (CN, "answer", ("24h", "30d"), "ftc"),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_the_figures_of_the_countries(law: object, start: str, windows: tuple[str, ...], formula: str) -> None:
    """3 %; 2 seconds from the completed greeting (US); 15 seconds of ringing; 30 days or 24 hours."""
    assert law in BUILT_IN.values()
    profile = next(one for one in BUILT_IN.values() if one is law)
    assert (profile.cap, profile.connect_limit, profile.ring_least) == (0.03, 2.0, 15.0)
    assert (profile.connect_start, profile.windows, profile.formula) == (start, windows, formula)
    assert profile.caller_id
    assert profile.message
    assert profile.countries


def test_collection_of_debts_and_the_uk_have_gaps() -> None:
    assert US_REG_F.attempts == (AttemptLimit(7, 7 * DAY),)
    assert US_REG_F.talk_gap == 7 * DAY
    assert (UK.abandoned_gap, UK.machine_gap) == (72 * HOUR, 24 * HOUR)
    assert US.list_age == 31 * DAY
    assert (CN.consent, CN.consent_proof) == ("always", True)


def test_a_region_is_known_by_number_or_place() -> None:
    assert len(US.rules(MIAMI)) == len(US.rules(NEW_YORK, "fl")) == 2
    assert len(US.rules(NEW_YORK)) == len(US.rules(NEW_YORK, "")) == len(US.rules(NEW_YORK, "CA")) == 1
    assert US.limits(MIAMI) == (AttemptLimit(3, DAY),)
    assert UK.limits(LONDON) == ()


FILE = """
[law_profiles.uk]
cap = 0.01

[law_profiles.collection]
base = "us-reg-f"
recorded_without_consent = ""
list_days = 0
attempts = ["2/24h per number", "7/7d"]

[law_profiles.house]
hours = ["mon-fri 10:00-16:00"]
holidays = ["12-25 Christmas Day", "easter+1"]
windows = ["24h", "campaign"]
abandoned_hours = 48
talk_days = 1
countries = ["DE", "AT"]

[law_regions.florida]
laws = ["us"]
prefixes = ["+1305"]
hours = ["daily 09:00-19:00"]

[law_regions.bavaria]
laws = ["house"]
place = "BY"
holidays = ["01-06 Epiphany"]
attempts = ["1/24h"]
"""


def test_a_file_changes_built_in_laws_and_makes_others(tmp_path: Path) -> None:
    """Law profiles are owned by the TOML file."""
    file = tmp_path / "tandem.toml"
    file.write_text(FILE)
    laws = load(file, {}).laws()
    assert list(laws) == ["us", "us-reg-f", "uk", "cn", "collection", "house"]
    assert (laws["uk"].cap, laws["uk"].formula) == (0.01, "ofcom")
    collection = laws["collection"]
    assert collection.name == "collection"
    assert (collection.recorded_without_consent, collection.list_age) == (None, None)
    assert collection.attempts == (AttemptLimit(2, DAY, "number"), AttemptLimit(7, 7 * DAY))
    house = laws["house"]
    assert house.week == read_week(["mon-fri 10:00-16:00"])
    assert house.holidays == (read_holiday("12-25 Christmas Day"), read_holiday("easter+1"))
    assert (house.abandoned_gap, house.talk_gap, house.windows) == (48 * HOUR, DAY, ("24h", "campaign"))
    assert house.limits("+498912345678", "BY") == (AttemptLimit(1, DAY),)
    [florida] = laws["us"].regions
    assert florida.week == read_week(["daily 09:00-19:00"])
    assert [region.name for region in laws["us-reg-f"].regions] == ["florida"]
    assert laws["us-reg-f"].regions != laws["us"].regions


def test_without_a_file_the_built_in_laws_are_there() -> None:
    assert load(None, {}).laws() == BUILT_IN


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[law_profiles.x]\ncap = 0.02", "law_profiles.x.hours: are needed"),
        ("[law_profiles.uk]\nwindows = []", "law_profiles.uk.windows: must name one"),
        ('[law_profiles.uk]\nhours = ["mon 8-9"]', "no span like 08:00-12:30"),
        ('[law_profiles.uk]\nholidays = ["32nd"]', "is no holiday"),
        ('[law_profiles.uk]\nattempts = ["many"]', "is no limit such as 7/7d"),
        ('[law_profiles.uk]\ncountries = ["UKR"]', "is no country code"),
        ('[law_profiles.uk]\nbase = "de"', "law_profiles.uk.base"),
        ("[law_profiles.uk]\ncap = 3", "law_profiles.uk.cap"),
        ('[law_regions.r]\nlaws = ["uk"]', "nothing says who lives there"),
        ('[law_regions.r]\nlaws = ["nowhere"]\nplace = "X"', 'no law is called "nowhere"'),
        ('[law_regions.r]\nlaws = ["uk"]\nprefixes = ["0131"]', "is no beginning of a number"),
    ],
)
def test_mistakes_name_their_key(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "tandem.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as found:
        load(file, {})
    assert words in str(found.value)


def test_an_environment_variable_sets_a_key() -> None:
    laws = load(
        None, {"TANDEM_LAW_PROFILES__UK__CAP": "0.005", "TANDEM_LAW_PROFILES__UK__ATTEMPTS": "3/24h,7/7d"}
    ).laws()
    assert laws["uk"].cap == 0.005
    assert laws["uk"].attempts == (AttemptLimit(3, DAY), AttemptLimit(7, 7 * DAY))
