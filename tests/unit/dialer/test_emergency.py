"""Emergency and short numbers are never dialled, however they are written, whatever country they are of."""

import re

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import shortnumberinfo

from dialer.emergency import LONGEST, country_of, never_dialled
from dialer.forbidden import Forbidden, Reason
from dialer.hours import read_week
from dialer.profiles import LawProfile
from tests.unit.dialer.law_cases import FREEPHONE, LONDON, MIAMI, NEW_YORK, SHANGHAI, check, contact

REGIONS = sorted(phonenumbers.SUPPORTED_SHORT_REGIONS)
ANYTHING_GOES = LawProfile("any", week=read_week(["daily 00:00-24:00"]), caller_id=False, message=False)


def patterns() -> dict[str, str]:
    """The emergency numbers of each region, as its metadata writes them."""
    found = {}
    for region in REGIONS:
        metadata = phonenumbers.PhoneMetadata.short_metadata_for_region(region)
        if metadata is not None and metadata.emergency is not None and metadata.emergency.national_number_pattern:
            found[region] = metadata.emergency.national_number_pattern
    return found


PATTERNS = patterns()


def written(region: str, digits: str) -> list[str]:
    """How somebody might put them into a list."""
    code = phonenumbers.country_code_for_region(region)
    return [digits, f"+{digits}", f"+{code}{digits}", f"00{code}{digits}", f"+{code}0{digits}"]


@pytest.mark.parametrize("region", REGIONS)
def test_no_emergency_number_of_a_country_is_dialled(region: str) -> None:
    """R3-12: emergency numbers never; all of two and three digits, and the examples of longer ones."""
    pattern = re.compile(PATTERNS.get(region, "(?!)"))
    numbers = [text for width in (2, 3) for n in range(10**width) if pattern.fullmatch(text := f"{n:0{width}}")]
    metadata = phonenumbers.PhoneMetadata.short_metadata_for_region(region)
    assert metadata is not None
    numbers += [metadata.emergency.example_number] if metadata.emergency and metadata.emergency.example_number else []
    assert numbers or region not in PATTERNS
    for digits in numbers:
        assert never_dialled(digits) is Reason.EMERGENCY
        for text in written(region, digits):
            assert never_dialled(text) is not None
            verdict = check(contact(text, zone="Europe/London"), law=ANYTHING_GOES)
            assert isinstance(verdict, Forbidden)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_nor_are_longer_ones(data: st.DataObject) -> None:
    region = data.draw(st.sampled_from(sorted(PATTERNS)))
    digits = data.draw(st.from_regex(PATTERNS[region], fullmatch=True))
    assert all(never_dialled(text) is not None for text in written(region, digits))


def test_longer_numbers_need_no_comparison() -> None:
    metadata = filter(None, map(phonenumbers.PhoneMetadata.short_metadata_for_region, REGIONS))
    assert max(max(one.emergency.possible_length or [0]) for one in metadata if one.emergency) <= LONGEST


@pytest.mark.parametrize("region", REGIONS)
def test_no_short_number_of_a_country_is_dialled(region: str) -> None:
    digits = shortnumberinfo._example_short_number(region)
    assert all(never_dialled(text) is not None for text in written(region, digits)[:3])


@given(st.one_of(st.text(max_size=20), st.from_regex(r"\+?[0-9 ]{1,17}", fullmatch=True)))
@settings(max_examples=500, deadline=None)
def test_whatever_is_let_through_is_a_number_of_the_world(text: str) -> None:
    if never_dialled(text) is None:
        assert phonenumbers.is_valid_number(phonenumbers.parse(text))
        assert re.fullmatch(r"\+[1-9][0-9]{6,14}", text)


@pytest.mark.parametrize("number", [LONDON, NEW_YORK, MIAMI, SHANGHAI, FREEPHONE, "+33155123456", "+493012345678"])
def test_ordinary_numbers_are(number: str) -> None:
    """Numbers of Paris begin with 15 and those of Beijing with 10: that alone is no short number."""
    assert never_dialled(number) is None


def test_few_numbers_that_people_have_are_taken_for_short_ones() -> None:
    """Every country's example of a fixed line and a mobile may be called."""
    kinds = (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE)
    examples = [
        phonenumbers.example_number_for_type(region, kind)
        for region in phonenumbers.SUPPORTED_REGIONS
        for kind in kinds
    ]
    texts = [phonenumbers.format_number(one, phonenumbers.PhoneNumberFormat.E164) for one in examples if one]
    refused = [text for text in texts if never_dialled(text) is not None and len(text) > 7]
    assert len(texts) > 400
    assert refused == []


@pytest.mark.parametrize(
    ("number", "country"), [(LONDON, "GB"), (NEW_YORK, "US"), (FREEPHONE, "US"), ("+870773111632", "001"), ("x", "")]
)
def test_a_number_has_a_country(number: str, country: str) -> None:
    assert country_of(number) == country
