"""What is wrong with a menu is named: every dead end, every node that nothing leads to, every name that is nobody's."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.calendar import Calendar
from routing.goal import Goal
from routing.mailbox import Mailbox, mailbox
from routing.menu import Branch, Choice, Collect, Hours, Http, Language, Menu, Node, OptOut, Prompt, Survey, To
from routing.menu_checks import menu
from routing.menu_walk import Arrive, Ask, Say, Walk
from routing.plan import Plan
from routing.queue import Queue
from tests.unit.routing.world import directory

PLAN = Plan.of(
    Queue("sales", "sales"), Queue("theirs", "theirs", "bolt"), Calendar("office"), Calendar("theirs", tenant="bolt")
)
DIRECTORY = directory()
TEXTS = {"hello": {"en": "hello"}, "which": {"en": "which"}}

GOOD: dict[str, Node] = {
    "a": Hours("hours", "office", "b", "end"),
    "b": Prompt("prompt", ("hello", "tone.wav"), "c"),
    "c": Choice("choice", ("which",), {"1": "queue", "2": "d"}, "end"),
    "d": Collect("collect", ("which",), "end", match="vdn"),
    "queue": To("goal", Goal("queue", "sales")),
    "end": To("goal", Goal("hangup")),
}


def good(**more: Any) -> Menu:
    return Menu("main", "main", "a", dict(GOOD), TEXTS, **more)


def wrong_with(value: Menu) -> list[str]:
    return list(menu(value, PLAN, DIRECTORY))


def with_node(node: Node, name: str = "b", **more: Any) -> Menu:
    """The good menu with another node in it."""
    return replace(good(), nodes=GOOD | {name: node}, **more)


def test_a_good_menu_has_no_mistakes() -> None:
    assert wrong_with(good()) == []


HELLO = Prompt("prompt", ("hello",), "c")
CHOICE = Choice("choice", ("which",), {"1": "c"}, "c")
NUMBER = Collect("collect", ("which",), "c", next="c")


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (replace(good(), start="x"), "start: there is no node 'x'"),
        (replace(good(), operator="x"), "operator: there is no node 'x'"),
        (replace(good(), languages=()), "languages: must name one at least"),
        (replace(good(), languages=("en", "../x")), "languages: '../x' is no language"),
        (replace(good(), languages=("en", "de")), "texts.hello: has no words in de"),
        (replace(good(), otherwise=Goal("queue", "x")), "otherwise: there is no queue x"),
        (with_node(HELLO, "lost"), "nodes.lost: nothing leads here"),
        (with_node(replace(HELLO, next="b")), "nodes.b: is a dead end, from here no way leads to a goal"),
        (with_node(HELLO, "a b"), "nodes: 'a b' is no name of a node"),
        (with_node(replace(HELLO, next="x")), "nodes.b.next: there is no node 'x'"),
        (with_node(replace(HELLO, say=())), "nodes.b.say: says nothing"),
        (with_node(replace(HELLO, say=("x",))), "nodes.b.say: 'x' is neither a text of the menu nor a file"),
        (with_node(replace(HELLO, say=("../x.wav",))), "nodes.b.say: '../x.wav' is neither"),
        (with_node(replace(HELLO, say=("/etc/x.wav",))), "nodes.b.say: '/etc/x.wav' is neither"),
        (with_node(replace(CHOICE, wrong=("x",))), "nodes.b.wrong: 'x' is neither"),
        (with_node(replace(CHOICE, keys={"1": "x"})), "nodes.b.keys.1: there is no node 'x'"),
        (with_node(replace(CHOICE, keys={"E": "c"})), "nodes.b.keys: 'E' is no key of a phone"),
        (with_node(replace(CHOICE, keys={"12": "c"})), "nodes.b.keys: '12' is not one key"),
        (with_node(replace(CHOICE, keys={})), "nodes.b.keys: no key leads anywhere"),
        (with_node(replace(CHOICE, repeat="1")), "nodes.b.keys: 1 is the key that repeats already"),
        (with_node(replace(CHOICE, repeat="12")), "nodes.b.keys: the key that repeats must be one key"),
        (with_node(replace(CHOICE, otherwise="x")), "nodes.b.otherwise: there is no node 'x'"),
        (with_node(replace(CHOICE, tries=0)), "nodes.b.tries: must be from 1 to 10"),
        (with_node(replace(CHOICE, first=0.0)), "nodes.b.first: must be more than 0"),
        (with_node(replace(CHOICE, first=float("nan"))), "nodes.b.first: must be more than 0"),
        (with_node(replace(NUMBER, between=999.0)), "nodes.b.between: must be more than 0"),
        (with_node(replace(NUMBER, least=9, digits=8)), "nodes.b.digits: must be from `least`"),
        (with_node(replace(NUMBER, digits=99)), "nodes.b.digits: must be from `least` (1 or more) to 32"),
        (with_node(replace(NUMBER, next="")), "nodes.b.next: there is no node ''"),
        (with_node(replace(NUMBER, match="vdn")), "nodes.b.next: digits that match go to the vdn itself"),
        (with_node(replace(NUMBER, into="A B")), "nodes.b.into: 'A B' is no name of a value"),
        (with_node(replace(NUMBER, repeat="#")), "nodes.b.repeat: # is the key that repeats already"),
        (with_node(Branch("branch", "order", {"1": "c"}, "c")), "nodes.b.on: nothing sets the value 'order'"),
        (with_node(Branch("branch", "digits", {"1": "x"}, "c")), "nodes.b.cases.1: there is no node 'x'"),
        (with_node(Http("http", "crm", "c", "c")), "nodes.b.service: there is no service crm"),
        (with_node(Hours("hours", "x", "c", "c", "x")), "nodes.b.holiday: there is no node 'x'"),
        (with_node(Hours("hours", "x", "c", "c")), "nodes.b.calendar: there is no calendar x"),
        (
            with_node(Hours("hours", "theirs", "c", "c"), tenant="acme"),
            "nodes.b.calendar: calendar theirs is another tenant's",
        ),
        (with_node(Language("language", "de", "c")), "nodes.b.language: 'de' is none of the menu's languages"),
        (with_node(Survey("survey", ("which",), "c", keys="")), "nodes.b.keys: no key is an answer"),
        (with_node(Survey("survey", ("which",), "c", keys="1x")), "nodes.b.keys: 'x' is no key of a phone"),
        (with_node(OptOut("opt-out", "x")), "nodes.b.otherwise: there is no node 'x'"),
        (with_node(OptOut("opt-out", "c", ("x",))), "nodes.b.say: 'x' is neither"),
        (with_node(OptOut("opt-out", "c", number="own")), "nodes.b.number: nothing sets the value 'own'"),
        (with_node(To("goal", Goal("queue", "x"))), "nodes.b.goal: there is no queue x"),
        (with_node(To("goal", Goal("agent", "9"))), "nodes.b.goal: there is no agent 9"),
        (with_node(To("goal", Goal("queue", "theirs")), tenant="acme"), "nodes.b.goal: queue theirs is another"),
        (
            replace(good(), texts={**TEXTS, "hello": {"en": "{order}"}}),
            "texts.hello.en: nothing sets the value 'order'",
        ),
    ],
)
def test_each_mistake_is_named_with_its_place(value: Menu, sentence: str) -> None:
    assert any(found.startswith(sentence) for found in wrong_with(value)), wrong_with(value)


def test_all_mistakes_come_at_once() -> None:
    value = Menu("main", "main", "x", {"a": Prompt("prompt", ("no",), "b"), "c": To("goal", Goal("queue", "no"))})
    assert len(wrong_with(value)) == 6


names = st.sampled_from("abcd")
node = st.one_of(
    st.builds(Prompt, st.just("prompt"), st.just(("hello",)), names),
    st.builds(Choice, st.just("choice"), st.just(("which",)), st.dictionaries(st.sampled_from("12"), names), names),
    st.builds(To, st.just("goal"), st.sampled_from([Goal("hangup"), Goal("queue", "sales")])),
)


@given(st.dictionaries(names, node, min_size=1), st.data())
def test_who_passes_the_checks_leads_every_caller_to_a_goal_of_his_own(graph: dict[str, Node], data: Any) -> None:
    """From every node that a caller can be at, some keys lead to a goal (no dead end was overlooked)."""
    value = Menu("main", "main", next(iter(graph)), graph, TEXTS, otherwise=Goal("agent", "801"))
    if wrong_with(value):
        return
    way = Walk(value)
    command = way.begin()
    for _ in range(150):
        if isinstance(command, Arrive):
            assert command.goal != value.otherwise
            return
        assert isinstance(command, Say | Ask)
        command = way.said() if isinstance(command, Say) else way.dialled(data.draw(st.sampled_from("12")))


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (Mailbox("m", greeting_file="../x.wav"), "greeting_file: '../x.wav' is no name of a sound file"),
        (Mailbox("m", longest=0), "longest: must be from 1 to 3600"),
        (Mailbox("m", language="../../x"), "language: '../../x' is no language"),
        (Mailbox("m", shortest=200), "shortest: must be from 0"),
    ],
)
def test_mistakes_of_a_mailbox(value: Mailbox, sentence: str) -> None:
    assert any(found.startswith(sentence) for found in mailbox(value, PLAN, DIRECTORY))
    assert not list(mailbox(Mailbox("m", greeting_file="en/hello.wav"), PLAN, DIRECTORY))
