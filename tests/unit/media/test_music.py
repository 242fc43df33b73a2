"""The sounds a switchboard brings along."""

from pathlib import Path

import numpy as np
import pytest

from media import goertzel, wav
from media.music import CHORDS, make_sounds, music, pitch
from media.wav import BadWave

RATE = 8000


def test_notes_have_their_pitch() -> None:
    assert pitch("A4") == 440.0
    assert pitch("C4") == pytest.approx(261.63, abs=0.01)
    assert pitch("A2") == 110.0


def test_hold_music_is_soft_seamless_and_sounds_the_chord_it_should() -> None:
    sound = np.array(music(RATE), dtype=np.float64)
    assert len(sound) == 32 * RATE
    assert np.abs(sound).max() < 0.17 * 32768
    assert -35 < goertzel.level(sound) < -15
    assert abs(sound[0] - sound[-1]) <= np.abs(np.diff(sound)).max()
    first_chord = sound[2 * RATE : 4 * RATE]
    parts = [goertzel.share(first_chord, pitch(note), RATE) for note in CHORDS[0]]
    assert sum(parts) > 0.7
    assert goertzel.share(first_chord, pitch("F4"), RATE) < 0.05


def test_sounds_are_made_once_and_kept(tmp_path: Path) -> None:
    hold, ringback = make_sounds(tmp_path / "sounds")
    assert wav.inspect(hold).seconds == 32
    assert wav.inspect(ringback).seconds == 5
    before = [path.stat().st_mtime_ns for path in (hold, ringback)]
    assert make_sounds(tmp_path / "sounds") == (hold, ringback)
    assert [path.stat().st_mtime_ns for path in (hold, ringback)] == before


def test_the_operators_own_music_is_taken_as_it_is(tmp_path: Path) -> None:
    _, ringback = make_sounds(tmp_path)
    assert make_sounds(tmp_path, ringback) == (ringback, ringback)


def test_music_that_does_not_play_is_refused_at_the_start(tmp_path: Path) -> None:
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"ID3 no wave")
    with pytest.raises(BadWave, match="not a WAV file"):
        make_sounds(tmp_path, bad)
