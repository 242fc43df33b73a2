"""Which numbers of a call are tried, and in which order."""

from dataclasses import replace

import pytest

from routing.correlation import MAX_CANDIDATES, Candidate, Pick, Source, candidates
from routing.digits import Nature
from tests import isup_build as build
from tests.unit.routing.world import PROFILE, arrival

HISTORY = ("<sip:31@h>;index=1, <sip:32@h>;index=1.1;np=1, <sip:33@h>;index=1.2;mp=1.1",)
ISUP = build.diverted_iam("4008100001", "41", "42")


def tried(*args: str, profile: object = PROFILE, **kwargs: object) -> list[str]:
    return [found.digits for found in candidates(arrival(*args, **kwargs), profile)]  # type: ignore[arg-type]


def test_all_entries_of_all_sources_are_tried_in_the_trunks_order() -> None:
    """R1-03: sources in an order set per trunk."""
    everything = {"history": HISTORY, "isup": ISUP}
    assert tried("11", "12", **everything) == ["12", "11", "32", "31", "33", "41", "42"]
    turned = replace(PROFILE, sources=(Source.ISUP_REDIRECTING, Source.ISUP_CALLED, Source.HISTORY_INFO))
    assert tried("11", "12", profile=turned, **everything) == ["42", "41", "32", "31", "33"]


@pytest.mark.parametrize(
    ("pick", "order"),
    [(Pick.OLDEST, ["3", "2", "1"]), (Pick.NEWEST, ["1", "2", "3"]), (Pick.FIRST, ["1", "2", "3"])],
)
def test_the_trunk_says_which_diversion_comes_first(pick: Pick, order: list[str]) -> None:
    """R1-03: per trunk oldest | newest | first that splits."""
    profile = replace(PROFILE, diversion_pick=pick)
    assert tried("<sip:1@h>, <sip:2@h>", "3", profile=profile) == order


def test_a_broken_entry_stands_in_its_place_without_digits() -> None:
    """R1-03: one broken entry does not spoil the list."""
    found = list(candidates(arrival("<sip:1@h>, <sip:private-2@h>;privacy=full, <sip:3@h", "4"), PROFILE))
    assert [one.digits for one in found] == ["4", "", "", "1"]
    assert found[1].broken.startswith("bracket without end")
    assert found[2] == Candidate(Source.DIVERSION, masked=True, broken="not a number: other characters than digits")


def test_broken_history_comes_after_what_can_be_read() -> None:
    """R1-03"""
    found = list(candidates(arrival(history=("<sip:1@h>;index=2, <sip:9@h, <sip:alice@h>;index=3",)), PROFILE))
    assert [(one.digits, bool(one.broken)) for one in found] == [("1", False), ("", True), ("", True)]


def test_withheld_numbers_are_no_candidates() -> None:
    """R1-03: anonymous skipped; "not available" = absent."""
    isup = build.iam(
        build.called_number("1"), (build.ORIGINAL_CALLED, build.number("", presentation=build.NOT_AVAILABLE))
    )
    history = (
        "<sip:anonymous@anonymous.invalid>;index=1, <sip:voicemail.example>;index=1.1;mp=1, <sip:3@h>;index=1.2",
    )
    assert tried("<sip:anonymous@anonymous.invalid>;privacy=full", "<sip:2@h>", history=history, isup=isup) == [
        "2",
        "3",
    ]


def test_privacy_is_marked_in_every_source() -> None:
    """R1-03: decoded but masked."""
    isup = build.iam(
        build.called_number("1"),
        (build.REDIRECTING, build.number("3", presentation=build.RESTRICTED)),
        (build.ORIGINAL_CALLED, build.number("4")),
    )
    found = candidates(
        arrival("<sip:1@h>;privacy=full", "5", history=("<sip:2@h?Privacy=history>;index=1",), isup=isup), PROFILE
    )
    assert [(one.digits, one.masked) for one in found] == [
        ("5", False),
        ("1", True),
        ("2", True),
        ("4", False),
        ("3", True),
    ]


def test_privacy_of_the_call_covers_its_history_only() -> None:
    """R1-03"""
    found = candidates(arrival("1", history=("<sip:2@h>;index=1",), headers=(("privacy", "history"),)), PROFILE)
    assert [(one.digits, one.masked) for one in found] == [("1", False), ("2", True)]


def test_isup_gives_the_nature_of_the_number_and_every_isup_body_is_read() -> None:
    """R1-03: nature of address."""
    isup = build.iam(
        build.called_number("1"), (build.ORIGINAL_CALLED, build.number("864711", nature=build.INTERNATIONAL))
    )
    call = arrival(isup=isup)
    call = replace(call, bodies=(*call.bodies, replace(call.bodies[1], content=b"\x06")))
    found = list(candidates(call, replace(PROFILE, sources=(Source.ISUP_CALLED,))))
    assert found[0] == Candidate(Source.ISUP_CALLED, "864711", Nature.INTERNATIONAL)
    assert found[1].broken == "message type 0x06 is no initial address"


def test_one_source_cannot_crowd_out_the_next() -> None:
    """R1-05: a forged list has an end."""
    found = tried(*["<sip:1@h>"] * 500, history=("<sip:2@h>;index=1",))
    assert len(found) == MAX_CANDIDATES + 1
    assert found[-1] == "2"


def test_a_call_that_was_never_diverted_has_no_candidates() -> None:
    """R1-05"""
    assert tried() == []
    assert tried(isup=build.iam(build.called_number("4008100001"))) == []
