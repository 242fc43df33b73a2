"""The Diversion header: one entry, and lists of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.diversion import MAX_TEXT, BadDiversion, Diversion, split_entries
from tests.unit.routing.test_address import SIP_LIKE


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("<sip:4711@h>", Diversion("4711")),
        ("sip:4711@h;reason=user-busy", Diversion("4711", reason="user-busy")),
        ("<tel:+86-10;x=y>", Diversion("+86-10")),
        (
            '"Night, \\"desk\\"" <sip:%2B8610@h;user=phone>;Reason=No-Answer;counter=03;privacy=FULL;screen="yes"',
            Diversion("+8610", 'Night, "desk"', "no-answer", 3, "full", "yes"),
        ),
        ("<sip:4711@h>;counter=many", Diversion("4711")),
        ("<sip:4711@h>;counter=99999", Diversion("4711")),
        ("<sip:4711@h>;counter=²", Diversion("4711")),
        ("<sip:anonymous@anonymous.invalid>", Diversion("anonymous", anonymous=True)),
    ],
)
def test_an_entry_is_read(text: str, entry: Diversion) -> None:
    """R1-03: RFC 5806."""
    assert Diversion.parse(text) == entry


@pytest.mark.parametrize("text", ["", "4711", "<sip:4711@h", "<sip:h>", "<mailto:a@b>", "<sip:4711@>"])
def test_a_broken_entry_is_refused(text: str) -> None:
    """R1-03"""
    with pytest.raises(BadDiversion):
        Diversion.parse(text)


@pytest.mark.parametrize(("privacy", "masked"), [("full", True), ("uri", True), ("name", False), ("off", False)])
def test_a_private_entry_is_decoded_and_marked(privacy: str, masked: bool) -> None:
    """R1-03: privacy=full is decoded but masked."""
    entry = Diversion.parse(f"<sip:4711@h>;privacy={privacy}")
    assert (entry.user, entry.masked) == ("4711", masked)


def test_the_oldest_entry_stands_last_over_all_headers() -> None:
    """R1-03: several headers and comma lists; oldest entry = last."""
    assert split_entries(["<sip:3@h>;x=1, <sip:2@h>", "", "<sip:1@h>"]) == ["<sip:3@h>;x=1", "<sip:2@h>", "<sip:1@h>"]


@pytest.mark.parametrize("broken", ["<sip:9@h", '"open <sip:9@h>', "nonsense", "<sip:h>", "<sip:9@h>>x", ";;"])
def test_one_broken_entry_does_not_spoil_the_list(broken: str) -> None:
    """R1-03"""
    assert [entry.user for entry in Diversion.parse_many(f"<sip:1@h>, {broken}, <sip:2@h>;reason=away")] == ["1", "2"]


def test_a_list_with_nothing_readable_is_refused() -> None:
    """R1-03"""
    for text in ("", ",", "x, y"):
        with pytest.raises(BadDiversion):
            Diversion.parse_many(text)


def test_what_is_read_of_a_call_has_a_limit() -> None:
    """R1-05: input cap."""
    assert split_entries(["<sip:1@h>", "x" * MAX_TEXT, "<sip:2@h>"]) == ["<sip:1@h>"]


@given(SIP_LIKE | st.text())
def test_only_its_own_error_leaves_the_reader(text: str) -> None:
    """R1-05: never a crash."""
    try:
        assert Diversion.parse_many(text)
    except BadDiversion:
        pass
