"""Tones and what recognises them (E.180, Goertzel)."""

import numpy as np
import pytest

from media import goertzel
from media.goertzel import Samples
from media.tones import BUSY, RINGBACK, Cadence, Tone, cadence_samples, tone_samples

RATE = 8000


def made(tone: Tone, level: float = -12.0, rate: int = RATE) -> Samples:
    return np.array(tone_samples(tone, rate, level), dtype=np.float64)


def test_ringback_is_one_second_of_425_hertz_in_five() -> None:
    sound = np.array(cadence_samples(RINGBACK, RATE), dtype=np.float64)
    assert len(sound) == 5 * RATE == RINGBACK.seconds * RATE
    assert goertzel.share(sound[:RATE], 425, RATE) > 0.99
    assert not sound[RATE:].any()


def test_busy_is_half_a_second_on_and_half_off() -> None:
    sound = np.array(cadence_samples(BUSY, RATE), dtype=np.float64)
    assert sound[100 : RATE // 2].any()
    assert not sound[RATE // 2 :].any()


@pytest.mark.parametrize("level", [-3.0, -12.0, -40.0])
def test_a_tone_has_the_level_that_was_asked_for(level: float) -> None:
    assert goertzel.level(made(Tone((1000,), 1.0), level)) == pytest.approx(level, abs=0.1)


@pytest.mark.parametrize("frequency", [300.0, 425.0, 1633.0, 3400.0])
@pytest.mark.parametrize("rate", [8000, 16000])
def test_the_strongest_tone_is_found(frequency: float, rate: int) -> None:
    assert goertzel.strongest(made(Tone((frequency,), 0.25), rate=rate), rate) == pytest.approx(frequency, abs=2)


def test_the_share_of_a_tone_is_its_part_of_the_energy() -> None:
    both = made(Tone((697, 1209), 1.0))
    assert goertzel.share(both, 697, RATE) == pytest.approx(0.5, abs=0.02)
    assert goertzel.share(both, 941, RATE) < 0.01


def test_noise_and_silence_are_no_tone() -> None:
    noise = np.random.default_rng(1).normal(0, 3000, RATE)
    assert goertzel.share(noise, 1000, RATE) < 0.01
    assert goertzel.share(np.zeros(RATE), 1000, RATE) == 0.0
    assert goertzel.strongest(np.zeros(RATE), RATE) == 0.0
    assert goertzel.level(np.zeros(RATE)) == -np.inf


def test_tones_too_loud_together_are_clipped_not_wrapped() -> None:
    loud = tone_samples(Tone((400, 400), 0.1), RATE, 3.0)
    assert max(loud) == 32767
    assert min(loud) == -32768


def test_a_part_without_frequencies_is_silence() -> None:
    assert not any(cadence_samples(Cadence("pause", (Tone((), 0.5),)), RATE))


def test_sound_bytes_become_numbers_and_a_torn_sample_is_left_out() -> None:
    assert goertzel.samples(b"\x01\x00\xff\xff\x07").tolist() == [1.0, -1.0]
