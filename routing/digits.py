"""Telephone numbers as digits, and the trunk's plan for splitting one into access ID and sequence number."""

from dataclasses import dataclass
from enum import Enum
from typing import Literal, NamedTuple

MAX_DIGITS = 32
"Digits of one number on the wire; E.164 allows 15, some trunks send more."

_SEPARATORS = str.maketrans("", "", "-.() \t")
_LUHN_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


class BadNumber(ValueError):
    """The text is no telephone number."""


class BadDigits(ValueError):
    """The digits do not fit the plan; `short` says that some are missing."""

    def __init__(self, why: str, *, short: bool = False) -> None:
        super().__init__(why)
        self.short = short


class Nature(Enum):
    """What a number is relative to: Q.763 nature of address, or the way a SIP user is written."""

    UNKNOWN = "unknown"
    "As dialled: international and national prefixes may stand in front."
    SUBSCRIBER = "subscriber"
    NATIONAL = "national"
    INTERNATIONAL = "international"
    "Country code first (`+` in SIP)."


@dataclass(frozen=True, slots=True)
class Dialling:
    """How numbers are written in a trunk's country."""

    country_code: str = ""
    "Digits, without a plus; empty when not known."
    national_prefix: str = ""
    "`0` in most countries; empty where none is dialled."
    international_prefix: str = "00"


NO_DIALLING = Dialling("", "", "")


def read_number(text: str) -> tuple[str, Nature]:
    """Digits and nature of a SIP user part or of a number typed by a person.

    Visual separators and the tail of a telephone-subscriber (`;npdi;rn=...`) are dropped.  Raises BadNumber.
    """
    if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS:
        return text, Nature.UNKNOWN
    digits = text.partition(";")[0].translate(_SEPARATORS)
    nature = Nature.UNKNOWN
    if digits.startswith("+"):
        digits, nature = digits[1:], Nature.INTERNATIONAL
    if not digits.isascii() or not digits.isdigit():
        raise BadNumber("not a number: other characters than digits" if digits else "not a number: no digits")
    if len(digits) > MAX_DIGITS:
        raise BadNumber(f"not a number: more than {MAX_DIGITS} digits")
    return digits, nature


def readings(digits: str, nature: Nature, dialling: Dialling) -> tuple[str, ...]:
    """The digit strings a number may stand for on this trunk, the likeliest first, none twice.

    A number that says it is international loses our country code; one that says it is national or a subscriber's is
    what it says; of any other the digits as written come first, since that is what the tenant's system composed, then
    without what a carrier may have put in front: international prefix and country code, national prefix, country code.
    """
    if nature is Nature.NATIONAL or nature is Nature.SUBSCRIBER:
        return (digits,)
    code = dialling.country_code
    if nature is Nature.INTERNATIONAL:
        return (digits[len(code) :],) if _more_than(digits, code) else (digits,)
    if _more_than(digits, dialling.international_prefix):
        rest = digits[len(dialling.international_prefix) :]
        return (digits, rest[len(code) :] if _more_than(rest, code) else rest)
    for prefix in (dialling.national_prefix, code):
        if _more_than(digits, prefix):
            return (digits, digits[len(prefix) :])
    return (digits,)


def normalise(text: str, dialling: Dialling) -> str:
    """One form for one number: national significant digits for our own country, else all digits.  Raises BadNumber."""
    digits, nature = read_number(text)
    return readings(digits, nature, dialling)[-1]


def identities(digits: str, nature: Nature, dialling: Dialling) -> tuple[str, ...]:
    """The international numbers that one number may be: two numbers are the same when they share one.

    A bare number that begins with our country code may be meant with or without it, so it has two.
    """
    code = dialling.country_code
    if nature is Nature.INTERNATIONAL:
        return (digits,)
    if nature is Nature.UNKNOWN:
        if _more_than(digits, dialling.international_prefix):
            return (digits[len(dialling.international_prefix) :],)
        if _more_than(digits, dialling.national_prefix):
            return (code + digits[len(dialling.national_prefix) :],)
        if _more_than(digits, code):
            return (code + digits, digits)
    return (code + digits,)


def lookup_forms(digits: str, nature: Nature, dialling: Dialling) -> tuple[str, ...]:
    """The forms under which a table made by people may list a number, the one written on the wire first.

    Then as `readings` has it, and for a number of our own country with its code and with the national prefix.
    """
    forms = dict.fromkeys(readings(digits, nature, dialling))
    for whole in identities(digits, nature, dialling):
        forms[whole] = None
        if _more_than(whole, dialling.country_code):
            national = whole[len(dialling.country_code) :]
            forms[national] = None
            forms[dialling.national_prefix + national] = None
    return tuple(forms)


def luhn(digits: str) -> str:
    """The check digit for `digits` (ISO/IEC 7812-1 annex B)."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = ord(char) - 48
        total += value if place % 2 else _LUHN_DOUBLED[value]
    return str(-total % 10)


class Split(NamedTuple):
    """What a number says once it is taken apart."""

    access_id: str
    sequence: str


@dataclass(frozen=True, slots=True)
class DigitPlan:
    """How a trunk's tenants compose the original called number (R1-03, R1-04).

    prefix, access ID, sequence number, check digit, one after the other.  The check digit covers access ID and sequence
    number, so it is the same on trunks with another prefix.
    """

    prefix: str = ""
    access_id_width: int | None = None
    "Digits of every access ID, or None where IDs differ in width and no ID begins another."
    sequence_width: int = 8
    check_digit: Literal["none", "luhn"] = "none"
    max_digits: int = 15
    "15 as in E.164; 16 where the trunk carries it."

    @property
    def fixed_width(self) -> int:
        """Digits besides the access ID."""
        return len(self.prefix) + self.sequence_width + (self.check_digit == "luhn")

    @property
    def numbers(self) -> int:
        """How many sequence numbers there are for one access ID."""
        return int(10**self.sequence_width)

    def width(self, access_id: str) -> int:
        """Digits of the whole number for this access ID."""
        return self.fixed_width + len(access_id)

    def compose(self, access_id: str, sequence: str) -> str:
        """The original called number to dial with.  Raises BadDigits for what this plan cannot carry."""
        if not (access_id + sequence).isascii() or not access_id.isdigit() or not sequence.isdigit():
            raise BadDigits("access ID and sequence number must be digits")
        if self.access_id_width is not None and len(access_id) != self.access_id_width:
            raise BadDigits(f"access ID {access_id} must have {self.access_id_width} digits")
        if len(sequence) != self.sequence_width:
            raise BadDigits(f"sequence number {sequence} must have {self.sequence_width} digits")
        if self.width(access_id) > self.max_digits:
            raise BadDigits(f"{self.width(access_id)} digits, the trunk carries {self.max_digits}")
        body = access_id + sequence
        return self.prefix + body + (luhn(body) if self.check_digit == "luhn" else "")

    def split(self, digits: str) -> Split:
        """The access ID and the sequence number in `digits`, whether or not anybody has that ID.  Raises BadDigits."""
        if not digits.isascii() or not digits.isdigit():
            raise BadDigits("other characters than digits")
        if self.prefix and not digits.startswith(self.prefix):
            short = self.prefix.startswith(digits)
            raise BadDigits("shorter than the prefix" if short else "another prefix", short=short)
        length = len(digits)
        access_width = length - self.fixed_width
        if access_width < (self.access_id_width or 1):
            raise BadDigits(f"{length} digits are too few", short=True)
        if length > self.max_digits or (self.access_id_width is not None and access_width > self.access_id_width):
            raise BadDigits(f"{length} digits are too many")
        start = len(self.prefix)
        end = start + access_width + self.sequence_width
        if self.check_digit == "luhn" and luhn(digits[start:end]) != digits[end]:
            raise BadDigits("wrong check digit")
        return Split(digits[start : start + access_width], digits[start + access_width : end])

    def short_of(self, digits: str, access_id: str) -> bool:
        """Whether `digits` begin like a number of this access ID and stop too early."""
        return len(digits) < self.width(access_id) and digits.startswith(self.prefix + access_id)


@dataclass(frozen=True, slots=True)
class Capacity:
    """How far a sequence width reaches when every number is kept for its TTL (R1-04)."""

    numbers: int
    ttl: float
    "Seconds."
    per_second: float
    "Numbers a second that can be issued for ever without a repeat inside the TTL."


def capacity(plan: DigitPlan, ttl: float) -> Capacity:
    """`ttl` in seconds, above zero."""
    return Capacity(plan.numbers, ttl, plan.numbers / ttl)


def _more_than(digits: str, prefix: str) -> bool:
    """Whether `digits` begin with `prefix` and go on after it."""
    return bool(prefix) and len(digits) > len(prefix) and digits.startswith(prefix)
