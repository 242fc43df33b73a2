"""Telephone numbers as owners write them, as E.164."""

from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber

LONGEST: Final = 64
"Characters of a number as written; longer ones are not looked at."

_WHY = {
    NumberParseException.INVALID_COUNTRY_CODE: "has no country code, and the campaign names no region",
    NumberParseException.NOT_A_NUMBER: "is no telephone number",
    NumberParseException.TOO_SHORT_AFTER_IDD: "is too short",
    NumberParseException.TOO_SHORT_NSN: "is too short",
    NumberParseException.TOO_LONG: "is too long",
}


class BadNumber(ValueError):
    """Text that is no number we may dial; the message says why, as the end of a sentence."""


def e164(text: str, region: str = "") -> str:
    """The number as +CC and digits. `region` (ISO 3166) is the country of numbers without +CC.

    Raises BadNumber: no number, none of the numbering plan, an extension behind it, or an emergency number.
    """
    text = text.strip()
    if not text:
        raise BadNumber("is empty")
    if len(text) > LONGEST:
        raise BadNumber(f"is longer than {LONGEST} characters")
    try:
        found = phonenumbers.parse(text, region or None)
    except NumberParseException as error:
        if error.error_type == NumberParseException.INVALID_COUNTRY_CODE and text.startswith("+"):
            raise BadNumber("has a country code that does not exist") from None
        raise BadNumber(_WHY.get(error.error_type, "is no telephone number")) from None
    if found.extension:
        raise BadNumber(f"has an extension ({found.extension}), which cannot be dialled")
    if not phonenumbers.is_valid_number(found):
        raise BadNumber(_invalid(text, region, found))
    return f"+{found.country_code}{phonenumbers.national_significant_number(found)}"


def _invalid(text: str, region: str, found: PhoneNumber) -> str:
    if region and phonenumbers.connects_to_emergency_number(text, region):
        return "is an emergency number"
    why = {
        phonenumbers.ValidationResult.TOO_SHORT: "is too short",
        phonenumbers.ValidationResult.TOO_LONG: "is too long",
        phonenumbers.ValidationResult.INVALID_COUNTRY_CODE: "has a country code that does not exist",
    }
    country = phonenumbers.region_code_for_country_code(found.country_code)
    return why.get(
        phonenumbers.is_possible_number_with_reason(found), f"is in no range of the numbering plan of {country}"
    )


def is_e164(text: str) -> bool:
    """Whether it has the form of a number already normalised."""
    return len(text) > 4 and text[0] == "+" and text[1:].isascii() and text[1:].isdigit() and len(text) <= 16


@lru_cache(maxsize=1)
def regions() -> frozenset[str]:
    """Every country that numbers can belong to."""
    return frozenset(phonenumbers.SUPPORTED_REGIONS)
