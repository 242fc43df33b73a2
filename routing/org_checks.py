"""What is wrong with persons, teams, absences and shifts before a call finds out: strangers, circles, bad times."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from routing.attendance import BadTime, absence_span, clock
from routing.business_hours import WEEKDAYS
from routing.org import Organisation
from routing.plan_checks import reference, within

if TYPE_CHECKING:
    from routing.directory import Directory
    from routing.org import Absence, Person, Shift, Team
    from routing.plan import Plan

MOST_DEPUTIES = 20


def person(value: Person, plan: Plan, directory: Directory) -> Iterator[str]:
    if value.extension is not None and value.extension not in directory.agents:
        yield f"extension: there is no agent {value.extension}"
    yield from reference("team", plan.teams, "team", value.team, value.tenant)
    yield from _other("superior", value.superior, value.id, plan, value.tenant)
    if len(value.deputies) > MOST_DEPUTIES:
        yield f"deputies: {MOST_DEPUTIES} at most"
    for deputy in value.deputies:
        yield from _other("deputies", deputy, value.id, plan, value.tenant)
    for field, named in (("deputies", value.deputies), ("rules", value.rules)):
        if len(set(named)) < len(named):
            yield f"{field}: one is named twice"
    persons, organisation = plan.persons, Organisation(plan.persons, plan.teams)

    def superior(key: str) -> Iterable[str]:
        # his row names nobody: the lead of his team, who may have him as a superior in turn
        above = organisation.superior(persons[key]) if key in persons else None
        return () if above is None else (above,)

    def deputies(key: str) -> Iterable[str]:
        return persons[key].deputies if key in persons else ()

    yield from _circle("superior", value.id, superior)
    yield from _circle("deputies", value.id, deputies)


def team(value: Team, plan: Plan, directory: Directory) -> Iterator[str]:
    yield from reference("lead", plan.persons, "person", value.lead, value.tenant)
    yield from reference("parent", plan.teams, "team", value.parent, value.tenant)

    def parent(key: str) -> Iterable[str]:
        above = plan.teams[key].parent if key in plan.teams else None
        return () if above is None else (above,)

    yield from _circle("parent", value.id, parent)


def absence(value: Absence, plan: Plan, directory: Directory) -> Iterator[str]:
    yield from reference("person", plan.persons, "person", value.person, value.tenant)
    yield from _other("deputy", value.deputy, value.person, plan, _owner(value.person, plan))
    if (wrong := _zone(value.zone)) is not None:
        yield wrong
        return
    try:
        begins, ends = absence_span(value)
    except BadTime as error:
        yield str(error)
        return
    if begins >= ends:
        yield "ends: is not after the beginning"


def shift(value: Shift, plan: Plan, directory: Directory) -> Iterator[str]:
    yield from reference("person", plan.persons, "person", value.person, value.tenant)
    yield from _other("relief", value.relief, value.person, plan, _owner(value.person, plan))
    yield from within("hand_over", value.hand_over, 0, 12 * 60)
    if (wrong := _zone(value.zone)) is not None:
        yield wrong
    if not value.days:
        yield "days: name at least one"
    for day in value.days:
        if day not in WEEKDAYS:
            yield f"days: {day!r} is no weekday: {', '.join(WEEKDAYS)}"
    for field, text in (("begins", value.begins), ("ends", value.ends)):
        try:
            clock(text)
        except BadTime as error:
            yield f"{field}: {error}"


def _owner(key: str, plan: Plan) -> str | None:
    found = plan.persons.get(key)
    return None if found is None else found.tenant


def _other(field: str, key: str | None, himself: str, plan: Plan, tenant: str | None) -> Iterator[str]:
    """A person named for another one."""
    if key == himself:
        yield f"{field}: names {key} himself"
    else:
        yield from reference(field, plan.persons, "person", key, tenant)


def _circle(field: str, start: str, onward: Callable[[str], Iterable[str]]) -> Iterator[str]:
    """A way that leads from `start` back to it, in words; who names himself is told elsewhere."""
    before: dict[str, str] = {}
    waiting = [start]
    while waiting:
        at = waiting.pop()
        for following in onward(at):
            if following == start and at != start:
                way = [start, at]
                while at != start:
                    way.append(at := before[at])
                yield f"{field}: {' -> '.join(reversed(way))} is a circle"
                return
            if following not in before and following != start:
                before[following] = at
                waiting.append(following)


def _zone(zone: str) -> str | None:
    try:
        ZoneInfo(zone)
    except (OSError, ValueError, KeyError):  # by what is wrong with it: a folder, a path, unknown
        return f"zone: there is no time zone {zone!r}"
    return None
