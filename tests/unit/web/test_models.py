"""Business data: whatever passes can be stored, sent as an event and shown; nothing else passes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2bua.web.models import MAX_DEPTH, MAX_VALUES, plain

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def nested(depth: int) -> dict[str, Any]:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    assert isinstance(value, dict)
    return value


@given(st.dictionaries(st.text(), ANYTHING, max_size=5))
def test_what_passes_can_be_written_everywhere(data: dict[str, Any]) -> None:
    try:
        passed = plain(data)
    except ValueError:
        return
    text = json.dumps(passed, allow_nan=False)
    text.encode("utf-8")
    assert "\\u0000" not in text
    assert json.loads(text) == data


def test_depth_and_number_of_values_are_capped_without_recursion() -> None:
    plain(nested(MAX_DEPTH))
    plain({"a": list(range(MAX_VALUES - 10))})
    for data in (nested(MAX_DEPTH + 1), nested(100_000), {"a": list(range(MAX_VALUES + 1))}):
        with pytest.raises(ValueError, match=r"nested deeper|more than"):
            plain(data)
