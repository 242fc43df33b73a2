"""A number to be dialled in the forms in which a policy may name it, so that no way of writing it slips through."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from routing.digits import BadNumber, Dialling, Nature, identities, read_number
from routing.policy import EXPRESSION


@dataclass(frozen=True, slots=True)
class DialledNumber:
    """What a trunk would make of the digits."""

    dialled: str
    "As dialled, without separators."
    forms: tuple[str, ...]
    "What it may mean: `+` and country code, or bare digits where the country is not known. Never empty."
    plain: bool
    "Digits only, maybe behind a plus: anything else may be a service code in front of another number."
    at_home: bool
    "Dialled without a plus and without the prefix for other countries."


@lru_cache(8192)
def dialled_number(text: str, dialling: Dialling) -> DialledNumber:
    """The forms of what is dialled on a trunk that writes numbers so; never raises."""
    try:
        digits, nature = read_number(text)
    except BadNumber:
        return DialledNumber(text, (text,), False, True)
    written = f"+{digits}" if nature is Nature.INTERNATIONAL else digits
    prefix = dialling.international_prefix
    abroad = nature is Nature.INTERNATIONAL or (
        bool(prefix) and digits.startswith(prefix) and len(digits) > len(prefix)
    )
    if not abroad and not dialling.country_code:
        return DialledNumber(written, (digits,), True, True)
    forms = tuple([f"+{one}" for one in identities(digits, nature, dialling)])
    return DialledNumber(written, forms, True, not abroad)


class Patterns:
    """Patterns of numbers, made ready."""

    __slots__ = ("_begins", "_expressions")

    def __init__(self, patterns: Iterable[str]) -> None:
        given = tuple(patterns)
        self._begins = tuple(one for one in given if not one.startswith(EXPRESSION))
        self._expressions = tuple(re.compile(one[1:]) for one in given if one.startswith(EXPRESSION))

    def name(self, form: str, number: DialledNumber) -> bool:
        """Whether one of them fits this reading of the number."""
        if self._begins and form.startswith(self._begins):
            return True
        # "0800" is how people dial; but "0" must not let 0049... through, which is another country
        if self._begins and number.at_home and number.dialled.startswith(self._begins):
            return True
        return any(one.fullmatch(form) or one.fullmatch(number.dialled) for one in self._expressions)


@lru_cache(4096)
def patterns_of(patterns: tuple[str, ...]) -> Patterns:
    """The patterns of a policy's field."""
    return Patterns(patterns)


def allowed(number: DialledNumber, patterns: tuple[str, ...]) -> bool:
    """Whether every reading of the number is named by a pattern: what may be something else is not allowed."""
    ready = patterns_of(patterns)
    return all(ready.name(form, number) for form in number.forms)


def named(number: DialledNumber, patterns: tuple[str, ...]) -> bool:
    """Whether some reading of the number is named by a pattern."""
    ready = patterns_of(patterns)
    return any(ready.name(form, number) for form in number.forms)


def price_of(number: DialledNumber, prices: Mapping[str, float]) -> float:
    """Price of a minute by the longest prefix that fits: of several readings the dearest; 0.0 where none fits."""
    return max(_price(form, prices) for form in number.forms)


def _price(form: str, prices: Mapping[str, float]) -> float:
    for end in range(len(form), -1, -1):
        if (found := prices.get(form[:end])) is not None:
            return found
    return 0.0
