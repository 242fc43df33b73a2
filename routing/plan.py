"""The plan: everything that is data about who takes a call, as one immutable snapshot, and the kinds it consists of.

A new kind takes two lines here: its field in `Plan` and its entry in `KINDS`. Storage, API, import and export, audit
and the check of every change follow from that. Values are frozen dataclasses; a field `tenant: str | None` makes a kind
belong to tenants, and a field with `repr=False` is a secret that is kept but never shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from routing import menu_checks, org_checks
from routing import plan_checks as checks
from routing.calendar import Calendar
from routing.filtering import FilterRule, filter_problems
from routing.mailbox import Mailbox, mailbox
from routing.menu import Menu
from routing.notices import SmsRule, Webhook, sms_problems, webhook_problems
from routing.org import Absence, Person, Shift, Team
from routing.policy import Policy, policy_problems
from routing.queue import AgentProfile, PriorityClass, PriorityEntry, Queue
from routing.services import Response, Service, response_problems, service_problems
from routing.vdn import Vdn

if TYPE_CHECKING:
    from routing.directory import Directory


@dataclass(frozen=True, slots=True)
class Plan:
    """All values by kind and key. Nobody changes it: a change makes a new one."""

    vdns: Mapping[str, Vdn] = field(default_factory=dict)
    queues: Mapping[str, Queue] = field(default_factory=dict)
    priority_classes: Mapping[str, PriorityClass] = field(default_factory=dict)
    priorities: Mapping[str, PriorityEntry] = field(default_factory=dict)
    agent_profiles: Mapping[str, AgentProfile] = field(default_factory=dict)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    menus: Mapping[str, Menu] = field(default_factory=dict)
    mailboxes: Mapping[str, Mailbox] = field(default_factory=dict)
    persons: Mapping[str, Person] = field(default_factory=dict)
    teams: Mapping[str, Team] = field(default_factory=dict)
    absences: Mapping[str, Absence] = field(default_factory=dict)
    shifts: Mapping[str, Shift] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    responses: Mapping[str, Response] = field(default_factory=dict)
    filters: Mapping[str, FilterRule] = field(default_factory=dict)
    webhooks: Mapping[str, Webhook] = field(default_factory=dict)
    sms_rules: Mapping[str, SmsRule] = field(default_factory=dict)
    policies: Mapping[str, Policy] = field(default_factory=dict)

    @staticmethod
    def of(*values: object) -> Plan:
        """The plan of these values. Raises ValueError for a type that is no kind."""
        found: dict[str, dict[str, Any]] = {}
        for value in values:
            kind = kind_of(value)
            found.setdefault(kind.field, {})[kind.key(value)] = value
        return Plan(**found)

    def of_kind(self, word: str) -> Mapping[str, Any]:
        """The values of a kind by key; none of a kind there is not."""
        found: Mapping[str, Any] = getattr(self, word.replace("-", "_"), {})
        return found

    def values(self) -> Iterator[tuple[Kind, str, Any]]:
        """Kind, key and value of everything, in the order of `KINDS`."""
        for kind in KINDS.values():
            for key, value in self.of_kind(kind.word).items():
                yield kind, key, value

    def __repr__(self) -> str:
        return f"<Plan {', '.join(f'{len(self.of_kind(word))} {word}' for word in KINDS)}>"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of data."""

    word: str
    "In the plural, as paths and files have it: `priority-classes`."
    type: type[Any]
    key_field: str
    "The field that is unique among its kind."
    problems: Callable[[Any, Plan, Directory], Iterable[str]]
    """Every mistake of a value as it stands in the plan. A sentence may begin with the field and a colon:
    `overflow.0.goal: there is no queue night`."""

    @property
    def field(self) -> str:
        """Its field in `Plan`."""
        return self.word.replace("-", "_")

    @property
    def one(self) -> str:
        """The word in the singular."""
        for many, single in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("s", "")):
            if self.word.endswith(many):
                return self.word.removesuffix(many) + single
        return self.word

    @property
    def of_tenants(self) -> bool:
        """Whether its values may belong to one tenant."""
        return "tenant" in self.type.__dataclass_fields__

    def key(self, value: Any) -> str:
        key: str = getattr(value, self.key_field)
        return key


KINDS: dict[str, Kind] = {
    kind.word: kind
    for kind in (
        Kind("vdns", Vdn, "number", checks.vdn),
        Kind("queues", Queue, "id", checks.queue),
        Kind("priority-classes", PriorityClass, "name", checks.priority_class),
        Kind("priorities", PriorityEntry, "id", checks.priority_entry),
        Kind("agent-profiles", AgentProfile, "extension", checks.agent_profile),
        Kind("calendars", Calendar, "id", checks.calendar),
        Kind("menus", Menu, "id", menu_checks.menu),
        Kind("mailboxes", Mailbox, "id", mailbox),
        Kind("persons", Person, "id", org_checks.person),
        Kind("teams", Team, "id", org_checks.team),
        Kind("absences", Absence, "id", org_checks.absence),
        Kind("shifts", Shift, "id", org_checks.shift),
        Kind("services", Service, "id", service_problems),
        Kind("responses", Response, "tenant", response_problems),
        Kind("filters", FilterRule, "id", filter_problems),
        Kind("webhooks", Webhook, "id", webhook_problems),
        Kind("sms-rules", SmsRule, "id", sms_problems),
        Kind("policies", Policy, "id", policy_problems),
    )
}


def kind_of(value: object) -> Kind:
    """The kind of a value. Raises ValueError."""
    for kind in KINDS.values():
        if type(value) is kind.type:
            return kind
    raise ValueError(f"{type(value).__name__} is no kind of the plan")


class Mistake(NamedTuple):
    """One thing that is wrong with the plan."""

    kind: Kind
    key: str
    field: str
    "Empty: the whole."
    message: str


def mistakes(plan: Plan, directory: Directory) -> Iterator[Mistake]:
    """Everything that is wrong, in a stable order."""
    for kind, key, value in plan.values():
        yield from mistakes_of(kind, key, value, plan, directory)


def mistakes_of(kind: Kind, key: str, value: Any, plan: Plan, directory: Directory) -> Iterator[Mistake]:
    """What is wrong with one value as it stands in the plan."""
    found = [*checks.common(key, value, directory), *kind.problems(value, plan, directory)]
    for sentence in found:
        where, message = checks.split(sentence)
        yield Mistake(kind, key, where, message)
