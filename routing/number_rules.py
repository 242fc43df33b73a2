"""How a trunk writes numbers: steps that turn its way into ours, or ours into its way.  Pure.

Steps are carried out one after the other, each on what the one before has left:

    e164              +CC..., from national or international form by the trunk's own prefixes
    digits            CC..., the same without the plus
    international     00CC..., with the trunk's international prefix
    national          0..., with its national prefix; a number of another country as `international` writes it
    strip 9           takes these characters off the front, where they are there
    add 00            puts these in front
    ^0(\\d+)$ -> +49\\1  a regular expression that the whole number must match; else the step changes nothing
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from routing.expressions import takes_long

LONGEST_NUMBER = 40
"Characters; what is longer is no number, and no step looks at it."
LONGEST_PATTERN = 120

FORMS = frozenset({"e164", "digits", "international", "national"})
_PLAIN = re.compile(r"\+?[0-9]+")
_CHARACTERS = re.compile(r"[+*#0-9A-Za-z._-]+")


class BadRule(ValueError):
    """A step that cannot be one; the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Region:
    """How numbers are dialled where the trunk ends."""

    country_code: str = ""
    national_prefix: str = ""
    international_prefix: str = "00"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a list."""

    verb: str
    "A form, strip, add or match."
    text: str = ""
    pattern: re.Pattern[str] | None = None

    @classmethod
    def parse(cls, text: str) -> Step:
        """Raises BadRule."""
        wanted, arrow, into = text.partition("->")
        if arrow:
            return _match(wanted.strip(), into.strip())
        verb, _, rest = text.strip().partition(" ")
        rest = rest.strip()
        if verb in FORMS and not rest:
            return cls(verb)
        if verb in ("strip", "add") and _CHARACTERS.fullmatch(rest):
            return cls(verb, rest)
        raise BadRule(f'"{text}" is no step: {", ".join(sorted(FORMS))}, strip X, add X, or PATTERN -> NUMBER')


@dataclass(frozen=True, slots=True)
class Rules:
    """A list of steps for the numbers of one trunk in one direction."""

    steps: tuple[Step, ...] = ()
    region: Region = Region()

    @classmethod
    def parse(cls, texts: Iterable[str], region: Region) -> Rules:
        """Raises BadRule: a form wants to know the country code."""
        steps = tuple(map(Step.parse, texts))
        for step in steps:
            if step.verb in FORMS and not region.country_code:
                raise BadRule(f'"{step.verb}" needs the country_code of the trunk')
        return cls(steps, region)

    def apply(self, number: str) -> str:
        """The number as the steps leave it; what is no number (a name, too long) passes unchanged.  Never raises."""
        if not self.steps or len(number) > LONGEST_NUMBER:
            return number
        for step in self.steps:
            number = _carry_out(step, number, self.region)
        return number

    def on_the_way(self, number: str) -> Iterator[str]:
        """What the number reads like after each step that changes it, as it would be dialled there: what is told apart
        by `strip 0` must not pass for another number before it.  A carrier's own prefix in front of one is not read."""
        abroad = ("+", self.region.international_prefix) if self.region.international_prefix else "+"
        for step in self.steps if len(number) <= LONGEST_NUMBER else ():
            before, number = number, _carry_out(step, number, self.region)
            if number == before:
                continue
            if step.verb == "digits":
                yield f"+{number}"
            elif step.verb in FORMS or number.startswith(abroad) or before.endswith(number):
                yield number


def _match(pattern: str, into: str) -> Step:
    if len(pattern) > LONGEST_PATTERN:
        raise BadRule(f"a pattern of more than {LONGEST_PATTERN} characters")
    if (why := takes_long(pattern)) is not None:
        raise BadRule(f'"{pattern}" {why}')
    if "(?" in pattern:
        raise BadRule(f'"{pattern}" has a group of a special kind; plain groups only')
    try:
        compiled = re.compile(pattern, re.ASCII)
        compiled.fullmatch("")
        re.compile("|" + pattern).match("").expand(into)  # type: ignore[union-attr]
    except (re.error, IndexError) as error:
        raise BadRule(f'"{pattern} -> {into}": {error}') from None
    return Step("match", into, compiled)


def _carry_out(step: Step, number: str, region: Region) -> str:
    match step.verb:
        case "strip":
            return number.removeprefix(step.text)
        case "add":
            return step.text + number if number else number
        case "match":
            found = step.pattern.fullmatch(number) if step.pattern is not None else None
            return found.expand(step.text)[:LONGEST_NUMBER] if found else number
        case form:
            return _in_form(form, number, region)


def _in_form(form: str, number: str, region: Region) -> str:
    if not _PLAIN.fullmatch(number):
        return number
    full = _with_country(number, region)
    if form == "e164":
        return f"+{full}"
    if form == "digits":
        return full
    if form == "national" and full.startswith(region.country_code):
        return region.national_prefix + full.removeprefix(region.country_code)
    return region.international_prefix + full


def _with_country(number: str, region: Region) -> str:
    """Country code and national number, without any prefix."""
    if number.startswith("+"):
        return number[1:]
    if region.international_prefix and number.startswith(region.international_prefix):
        return number.removeprefix(region.international_prefix)
    if region.national_prefix:
        if number.startswith(region.national_prefix):
            return region.country_code + number.removeprefix(region.national_prefix)
        return number if number.startswith(region.country_code) else region.country_code + number
    # where national numbers have no prefix of their own, only the plus and the international prefix tell them apart
    return region.country_code + number


@dataclass(frozen=True, slots=True)
class NumberPlan:
    """What one trunk does to numbers, by whose they are and which way they go."""

    called_in: Rules = Rules()
    caller_in: Rules = Rules()
    called_out: Rules = Rules()
    caller_out: Rules = Rules()

    def example(self, text: str) -> str | None:
        """Checks `called_out 030123 -> +4930123`; what is wrong with it, None where it holds."""
        head, arrow, wanted = text.partition("->")
        which, _, number = head.strip().partition(" ")
        if not arrow or which not in ("called_in", "caller_in", "called_out", "caller_out") or not number.strip():
            return f'"{text}" is no example: write "called_out 030123 -> +4930123"'
        rules: Rules = getattr(self, which)
        got = rules.apply(number.strip())
        return None if got == wanted.strip() else f'"{text}": the rules make {got} of it'
