"""The E-model against the figures that ITU-T G.107 and G.113 print."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.quality import (
    CODECS,
    G711,
    G722,
    G729,
    MOST_BURST,
    OPUS,
    Codec,
    burst_ratio,
    codec_of,
    delay_impairment,
    loss_impairment,
    mos,
    mos_of,
    rating,
)


@pytest.mark.parametrize(
    ("r", "score"),
    [
        (93.2, 4.41),
        (90, 4.34),
        (80, 4.03),
        (70, 3.60),
        (60, 3.10),
        (50, 2.58),
        (0, 1.0),
        (-5, 1.0),
        (100, 4.5),
        (120, 4.5),
    ],
)
def test_the_score_for_a_rating_is_the_one_of_g107_annex_b(r: float, score: float) -> None:
    assert mos_of(r) == pytest.approx(score, abs=0.0065)  # the table prints 4.03 where its formula gives 4.024


def test_a_perfect_line_has_the_default_rating() -> None:
    assert rating(0, 0) == 93.2
    assert mos(20, 0) == pytest.approx(4.41, abs=0.005)


@pytest.mark.parametrize(("ms", "lost"), [(0, 0.0), (100, 0.0), (200, 3.05), (400, 24.07), (1000, 43.79)])
def test_delay_takes_what_equation_7_27_says(ms: float, lost: float) -> None:
    assert delay_impairment(ms) == pytest.approx(lost, abs=0.01)


@pytest.mark.parametrize(("loss", "taken"), [(0.0, 0.0), (0.01, 3.64), (0.02, 7.01), (0.05, 15.78), (0.251, 47.5)])
def test_loss_takes_what_equation_7_29_says_for_g711_with_concealment(loss: float, taken: float) -> None:
    assert loss_impairment(loss, G711) == pytest.approx(taken, abs=0.01)


def test_loss_in_bursts_takes_more_as_equation_7_29_says() -> None:
    assert loss_impairment(0.05, G711, 2.0) == pytest.approx(95 * 5 / (2.5 + 25.1), abs=0.01)
    assert loss_impairment(0.05, G711, 2.0) > loss_impairment(0.05, G711)


def test_g729_starts_eleven_points_lower_and_loses_faster() -> None:
    assert rating(0, 0, G729) == pytest.approx(82.2)
    assert loss_impairment(0.02, G729) == pytest.approx(11 + 84 * 2 / 21, abs=0.01)


def test_wide_band_codecs_are_rated_on_the_scale_of_g107_1() -> None:
    assert rating(0, 0, G722) == pytest.approx(116.0)
    assert mos(20, 0, G722) == pytest.approx(mos_of(116 / 1.29))
    assert mos(20, 0, G722) == pytest.approx(4.34, abs=0.01)
    assert mos(20, 0.02, OPUS) > mos(20, 0.02, G722)


def test_names_of_codecs_are_those_of_sdp_however_they_are_written() -> None:
    assert set(CODECS) == {"PCMU", "PCMA", "G729", "GSM", "G722", "OPUS"}
    assert codec_of("opus") is OPUS
    assert codec_of("pcma") is G711
    assert codec_of("X-NOBODYS") is None


def test_no_loss_and_single_losses_are_no_burst() -> None:
    assert burst_ratio(1000, 0, 0) == 1.0
    assert burst_ratio(1000, 50, 0) == 1.0


def test_one_long_gap_is_a_burst_as_far_as_the_model_goes() -> None:
    assert burst_ratio(1000, 2, 2) == pytest.approx(2.0, abs=0.01)
    assert burst_ratio(1000, 60, 60) == MOST_BURST


def lost_by_chain(p: float, q: float, packets: int, seed: int) -> tuple[int, int, int]:
    """Received, lost and lost in runs of a two-state chain: p from found to lost, q back."""
    draw = random.Random(seed)
    runs, run, received = list[int](), 0, 0
    for _ in range(packets):
        if draw.random() < ((1 - q) if run else p):
            run += 1
        else:
            received += 1
            if run:
                runs.append(run)
            run = 0
    return received, sum(runs), sum(one for one in runs if one > 1)


@pytest.mark.parametrize(("p", "q"), [(0.02, 0.98), (0.01, 0.5), (0.02, 0.33), (0.05, 0.8)])
def test_the_burst_ratio_is_that_of_the_chain_that_lost_the_packets(p: float, q: float) -> None:
    """G.107 clause 7.5: BurstR = 1 / (p + q)."""
    assert burst_ratio(*lost_by_chain(p, q, 60_000, 7)) == pytest.approx(max(1.0, 1 / (p + q)), rel=0.1)


@given(st.floats(0, 5000), st.floats(-1, 2), st.sampled_from(list(CODECS.values())), st.floats(1, 8))
def test_a_score_is_never_off_the_scale_and_never_better_for_more_loss(
    ms: float, loss: float, codec: Codec, burst: float
) -> None:
    assert 1.0 <= mos(ms, loss + 0.01, codec, burst) <= mos(ms, loss, codec, burst) + 1e-9 <= 4.5


@given(st.floats(0, 0.5), st.floats(1, 8), st.floats(0, 4))
def test_a_score_is_never_better_for_longer_bursts(loss: float, burst: float, more: float) -> None:
    assert mos(0, loss, G711, burst + more) <= mos(0, loss, G711, burst) + 1e-9


@given(st.integers(0, 10_000), st.integers(-1, 10_000), st.integers(-1, 10_000))
def test_the_burst_ratio_stays_within_the_model(received: int, lost: int, in_runs: int) -> None:
    assert 1.0 <= burst_ratio(received, lost, in_runs) <= MOST_BURST


@given(st.floats(0, 3000), st.floats(0, 100))
def test_more_delay_is_never_better(ms: float, more: float) -> None:
    assert delay_impairment(ms + more) >= delay_impairment(ms) - 1e-6
