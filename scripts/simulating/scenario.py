"""A scenario: business data as `tandem export` writes it, and beside it who calls and who is at work."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from b2bua.storage.plan_values import BadValue, read
from routing.plan import KINDS, Plan

HOUR = 3600.0
Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=86400)]
Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]


class BadScenario(ValueError):
    """A file that is no scenario; the text names every mistake, one on a line."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """One stream of callers. Arrivals are Poisson, times exponential."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    queue: str
    per_hour: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(min_length=1)]
    "Calls an hour, by hour of the day from 00:00; the last figure holds for the rest of the day."
    handling: Annotated[float, Field(gt=0)] = 180.0
    "Mean seconds of talk."
    patience: Annotated[float, Field(gt=0)] | None = 120.0
    "Mean seconds a caller waits before he gives up; none: nobody does."
    priorities: Mapping[str, Share] = field(default_factory=dict)
    "Priority class -> share of callers; the others have none."
    skills: Mapping[str, int] = field(default_factory=dict)
    area: str = ""


@dataclass(frozen=True, slots=True)
class Duty:
    """When agents are at work."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    agents: tuple[str, ...]
    begins: Clock = "00:00"
    ends: Clock = "24:00"
    breaks: tuple[Annotated[str, Field(pattern=r"^\d\d:\d\d-\d\d:\d\d$")], ...] = ()
    'Spans "12:00-12:30" in which they are paused.'


@dataclass(frozen=True, slots=True)
class Day:
    """The circumstances."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    hours: Annotated[float, Field(gt=0)] = 24.0
    answer_after: Seconds = 4.0
    "Mean seconds an agent lets his phone ring."
    missed: Share = 0.0
    "Share of offers an agent does not answer."
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything a simulated day needs. Times of day count from the scenario's begin, 00:00."""

    plan: Plan
    traffic: tuple[Traffic, ...]
    duties: tuple[Duty, ...]
    day: Day = field(default_factory=Day)


def load(file: Path) -> Scenario:
    """Read a scenario. Raises BadScenario, and OSError when the file cannot be read."""
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadScenario(f"{file}: {error}") from None
    mistakes: list[str] = []
    traffic = _tables("traffic", said.pop("traffic", []), Traffic, mistakes)
    duties = _tables("duty", said.pop("duty", []), Duty, mistakes)
    days = _tables("day", [said.pop("day", {})], Day, mistakes)
    values = []
    for word, tables in said.items():
        kind = KINDS.get(word)
        if word == "agents":
            continue  # an export names them; where their phones are does not matter here
        if kind is None or not isinstance(tables, list):
            mistakes.append(f"{word}: there is no such kind of data")
            continue
        for number, table in enumerate(tables, 1):
            try:
                values.append(read(kind, table))
            except BadValue as error:
                mistakes.append(f"{word} {number}: {error}")
    plan = Plan.of(*values)
    mistakes += _dangling(plan, traffic, duties)
    if mistakes:
        raise BadScenario("\n".join(f"{file}: {mistake}" for mistake in mistakes))
    return Scenario(plan, tuple(traffic), tuple(duties), days[0])


def _tables(word: str, tables: object, type_: type[Any], mistakes: list[str]) -> list[Any]:
    adapter = TypeAdapter(type_)
    found = []
    for number, table in enumerate(tables if isinstance(tables, list) else [tables], 1):
        try:
            found.append(adapter.validate_python(table))
        except ValidationError as error:
            for one in error.errors(include_url=False):
                where = ".".join(str(part) for part in one["loc"])
                mistakes.append(f"{word} {number}: {where}: {one['msg']}")
    return found


def _dangling(plan: Plan, traffic: list[Traffic], duties: list[Duty]) -> Iterator[str]:
    for number, stream in enumerate(traffic, 1):
        if stream.queue not in plan.queues:
            yield f"traffic {number}: queue: there is no queue {stream.queue}"
        for name in stream.priorities:
            if name not in plan.priority_classes:
                yield f"traffic {number}: priorities: there is no priority class {name}"
        if sum(stream.priorities.values()) > 1:
            yield f"traffic {number}: priorities: the shares are more than 1"
    for number, duty in enumerate(duties, 1):
        for extension in duty.agents:
            if extension not in plan.agent_profiles:
                yield f"duty {number}: agents: {extension} has no agent profile"
    if not traffic:
        yield "traffic: nobody calls"


def seconds(clock: str) -> float:
    """Of a time of day."""
    hours, _, minutes = clock.partition(":")
    return int(hours) * HOUR + int(minutes) * 60.0
