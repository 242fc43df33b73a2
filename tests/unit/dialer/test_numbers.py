"""Numbers as owners write them."""

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dialer.numbers import BadNumber, e164, is_e164, regions


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("(212) 555-2368", "US", "+12125552368"),
        ("1 212 555 2368", "US", "+12125552368"),
        ("+1-212-555-2368", "", "+12125552368"),
        ("tel:+1-212-555-2368", "DE", "+12125552368"),
        ("011 44 20 7946 0018", "US", "+442079460018"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("030 901820", "DE", "+4930901820"),
        ("06 698 12345", "IT", "+390669812345"),
        ("13800138000", "CN", "+8613800138000"),
        ("\uff12\uff11\uff12\uff15\uff15\uff15\uff12\uff13\uff16\uff18", "US", "+12125552368"),
        (" 2125552368 ", "US", "+12125552368"),
        ("604 555 0199", "US", "+16045550199"),
    ],
)
def test_a_number_becomes_e164(text: str, region: str, number: str) -> None:
    """R3-02: the forms that people and systems write, national ones by the campaign's region."""
    assert e164(text, region) == number
    assert is_e164(number)


@pytest.mark.parametrize(
    ("text", "region", "why"),
    [
        ("", "US", "is empty"),
        ("abc", "US", "is no telephone number"),
        ("123", "US", "is too short"),
        ("2125552368", "", "has no country code, and the campaign names no region"),
        ("+999123456789", "", "has a country code that does not exist"),
        ("+1 212 555 2368 x5", "", "has an extension (5), which cannot be dialled"),
        ("+1 999 999 9999", "", "is in no range of the numbering plan of US"),
        ("+49 30 901820 901820 901820", "", "is too long"),
        ("911", "US", "is an emergency number"),
        ("112", "DE", "is an emergency number"),
        ("9" * 65, "US", "is longer than 64 characters"),
        ("\x00", "US", "is no telephone number"),
    ],
)
def test_a_bad_number_says_why(text: str, region: str, why: str) -> None:
    """R3-02: each has its own reason for the report by row."""
    with pytest.raises(BadNumber) as bad:
        e164(text, region)
    assert str(bad.value) == why


def slow(text: str, region: str) -> str | None:
    """What the library itself says."""
    try:
        found = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if found.extension or not phonenumbers.is_valid_number(found):
        return None
    return phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)


def quick(text: str, region: str) -> str | None:
    try:
        return e164(text, region)
    except BadNumber:
        return None


EXAMPLES = [
    (region, number)
    for region in sorted(regions())
    for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE)
    if (number := phonenumbers.example_number_for_type(region, kind)) is not None
]


def test_every_country_agrees_with_the_library() -> None:
    """R3-02: examples of all countries in five ways of writing, each near miss too: the quick way is never wrong."""
    for region, number in EXAMPLES:
        national = phonenumbers.national_significant_number(number)
        for text in (
            national,
            f"+{number.country_code}{national}",
            phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL),
            phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL),
            phonenumbers.format_out_of_country_calling_number(number, "US"),
            national[:-1],
            national + "0",
            f"0{national}",
            f"{number.country_code}{national}",
        ):
            assert quick(text, region) == slow(text, region), (text, region)


@given(st.sampled_from(EXAMPLES), st.data())
@example(EXAMPLES[0], None)
def test_changed_digits_agree_with_the_library(
    example_: tuple[str, phonenumbers.PhoneNumber], data: st.DataObject | None
) -> None:
    """R3-02: whatever the digits, a number is taken exactly when the library says that it exists."""
    region, number = example_
    text = phonenumbers.national_significant_number(number)
    if data is not None:
        at = data.draw(st.integers(0, len(text) - 1))
        text = text[:at] + data.draw(st.text("0123456789", max_size=4)) + text[at + data.draw(st.integers(0, 3)) :]
        text = data.draw(st.sampled_from(["", "+", f"+{number.country_code}", str(number.country_code), "0"])) + text
    assert quick(text, region) == slow(text, region)
