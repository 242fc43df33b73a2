"""Files of business data: what they hold, where each mistake stands, and that what is written is read again."""

import json
import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from b2bua.cli.plan_files import Item, located, read_csv, read_toml
from b2bua.cli.plan_toml import write
from b2bua.storage.plan_values import plain, read
from routing.goal import Goal
from routing.plan import KINDS
from routing.queue import Overflow, Queue, Strategy, Widening
from routing.vdn import Vdn

TOML = '''# the desk
[[queues]]
id = "repairs"
name = """Repairs
[[queues]]"""
skills = { gas = 3 }

[[queues.overflow]]
when = "wait"
more_than = 60
goal = { kind = "vdn", target = "9" }

[[queues.overflow]]
when = "size"
goal = { kind = "queue", target = "night" }

[queues.otherwise]
kind = "hangup"

[[queues]]
id = "night"
name = "Night"

[vdns.3]
name = "Repairs"
goal = { kind = "queue", target = "repairs" }
'''


def test_each_value_knows_its_lines() -> None:
    items, wrong = read_toml(TOML)
    assert wrong == []
    assert [(one.name, one.line) for one in items] == [("queue repairs", 2), ("queue night", 20), ("vdn 3", 24)]
    first, night, vdn = items
    assert (vdn.data["number"], vdn.line_of("goal.kind")) == ("3", 26)
    paths = ("name", "skills.gas", "overflow.0.goal", "overflow.1.goal.target", "otherwise.target", "sticky")
    assert [first.line_of(path) for path in paths] == [4, 6, 11, 15, 17, 2]
    assert night.line_of("name") == 22
    assert read(KINDS["queues"], first.data).overflow[1].goal == Goal("queue", "night")


def test_what_is_no_toml_or_no_kind_is_refused_with_its_line() -> None:
    assert [(one.line, one.message) for one in read_toml('[[queues]]\nid = "a"\nname = x\n')[1]] == [
        (3, "Invalid value")
    ]
    assert [one.line for one in read_toml("[[queues]]\nid = ")[1]] == [2]
    _, wrong = read_toml('\n[[pigs]]\n\n[[queues]]\nid = "a"\n[[queues]]\nid = "a"\n')
    assert [one.line for one in wrong] == [2, 6]
    assert wrong[1].message == "queue a is in line 4 already"
    assert [one.line for one in read_toml("queues = 3\n[vdns]\n3 = 4\n")[1]] == [1, 3]


def test_rows_of_a_csv_file_become_values() -> None:
    text = (
        "number;name;goal;tenant;priority\n"
        '3;"Repairs;\nby night";queue repairs;acme;\n'
        "\n"
        "4;Sales;agent 1001;;urgent\n"
        "5;Nothing\n"
    )  # fmt: skip
    items, wrong = read_csv(text, "vdns")
    assert [(one.line, one.message) for one in wrong] == [(6, "has 2 cells, the first row 5")]
    assert [(one.line, one.data["number"], one.data["goal"]) for one in items] == [
        (2, "3", {"kind": "queue", "target": "repairs"}),
        (5, "4", {"kind": "agent", "target": "1001"}),
    ]
    assert read(KINDS["vdns"], items[1].data) == Vdn("4", "Sales", Goal("agent", "1001"), priority="urgent")


def test_lists_names_and_numbers_fit_into_cells() -> None:
    text = "extension,queues,skills,wrap_up,pin\n1001,repairs=0|sales=2,gas = 3,12.5,***\n1002,repairs,,,\n"
    items, wrong = read_csv(text, "agent-profiles")
    assert [(one.line, one.message) for one in wrong] == [(3, "queues: 'repairs' is no pair like name=value")]
    assert items[0].data == {
        "extension": "1001", "queues": {"repairs": "0", "sales": "2"}, "skills": {"gas": "3"},
        "wrap_up": "12.5", "pin": "***",
    }  # fmt: skip
    hours = read_csv("id,hours,holidays\noffice,mon=08:00-12:00,\n", "calendars")[0]
    assert read(KINDS["calendars"], hours[0].data).hours == {"mon": ("08:00-12:00",)}
    assert read_csv("id,nodes\nmain,a=b\n", "menus")[1][0].line == 2
    _, wrong = read_csv("id,colour,id\n", "queues")
    assert [one.message.split(";")[0] for one in wrong] == [
        "column id is there twice", "queues have no field 'colour'", "column id is there twice",
    ]  # fmt: skip


def test_what_the_server_says_is_found_in_the_file() -> None:
    items = [Item("queues", {"id": "a"}, 2, {"overflow.0": 5}), Item("vdns", {"number": "3"}, 9)]
    errors = [
        {"entity": "vdn 3", "field": "goal", "message": "there is no queue b"},
        {"entity": "queue a", "field": "overflow.0.goal", "message": "leads back into this queue"},
        {"field": "vdns.0.name", "message": "is missing"},
        {"entity": "vdn 4", "field": "goal", "message": "there is no queue c"},
    ]
    assert [(one.line, one.message) for one in located(items, errors)] == [
        (0, "vdn 4: goal: there is no queue c"),
        (5, "queue a: overflow.0.goal: leads back into this queue"),
        (9, "vdn 3: goal: there is no queue b"),
        (9, "vdn 3: name: is missing"),
    ]


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00"), max_size=20)
VALUES = st.recursive(
    st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=15,
)


@given(st.dictionaries(TEXTS.filter(lambda name: name not in Queue.__dataclass_fields__), VALUES, max_size=6))
def test_whatever_is_written_is_read_again(value: dict[str, Any]) -> None:
    document = write({"queues": [value, value]}, {"queues": Queue})
    assert tomllib.loads(document)["queues"] == [value, value]


def test_fields_as_they_are_by_default_are_left_out() -> None:
    queue = Queue(
        "repairs", "Repairs 测试", strategy=Strategy.RING_ALL, widen=(Widening(20, {"gas": 1}), Widening(40)),
        overflow=(Overflow("wait", Goal("vdn", "9"), 60.0),), sticky=2.5,
    )  # fmt: skip
    document = write({"queues": [plain(queue)]}, {"queues": Queue})
    assert "ring_timeout" not in document
    [item] = read_toml(document)[0]
    assert read(KINDS["queues"], item.data) == queue
    assert json.dumps(plain(queue))
