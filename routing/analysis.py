"""What a tenant's services say about a call, merged into one decision: who takes it, and what he sees (R0-04..R0-12).

Answers come in as objects of JSON values, whatever transport brought them; `BadAnswer` says what is wrong with one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from routing.goal import Goal, GoalKind
from routing.org import Organisation, Person
from routing.substitute import Choice, Passed, Presence, See, Seen, could_take, who_takes

MOST_CAMPAIGNS, MOST_ORDERS, MOST_PERSONS = 10, 20, 5
MOST_KEY = 64
"Characters of a key that a service names."
MOST_WORD = 40
MOST_SHOWN = 32 * 1024
"Characters of all that goes to the screen, as JSON."

GOALS: tuple[GoalKind, ...] = tuple(kind for kind in get_args(GoalKind) if kind != "number")
"Where a service may send a call. Not to a number: what an outside system dials would be ours to pay."

ONLINE = frozenset({"online", "available", "free", "present", "working", "in"})
BUSY = frozenset({"busy", "talking", "in-call", "meeting"})

Object = Mapping[str, Any]


class BadAnswer(ValueError):
    """An answer of another shape than the service's role has."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a response server answered."""

    goal: Goal | None = None
    "None: it leaves the call to us, or answers later (R0-13)."
    data: Object = field(default_factory=dict)


@dataclass(slots=True)
class Findings:
    """What has been found so far; each answer fills its own field when it comes: a late one costs only itself."""

    told: Told | None = None
    campaigns: tuple[Object, ...] = ()
    member: Object | None = None
    members: int = 0
    "How many members have this number; the first is taken."
    orders: tuple[Object, ...] = ()
    states: dict[str, str] = field(default_factory=dict)
    "Person -> word of the staff services."


@dataclass(frozen=True, slots=True)
class Decision:
    """Where the analysis sends the call, and why."""

    goal: Goal | None
    "None: nobody suitable and no default; the call goes on as without analysis (R0-11)."
    reason: str
    "`response`, or what named the person (`token`, `order`, `member`, `campaign`), or `default`."
    choice: Choice | None = None
    "How the last person asked for was looked for."
    asked_for: str | None = None
    "The person whose call it is."

    @property
    def passed(self) -> tuple[Passed, ...]:
        return self.choice.passed if self.choice is not None else ()

    @property
    def way(self) -> Goal | None:
        """The goal for the call's next step: the person, who is looked for again when nobody answers."""
        if self.goal is not None and self.goal.kind == "agent" and self.asked_for is not None:
            return Goal("person", self.asked_for)
        return self.goal


# -- what stands in an answer


def read_told(answer: Object) -> Told:
    """`{"person": "clerk-12", "data": {...}}`: one goal at most, by its kind's name; `extension` means agent."""
    data = answer.get("data") or {}
    if not isinstance(data, dict):
        raise BadAnswer("`data` is not an object")
    nested = answer.get("goal")
    named: list[tuple[str, Any]] = []
    if isinstance(nested, dict):
        named.append((str(nested.get("kind")), nested.get("target")))
    elif nested is not None:
        raise BadAnswer("`goal` is not an object")
    named += [("agent", answer["extension"])] if answer.get("extension") else []
    named += [(kind, answer[kind]) for kind in GOALS if answer.get(kind)]
    if len(named) > 1:
        raise BadAnswer("more than one goal")
    for kind, target in named:
        return Told(_goal(kind, target), data)
    return Told(None, data)


def _goal(word: str, target: Any) -> Goal:
    for kind in GOALS:
        if kind == word:
            return Goal(kind) if kind == "hangup" else Goal(kind, _key(target, kind))
    raise BadAnswer("a goal that there is not, or that a service may not give")


def read_campaigns(answer: Object) -> tuple[Object, ...]:
    """`{"campaigns": [{"id", "name", "person"?, ...}]}`, or one as `campaign`."""
    return _objects(answer, "campaigns", "campaign")[:MOST_CAMPAIGNS]


def read_members(answer: Object) -> tuple[Object, ...]:
    """`{"member": {"id", "name", "person"?, ...}}`, or several as `members`; none is a stranger."""
    found = _objects(answer, "members", "member")
    for member in found:
        key_of(member)
    return found


def read_orders(answer: Object) -> tuple[Object, ...]:
    """`{"orders": [{"id", "person"?, ...}]}`, the one that matters most first."""
    return _objects(answer, "orders", "order")[:MOST_ORDERS]


def states_reader(person: str) -> Callable[[Object], dict[str, str]]:
    """Reads `{"states": {"clerk-12": "leave"}}`, or `{"state": "leave"}` for the person that was asked for."""

    def read(answer: Object) -> dict[str, str]:
        states = answer.get("states") or {}
        if not isinstance(states, dict):
            raise BadAnswer("`states` is not an object")
        if "state" in answer:
            states = {person: answer["state"], **states}
        if not all(isinstance(word, str) for word in states.values()):
            raise BadAnswer("a state is not a text")
        return {key: _word(word) for key, word in states.items()}

    return read


def key_of(value: Object, name: str = "id") -> str | None:
    """A key in an object, None where there is none. Raises BadAnswer for what cannot be one."""
    found = value.get(name)
    return None if found is None or found == "" else _key(found, name)


def _key(found: Any, name: str) -> str:
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)  # many systems keep their keys as numbers
    if not isinstance(found, str) or not 0 < len(found) <= MOST_KEY or not found.isprintable():
        raise BadAnswer(f"`{name}` is not a text of at most {MOST_KEY} characters")
    return found


def _objects(answer: Object, many: str, one: str) -> tuple[Object, ...]:
    found = answer.get(many)
    if found is None:
        single = answer.get(one)
        found = [] if single is None or single == {} else [single]
    if not isinstance(found, list) or not all(isinstance(value, dict) for value in found):
        raise BadAnswer(f"`{many}` is not a list of objects")
    for value in found:
        key_of(value, "person")
    return tuple(found)


def _word(text: str) -> str:
    return "".join(char for char in text.strip().lower() if char.isprintable())[:MOST_WORD] or "unknown"


# -- the decision


def persons_wanted(findings: Findings, token: Object) -> list[tuple[str, str]]:
    """The persons whose call it may be, best first, and what names each: token, order, member, campaign."""
    wanted: dict[str, str] = {}
    for by, values in (
        ("token", (token,)),
        ("order", findings.orders),
        ("member", (findings.member,) if findings.member is not None else ()),
        ("campaign", findings.campaigns),
    ):
        for value in values:
            person = value.get("person")
            if isinstance(person, int | str) and person != "" and not isinstance(person, bool):
                wanted.setdefault(str(person), by)
    return list(wanted.items())[:MOST_PERSONS]


def known_persons(findings: Findings, token: Object, organisation: Organisation, tenant: str) -> list[tuple[str, str]]:
    """Those of them who exist and are nobody else's; the response server's own choice before all."""
    told = findings.told.goal if findings.told is not None else None
    wanted = persons_wanted(findings, token)
    if told is not None and told.kind == "person":
        wanted.insert(0, (told.target, "response"))
    return [(key, by) for key, by in wanted if _is_ours(organisation.persons.get(key), tenant)]


def to_be_asked(organisation: Organisation, person: str, now: float) -> dict[str, tuple[str, ...]]:
    """Kind of person (`business`, `inbound`) -> those of whom the staff service of that kind should be asked."""
    kinds: dict[str, list[str]] = {}
    for key in could_take(organisation, person, now):
        kinds.setdefault(organisation.persons[key].kind, []).append(key)
    return {kind: tuple(keys) for kind, keys in kinds.items()}


def decide(
    findings: Findings,
    token: Object,
    organisation: Organisation,
    now: float,
    own: Callable[[str], Seen],
    *,
    tenant: str,
    default: Goal | None,
    allowed: Callable[[Goal], bool],
) -> Decision:
    """Who takes the call. `own`: what we know of an extension; `allowed`: whether a goal exists and is the tenant's.

    The response server's word comes first; then the first person wanted for whom there is anybody; then the default.
    """
    told = findings.told.goal if findings.told is not None else None
    if told is not None and told.kind != "person" and allowed(told):
        return Decision(told, "response")
    see, choice, first = seen_by(findings.states, own), None, None
    for person, by in known_persons(findings, token, organisation, tenant):
        choice = who_takes(organisation, person, now, see)
        first = first or person
        if choice.extension is not None and allowed(goal := Goal("agent", choice.extension)):
            return Decision(goal, by, choice, person)
    return Decision(default if default is not None and allowed(default) else None, "default", choice, first)


def seen_by(states: Mapping[str, str], own: Callable[[str], Seen]) -> See:
    """A person is online where his office system says nothing else, and his phone is (R0-09).

    A word that we do not know is an absence: better a substitute than a phone that nobody hears.
    """

    def see(person: Person, extension: str) -> Seen:
        word = states.get(person.id)
        if word is not None and word not in ONLINE:
            return Seen(Presence.BUSY if word in BUSY else Presence.OFFLINE, word)
        return own(extension)

    return see


def screen(findings: Findings, decision: Decision, organisation: Organisation) -> dict[str, Any]:
    """What the agent sees of it: the response server's own data, the person asked for, member, orders, campaigns."""
    shown: dict[str, Any] = dict(findings.told.data) if findings.told is not None else {}
    if decision.asked_for is not None:
        shown["person"] = shown_person(decision.asked_for, decision.choice, organisation)
    if findings.member is not None:
        shown["member"] = findings.member
    if findings.orders:
        shown["orders"] = list(findings.orders)
    if findings.campaigns:
        shown["campaigns"] = list(findings.campaigns)
    return fitted(shown)


def fitted(shown: dict[str, Any], most: int = MOST_SHOWN) -> dict[str, Any]:
    """The same, with the ends of long lists left out, then the largest parts, until it is no more than `most`."""
    while shown and len(json.dumps(shown)) > most:
        largest = max(shown, key=lambda name: len(json.dumps(shown[name])))
        part = shown[largest]
        if isinstance(part, list) and len(part) > 1:
            shown = {**shown, largest: part[: len(part) // 2]}
        else:
            shown = {name: value for name, value in shown.items() if name != largest}
    return shown


def shown_person(asked_for: str, choice: Choice | None, organisation: Organisation) -> dict[str, Any]:
    """The person whose call it is, and who takes it instead of him, and why."""
    person = organisation.persons[asked_for]
    shown: dict[str, Any] = {"id": person.id, "name": person.name}
    if choice is not None and choice.person is not None and choice.person != person.id:
        taker = organisation.persons[choice.person]
        shown["substitute"] = {"id": taker.id, "name": taker.name, "by": choice.reason}
        shown["why"] = choice.passed[0].why
    return shown


def _is_ours(person: Person | None, tenant: str) -> bool:
    return person is not None and person.tenant in (None, tenant)
