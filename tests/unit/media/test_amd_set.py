"""The recordings' program: the rules it compares with, the trees it learns, the sound it writes."""

from pathlib import Path

import numpy as np
import pytest

from amd_set import g711, learning, lines, own, recipe, score, trainer, voices
from amd_set.app_amd import Parameters, judge
from amd_set.listen import listen
from media.amd_features import NAMES, PAUSES, TALKS, Word, figures
from media.amd_trees import Forest, chance, load
from media.amd_values import Kind, Verdict
from tests.unit.media.amd_sound import ON, call, quiet, talk


def level(seconds: float, amplitude: int) -> np.ndarray:
    return np.full(round(seconds * 8000), amplitude, dtype=np.int16)


@pytest.mark.parametrize(
    ("pieces", "status", "cause", "at"),
    [
        ([(0.5, 0), (0.5, 900), (2, 0)], "HUMAN", "HUMAN", 1.8),
        ([(3, 0)], "MACHINE", "INITIALSILENCE", 2.5),
        ([(3, 900)], "MACHINE", "LONGGREETING", 1.5),
        ([(0.2, 0), *[(0.2, 900), (0.1, 0)] * 4], "MACHINE", "MAXWORDS", 0.9),
        ([(0.2, 0), *[(0.08, 900), (0.5, 0)] * 12], "NOTSURE", "TOOLONG", 5.0),
        ([(0.5, 0), (0.5, 900), (0.2, 0)], "HANGUP", "", 1.2),
    ],
)
def test_the_rules_of_app_amd(pieces: list[tuple[float, int]], status: str, cause: str, at: float) -> None:
    said = judge(np.concatenate([level(*piece) for piece in pieces]))
    assert (said.status, said.cause) == (status, cause)
    assert said.at == pytest.approx(at, abs=0.021)


def test_words_below_the_threshold_are_silence_to_app_amd() -> None:
    assert judge(level(3, 200)).cause == "INITIALSILENCE"
    assert judge(level(3, 200), Parameters(silence_threshold=100)).cause == "LONGGREETING"


def test_a_forest_learns_what_parts_machines_from_people() -> None:
    pick = np.random.default_rng(1)
    seen = pick.uniform(0, 10, (400, len(NAMES)))
    machine = seen[:, 2] > 4
    forest = trainer.forest(trainer.Samples(seen, machine, np.ones(400)), np.random.default_rng(2))
    assert len(forest) == trainer.TREES + 1
    sure = np.array([chance(forest, row) for row in seen.tolist()])
    assert np.mean((sure > 0.5) == machine) > 0.95
    assert trainer.chances(forest, seen) == pytest.approx(sure), "many at a time as one by one"


def test_a_table_that_is_written_can_be_read(tmp_path: Path) -> None:
    tree = ((2, 1.5, 1, 2, 0.5), (-1, 0.0, 0, 0, 0.1), (-1, 0.0, 0, 0, 0.9))
    trees: dict[str, Forest] = dict.fromkeys(learning.MOMENTS, (tree, tree))
    learned = learning.Learned(trees, dict.fromkeys(learning.MOMENTS, 0.9), dict.fromkeys(PAUSES, 0.02), 1.0, 0.0, 0.0)
    learning.write(learned, "a note", tmp_path / "table.json")
    table = load(tmp_path / "table.json")
    assert table.trees == trees
    assert table.machine == learned.machine
    assert table.human["0.5"] == 0.02


def test_the_table_in_use_is_whole() -> None:
    table = load()
    assert set(table.trees) == {*TALKS, *PAUSES} == set(table.machine)
    for forest in table.trees.values():
        for tree in forest:
            assert len(tree) <= 2 ** (trainer.DEPTH + 1) - 1
            for place, (figure, _, left, right, value) in enumerate(tree):
                assert abs(value) < 10
                assert figure < len(NAMES)
                assert figure < 0 or place < left < right < len(tree)


def test_figures_of_a_greeting() -> None:
    words = [Word(0.5, 1.0, -20), Word(1.1, 1.3, -26), Word(2.0, 2.5, -23)]
    past = np.full((180, 3), (-60.0, 0.1, 0.0), dtype=np.float32)
    for word in words:
        past[round(word.start * 50) : round(word.end * 50), 0] = word.level
    past[126:, 0] = -50.0
    seen = dict(zip(NAMES, figures(words, past, near_end=2.5), strict=True))
    assert seen["first_silence"] == 0.5
    assert seen["words"] == 3
    assert seen["greeting"] == 2.0
    assert seen["talk"] == pytest.approx(1.2)
    assert seen["longest_pause"] == pytest.approx(0.7)
    assert seen["phrases"] == 2
    assert seen["first_phrase"] == pytest.approx(0.8)
    assert seen["last_level"] == -3
    assert seen["quietest_level"] == -6
    assert (seen["before"], seen["between"], seen["after"]) == (-60, -60, -50)
    assert (seen["between_over_before"], seen["after_over_before"]) == (0, 10)
    assert seen["near_level"] == -30
    assert seen["near_pause"] == pytest.approx(1.1)


@pytest.mark.parametrize("law", [g711.ALAW, g711.ULAW])
def test_g711_keeps_what_it_has_given(law: g711.Law) -> None:
    octets = np.arange(256, dtype=np.uint8)
    once = law.decode(octets)
    assert np.array_equal(law.decode(law.encode(once)), once)
    assert once.max() > 30000


def test_a_recording_comes_back_as_it_was_written(tmp_path: Path) -> None:
    sound = call(quiet(0.1), talk(0.3))
    g711.write(tmp_path / "a.wav", sound)
    assert np.array_equal(g711.read(tmp_path / "a.wav"), g711.ALAW.decode(g711.ALAW.encode(sound)))


def test_the_same_number_draws_the_same_recording_and_splits_share_no_voice() -> None:
    for split in recipe.SPLITS:
        assert recipe.chooser(split, "human", 7).random() == recipe.chooser(split, "human", 7).random()
    tuning = {voices.draw(recipe.chooser("tuning", "human", n), held_back=False).name for n in range(300)}
    held = {voices.draw(recipe.chooser("held-back", "human", n), held_back=True).name for n in range(300)}
    assert not tuning & held
    assert recipe.SPLITS["held-back"]["human"] >= 600


def test_spoken_greetings_are_told_apart() -> None:
    voice = voices.Voice("espeak-ng", "en-gb+m3", "en", 50, 160)
    loud = lines.loudness(-18)
    long = (
        "hello, this is the answering machine of the travel agency. we are closed at the moment. our office hours are "
        "nine to five, from monday to friday. please leave your name, your number and a message after the tone"
    )
    sounds = [call(quiet(0.6), loud * voices.say(voice, text), quiet(3)) for text in ("hello?", "yes, hello?", long)]
    assert [found.verdict.kind for found in listen(sounds, ON)] == [Kind.HUMAN, Kind.HUMAN, Kind.MACHINE]


def test_figures_of_a_comparison() -> None:
    judged = [
        score.ours("human", Verdict(Kind.HUMAN, "", 2.0), 1.0),
        score.ours("human", Verdict(Kind.MACHINE, "", 2.5), 1.0),
        score.ours("machine", Verdict(Kind.MACHINE, "", 2.0), 4.0),
        score.ours("machine", Verdict(Kind.SILENCE, "", 4.0), None),
        score.ours("silence", Verdict(Kind.SILENCE, "", 4.0), None),
    ]
    found = score.figures(judged)
    assert (found.accuracy, found.people_as_machines, found.machines_as_people) == (0.5, 0.5, 0.5)
    assert found.late == 0.5


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(own.Unreadable, match="no recordings"):
        own.files(tmp_path)
