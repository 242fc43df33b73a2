"""Telephone numbers as owners write them, as E.164."""

import re
from dataclasses import dataclass
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
    if (quick := _quick(text, region)) is not None:
        return quick
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
    country = phonenumbers.region_code_for_country_code(found.country_code or 0)
    return why.get(
        phonenumbers.is_possible_number_with_reason(found), f"is in no range of the numbering plan of {country}"
    )


_PLAIN = re.compile(r"(\+?)((?:\([0-9]+\) ?)?[0-9]+(?:[ .-][0-9]+)*)")
_MARKS = str.maketrans("", "", " .-()")


@dataclass(frozen=True, slots=True)
class _Numbering:
    """A country's numbering plan, as far as plainly written numbers need it."""

    code: str
    prefixes: re.Pattern[str]
    "What may stand before a national number: trunk and international prefixes."
    whole: re.Pattern[str]
    kinds: tuple[tuple[frozenset[int], re.Pattern[str]], ...]
    "Lengths and pattern of each kind of number."


@lru_cache(maxsize=300)
def _numbering(region: str) -> _Numbering | None:
    """None for a region that is not the main one of its country code: such a number may be another region's."""
    code = phonenumbers.country_code_for_region(region)
    if not code or phonenumbers.region_code_for_country_code(code) != region:
        return None
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    whole = None if metadata is None else metadata.general_desc
    if metadata is None or whole is None or whole.national_number_pattern is None:
        return None
    kinds = (
        metadata.fixed_line, metadata.mobile, metadata.toll_free, metadata.premium_rate, metadata.shared_cost,
        metadata.voip, metadata.personal_number, metadata.pager, metadata.uan, metadata.voicemail,
    )  # fmt: skip
    before = [one for one in (metadata.national_prefix_for_parsing, metadata.international_prefix, "0") if one]
    return _Numbering(
        str(code),
        re.compile("|".join(f"(?:{one})" for one in before)),
        re.compile(whole.national_number_pattern),
        tuple(
            (frozenset(one.possible_length or whole.possible_length), re.compile(one.national_number_pattern))
            for one in kinds
            if one is not None and one.national_number_pattern is not None
        ),
    )


def _quick(text: str, region: str) -> str | None:
    """The number where it is plainly written and certainly valid in its region, six times as fast; else None.

    A test holds it against `phonenumbers` itself for every country.
    """
    plan, found = _numbering(region) if region else None, _PLAIN.fullmatch(text)
    if plan is None or found is None:
        return None
    digits = found[2].translate(_MARKS)
    if found[1]:
        if not digits.startswith(plan.code):
            return None
        digits = digits[len(plan.code) :]
    if plan.prefixes.match(digits) or not plan.whole.fullmatch(digits):
        return None
    size = len(digits)
    if any(size in lengths and pattern.fullmatch(digits) for lengths, pattern in plan.kinds):
        return f"+{plan.code}{digits}"
    return None


def is_e164(text: str) -> bool:
    """Whether it has the form of a number already normalised."""
    return len(text) > 4 and text[0] == "+" and text[1:].isascii() and text[1:].isdigit() and len(text) <= 16


@lru_cache(maxsize=1)
def regions() -> frozenset[str]:
    """Every country that numbers can belong to."""
    return frozenset(phonenumbers.SUPPORTED_REGIONS)
