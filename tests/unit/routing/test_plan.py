"""The plan and what is wrong with it, named value by value (R2-03, R2-05, R2-07)."""

from typing import Any

import pytest

from routing.calendar import Calendar
from routing.conflicts import conflicts
from routing.directory import AccessNumber, Directory, EntryPoint
from routing.goal import Goal
from routing.plan import KINDS, Plan, kind_of, mistakes
from routing.queue import AgentProfile, Overflow, PriorityClass, PriorityEntry, Queue, Widening
from routing.vdn import Vdn
from tests.unit.routing.world import ACME, AGENTS, BOLT

EXTENSION = AGENTS[0].extension
QUEUE = Queue("repairs", "Repairs", tenant=ACME.id)
GOOD: tuple[Any, ...] = (
    QUEUE,
    Queue("night", "Night"),
    Vdn("3", "Repairs", Goal("queue", "repairs"), ACME.id, priority="urgent"),
    PriorityClass("urgent", 120),
    PriorityEntry("smell", "urgent", caller="0211*", vdn="3"),
    AgentProfile(EXTENSION, {"repairs": 0}, {"gas": 3}),
    Calendar("office", "Asia/Shanghai", {"mon": ("08:00-12:00", "13:00-24:00")}, {"2026-10-01": "National Day"}),
)
DIRECTORY = Directory((ACME, BOLT), (), AGENTS)


def wrong(*values: Any) -> list[tuple[str, str, str]]:
    """What is wrong with these, put in the place of those of the good plan that have their keys."""
    kept = {(kind_of(value).word, kind_of(value).key(value)): value for value in (*GOOD, *values)}
    found = mistakes(Plan.of(*kept.values()), DIRECTORY)
    return [(one.kind.one, one.key, one.field) for one in found]


def test_a_good_plan_has_no_mistakes() -> None:
    assert wrong() == []
    assert list(mistakes(Plan(), Directory())) == []


def test_every_kind_has_its_field_key_and_name() -> None:
    assert set(Plan.__slots__) == {kind.field for kind in KINDS.values()}
    assert [KINDS[word].one for word in ("priority-classes", "priorities", "queues")] == [
        "priority-class", "priority", "queue",
    ]  # fmt: skip
    for kind in KINDS.values():
        assert kind.key_field in kind.type.__dataclass_fields__
    plan = Plan.of(*GOOD)
    assert plan.of_kind("agent-profiles")[EXTENSION] is GOOD[5]
    assert plan.of_kind("pigs") == {}
    assert "2 queues" in repr(plan)
    with pytest.raises(ValueError, match="int is no kind"):
        Plan.of(3)


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        (Vdn("3a", "", Goal("queue", "none")), ["number", "goal"]),
        (Vdn("4", "", Goal("queue", "repairs"), BOLT.id), ["goal"]),
        (Vdn("4", "", Goal("person", "nobody"), "nobody", priority="none"), ["tenant", "goal", "priority"]),
        (Vdn("4", "", Goal("vdn", "4")), ["goal"]),
        (Vdn("4", "", Goal("hangup", "now")), ["goal"]),
        (Vdn("4", "", Goal("agent")), ["goal"]),
        (Vdn("4", "", Goal("number", "sip:x")), ["goal"]),
        (Vdn("4", "", Goal("number", "+86 21")), ["goal"]),
        (Vdn("4", "x" * 101, Goal("number", "+8621")), ["name"]),
        (Queue("../etc", ""), [""]),
        (Queue("q", "", ring_timeout=float("nan"), wrap_up=400), ["ring_timeout", "wrap_up"]),
        (Queue("q", "", skills={"a b": 1, "gas": -1}), ["skills", "skills.gas"]),
        (Queue("q", "", widen=(Widening(20), Widening(10))), ["widen.1.after"]),
        (Queue("q", "", callback_key="12", music="../x", survey="none"), ["callback_key", "survey", "music"]),
        (Queue("q", "", overflow=(Overflow("wait", Goal("queue", "q"), -1),)),
         ["overflow.0.more_than", "overflow.0.goal"]),
        (Queue("repairs", "", otherwise=Goal("vdn", "3")), ["otherwise"]),
        (Queue("q", "", service_target=1.5, announce_every=1), ["service_target", "announce_every"]),
        (Queue("q", "", weight=10**400, max_length=10**400), ["max_length", "weight"]),
        (PriorityClass("q", 1e9), ["ahead"]),
        (PriorityEntry("q", "none"), ["priority", ""]),
        (PriorityEntry("q", "urgent", caller="a", called="1*2", vdn="9", digits="x"),
         ["caller", "called", "vdn", "digits"]),
        (AgentProfile("999", {"none": -1}, person="p", wrap_up=-1, pin="12a"),
         ["extension", "queues.none", "queues.none", "person", "wrap_up", "pin"]),
        (Calendar("c", "Moon", {"moonday": (), "tue": ("9-10", "10:00-12:00", "11:00-13:00")}, {"25.12.": "x"}),
         ["zone", "hours", "hours.tue", "hours.tue", "holidays"]),
    ],
)  # fmt: skip
def test_each_mistake_is_named_with_its_field(value: Any, fields: list[str]) -> None:
    kind = kind_of(value)
    found = wrong(value)
    assert [(one, key) for one, key, _ in found if key == kind.key(value)] == [(kind.one, kind.key(value))] * len(
        fields
    )
    assert [field for _, key, field in found if key == kind.key(value)] == fields


def test_vdns_that_lead_in_a_circle_are_found() -> None:
    """R2-03: a call would go round for ever."""
    circle = [Vdn(one, "", Goal("vdn", other)) for one, other in (("5", "6"), ("6", "7"), ("7", "5"), ("8", "5"))]
    assert wrong(*circle) == [("vdn", "5", "goal"), ("vdn", "6", "goal"), ("vdn", "7", "goal")]


def test_an_access_number_leads_to_what_there_is_and_to_its_own_tenant() -> None:
    """R1-05, R2-03."""
    plan = Plan.of(*GOOD)
    for entry, tenant, count in (
        (EntryPoint("queue", "repairs"), ACME.id, 0),
        (EntryPoint("vdn", "3"), None, 0),
        (EntryPoint("hangup", ""), None, 0),
        (EntryPoint("queue", "repairs"), BOLT.id, 1),
        (EntryPoint("menu", "none"), None, 1),
        (EntryPoint("voicemail", "none"), None, 1),
    ):
        rows = [AccessNumber("400", "400", entry=entry, default_tenant=tenant)]
        found = [one for one in conflicts((ACME, BOLT), rows, AGENTS, plan=plan) if one.field == "entry"]
        assert len(found) == count, (entry, tenant, found)


def test_what_sounds_like_a_secret_is_one() -> None:
    """Fields with `repr=False` are never shown: a new kind must not forget it."""
    words = ("secret", "password", "pin", "token", "api_key")
    for kind in KINDS.values():
        for name, field in kind.type.__dataclass_fields__.items():
            assert name not in words or not field.repr, (kind.word, name)
