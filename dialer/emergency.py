"""Numbers that are never dialled by a campaign: emergency services and short numbers of every country."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import shortnumberinfo

from dialer.forbidden import Reason

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
"Country code and number, 7 to 15 digits: nothing shorter can be dialled from abroad."
LONGEST = 8
"Digits of an emergency number at most; the longest of any country has six. Longer ones need not be compared with all."
KNOWN_NUMBERS = 65_536
"Numbers whose answers are kept: each is asked for again with every retry."


@lru_cache(KNOWN_NUMBERS)
def never_dialled(number: str) -> Reason | None:
    """Why nobody may dial this number, None for an ordinary E.164 number ("+" and digits)."""
    digits = number.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        return Reason.BAD_NUMBER
    if not number.startswith("+"):
        return _bare(digits)
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return _bare(digits) if len(digits) < 7 else Reason.BAD_NUMBER
    national = phonenumbers.national_significant_number(parsed)
    regions = phonenumbers.region_codes_for_country_code(parsed.country_code or 0)
    # a trunk may take the country code away, and some add nothing in its place: what is left must not be such a number
    if is_emergency(national, regions):
        return Reason.EMERGENCY
    if phonenumbers.is_valid_number(parsed) and E164.fullmatch(number):
        return None
    return Reason.SHORT if _is_short(national, regions) else Reason.BAD_NUMBER


def is_emergency(digits: str, regions: tuple[str, ...] | frozenset[str]) -> bool:
    """Whether these digits, dialled as they are, reach an emergency service in one of the countries."""
    return len(digits) <= LONGEST and any(shortnumberinfo.is_emergency_number(digits, region) for region in regions)


def _bare(digits: str) -> Reason:
    """Digits without a country: never dialled; the reason says what is wrong with them."""
    regions = frozenset(phonenumbers.SUPPORTED_SHORT_REGIONS)
    if is_emergency(digits, regions):
        return Reason.EMERGENCY
    return Reason.SHORT if len(digits) < 7 else Reason.BAD_NUMBER


def _is_short(national: str, regions: tuple[str, ...]) -> bool:
    return any(
        shortnumberinfo.is_possible_short_number_for_region(_as_dialled(national, region), region)
        for region in regions
        if region in phonenumbers.SUPPORTED_SHORT_REGIONS
    )


def _as_dialled(national: str, region: str) -> phonenumbers.PhoneNumber:
    code = phonenumbers.country_code_for_region(region)
    zeros = len(national) - len(national.lstrip("0"))
    return phonenumbers.PhoneNumber(
        country_code=code,
        national_number=int(national),
        italian_leading_zero=zeros > 0 or None,
        number_of_leading_zeros=zeros if zeros > 1 else None,
    )


@lru_cache(KNOWN_NUMBERS)
def country_of(number: str) -> str:
    """ISO 3166 code of the country a number belongs to, "001" for those of no country; empty where it is not known."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""
    except phonenumbers.NumberParseException:
        return ""
