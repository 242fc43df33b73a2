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

    @property
    def international(self) -> bool:
        """Whether every reading names a country."""
        return all(form.startswith("+") for form in self.forms)


def dialled_number(text: str, dialling: Dialling) -> DialledNumber:
    """The forms of what is dialled on a trunk that writes numbers so; never raises."""
    try:
        digits, nature = read_number(text)
    except BadNumber:
        return DialledNumber(text, (text,), False)
    written = f"+{digits}" if nature is Nature.INTERNATIONAL else digits
    prefix = dialling.international_prefix
    abroad = nature is Nature.INTERNATIONAL or (
        bool(prefix) and digits.startswith(prefix) and len(digits) > len(prefix)
    )
    if not abroad and not dialling.country_code:
        return DialledNumber(written, (digits,), True)
    return DialledNumber(written, tuple(f"+{one}" for one in identities(digits, nature, dialling)), True)


def allowed(number: DialledNumber, patterns: Iterable[str]) -> bool:
    """Whether every reading of the number is named by a pattern: what may be something else is not allowed."""
    patterns = tuple(patterns)
    return all(any(_names(pattern, form, number) for pattern in patterns) for form in number.forms)


def named(number: DialledNumber, patterns: Iterable[str]) -> bool:
    """Whether some reading of the number is named by a pattern."""
    return any(_names(pattern, form, number) for pattern in patterns for form in number.forms)


def _names(pattern: str, form: str, number: DialledNumber) -> bool:
    if pattern.startswith(EXPRESSION):
        compiled = _compiled(pattern[1:])
        return compiled.fullmatch(form) is not None or compiled.fullmatch(number.dialled) is not None
    if form.startswith(pattern):
        return True
    # "0800" is how people dial; but "0" must not let 0049... through, which is another country
    dialled_at_home = not number.dialled.startswith("+") and not (number.international and _goes_abroad(number))
    return dialled_at_home and number.dialled.startswith(pattern)


def _goes_abroad(number: DialledNumber) -> bool:
    """It was dialled with the international prefix: its one form is what stands behind that."""
    return len(number.forms) == 1 and number.dialled.endswith(number.forms[0][1:])


@lru_cache(1024)
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression)


def price_of(number: DialledNumber, prices: Mapping[str, float]) -> float:
    """Price of a minute by the longest prefix that fits: of several readings the dearest; 0.0 where none fits."""
    return max(_price(form, prices) for form in number.forms)


def _price(form: str, prices: Mapping[str, float]) -> float:
    for end in range(len(form), -1, -1):
        if (found := prices.get(form[:end])) is not None:
            return found
    return 0.0
