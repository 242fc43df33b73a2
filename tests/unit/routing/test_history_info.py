"""History-Info in the forms of RFC 4244 and RFC 7044."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.history_info import (
    MAX_ENTRIES,
    MAX_TEXT,
    BadHistory,
    HistoryEntry,
    chain,
    message_wide_privacy,
    original,
    parse_index,
    split_entries,
)
from tests.unit.routing.test_address import SIP_LIKE


def entries(*texts: str) -> list[HistoryEntry]:
    return [HistoryEntry.parse(text) for text in texts]


def first_called(*texts: str) -> str:
    found = original(entries(*texts))
    assert found is not None
    return found.user


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("<sip:1@h>;index=1", HistoryEntry("1", (1,))),
        ("<sip:1@h;cause=302>;index=1.2.10", HistoryEntry("1", (1, 2, 10), cause="302")),
        ("<tel:+86-1;cause=486>;index=1.1", HistoryEntry("+86-1", (1, 1), cause="486")),
        ("<sip:1@h>;index=1.1;rc=1", HistoryEntry("1", (1, 1), (1,))),
        ("<sip:1@h>;index=1.10;mp=1.2", HistoryEntry("1", (1, 10), (1, 2))),
        ("<sip:1@h>;index=1.1;np=1", HistoryEntry("1", (1, 1))),
        ("<sip:1@h>;index=1.1;rc", HistoryEntry("1", (1, 1), ())),
        (
            '"Al" <sip:%2B86@h?Reason=SIP%3Bcause%3D302&Privacy=history>;index=1',
            HistoryEntry("+86", (1,), reason="SIP;cause=302", masked=True),
        ),
        ("<sip:1@h?Privacy=none>;index=1", HistoryEntry("1", (1,))),
        ("<sip:1@h?privacy=id%3Bcritical>;index=1", HistoryEntry("1", (1,), masked=True)),
        ("<sip:anonymous@anonymous.invalid>;index=1", HistoryEntry("anonymous", (1,), anonymous=True)),
        ("<sip:h>;index=1", HistoryEntry("", (1,))),
        ("<sip:1@h>;index=a.b", HistoryEntry("1")),
        ("sip:1@h;index=1;cause=302", HistoryEntry("1", (1,), cause="302")),
    ],
)
def test_an_entry_is_read(text: str, entry: HistoryEntry) -> None:
    """R1-03: both forms, percent-decoding, escaped Reason and Privacy."""
    assert HistoryEntry.parse(text) == entry


@pytest.mark.parametrize("text", ["", "<sip:1@h", "<4711>;index=1"])
def test_a_broken_entry_is_refused(text: str) -> None:
    """R1-03"""
    with pytest.raises(BadHistory):
        HistoryEntry.parse(text)


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("1", (1,)),
        ("1.10.0", (1, 10, 0)),
        ("", ()),
        ("1.", ()),
        ("1..2", ()),
        ("-1", ()),
        ("1.²", ()),
        ("\u0661", ()),
        ("1.1234567", ()),
        ("1." * 60, ()),
    ],
)
def test_an_index_is_numbers_or_nothing(text: str, index: tuple[int, ...]) -> None:
    """R1-03"""
    assert parse_index(text) == index


def test_indices_are_compared_as_numbers() -> None:
    """R1-03: 1.2 < 1.10."""
    found = chain(entries("<sip:c@h>;index=1.10", "<sip:x@h>", "<sip:b@h>;index=1.2", "<sip:a@h>;index=1"))
    assert [entry.user for entry in found] == ["a", "b", "c", "x"]
    assert first_called("<sip:10@h>;index=1.10", "<sip:2@h>;index=1.2") == "2"


@pytest.mark.parametrize(
    ("texts", "user"),
    [
        (("<sip:1@h>;index=1", "<sip:2@h>;index=1.1;rc=1"), "1"),
        (("<sip:1@h>;index=1", "<sip:2@h>;index=1.1;np=1", "<sip:3@h>;index=1.2;mp=1.1"), "2"),
        (("<sip:3@h>;index=1.10;mp=1.2", "<sip:1@h>;index=1", "<sip:2@h>;index=1.2;np=1"), "2"),
        # RFC 4244 with RFC 4458 causes: the parent of the first entry with one
        (("<sip:1@h>;index=1", "<sip:2@h;cause=302>;index=1.1", "<sip:3@h;cause=486>;index=1.1.1"), "1"),
        (("<sip:1@h>;index=1", "<sip:2@h>;index=1.1", "<sip:3@h;cause=408>;index=1.1.1"), "2"),
        # index 1.2 came from 1, not from its elder sister 1.1
        (("<sip:1@h>;index=1", "<sip:2@h>;index=1.1", "<sip:3@h;cause=408>;index=1.2"), "1"),
        # whom rc names is not there: the parent, else the one before
        (("<sip:1@h>;index=1", "<sip:2@h>;index=1.1;rc=7"), "1"),
        (("<sip:1@h>;index=1", "<sip:2@h;cause=302>;index=2"), "1"),
        (("<sip:1@h>;index=1", "<sip:2@h>;index=1.1;rc"), "1"),
        (("<sip:1@h;cause=302>;index=2",), "1"),
        (("<sip:1@h>;index=1;rc=1",), "1"),
        # without any mark the lowest index
        (("<sip:2@h>;index=1.1", "<sip:1@h?Reason=SIP%3Bcause%3D302>;index=1"), "1"),
        (("<sip:1@h>",), "1"),
        # a repeated index: the first one counts
        (("<sip:1@h>;index=1", "<sip:9@h>;index=1", "<sip:2@h>;index=1.1;mp=1"), "1"),
    ],
)
def test_the_original_is_where_the_first_diversion_came_from(texts: tuple[str, ...], user: str) -> None:
    """R1-03: the entry from which the first rc/mp or cause= entry came, else the lowest index."""
    assert first_called(*texts) == user


def test_nothing_has_no_original() -> None:
    assert original([]) is None


def test_what_is_read_of_a_call_has_a_limit() -> None:
    """R1-05: input cap."""
    assert len(split_entries(["a," * 100])) == MAX_ENTRIES
    assert split_entries(["a", "b" * MAX_TEXT, "c"]) == ["a"]


@pytest.mark.parametrize(
    ("values", "private"),
    [
        ([], False),
        (["id"], False),
        (["none"], False),
        (["id; history"], True),
        (["id", "Header"], True),
        (["session"], True),
    ],
)
def test_the_calls_own_privacy_may_cover_its_history(values: list[str], private: bool) -> None:
    """R1-03: privacy"""
    assert message_wide_privacy(values) is private


@given(st.lists(SIP_LIKE | st.from_regex(r"<sip:[0-9]{1,3}@h(;cause=3)?>(;index=[0-9.]{0,4})?(;(rc|mp)=[0-9.]{0,4})?")))
def test_only_its_own_error_leaves_the_reader(texts: list[str]) -> None:
    """R1-05: never a crash."""
    found = []
    for text in split_entries(texts):
        try:
            found.append(HistoryEntry.parse(text))
        except BadHistory:
            continue
    message_wide_privacy(texts)
    if found:
        assert original(found) in found
