"""The E-model against the figures that ITU-T G.107 and G.113 print."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.quality import CODECS, G711, G729, delay_impairment, loss_impairment, mos, mos_of, rating


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


def test_g729_starts_eleven_points_lower_and_loses_faster() -> None:
    assert rating(0, 0, G729) == pytest.approx(82.2)
    assert loss_impairment(0.02, G729) == pytest.approx(11 + 84 * 2 / 21, abs=0.01)


def test_names_of_codecs_are_those_of_sdp() -> None:
    assert set(CODECS) == {"PCMU", "PCMA", "G729"}


@given(st.floats(0, 5000), st.floats(-1, 2))
def test_a_score_is_never_off_the_scale_and_never_better_for_more_loss(ms: float, loss: float) -> None:
    assert 1.0 <= mos(ms, loss + 0.01) <= mos(ms, loss) + 1e-9 <= 4.5


@given(st.floats(0, 3000), st.floats(0, 100))
def test_more_delay_is_never_better(ms: float, more: float) -> None:
    assert delay_impairment(ms + more) >= delay_impairment(ms) - 1e-6
