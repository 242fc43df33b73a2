"""What a country's law asks of a campaign, as one value: built-in us, us-reg-f, uk and cn; others come from settings.

The figures stand with their sources in docs/dialling-law.md. They are a start for the operator's lawyer, not advice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from dialer.holidays import Holiday
from dialer.hours import Rule, Week, read_week

HOUR, DAY = 3600.0, 86_400.0

Formula = Literal["ftc", "ofcom"]
WindowName = Literal["24h", "30d", "campaign"]
ConnectStart = Literal["answer", "greeting-start", "greeting-end"]
ConsentNeeded = Literal["none", "recorded", "always"]

NEVER = Week()
_LIMIT = re.compile(
    r"(?P<most>[1-9][0-9]{0,3})/(?P<count>[1-9][0-9]{0,2})(?P<unit>[hd])(?: per (?P<per>number|contact))?"
)


class BadLimit(ValueError):
    """Text that is no limit of attempts; the message says why."""


@dataclass(frozen=True, slots=True)
class AttemptLimit:
    """So many calls in so long, to one contact (all its numbers) or to one number."""

    most: int
    period: float
    "Seconds."
    per: Literal["contact", "number"] = "contact"

    def __str__(self) -> str:
        unit = f"{self.period / DAY:g}d" if self.period % DAY == 0 else f"{self.period / HOUR:g}h"
        return f"{self.most}/{unit} per {self.per}"


def read_limit(text: str) -> AttemptLimit:
    """A limit such as `7/7d`, `3/24h per number`. Raises BadLimit."""
    found = _LIMIT.fullmatch(" ".join(text.lower().split()))
    if found is None:
        raise BadLimit(f'"{text}" is no limit such as 7/7d or "3/24h per number"')
    period = int(found["count"]) * (DAY if found["unit"] == "d" else HOUR)
    return AttemptLimit(int(found["most"]), period, "number" if found["per"] == "number" else "contact")


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a country with rules of its own: they hold besides the country's."""

    name: str
    place: str = ""
    "What a contact's `place` says of those who live there, such as FL."
    prefixes: tuple[str, ...] = ()
    "Beginnings of its numbers, E.164: who has one is taken to live there."
    week: Week | None = None
    "Its hours; None: the country's."
    holidays: tuple[Holiday, ...] = ()
    attempts: tuple[AttemptLimit, ...] = ()

    def has(self, number: str, place: str) -> bool:
        """Whether its rules hold for this number of a contact at `place`."""
        return (bool(place) and place.upper() == self.place.upper()) or number.startswith(self.prefixes)


@dataclass(frozen=True, slots=True)
class LawProfile:
    """One law. Times are seconds, shares from 0 to 1."""

    name: str
    countries: tuple[str, ...] = ()
    "ISO 3166 codes of the numbers it may be used for; empty: any."
    cap: float = 0.03
    "Share that may be abandoned."
    formula: Formula = "ftc"
    "ftc: of the calls answered by people; ofcom: of those abandoned or put through, machines estimated."
    windows: tuple[WindowName, ...] = ("24h", "30d", "campaign")
    "In each of them the share must not be over the cap."
    connect_limit: float = 2.0
    connect_start: ConnectStart = "answer"
    "From when the limit counts."
    ring_least: float = 15.0
    "Who does not answer is rung this long at least, from the first 18x on."
    week: Week = NEVER
    "Local time of the called; as it is here, nobody is called."
    holidays: tuple[Holiday, ...] = ()
    regions: tuple[Region, ...] = ()
    stated_zone_only: bool = False
    "Where the owner states a person's zone, those of the number do not count."
    attempts: tuple[AttemptLimit, ...] = ()
    redial_gap: float = 0.0
    "Between two calls to the same number."
    abandoned_gap: float = 0.0
    "After an abandoned call to the number, unless an agent is guaranteed."
    machine_gap: float = 0.0
    "After a call to the number that was taken for a machine, unless an agent is guaranteed."
    talk_gap: float = 0.0
    "After a talk with the contact."
    consent: ConsentNeeded = "none"
    "recorded: for recorded messages only."
    consent_proof: bool = False
    "Consent counts only with a source and a reference to the proof."
    recorded_without_consent: AttemptLimit | None = None
    "Recorded messages to landlines (kind `landline`) that are allowed without consent."
    caller_id: bool = True
    "A caller's number must be sent."
    message: bool = True
    "A campaign with agents must have what to say when none is there in time: seller and call-back number, or a file."
    list_age: float | None = None
    "Oldest that an imported do-not-call list may be."
    false_positive: float = 0.0
    "Estimated share of people whom the answering-machine detection takes for machines."
    keep_records: float = 5 * 365 * DAY
    "How long commands with their records are kept, which prove the rates; never less than gaps and limits look back."

    @property
    def look_back(self) -> float:
        """Seconds of earlier calls that its gaps and limits look at."""
        free = self.recorded_without_consent
        theirs = (limit.period for region in self.regions for limit in region.attempts)
        return max(
            self.redial_gap, self.abandoned_gap, self.machine_gap, self.talk_gap,
            *(limit.period for limit in self.attempts), *theirs, free.period if free is not None else 0.0,
        )  # fmt: skip

    def rules(self, number: str, place: str = "") -> tuple[Rule, ...]:
        """Hours and holidays that hold for a number."""
        own = Rule(self.week, self.holidays)
        theirs = (Rule(one.week or self.week, one.holidays) for one in self.regions if one.has(number, place))
        return (own, *theirs)

    def limits(self, number: str, place: str = "") -> tuple[AttemptLimit, ...]:
        """The attempt limits that hold for a number."""
        theirs = (limit for one in self.regions if one.has(number, place) for limit in one.attempts)
        return (*self.attempts, *theirs)


_FLORIDA_CODES = [
    "239",
    "305",
    "321",
    "324",
    "352",
    "386",
    "407",
    "448",
    "561",
    "645",
    "656",
    "689",
    "727",
    "728",
    "754",
    "772",
    "786",
    "813",
    "850",
    "863",
    "904",
    "941",
]  # fmt: skip
FLORIDA = Region(
    "florida",
    place="FL",
    prefixes=tuple(f"+1{code}" for code in _FLORIDA_CODES),
    week=read_week(["daily 08:00-20:00"]),
    attempts=(AttemptLimit(3, DAY),),
)
"Florida Statutes 501.059 and 501.616: who has its area code is presumed to live there; three calls in 24 hours."

US = LawProfile(
    "us",
    countries=("US", "PR", "VI", "GU", "AS", "MP"),
    windows=("30d",),
    connect_start="greeting-end",
    week=read_week(["daily 08:00-21:00"]),
    regions=(FLORIDA,),
    consent="recorded",
    list_age=31 * DAY,
)
"16 CFR 310.4(b)(4) and 47 CFR 64.1200(a)(7). A campaign shorter than 30 days is inside its window of 30 days whole."

US_REG_F = replace(
    US,
    name="us-reg-f",
    attempts=(AttemptLimit(7, 7 * DAY),),
    talk_gap=7 * DAY,
    recorded_without_consent=AttemptLimit(3, 30 * DAY, "number"),
)
"Collection of debts, a contact for each debt: 12 CFR 1006.14(b)(2), and 47 CFR 64.1200(a)(3)(iii) for messages."

UK = LawProfile(
    "uk",
    countries=("GB", "GG", "JE", "IM"),
    formula="ofcom",
    windows=("24h",),
    week=read_week(["mon-fri 08:00-21:00", "sat,sun 09:00-20:00"]),
    abandoned_gap=72 * HOUR,
    machine_gap=24 * HOUR,
    consent="recorded",
    list_age=28 * DAY,
)
"Ofcom's policy of 2010. Since 2017 there is no safe 3 %: any abandoned call can be misuse, so aim well below."

CN = LawProfile(
    "cn",
    countries=("CN",),
    windows=("24h", "30d"),
    week=read_week(["daily 09:00-12:00 14:00-20:00"]),
    consent="always",
    consent_proof=True,
)
"MIIT: no calls without consent, whose proof is kept; none in hours of rest."

BUILT_IN: dict[str, LawProfile] = {profile.name: profile for profile in (US, US_REG_F, UK, CN)}
