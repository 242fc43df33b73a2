"""Mistakes of persons, teams, absences, shifts and services: each is found when it is loaded, by its field."""

import pytest

from routing.directory import Agent, Directory, Tenant
from routing.goal import Goal
from routing.org import Absence, Person, Shift, Team
from routing.plan import Plan, mistakes
from routing.services import Response, Service

DIRECTORY = Directory(
    tenants=[
        Tenant(name, name, access, frozenset({"t"}), frozenset({"1"})) for name, access in (("a", "71"), ("b", "72"))
    ],
    agents=[Agent("1001", "agent 1001", "sip:1001@phones", "inside")],
)
PERSON = Person("p", tenant="a")
CRM = Service("crm", "a", "member", "http://crm/find?tel={caller}")


def found(*values: object) -> list[str]:
    """`kind key, field: message` of everything that is wrong."""
    return [f"{one.kind.one} {one.key}, {one.field}: {one.message}" for one in mistakes(Plan.of(*values), DIRECTORY)]


def test_a_sound_organisation_has_no_mistakes() -> None:
    assert not found(
        Person("p", tenant="a", extension="1001", team="t", superior="q", deputies=("q",)),
        Person("q", tenant="a", team="t"),
        Team("t", tenant="a", lead="q", parent="top"),
        Team("top", lead="q"),
        Absence("x", "p", "2026-12-24", "2026-12-24", deputy="q"),
        Shift("s", "p", ("mon",), "22:00", "06:00", zone="Asia/Shanghai", hand_over=15, relief="q"),
        CRM,
        Service("resp", "a", "response", "http://crm/call"),
        Response("a", default=Goal("agent", "1001")),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("value", "mistake"),
    [
        (Person("x", extension="9"), "person x, extension: there is no agent 9"),
        (Person("x", team="t"), "person x, team: there is no team t"),
        (Person("x", superior="y"), "person x, superior: there is no person y"),
        (Person("x", superior="x"), "person x, superior: names x himself"),
        (Person("x", deputies=("y",)), "person x, deputies: there is no person y"),
        (Person("x", deputies=("p", "p")), "person x, deputies: one is named twice"),
        (Person("x", tenant="b", superior="p"), "person x, superior: person p is another tenant's"),
        (Person("x", tenant="c"), "person x, tenant: there is no tenant c"),
        (Team("x", lead="y"), "team x, lead: there is no person y"),
        (Team("x", parent="y"), "team x, parent: there is no team y"),
        (Absence("x", "y", "2026-01-01", "2026-01-02"), "absence x, person: there is no person y"),
        (Absence("x", "p", "2026-01-02", "2026-01-01"), "absence x, ends: is not after the beginning"),
        (Absence("x", "p", "1 May", "2026-01-01"), "absence x, : '1 May' is no time like"),
        (Absence("x", "p", "2026-01-01", "2026-01-01", zone="Mars"), "absence x, zone: there is no time zone 'Mars'"),
        (Absence("x", "p", "2026-01-01", "2026-01-01", deputy="p"), "absence x, deputy: names p himself"),
        (Shift("x", "p", (), "08:00", "16:00"), "shift x, days: name at least one"),
        (Shift("x", "p", ("monday",), "08:00", "16:00"), "shift x, days: 'monday' is no weekday"),
        (Shift("x", "p", ("mon",), "8", "16:00"), "shift x, begins: '8' is no time like 08:00"),
        (Shift("x", "p", ("mon",), "08:00", "16:00", relief="y"), "shift x, relief: there is no person y"),
        (Service("x", "a", "order", "crm"), "service x, url: must begin with http:// or https://"),
        (Service("x", "a", "order", "http://crm/{who}"), "service x, url: unknown name {who}"),
        (Service("x", "a", "order", "http://crm", fields={"a": "{b}"}), "service x, fields.a: unknown name {b}"),
        (Service("x", "a", "order", "http://crm", timeout_ms=0), "service x, timeout_ms: must be from 10 to 5000"),
        (Service("x", "a", "member", "http://crm"), "service x, role: service crm is the member service of tenant a"),
        (Service("x", "a", "order", "http://crm", answer="a b"), "service x, answer: 'a b' is no path"),
        (Response("b", default=Goal("queue", "q")), "response b, default: there is no queue q"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_by_its_field(value: object, mistake: str) -> None:
    """R0-10: unknown persons and broken rows are refused at load."""
    assert [one for one in found(PERSON, CRM, value) if one.startswith(mistake)], found(PERSON, CRM, value)


def test_circles_are_told_with_the_way_round() -> None:
    """R0-10: circles of superiors, deputies and teams are refused at load; a boss whose clerk stands in is none."""
    told = found(
        Person("a", superior="b", deputies=("c",)),
        Person("b", superior="c"),
        Person("c", superior="a", deputies=("a",)),
        Team("t", parent="u"),
        Team("u", parent="t"),
    )
    assert "person a, superior: a -> b -> c -> a is a circle" in told
    assert "person c, deputies: c -> a -> c is a circle" in told
    assert "team t, parent: t -> u -> t is a circle" in told
    assert not found(Person("boss", deputies=("clerk",)), Person("clerk", superior="boss"))


def test_a_team_whose_lead_reports_to_its_member_is_a_circle() -> None:
    """R0-10: a superior who is nobody's field but the team's counts as well."""
    told = found(Person("boss", superior="clerk"), Person("clerk", team="t"), Team("t", lead="boss"))
    assert told == [
        "person boss, superior: boss -> clerk -> boss is a circle",
        "person clerk, superior: clerk -> boss -> clerk is a circle",
    ]


def test_a_circle_blames_only_those_in_it() -> None:
    told = found(Person("outside", superior="a"), Person("a", superior="b"), Person("b", superior="a"))
    assert [one.split(",")[0] for one in told] == ["person a", "person b"]
