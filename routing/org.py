"""Persons, teams, absences and shifts as data: the organisation that a substitute is found in (R0-09, R0-10, R0-12)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Rule = Literal["deputy", "team", "superior"]

RULES: tuple[Rule, ...] = get_args(Rule)
"In their usual order."


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has customers of his own."""

    id: str
    name: str = ""
    tenant: str | None = None
    kind: Literal["business", "inbound"] = "business"
    "Which service knows whether he is there: business-staff or inbound-staff."
    extension: str | None = None
    "His phone; None: that of the agent whose profile names him."
    team: str | None = None
    superior: str | None = None
    "None: the lead of his team, or of the teams above it."
    deputies: tuple[str, ...] = ()
    "Best first."
    rules: tuple[Rule, ...] = RULES
    "Where a substitute is looked for, in this order."
    when_busy: Literal["substitute", "keep"] = "substitute"
    "keep: his callers are for him although he is talking."


@dataclass(frozen=True, slots=True)
class Team:
    """Persons who stand in for each other."""

    id: str
    name: str = ""
    tenant: str | None = None
    lead: str | None = None
    parent: str | None = None
    "The team above."


@dataclass(frozen=True, slots=True)
class Absence:
    """A time in which somebody is away. Both ends are ISO 8601; a date alone is that whole day, the last one too."""

    id: str
    person: str
    begins: str
    ends: str
    reason: str = "leave"
    deputy: str | None = None
    "Who stands in this time, before all others."
    zone: str = "UTC"
    "IANA time zone of ends that have no offset."
    tenant: str | None = None


@dataclass(frozen=True, slots=True)
class Shift:
    """Hours in which somebody works. Who has shifts is away outside them; who has none is always there."""

    id: str
    person: str
    days: tuple[str, ...]
    'Days on which it begins, "mon" .. "sun".'
    begins: str
    ends: str
    "HH:MM; not later than `begins`: on the next day."
    zone: str = "UTC"
    hand_over: float = 0.0
    "Minutes before the end in which new callers go to the relief already."
    relief: str | None = None
    "Who works after him."
    tenant: str | None = None


@dataclass(frozen=True, slots=True)
class Organisation:
    """Who there is, with the ways from one to another."""

    persons: Mapping[str, Person] = field(default_factory=dict)
    teams: Mapping[str, Team] = field(default_factory=dict)
    absences: Mapping[str, tuple[Absence, ...]] = field(default_factory=dict)
    "By person."
    shifts: Mapping[str, tuple[Shift, ...]] = field(default_factory=dict)
    "By person."
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    "Team -> its persons by key."
    phones: Mapping[str, str] = field(default_factory=dict)
    "Person -> extension, from agents' profiles."

    @classmethod
    def of(
        cls,
        persons: Mapping[str, Person],
        teams: Mapping[str, Team],
        absences: Mapping[str, Absence],
        shifts: Mapping[str, Shift],
        phones: Mapping[str, str],
    ) -> "Organisation":
        """The organisation of a plan's values, each by its key."""
        away: dict[str, list[Absence]] = {}
        for absence in absences.values():
            away.setdefault(absence.person, []).append(absence)
        work: dict[str, list[Shift]] = {}
        for shift in shifts.values():
            work.setdefault(shift.person, []).append(shift)
        members: dict[str, list[str]] = {}
        for person in persons.values():
            if person.team is not None:
                members.setdefault(person.team, []).append(person.id)
        return cls(
            persons,
            teams,
            {key: tuple(found) for key, found in away.items()},
            {key: tuple(found) for key, found in work.items()},
            {key: tuple(sorted(found)) for key, found in members.items()},
            phones,
        )

    def extension(self, person: Person) -> str | None:
        """His phone."""
        return person.extension or self.phones.get(person.id)

    def superior(self, person: Person) -> str | None:
        """Whom he reports to: as his row says, else the first lead above him who is not he himself."""
        if person.superior is not None:
            return person.superior
        for team in self.teams_above(person.team):
            if team.lead is not None and team.lead != person.id:
                return team.lead
        return None

    def teams_above(self, team: str | None) -> Iterator[Team]:
        """A team and those above it; ends where the chain does, or would begin again."""
        seen: set[str] = set()
        while team is not None and team not in seen and (found := self.teams.get(team)) is not None:
            seen.add(team)
            yield found
            team = found.parent
