"""Answers of a tenant's services to one decision: who takes the call, and what he sees."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.analysis import (
    BadAnswer,
    Decision,
    Findings,
    Told,
    decide,
    fitted,
    read_campaigns,
    read_members,
    read_orders,
    read_told,
    screen,
    states_reader,
    to_be_asked,
)
from routing.goal import Goal
from routing.org import Absence, Organisation, Person
from routing.substitute import Presence, Seen

PERSONS = {
    person.id: person
    for person in (
        Person("clerk-12", "clerk 12", "acme", extension="1012", deputies=("clerk-13",)),
        Person("clerk-13", "clerk 13", "acme", extension="1013"),
        Person("taker", "taker", "acme", kind="inbound", extension="2001", deputies=("clerk-13",)),
        Person("stranger", "stranger", "beta", extension="3001"),
    )
}
HERE = Organisation.of(PERSONS, {}, {}, {}, {})
ON_LEAVE = Organisation.of(PERSONS, {}, {"a": Absence("a", "clerk-12", "2000-01-01", "2099-12-31")}, {}, {})
QUEUE = Goal("queue", "sales")


def decided(
    findings: Findings, organisation: Organisation = HERE, token: dict[str, Any] | None = None, **own: Presence
) -> Decision:
    """By extension, `_1012=Presence.OFFLINE`; everybody else is online."""
    presence: Callable[[str], Seen] = lambda extension: Seen(own.get(f"_{extension}", Presence.ONLINE))  # noqa: E731
    return decide(
        findings, token or {}, organisation, 1.7e9, presence,
        tenant="acme", default=QUEUE, allowed=lambda goal: goal.target != "forbidden",
    )  # fmt: skip


def names(person: str) -> dict[str, Any]:
    return {"id": "1", "person": person}


FULL = Findings(campaigns=(names("taker"),), member=names("clerk-13"), orders=(names("clerk-12"),))


def test_the_order_names_the_person_before_the_member_before_the_campaign() -> None:
    """R0-05: what the later stages found is nearer to this call."""
    assert decided(FULL).goal == Goal("agent", "1012")
    assert decided(Findings(campaigns=FULL.campaigns, member=FULL.member)).goal == Goal("agent", "1013")
    assert decided(Findings(campaigns=FULL.campaigns)).reason == "campaign"
    assert decided(FULL, token={"person": "taker"}).reason == "token"


def test_the_call_goes_to_the_person_who_is_looked_for_again_should_nobody_answer() -> None:
    assert decided(FULL).way == Goal("person", "clerk-12")
    assert decided(Findings()).way == QUEUE


def test_the_response_servers_word_comes_first() -> None:
    told = Findings(told=Told(QUEUE), orders=FULL.orders)
    assert (decided(told).goal, decided(told).reason) == (QUEUE, "response")
    person = Findings(told=Told(Goal("person", "clerk-13")), orders=FULL.orders)
    assert (decided(person).goal, decided(person).reason) == (Goal("agent", "1013"), "response")
    assert decided(Findings(told=Told(Goal("queue", "forbidden")), orders=FULL.orders)).reason == "order"


def test_a_person_who_is_away_is_replaced_and_the_screen_says_so() -> None:
    """R0-10: on leave: the deputy, who sees whose call it is."""
    decision = decided(FULL, ON_LEAVE)
    assert decision.goal == Goal("agent", "1013")
    assert screen(FULL, decision, ON_LEAVE)["person"] == {
        "id": "clerk-12",
        "name": "clerk 12",
        "substitute": {"id": "clerk-13", "name": "clerk 13", "by": "deputy"},
        "why": "leave",
    }


@pytest.mark.parametrize(
    ("word", "extension"),
    [("online", "1012"), ("available", "1012"), ("busy", "1013"), ("leave", "1013"), ("what is this", "1013")],
)
def test_the_office_system_knows_better_than_the_phone(word: str, extension: str) -> None:
    """R0-09: a word that nobody knows is an absence."""
    findings = Findings(orders=FULL.orders, states=states_reader("clerk-12")({"state": word}))
    assert decided(findings).goal == Goal("agent", extension)


def test_a_phone_that_is_off_is_off_whatever_the_office_says() -> None:
    findings = Findings(orders=FULL.orders, states={"clerk-12": "online"})
    assert decided(findings, _1012=Presence.OFFLINE).goal == Goal("agent", "1013")


def test_nobody_suitable_is_the_default_queue() -> None:
    """R0-11: an empty answer; with nobody known, nobody there, or another tenant's person named."""
    gone = {"_1012": Presence.OFFLINE, "_1013": Presence.OFFLINE}
    for decision in (
        decided(Findings()),
        decided(Findings(orders=FULL.orders), HERE, None, **gone),
        decided(Findings(orders=(names("stranger"),))),
        decided(Findings(orders=(names("unknown"),))),
    ):
        assert (decision.goal, decision.reason) == (QUEUE, "default")


def test_the_next_person_is_tried_when_for_the_first_there_is_nobody() -> None:
    findings = Findings(orders=(names("clerk-12"),), member=names("taker"))
    decision = decided(findings, _1012=Presence.OFFLINE, _1013=Presence.OFFLINE)
    assert (decision.goal, decision.reason, decision.asked_for) == (Goal("agent", "2001"), "member", "taker")


def test_each_kind_of_staff_is_asked_of_its_own_service() -> None:
    """R0-09, R0-12: the person and those who could stand in for him."""
    assert to_be_asked(HERE, "taker", 1.7e9) == {"inbound": ("taker",), "business": ("clerk-13",)}


@pytest.mark.parametrize(
    ("answer", "goal"),
    [
        ({}, None),
        ({"person": "clerk-12"}, Goal("person", "clerk-12")),
        ({"person": 12}, Goal("person", "12")),
        ({"extension": "1001"}, Goal("agent", "1001")),
        ({"queue": "sales"}, QUEUE),
        ({"goal": {"kind": "vdn", "target": "3"}}, Goal("vdn", "3")),
        ({"goal": {"kind": "hangup"}}, Goal("hangup")),
    ],
)
def test_a_response_server_names_one_goal(answer: dict[str, Any], goal: Goal | None) -> None:
    assert read_told(answer) == Told(goal, {})


@pytest.mark.parametrize(
    "answer",
    [
        {"goal": {"kind": "number", "target": "0900123"}},
        {"goal": "sales"},
        {"goal": {"kind": "queue"}},
        {"person": "a", "queue": "b"},
        {"person": "x" * 65},
        {"person": ["a"]},
        {"data": ["x"]},
    ],
)
def test_what_is_no_goal_or_dials_out_is_refused(answer: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer):
        read_told(answer)


@pytest.mark.parametrize("n", [0, 1, 7])
def test_any_number_of_orders_is_read(n: int) -> None:
    """R0-08: 0, 1, many."""
    assert [order["id"] for order in read_orders({"orders": [{"id": i} for i in range(n)]})] == list(range(n))


def test_one_may_stand_alone_and_none_may_be_left_out() -> None:
    assert read_members({"member": {"id": 1}}) == ({"id": 1},)
    assert read_members({}) == read_members({"member": None}) == read_members({"member": {}}) == ()
    assert read_campaigns({"campaign": {"id": 1}}) == read_campaigns({"campaigns": [{"id": 1}]})


@pytest.mark.parametrize("answer", [{"members": {}}, {"members": [1]}, {"member": "x"}, {"member": {"id": []}}])
def test_members_of_another_shape_are_refused(answer: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer):
        read_members(answer)


def test_more_than_a_screen_holds_is_cut_from_the_ends() -> None:
    shown = fitted({"orders": [{"id": i, "text": "x" * 100} for i in range(50)], "member": {"id": 1}}, 1000)
    assert [order["id"] for order in shown["orders"]] == list(range(6))
    assert shown["member"] == {"id": 1}
    assert fitted({"member": {"text": "x" * 2000}, "person": {}}, 1000) == {"person": {}}


WORDS = [
    "id",
    "person",
    "member",
    "members",
    "orders",
    "campaigns",
    "data",
    "goal",
    "kind",
    "target",
    "state",
    "states",
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(WORDS), VALUES))
def test_whatever_stands_in_an_answer_it_is_read_or_refused(answer: dict[str, Any]) -> None:
    """R0-05: garbage is one error, and what is read decides and can be shown."""
    try:
        findings = Findings(
            read_told(answer), read_campaigns(answer), next(iter(read_members(answer)), None), 0, read_orders(answer),
            states_reader("clerk-12")(answer),
        )  # fmt: skip
    except BadAnswer:
        return
    json.dumps(screen(findings, decided(findings), HERE))
