"""How keys travel, by what was configured and what both sides named."""

import pytest

from b2bua.sip.key_ways import Agreed, Way, Wish, heard_as_tones, in_sdp, sent_as

EVENTS = Agreed("PCMA", 8000, 8, 20, events=True)
NONE = Agreed("PCMA", 8000, 8, 20, events=False)
NARROW = Agreed("G729", 8000, 18, 20, events=False)


@pytest.mark.parametrize(
    ("wish", "with_events", "without", "narrow", "by_info"),
    [
        ("auto", "rfc4733", "inband", "info", "info"),
        ("auto-info", "rfc4733", "info", "info", "info"),
        ("rfc4733", "rfc4733", "", "", ""),
        ("info", "info", "info", "info", "info"),
        ("inband", "inband", "inband", "inband", "inband"),
    ],
)
def test_how_a_key_is_sent(wish: Wish, with_events: Way, without: Way, narrow: Way, by_info: Way) -> None:
    """`dtmf` of a trunk or listener: telephone-events where both sides named them, else what was chosen; a codec that
    models a voice carries no tones, and who presses by INFO is told by INFO."""
    assert sent_as(wish, EVENTS) == with_events
    assert sent_as(wish, NONE) == without
    assert sent_as(wish, NARROW) == narrow
    assert sent_as(wish, NONE, by_info=True) == by_info


@pytest.mark.parametrize(
    ("wish", "with_events", "without", "narrow"),
    [
        ("auto", False, True, False),
        ("auto-info", False, False, False),
        ("rfc4733", False, False, False),
        ("info", False, False, False),
        ("inband", True, True, True),
    ],
)
def test_when_tones_are_keys(wish: Wish, with_events: bool, without: bool, narrow: bool) -> None:
    """Detection switches on by itself only where there is no other way to send a key."""
    assert heard_as_tones(wish, EVENTS) is with_events
    assert heard_as_tones(wish, NONE) is without
    assert heard_as_tones(wish, NARROW) is narrow
    assert not heard_as_tones("auto", NONE, by_info=True)


def test_whose_description_names_telephone_event() -> None:
    named: list[Wish] = ["auto", "auto-info", "rfc4733"]
    assert all(map(in_sdp, named))
    assert not in_sdp("info")
    assert not in_sdp("inband")


@pytest.mark.parametrize("codec", ["PCMU", "G722", "opus", "L16"])
def test_codecs_that_carry_tones(codec: str) -> None:
    assert Agreed(codec, 8000, 0, 20, events=False).carries_tones
