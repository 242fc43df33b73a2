"""Keys as tones: each of the sixteen is found once, whatever is around it; speech and music are no keys."""

import subprocess

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.dtmf import HIGH, KEYS, LOW, DtmfDetector, key_tones
from media.music import music

RATE = 8000
ALL = "123A456B789C*0#D"
Samples = npt.NDArray[np.float64]


def tone(key: str, seconds: float = 0.08, level: float = 6000.0, twist: float = 1.0, off: float = 1.0) -> Samples:
    low, high = key_tones(key)
    t = np.arange(round(seconds * RATE)) / RATE
    return level * np.sin(2 * np.pi * low * off * t) + level * twist * np.sin(2 * np.pi * high * off * t)


def gap(seconds: float = 0.06) -> Samples:
    return np.zeros(round(seconds * RATE))


def heard(*parts: Samples, noise: float = 0.0, piece: int = 800) -> str:
    sound = np.concatenate([gap(0.02), *parts, gap(0.1)])
    sound = sound + np.random.default_rng(1).normal(0, noise or 1e-9, len(sound))
    pcm = np.clip(sound, -32768, 32767).astype("<i2").tobytes()
    detector = DtmfDetector(RATE)
    return "".join(detector.feed(pcm[at : at + piece * 2]) for at in range(0, len(pcm), piece * 2))


def pressed(keys: str, **how: float) -> list[Samples]:
    return [part for key in keys for part in (tone(key, **how), gap())]


@pytest.mark.parametrize("how", [{}, {"seconds": 0.05}, {"level": 1200.0}, {"twist": 0.5}, {"twist": 2.0}], ids=str)
def test_all_sixteen_keys_each_once(how: dict[str, float]) -> None:
    """R2-02: in-band digits, short, faint and with unequal tones."""
    assert heard(*pressed(ALL, **how)) == ALL


def test_keys_with_noise_and_a_little_off_pitch() -> None:
    assert heard(*pressed(ALL, off=1.012), noise=300) == ALL
    assert heard(*pressed(ALL, off=0.988), noise=300) == ALL


def test_a_long_key_is_one_key_and_equal_keys_are_as_many_as_were_pressed() -> None:
    assert heard(tone("5", 2.0)) == "5"
    assert heard(*pressed("1100")) == "1100"


@given(st.lists(st.sampled_from(ALL), max_size=6), st.integers(1, 4000))
@settings(max_examples=40, deadline=None)
def test_how_the_sound_is_cut_into_pieces_changes_nothing(keys: list[str], piece: int) -> None:
    assert heard(*pressed("".join(keys)), piece=piece) == "".join(keys)


def test_music_noise_and_single_tones_are_no_keys() -> None:
    rng = np.random.default_rng(7)
    t = np.arange(RATE) / RATE
    assert heard(np.array(music(RATE), dtype=np.float64) * 4) == ""
    assert heard(rng.normal(0, 4000, 10 * RATE)) == ""
    for frequency in (*LOW, *HIGH, 425.0, 1000.0):
        assert heard(8000 * np.sin(2 * np.pi * frequency * t)) == "", frequency


def test_a_tone_of_twenty_milliseconds_is_no_key() -> None:
    assert heard(tone("5", 0.02)) == ""


def test_a_voice_over_the_tones_is_no_key() -> None:
    t = np.arange(RATE) / RATE
    voice = sum(3000 * np.sin(2 * np.pi * f * t) for f in (150, 300, 450, 2100))
    assert heard(tone("5", 1.0, level=3000) + voice) == ""


def test_odd_pieces_and_what_is_no_key() -> None:
    assert DtmfDetector().feed(b"\x00") == ""
    assert "".join(KEYS) == "123A456B789C*0#D"
    with pytest.raises(ValueError, match="is no key"):
        key_tones("x")


SENTENCES = """Good morning, this is the service line. Please hold while I look at your booking, it is the one for the
second of November. Who is calling? I am not sure whether we have two or three rooms left; let me see. You owe us
nothing, oh no, you know. Moo, oo, ee, aah, hello, hello, seven, eleven, nine hundred and ninety nine."""


@pytest.mark.parametrize("voice", ["en", "en+f3", "en+m5", "de", "es", "ru"])
def test_speech_is_no_key(voice: str) -> None:
    """R2-02, talk-off: voices high and low, loud as a telephone carries them."""
    for pitch in ("30", "80"):
        command = ["espeak-ng", "-v", voice, "-p", pitch, "--stdout", SENTENCES]
        spoken = subprocess.run(command, capture_output=True, check=True).stdout
        command = ["sox", "-t", "wav", "-", "-t", "raw", "-r", "8000", "-e", "signed", "-b", "16", "-c", "1", "-"]
        pcm = subprocess.run([*command, "norm", "-1"], input=spoken, capture_output=True, check=True).stdout
        assert len(pcm) > 10 * 2 * RATE
        detector = DtmfDetector(RATE)
        assert [key for at in range(0, len(pcm), 1600) if (key := detector.feed(pcm[at : at + 1600]))] == []


def test_at_the_rate_of_wide_band() -> None:
    """The conference may run at 16 kHz."""
    t = np.arange(1280) / 16000
    parts = [np.zeros(320)]
    for key in ALL:
        low, high = key_tones(key)
        parts += [6000 * np.sin(2 * np.pi * low * t) + 6000 * np.sin(2 * np.pi * high * t), np.zeros(960)]
    assert DtmfDetector(16000).feed(np.concatenate(parts).astype("<i2").tobytes()) == ALL
