"""A caller's way through a menu: facts in, the next thing to do out; no clock, no sound, no call."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.goal import Goal
from routing.menu import Branch, Choice, Collect, Hours, Http, Language, Menu, Node, OptOut, Prompt, Survey, To
from routing.menu_walk import Arrive, Ask, Command, Fetch, LeaveAlone, LookAtClock, Say, Walk, known, member
from routing.spoken import Piece
from routing.vdn import Vdn

TEXTS = {name: {"en": name, "de": f"{name}!"} for name in ("hello", "which", "what", "none", "number", "bad")}
SALES, DESK, END = Goal("queue", "sales"), Goal("agent", "1001"), Goal("hangup")
VDNS = {number: Vdn(number, number, SALES) for number in ("10", "100", "20")} | {
    "30": Vdn("30", "30", SALES, tenant="other")
}


def menu(nodes: Mapping[str, Node], start: str = "a", **more: Any) -> Menu:
    ends: dict[str, Node] = {"sales": To("goal", SALES), "desk": To("goal", DESK), "end": To("goal", END)}
    return Menu("main", "main", start, {**ends, **nodes}, texts=TEXTS, languages=("en", "de"), **more)


def walk(nodes: Mapping[str, Node], *, operator: str = "", **more: Any) -> Walk:
    return Walk(menu(nodes, operator=operator), vdns=VDNS, extensions={"1001"}, tenant="acme", **more)


def said(command: Command) -> str:
    assert isinstance(command, Say | Ask)
    return " ".join(piece.text or piece.file for piece in command.pieces)


CHOICE = Choice(
    "choice", ("which",), {"1": "sales", "2": "desk"}, "end", wrong=("bad",), silent=("none",), tries=2, repeat="*"
)
NUMBER = Collect("collect", ("number",), "end", match="vdn", wrong=("bad",), silent=("none",), tries=2)


def test_a_prompt_goes_on_when_it_was_heard() -> None:
    way = walk({"a": Prompt("prompt", ("hello", "tone.wav"), "sales", barge_in=False)})
    assert way.begin() == Say((Piece(text="hello"), Piece(file="tone.wav")), False)
    assert way.said() == Arrive(SALES)


@pytest.mark.parametrize(
    ("keys", "goal"),
    [
        (["1"], SALES),
        (["2"], DESK),
        (["9", "2"], DESK),
        (["", "1"], SALES),
        (["9", "9"], END),
        (["", ""], END),
        (["9", ""], END),
        (["*", "*", "*", "1"], SALES),
        (["0"], DESK),
    ],
    ids=str,
)
def test_one_key_decides(keys: list[str], goal: Goal) -> None:
    """R2-02: wrong keys and none at all are asked again, up to the tries; the key that repeats costs none."""
    way = walk({"a": CHOICE}, operator="desk")
    command = way.begin()
    for key in keys:
        assert isinstance(command, Ask)
        command = way.dialled(key)
    assert command == Arrive(goal)


def test_what_is_said_before_a_question_is_asked_again() -> None:
    """R2-02: re-prompt: what was wrong, then the question."""
    way = walk({"a": replace(CHOICE, tries=3)})
    assert said(way.begin()) == "which"
    assert said(way.dialled("7")) == "bad which"
    assert said(way.dialled("")) == "none which"
    assert way.dialled("0") == Arrive(END), "without an operator 0 is a key like any other"


@pytest.mark.parametrize(
    ("digits", "goal"),
    [
        (["10"], Goal("vdn", "10")),
        (["100"], Goal("vdn", "100")),
        (["20"], Goal("vdn", "20")),
        (["55", "20"], Goal("vdn", "20")),
        (["", "20"], Goal("vdn", "20")),
        (["30", "30"], END),
        (["", ""], END),
        (["0"], DESK),
        (["1", "1"], END),
    ],
    ids=str,
)
def test_digits_are_matched_with_vdns(digits: list[str], goal: Goal) -> None:
    """R2-03: the table of VDNs; another tenant's are not there for this caller."""
    way = walk({"a": NUMBER}, operator="desk")
    command = way.begin()
    for dialled in digits:
        command = way.dialled(dialled)
    assert command == Arrive(goal)


def test_a_vdn_that_begins_no_other_is_whole_at_once() -> None:
    command = walk({"a": NUMBER}).begin()
    assert isinstance(command, Ask)
    assert command.whole == {"100", "20"}


def test_digits_become_a_value_and_decide_a_branch() -> None:
    way = walk(
        {
            "a": Collect("collect", ("number",), "end", next="b", into="order", least=3, digits=4),
            "b": Branch("branch", "order", {"4711": "sales"}, "desk"),
        }
    )
    way.begin()
    assert isinstance(way.dialled("12"), Ask), "too short"
    assert way.dialled("4711") == Arrive(SALES)
    assert way.values["order"] == way.values["digits"] == "4711"


def test_an_agents_extension_is_a_number_to_dial() -> None:
    way = walk({"a": replace(NUMBER, match="agent")})
    way.begin()
    assert isinstance(way.dialled("1002"), Ask)
    assert way.dialled("1001") == Arrive(DESK)


def test_a_service_fills_values_and_its_silence_goes_the_other_way() -> None:
    nodes: dict[str, Node] = {
        "a": Http("http", "orders", "b", "end", {"state": "order.state", "vip": "vip", "first": "list.0"}),
        "b": Branch("branch", "vip", {"yes": "sales"}, "desk"),
    }
    way = walk(nodes)
    assert way.begin() == Fetch("orders")
    assert way.fetched({"vip": True, "order": {"state": "sent"}, "list": [7]}) == Arrive(SALES)
    assert (way.values["state"], way.values["first"]) == ("sent", "7")
    way = walk(nodes)
    way.begin()
    assert way.fetched(None) == Arrive(END)


@pytest.mark.parametrize(
    ("open_", "holiday", "goal"), [(True, None, SALES), (False, None, DESK), (False, "new year", END)]
)
def test_business_hours_decide(open_: bool, holiday: str | None, goal: Goal) -> None:
    way = walk({"a": Hours("hours", "office", "sales", "desk", "end")})
    assert way.begin() == LookAtClock("office")
    assert way.looked(open_, holiday) == Arrive(goal)


def test_the_language_that_was_chosen_is_heard_from_there_on_and_in_the_next_menu() -> None:
    nodes: dict[str, Node] = {
        "a": Choice("choice", ("which",), {"1": "german", "2": "b"}, "end"),
        "german": Language("language", "de", "b"),
        "b": Prompt("prompt", ("hello",), "sales"),
    }
    way = walk(nodes)
    assert said(way.begin()) == "which"
    assert said(way.dialled("1")) == "hello!"
    assert said(walk(nodes, language="de").begin()) == "which!"
    assert said(walk(nodes, language="fr").begin()) == "which", "a menu without that language speaks its own"


def test_a_survey_takes_its_keys_and_goes_on_without_an_answer() -> None:
    nodes: dict[str, Node] = {"a": Survey("survey", ("what",), "end", keys="12", wrong=("bad",), tries=2)}
    way = walk(nodes)
    command = way.begin()
    assert isinstance(command, Ask)
    assert command.survey
    assert said(way.dialled("9")) == "bad what"
    assert way.dialled("2") == Arrive(END)
    way = walk(nodes)
    way.begin()
    way.dialled("")
    assert way.dialled("") == Arrive(END)


def test_values_are_spoken() -> None:
    texts = {"order": {"en": "Order {order|digits} of {data.name} is {state}{unknown}."}}
    one = Menu("m", "m", "a", {"a": Prompt("prompt", ("order",), "b"), "b": To("goal", END)}, texts)
    way = Walk(one, values={"order": "47", "state": "sent", **known({"name": "R Ltd", "a.b": 1})})
    assert said(way.begin()) == "Order 4 7 of R Ltd is sent."


def test_a_way_in_circles_ends() -> None:
    one = menu({"a": Branch("branch", "digits", {}, "a")}, otherwise=DESK)
    assert Walk(one).begin() == Arrive(DESK)


@pytest.mark.parametrize(
    ("answer", "path", "value"),
    [
        ({"a": {"b": "c"}}, "a.b", "c"),
        ({"a": 1.5}, "a", "1.5"),
        ({"a": False}, "a", "no"),
        ({"a": None}, "a", ""),
        ({"a": {}}, "a", ""),
        ({"a": [1]}, "a.1", ""),
        ({"a": "b"}, "a.b", ""),
        ({}, "a", ""),
        ({"a": "x" * 999}, "a", "x" * 256),
    ],
)
def test_a_member_of_an_answer(answer: dict[str, object], path: str, value: str) -> None:
    assert member(answer, path) == value


def test_who_asks_to_be_left_alone_is_listed_and_gone() -> None:
    """No second question: his number is written, he hears that it was (or nothing), and the call ends."""
    list_: Node = OptOut("opt-out", "failed", ("none",))
    way = walk({"a": list_, "failed": Prompt("prompt", ("bad",), "end")})
    assert way.begin() == LeaveAlone("")
    command = way.listed(done=True)
    assert said(command) == "none"
    assert isinstance(command, Say)
    assert not command.barge_in
    assert way.said() == Arrive(END)
    silent = walk({"a": OptOut("opt-out", "failed")})
    silent.begin()
    assert silent.listed(done=True) == Arrive(END)


def test_what_could_not_be_listed_is_not_promised() -> None:
    way = walk({"a": OptOut("opt-out", "failed", ("none",)), "failed": Prompt("prompt", ("bad",), "end")})
    way.begin()
    assert said(way.listed(done=False)) == "bad"


def test_a_number_that_he_dials_can_be_listed() -> None:
    ask: Node = Collect("collect", ("what",), "end", next="list", into="own", least=7, digits=15)
    way = walk({"a": ask, "list": OptOut("opt-out", "end", number="own")})
    way.begin()
    assert way.dialled("493012345678") == LeaveAlone("493012345678")


names = st.sampled_from("abcde")
nodes = st.one_of(
    st.builds(Prompt, st.just("prompt"), st.just(("hello",)), names),
    st.builds(Choice, st.just("choice"), st.just(("which",)), st.dictionaries(st.sampled_from("123"), names), names),
    st.builds(Collect, st.just("collect"), st.just(("what",)), names, names, st.sampled_from(["", "vdn"])),
    st.builds(Branch, st.just("branch"), st.just("digits"), st.dictionaries(st.sampled_from("123"), names), names),
    st.builds(Http, st.just("http"), st.just("s"), names, names),
    st.builds(Hours, st.just("hours"), st.just("c"), names, names, names),
    st.builds(Language, st.just("language"), st.sampled_from(["en", "de"]), names),
    st.builds(Survey, st.just("survey"), st.just(("what",)), names),
    st.builds(OptOut, st.just("opt-out"), names, st.sampled_from([(), ("none",)])),
    st.builds(To, st.just("goal"), st.just(END)),
)


@given(st.dictionaries(names, nodes, min_size=1), st.lists(st.sampled_from(["", "0", "1", "12", "#", "10"])))
def test_every_way_through_any_menu_ends(graph: dict[str, Node], keys: list[str]) -> None:
    """Also through menus that no check has passed: a caller is never kept for ever."""
    way = Walk(menu(graph, next(iter(graph)), operator="a"), vdns=VDNS)
    command, pressed = way.begin(), iter(keys)
    for _ in range(10_000):
        match command:
            case Arrive():
                return
            case Say():
                command = way.said()
            case Ask():
                command = way.dialled(next(pressed, ""))
            case Fetch():
                command = way.fetched({})
            case LookAtClock():
                command = way.looked(open_=True)
            case LeaveAlone():
                command = way.listed(done=not next(pressed, ""))
    raise AssertionError(f"no end: {way!r}")
