"""Who takes a person's call: he himself, or a substitute by the organisation tree and his own rules (R0-09..R0-12)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from routing.attendance import away
from routing.org import Organisation, Person, Rule

MAX_DEPTH = 5
"Steps from the person who was asked for: the deputy of a deputy is two."
MAX_LOOKED_AT = 200
"Persons looked at for one call."


class Presence(StrEnum):
    """What is known of a person's phone and desk at this moment."""

    ONLINE = "online"
    BUSY = "busy"
    "Talking, or about to."
    OFFLINE = "offline"
    "No phone, or not logged in, or paused."


@dataclass(frozen=True, slots=True)
class Seen:
    """Presence, and the word for it of whoever said so."""

    presence: Presence
    word: str = ""

    @property
    def why(self) -> str:
        return self.word or str(self.presence)


See = Callable[[Person, str], Seen]
"A person and his extension to what is known of him."


@dataclass(frozen=True, slots=True)
class Passed:
    """Somebody who was not chosen."""

    person: str
    why: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Who takes the call, and why."""

    extension: str | None
    "None: nobody suitable; the call goes to the default queue (R0-11)."
    person: str | None
    reason: str
    "`himself`, a Rule, `named` by the absence or shift, `nobody`, `unknown-person`."
    passed: tuple[Passed, ...] = ()
    "In the order in which they were looked at."


@dataclass(slots=True)
class _Search:
    organisation: Organisation
    tenant: str | None
    now: float
    see: See
    looked_at: set[str] = field(default_factory=set)
    followed: set[tuple[str, Rule]] = field(default_factory=set)
    passed: list[Passed] = field(default_factory=list)

    def seek(self, key: str, reason: str, rules: tuple[Rule, ...] | None, depth: int) -> Choice | None:
        """`key` himself, else whoever `rules` (None: his own) lead to; None when that is nobody."""
        person = self.organisation.persons.get(key)
        if person is None or (depth and person.tenant not in (None, self.tenant)):
            return None  # rows that a check would refuse: never another tenant's person
        stand_in = None
        if key not in self.looked_at:
            if len(self.looked_at) >= MAX_LOOKED_AT:
                return None
            self.looked_at.add(key)
            why, stand_in = self._absent(person)
            if why is None:
                return Choice(self.organisation.extension(person), key, reason, tuple(self.passed))
            self.passed.append(Passed(key, why))
        if depth >= MAX_DEPTH:
            return None
        if stand_in is not None and (found := self.seek(stand_in, "named", ("deputy",), depth + 1)):
            return found
        for rule in person.rules if rules is None else rules:
            if (key, rule) in self.followed:
                continue
            # a lead who was passed over as a colleague is still the way to those above him
            self.followed.add((key, rule))
            for other, onward in self._by(rule, person):
                if found := self.seek(other, rule, onward, depth + 1):
                    return found
        return None

    def _absent(self, person: Person) -> tuple[str | None, str | None]:
        """Why he cannot take it (None: he can), and who is named for this time."""
        if (gone := away(self.organisation, person.id, self.now)) is not None:
            return gone.reason, gone.stand_in
        extension = self.organisation.extension(person)
        if extension is None:
            return "no-phone", None
        seen = self.see(person, extension)
        if seen.presence is Presence.ONLINE or (seen.presence is Presence.BUSY and person.when_busy == "keep"):
            return None, None
        return seen.why, None

    def _by(self, rule: Rule, person: Person) -> Iterator[tuple[str, tuple[Rule, ...] | None]]:
        """Whom a rule names, and which rules hold for them in turn."""
        match rule:
            case "deputy":
                yield from ((deputy, ("deputy",)) for deputy in person.deputies)
            case "team":
                # a colleague's own deputies are further away than the colleagues
                members = self.organisation.members.get(person.team or "", ())
                yield from ((member, ()) for member in members)
            case "superior":
                superior = self.organisation.superior(person)
                if superior is not None:
                    yield superior, None


def who_takes(organisation: Organisation, person: str, now: float, see: See) -> Choice:
    """The first who is there, beginning with `person`; never one who is absent, nor one of another tenant.

    The way: whom the absence or shift names, deputies and theirs, colleagues of the team, the superior and whoever
    stands in for him. `now` is epoch seconds.
    """
    first = organisation.persons.get(person)
    if first is None:
        return Choice(None, None, "unknown-person")
    search = _Search(organisation, first.tenant, now, see)
    return search.seek(person, "himself", None, 0) or Choice(None, None, "nobody", tuple(search.passed))


def could_take(organisation: Organisation, person: str, now: float) -> list[str]:
    """Everybody whose state may decide: those who would be looked at if nobody's phone were online."""
    asked: list[str] = []

    def see(other: Person, extension: str) -> Seen:
        asked.append(other.id)
        return Seen(Presence.OFFLINE)

    who_takes(organisation, person, now, see)
    return asked
