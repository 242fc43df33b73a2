"""Rows of a batch as contacts: whatever an owner writes, it is read or named, never raised."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.batch import LONGEST_FIELDS, MOST_FIELDS, Prepared, prepare
from dialer.contact import Consent, PhoneNumber

GOOD = {"number": "212 555 0123"}


def read(**row: Any) -> Prepared:
    made, wrong = prepare(7, GOOD | row, region="US")
    assert wrong == []
    assert made is not None
    return made


def test_a_plain_row() -> None:
    """R3-02: a number alone is enough; what has no meaning of its own is for the agent's screen."""
    made = read(name="A", order="", vip=True)
    assert made == Prepared(7, (PhoneNumber("+12125550123"),), 5, {"name": "A", "vip": True}, "", "", None, 0.0, "")


def test_every_column_with_a_meaning() -> None:
    """R3-02: several numbers with kind and zone, priority, time, place, agent, consent."""
    made = read(
        number_kind="mobile",
        number_zone="America/New_York",
        number_2="+49 30 901820",
        priority="9",
        zone="America/Chicago",
        place="IL",
        next_at="2026-05-01T09:00:00+02:00",
        agent="1001",
        consent_at=datetime(2026, 1, 2, tzinfo=UTC),
        consent_source="form",
        consent_until="1900000000",
    )
    assert made.numbers == (PhoneNumber("+12125550123", "mobile", "America/New_York"), PhoneNumber("+4930901820"))
    assert (made.priority, made.zone, made.place, made.agent) == (9, "America/Chicago", "IL", "1001")
    assert made.next_at == 1_777_618_800.0
    assert made.consent == Consent(1_767_312_000.0, "form", "", 1.9e9)


def test_numbers_as_databases_and_spreadsheets_give_them() -> None:
    """R3-02: a number column may hold numbers; a list of them in one cell is several."""
    assert read(number=2125550123).numbers == read(number=2125550123.0).numbers == (PhoneNumber("+12125550123"),)
    made, _ = prepare(1, {"numbers": "2125550123; 2125550124"}, region="US")
    assert made is not None
    assert [one.number for one in made.numbers] == ["+12125550123", "+12125550124"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"priority": "10"}, "priority must be 0 to 9, not '10'"),
        ({"priority": "high"}, "priority must be 0 to 9, not 'high'"),
        ({"number_zone": "Mars"}, "'Mars' is no time zone such as America/Chicago"),
        ({"next_at": "soon"}, "next_at 'soon' is no time (ISO 8601 with an offset, or epoch seconds)"),
        ({"next_at": float("nan")}, "next_at nan is no time"),
        ({"next_at": -5}, "next_at -5 is no time"),
        ({"consent_source": "form"}, "a consent needs consent_at, the time it was given"),
        ({"agent": "x" * 201}, "agent must be 200 printable characters at most"),
        ({"place": "a\nb"}, "place must be 200 printable characters at most"),
        ({"fields": "text"}, "fields must be an object"),
        ({"note": "a\x00b"}, "'note' has a character in it that cannot be kept"),
        ({"note": "x" * (LONGEST_FIELDS + 1)}, f"has fields of more than {LONGEST_FIELDS} characters"),
        ({f"f{n}": "x" for n in range(MOST_FIELDS + 1)}, f"has more than {MOST_FIELDS} fields"),
        ({"rate": float("inf")}, "rate is not finite"),
        ({"numbers": 5}, "numbers must be a list of 9 at most"),
        ({"numbers": [["2125550124"]]}, "a number must be text, or an object of number, kind and zone"),
    ],
)
def test_a_bad_cell_costs_its_row(row: dict[str, Any], message: str) -> None:
    """R3-02: a contact called at a wrong time, or without its consent, is worse than one not called."""
    made, wrong = prepare(7, GOOD | row, region="US")
    assert made is None
    assert [(one.row, one.kind, one.message) for one in wrong] == [(7, "row", message)]


def test_all_mistakes_of_a_row_come_at_once() -> None:
    made, wrong = prepare(7, {"number": "12", "priority": "x", "zone": "Mars"}, region="US")
    assert made is None
    assert sorted(one.kind for one in wrong) == ["number", "row", "row"]


_CELL = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.lists(st.text(max_size=5))
_NAME = st.sampled_from(
    [
        "number",
        "numbers",
        "number_2",
        "number_kind",
        "zone",
        "priority",
        "next_at",
        "consent_at",
        "agent",
        "fields",
        "x",
    ]
)


@given(st.dictionaries(_NAME, _CELL | st.dictionaries(st.text(max_size=5), _CELL, max_size=3)))
def test_no_row_raises(row: dict[str, Any]) -> None:
    """R3-02: whatever a file or a database gives: a contact, or at least one reason why not."""
    made, wrong = prepare(1, row, region="US")
    assert made is not None or wrong
    assert made is None or made.numbers
