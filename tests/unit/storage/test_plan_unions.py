"""Mistakes in nodes of a menu: what is wrong with the node that was meant, not with every node it could have been."""

from typing import Any

import pytest

from b2bua.storage.plan_unions import of_meant_kind
from b2bua.storage.plan_values import BadValue, read
from routing.plan import KINDS


def wrong_with(*nodes: dict[str, Any], **more: Any) -> dict[str, str]:
    """Path -> message."""
    menu = {"id": "m", "name": "m", "start": "n0", "nodes": {f"n{at}": node for at, node in enumerate(nodes)}, **more}
    with pytest.raises(BadValue) as caught:
        read(KINDS["menus"], menu)
    return {".".join(map(str, one["loc"])): str(one["msg"]) for one in caught.value.errors}


def test_only_the_kind_that_was_meant_is_spoken_of() -> None:
    found = wrong_with({"kind": "prompt", "sya": ["x"], "next": "n1"}, {"kind": "goal", "goal": {"kind": "hangup"}})
    assert found == {"nodes.n0.say": "is missing", "nodes.n0.sya": "there is no such field"}


def test_a_kind_there_is_not_names_those_there_are() -> None:
    found = wrong_with({"kind": "promt", "say": ["x"], "next": "n1"})
    assert list(found) == ["nodes.n0.kind"]
    assert "'choice'" in found["nodes.n0.kind"]
    assert "'prompt'" in found["nodes.n0.kind"]
    assert list(wrong_with({"say": ["x"]})) == ["nodes.n0.kind"], "and so does one that says nothing"


def test_several_nodes_and_other_fields_keep_their_mistakes() -> None:
    found = wrong_with(
        {"kind": "goal", "goal": {"kind": "nowhere"}}, {"kind": "hours", "calendar": 3}, languages="en", size=1
    )
    assert {"nodes.n0.goal.kind", "nodes.n1.calendar", "nodes.n1.open", "size"} <= found.keys()
    assert not any("Prompt" in path or "Hours" in path for path in found)


def test_mistakes_without_a_union_stay_as_they_are() -> None:
    errors = [{"loc": ("name",), "type": "missing", "msg": "Field required"}]
    assert of_meant_kind(errors) == errors


def test_a_field_called_kind_elsewhere_is_no_union() -> None:
    with pytest.raises(BadValue) as caught:
        read(KINDS["queues"], {"id": "q", "name": "q", "overflow": [{"when": "size", "goal": {"kind": "nowhere"}}]})
    assert [one["loc"] for one in caught.value.errors] == [("overflow", 0, "goal", "kind")]
