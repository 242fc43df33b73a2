"""The tables of the configuration about the law of outbound campaigns."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from dialer.holidays import read_holiday
from dialer.hours import read_week
from dialer.profiles import BUILT_IN, DAY, HOUR, LawProfile, Region, read_limit

from .values import Section, items

Texts = Annotated[list[str], BeforeValidator(items)]
Share = Annotated[float, Field(ge=0, le=1)]
Days = Annotated[float, Field(ge=0, le=36500)]
Hours = Annotated[float, Field(ge=0, le=8760)]


def _each(read: Callable[[str], object]) -> AfterValidator:
    def check(lines: list[str] | None) -> list[str] | None:
        for line in lines or ():
            read(line)
        return lines

    return AfterValidator(check)


def _prefix(text: str) -> str:
    digits = text.removeprefix("+")
    if not (text.startswith("+") and digits.isascii() and digits.isdigit() and len(digits) <= 15):
        raise ValueError(f'"{text}" is no beginning of a number such as +1305')
    return text


def _country(text: str) -> str:
    if not (len(text) == 2 and text.isascii() and text.isalpha() and text.isupper()):
        raise ValueError(f'"{text}" is no country code such as US')
    return text


def _limit_or_none(text: str) -> str:
    if text:
        read_limit(text)
    return text


def _place(text: str) -> str:
    if len(text) > 40:
        raise ValueError("must be 40 characters at most")
    return text


Week = Annotated[Texts, _each(lambda line: read_week([line]))]
Holidays = Annotated[Texts, _each(read_holiday)]
Limits = Annotated[Texts, _each(read_limit)]
Prefixes = Annotated[Texts, _each(_prefix)]
Countries = Annotated[Texts, _each(_country)]
Windows = Annotated[list[Literal["24h", "30d", "campaign"]], BeforeValidator(items)]


class LawProfileTable(Section):
    """A law of outbound campaigns, or another version of a built-in one (`us`, `us-reg-f`, `uk`, `cn`).

    What is not given is that of `base`. A table with the name of a built-in one takes its place. docs/dialling-law.md
    says what each key means.
    """

    base: Literal["us", "us-reg-f", "uk", "cn"] | None = None
    "Built-in law it begins with; without it, the one of its own name, else none: `hours` must be given then."
    countries: Countries | None = None
    "Countries (ISO 3166) whose numbers it may be used for; an empty list: all."
    cap: Share | None = None
    "Share that may be abandoned."
    formula: Literal["ftc", "ofcom"] | None = None
    "`ftc`: of the calls answered by people; `ofcom`: of those abandoned or put through."
    windows: Windows | None = None
    "Times in each of which the cap must hold."
    connect_limit: Annotated[float, Field(gt=0, le=60)] | None = None
    "Seconds within which an agent must be there."
    connect_start: Literal["answer", "greeting-start", "greeting-end"] | None = None
    "From when they count. `greeting-start` counts from the answer, never later; so does all without detection."
    ring_least: Annotated[float, Field(ge=0, le=120)] | None = None
    "Seconds, from the first 18x, that who does not answer is rung at least."
    hours: Week | None = None
    "Local hours in which people are called, such as `mon-fri 08:00-21:00`."
    holidays: Holidays | None = None
    "Days on which nobody is called, such as `12-25 Christmas Day`, `easter+1`, `last mon may`, `2026-02-17`."
    stated_zone_only: bool | None = None
    "Where a person's time zone is stated, the zones of his number do not count."
    attempts: Limits | None = None
    "Most calls in so many hours or days, such as `7/7d` to a contact or `3/24h per number`."
    redial_hours: Hours | None = None
    "Hours between two calls to the same number."
    abandoned_hours: Hours | None = None
    "Hours after an abandoned call, unless an agent is kept for the call."
    machine_hours: Hours | None = None
    "Hours after a call that was taken for a machine, unless an agent is kept for the call."
    talk_days: Days | None = None
    "Days after a talk with the contact."
    consent: Literal["none", "recorded", "always"] | None = None
    "Which calls need consent: none, those of recorded messages, all."
    consent_proof: bool | None = None
    "Consent must name its source and a proof."
    recorded_without_consent: Annotated[str, AfterValidator(_limit_or_none)] | None = None
    "Recorded messages to landlines that are allowed without consent, such as `3/30d per number`; empty: none."
    caller_id: bool | None = None
    "A campaign must send its caller's number."
    message: bool | None = None
    "A campaign with agents must have what is said to those for whom none is there in time."
    list_days: Days | None = None
    "Days after which an imported do-not-call list is too old to dial by; 0: never."
    false_positive: Share | None = None
    "Share of people whom the detection of answering machines takes for machines, as measured: they count as abandoned."
    keep_days: Days | None = None
    "Days that commands with their records, which prove the rates, are kept; 90 at least, and as long as limits count."

    def profile(self, name: str, regions: Iterable[Region] = ()) -> LawProfile:
        """The law as the dialler knows it, with further regions."""
        base = BUILT_IN.get(self.base or name, LawProfile(name))
        given: dict[str, Any] = {
            "countries": _tuple(self.countries),
            "windows": _tuple(self.windows),
            "week": None if self.hours is None else read_week(self.hours),
            "holidays": _tuple(self.holidays, read_holiday),
            "attempts": _tuple(self.attempts, read_limit),
            "redial_gap": _times(self.redial_hours, HOUR),
            "abandoned_gap": _times(self.abandoned_hours, HOUR),
            "machine_gap": _times(self.machine_hours, HOUR),
            "talk_gap": _times(self.talk_days, DAY),
            "list_age": _times(self.list_days, DAY),
            "keep_records": _times(self.keep_days, DAY),
        }
        same = (
            "cap", "formula", "connect_limit", "connect_start", "ring_least", "stated_zone_only", "consent",
            "consent_proof", "caller_id", "message", "false_positive",
        )  # fmt: skip
        given |= {key: getattr(self, key) for key in same}
        made = replace(base, name=name, **{key: value for key, value in given.items() if value is not None})
        if self.list_days == 0:
            made = replace(made, list_age=None)
        if self.recorded_without_consent is not None:
            free = self.recorded_without_consent
            made = replace(made, recorded_without_consent=read_limit(free) if free else None)
        return replace(made, regions=(*made.regions, *regions))


class LawRegionTable(Section):
    """Stricter rules of a part of a country: they hold besides those of its laws, for retries and call-backs too."""

    laws: Texts
    "Names of the laws it belongs to."
    place: Annotated[str, AfterValidator(_place)] = ""
    "What a contact's `place` says of those who live there, such as `FL`."
    prefixes: Prefixes = Field(default=[])
    "Beginnings of its numbers: who has one is taken to live there."
    hours: Week | None = None
    "Its hours; without them, the country's."
    holidays: Holidays = Field(default=[])
    "Its holidays, besides the country's."
    attempts: Limits = Field(default=[])
    "Its limits of calls, besides the country's."

    def region(self, name: str) -> Region:
        """The region as the dialler knows it."""
        return Region(
            name,
            self.place,
            tuple(self.prefixes),
            None if self.hours is None else read_week(self.hours),
            tuple(map(read_holiday, self.holidays)),
            tuple(map(read_limit, self.attempts)),
        )


def laws(tables: dict[str, LawProfileTable], regions: dict[str, LawRegionTable]) -> dict[str, LawProfile]:
    """Every law by its name: the built-in ones, those of the file, each with its regions."""
    found: dict[str, LawProfile] = {}
    for name in [*BUILT_IN, *(name for name in tables if name not in BUILT_IN)]:
        own = [region.region(at) for at, region in regions.items() if name in region.laws]
        table = tables.get(name)
        made = table.profile(name) if table is not None else BUILT_IN[name]
        named = {region.name for region in own}
        kept = tuple(region for region in made.regions if region.name not in named)
        found[name] = replace(made, regions=(*kept, *own))
    return found


def law_mistakes(tables: dict[str, LawProfileTable], regions: dict[str, LawRegionTable]) -> Iterable[tuple[str, str]]:
    """What no single key shows: laws without hours, regions of no law, regions that nobody can be in."""
    for name, table in tables.items():
        made = table.profile(name)
        if not any(made.week.days):
            yield f"law_profiles.{name}.hours", "are needed: without them nobody may be called"
        if not made.windows:
            yield f"law_profiles.{name}.windows", "must name one at least: the cap holds in them"
    known = {*BUILT_IN, *tables}
    for name, region in regions.items():
        for law in region.laws:
            if law not in known:
                yield f"law_regions.{name}.laws", f'no law is called "{law}"; there are {", ".join(sorted(known))}'
        if not region.place and not region.prefixes:
            yield f"law_regions.{name}.prefixes", "are needed, or `place`: nothing says who lives there"


def _tuple(values: Iterable[str] | None, read: Callable[[str], object] = str) -> tuple[object, ...] | None:
    return None if values is None else tuple(map(read, values))


def _times(value: float | None, unit: float) -> float | None:
    return None if value is None else value * unit
