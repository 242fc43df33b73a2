"""Texts with values in them, and what those who wait are told."""

import pytest

from routing.spoken import SENTENCES, SOUND_FILE, Piece, agent_number, calling_back, filled, place_in_queue, places


def test_values_take_their_places() -> None:
    assert filled("{a} and {b|digits}, {c}.", {"a": "one", "b": "4711"}) == "one and 4 7 1 1, ."
    assert filled("{A} {} {a b} {a|x}", {"a": "1"}) == "{A} {} {a b} {a|x}", "what is no place stays as it is"
    assert list(places("{a} {b|digits} {data.c}")) == ["a", "b", "data.c"]


@pytest.mark.parametrize(
    ("position", "estimate", "said"),
    [
        (1, None, "You are the next caller."),
        (3, None, "You are caller number 3."),
        (None, 20, "You will be connected within a minute."),
        (2, 61, "You are caller number 2. The expected waiting time is 2 minutes."),
        (2, 600, "You are caller number 2. The expected waiting time is 10 minutes."),
        (None, -5, "You will be connected within a minute."),
        (None, None, ""),
    ],
)
def test_position_and_estimate(position: int | None, estimate: float | None, said: str) -> None:
    assert " ".join(piece.text for piece in place_in_queue("en", position, estimate)) == said


def test_each_sentence_has_a_file_that_may_be_recorded_instead() -> None:
    pieces = [*place_in_queue("de-at", 3, 300), *agent_number("de", "1001"), *calling_back("xx")]
    assert [piece.file for piece in pieces] == [
        "queue/position-3.wav", "queue/estimate-5.wav", "queue/agent-1001.wav", "queue/calling-back.wav",
    ]  # fmt: skip
    assert pieces[0].text.startswith("Sie sind")
    assert pieces[2].text == "Es bedient Sie Platz 1 0 0 1."
    assert pieces[3] == Piece("queue/calling-back.wav", SENTENCES["en"].calling_back), "an unknown language is English"


@pytest.mark.parametrize("name", ["../x.wav", "/x.wav", "a/b/c.wav", "x.mp3", ".wav", "a b.wav", "x.wav\n", "en/.wav"])
def test_no_name_of_a_file_leads_out_of_the_folder(name: str) -> None:
    assert SOUND_FILE.fullmatch(name) is None
