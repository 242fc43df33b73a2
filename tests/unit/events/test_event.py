"""One event record and its line."""

import json

from hypothesis import given
from hypothesis import strategies as st

from b2bua.events.event import read, write
from b2bua.jsontext import encode

TEXT = st.text(st.characters(), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(node=TEXT, call=st.none() | TEXT, kind=TEXT, data=st.dictionaries(TEXT, VALUES, max_size=4))
def test_the_line_is_json_of_one_line_whatever_a_peer_sent(
    node: str, call: str | None, kind: str, data: dict[str, object]
) -> None:
    """R0-14: control characters, quotes, lone surrogates."""
    event, row = write(node, 7, 1.25, call, kind, data)
    assert b"\n" not in event.line
    assert event.line.isascii()
    said = json.loads(event.line)
    assert list(said) == ["node", "number", "time", "call", "type", "data"]
    assert said == {"node": node, "number": 7, "time": 1.25, "call": call, "type": kind, "data": data}
    assert read(row) == event
    assert read(row).line == event.line, "a replayed event is byte for byte the one that was live"


def test_what_json_has_no_form_for_does_no_harm() -> None:
    """A mistake in an event's data must not end a call."""
    data = {"nan": float("nan"), "bytes": b"x", ("a", 1): {2}, "set": frozenset({3}), "inner": [float("inf"), {"x": 1}]}
    said = json.loads(encode(data))
    assert said == {"nan": None, "bytes": "b'x'", "('a', 1)": [2], "set": [3], "inner": [None, {"x": 1}]}
