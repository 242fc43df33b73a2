"""Who has answered, from sound: each kind, and many calls at a time."""

from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from media.amd_bank import Bank, Told
from media.amd_values import AmdSettings, Kind, Stage, Verdict
from tests.unit.media.amd_sound import FRAME, ON, call, quiet, talk, told, tone


def verdict(sound: npt.NDArray[np.int16], how: AmdSettings = ON, stage: Stage = Stage.ANSWERED) -> Verdict:
    found = [one.verdict for one in told(sound, how, stage) if one.verdict is not None]
    assert len(found) == 1
    return found[0]


def test_a_word_and_silence_is_a_person_within_the_time_the_law_leaves() -> None:
    said = verdict(call(quiet(0.5), talk(0.5), quiet(3)))
    assert said.kind is Kind.HUMAN
    assert said.greeting_end == pytest.approx(1.0, abs=0.1)
    assert said.at <= 1.0 + 1.2


def test_a_person_who_waits_first_is_a_person() -> None:
    assert verdict(call(quiet(2.5), talk(0.6), quiet(3))).kind is Kind.HUMAN


def test_who_talks_on_and_on_is_a_machine() -> None:
    said = verdict(call(quiet(0.5), talk(14), quiet(1)))
    assert said.kind is Kind.MACHINE
    assert said.at <= ON.longest + 0.1


def test_a_beep_after_few_words_is_a_machine() -> None:
    said = verdict(call(quiet(0.5), talk(1.0), quiet(0.4), tone(0.5, 1000), quiet(3)))
    assert (said.kind, said.reason) == (Kind.MACHINE, "beep")


def test_nobody_speaks() -> None:
    said = verdict(call(quiet(8)))
    assert said.kind is Kind.SILENCE
    assert said.at == pytest.approx(ON.initial_silence, abs=0.05)
    assert said.person


def test_digital_silence_is_silence_too() -> None:
    assert verdict(np.zeros(8 * 8000, dtype=np.int16)).kind is Kind.SILENCE


@pytest.mark.parametrize(
    ("frequency", "seconds", "gap"), [(2100, 3.0, 1.0), (1100, 0.5, 3.0)], ids=["a fax answers", "a fax calls"]
)
def test_fax(frequency: float, seconds: float, gap: float) -> None:
    assert verdict(call(quiet(0.5), tone(seconds, frequency), quiet(gap))).kind is Kind.FAX


@pytest.mark.parametrize("stage", Stage)
def test_the_networks_three_tones_are_named(stage: Stage) -> None:
    three = [tone(0.38, 985.2), tone(0.274, 1370.6), tone(0.38, 1776.7)]
    said = verdict(call(quiet(0.3), *three, quiet(0.5), talk(2)), stage=stage)
    assert (said.kind, said.code) == (Kind.SIT, "VC")


@pytest.mark.parametrize(
    ("frequencies", "on", "off", "kind"),
    [
        ((480, 620), 0.5, 0.5, Kind.BUSY),
        ((425,), 0.5, 0.5, Kind.BUSY),
        ((450,), 0.35, 0.35, Kind.BUSY),
        ((480, 620), 0.25, 0.25, Kind.CONGESTION),
        ((425,), 0.25, 0.25, Kind.CONGESTION),
    ],
)
def test_busy_and_congestion_in_early_sound(frequencies: tuple[int, ...], on: float, off: float, kind: Kind) -> None:
    beat = [tone(on, *frequencies, strength=3000), quiet(off)]
    assert verdict(call(quiet(0.2), *beat * 6), stage=Stage.EARLY).kind is kind


@pytest.mark.parametrize(("frequencies", "on", "off"), [((440, 480), 2, 4), ((425,), 1, 4), ((450,), 1, 4)])
def test_ringback_is_told_and_decides_nothing(frequencies: tuple[int, ...], on: float, off: float) -> None:
    beat = [tone(on, *frequencies, strength=3000), quiet(off)]
    news = told(call(quiet(0.2), *beat * 2), stage=Stage.EARLY)
    assert [one.ringing for one in news] == [True]
    assert all(one.verdict is None for one in news)


def test_talk_and_music_before_the_answer_decide_nothing() -> None:
    assert not told(call(quiet(0.3), talk(15), quiet(5)), stage=Stage.EARLY)


def test_a_message_begins_after_the_beep() -> None:
    sound = call(quiet(0.5), talk(11), quiet(0.5), tone(0.6, 850), quiet(3))
    done = [one for one in told(sound) if one.finished]
    assert len(done) == 1
    assert done[0].beep is not None
    assert done[0].beep.end == pytest.approx(12.6, abs=0.06)
    assert done[0].beep.frequency == pytest.approx(850, abs=10)


def test_a_machine_without_a_beep_is_ready_when_it_is_quiet() -> None:
    done = [one for one in told(call(quiet(0.5), talk(11), quiet(5))) if one.finished]
    assert done[0].beep is not None
    assert done[0].beep.frequency == 0
    assert done[0].beep.end == pytest.approx(11.5 + ON.quiet_before_message, abs=0.2)


def test_a_machine_that_never_ends_takes_no_message() -> None:
    how = AmdSettings(enabled=True, longest_greeting=12)
    done = [one for one in told(call(talk(20)), how) if one.finished]
    assert [one.beep for one in done] == [None]


CALLS = [
    call(quiet(0.5), talk(0.5), quiet(4)),
    call(quiet(0.2), talk(4), quiet(0.3), tone(0.4, 1000), quiet(1.5)),
    call(quiet(4.5)),
    call(quiet(0.4), tone(3, 2100), quiet(2)),
    call(quiet(0.1), *[tone(0.3, 950), tone(0.33, 1400), tone(0.33, 1800)], quiet(2)),
]


@cache
def _alone() -> list[list[Told]]:
    return [told(sound) for sound in CALLS]


@given(st.permutations(range(5)), st.lists(st.integers(1, 7), min_size=1, max_size=5))
@settings(max_examples=4, deadline=None)
def test_all_calls_together_are_judged_like_each_alone(order: list[int], pieces: list[int]) -> None:
    alone = _alone()
    bank = Bank()
    rows = {number: bank.open(ON, Stage.ANSWERED) for number in order}
    together: dict[int, list[tuple[object, ...]]] = {number: [] for number in order}
    at = 0
    longest = max(len(sound) for sound in CALLS) // FRAME
    turn = 0
    while at < longest:
        count = pieces[turn % len(pieces)]
        turn += 1
        which: list[int] = []
        frames = []
        for number in order:
            some = CALLS[number][at * FRAME : (at + count) * FRAME]
            for frame in some[: len(some) // FRAME * FRAME].reshape(-1, FRAME):
                which.append(rows[number])
                frames.append(frame)
        at += count
        for one in bank.feed(np.array(which, dtype=np.intp), np.array(frames)):
            number = next(number for number, row in rows.items() if row == one.row)
            together[number].append((one.verdict, one.ringing, one.finished, one.beep))
    for number in order:
        assert together[number] == [(one.verdict, one.ringing, one.finished, one.beep) for one in alone[number]]


@given(arrays.arrays(np.int16, st.tuples(st.integers(0, 60), st.just(FRAME))), st.sampled_from(Stage))
@settings(max_examples=60, deadline=None)
def test_any_samples_are_taken(frames: npt.NDArray[np.int16], stage: Stage) -> None:
    bank = Bank()
    row = bank.open(AmdSettings(enabled=True, initial_silence=0.5), stage)
    news = bank.feed(np.full(len(frames), row, dtype=np.intp), frames)
    assert all(one.row == row for one in news)


@given(st.binary(min_size=0, max_size=320 * 40), st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_any_octets_are_taken(noise: bytes, calls: int) -> None:
    bank = Bank()
    rows = [bank.open(ON, Stage.ANSWERED) for _ in range(calls)]
    frames = np.frombuffer(noise[: len(noise) // 320 * 320], dtype="<i2").reshape(-1, FRAME)
    numbers = np.sort(np.resize(np.array([*rows, -1], dtype=np.intp), len(frames)))
    bank.feed(numbers, frames)


def test_a_row_that_is_closed_is_used_again_as_if_new() -> None:
    bank = Bank()
    first = bank.open(ON, Stage.ANSWERED)
    sound = call(quiet(0.5), talk(12)).reshape(-1, FRAME)
    bank.feed(np.full(len(sound), first, dtype=np.intp), sound)
    bank.close(first)
    bank.close(first)
    assert bank.open(ON, Stage.ANSWERED) == first
    again = call(quiet(0.5), talk(0.5), quiet(4)).reshape(-1, FRAME)
    news = bank.feed(np.full(len(again), first, dtype=np.intp), again)
    assert [one.verdict.kind for one in news if one.verdict] == [Kind.HUMAN]


def test_more_calls_than_there_is_room_at_first() -> None:
    bank = Bank()
    rows = [bank.open(ON, Stage.ANSWERED) for _ in range(200)]
    assert len(set(rows)) == 200
    sound = call(quiet(0.4), talk(0.5), quiet(3)).reshape(-1, FRAME)
    news = [one for frame in sound for one in bank.feed(np.array(rows), np.tile(frame, (200, 1)))]
    assert {one.row for one in news if one.verdict} == set(rows)


def test_the_knock_of_a_handset_is_no_word() -> None:
    said = verdict(call(talk(0.12, 5) * 2, quiet(1.6), talk(0.5), quiet(3)))
    assert said.kind is Kind.HUMAN
    assert said.greeting_end == pytest.approx(2.22, abs=0.1)


def test_a_person_is_known_in_time_although_somebody_talks_on_in_the_background() -> None:
    sound = np.concatenate([quiet(0.4), talk(0.6), quiet(5)])
    television = 0.12 * talk(6.0, 9)
    said = verdict(call(sound + television[: len(sound)]))
    assert said.kind is Kind.HUMAN
    assert said.at <= 1.0 + 1.5 + 0.2, "at the latest at the hard cut after the nearest voice"
    assert said.greeting_end == pytest.approx(1.0, abs=0.15)
