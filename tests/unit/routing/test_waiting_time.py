"""Erlang's formulas against published figures; the live estimate against what it is made of."""

import pytest

from routing.waiting_time import (
    ENOUGH,
    Learned,
    erlang_a,
    erlang_b,
    erlang_c,
    service_level,
    speed_of_answer,
)


@pytest.mark.parametrize(
    ("servers", "a", "handling", "within", "waits", "asa", "level"),
    [(14, 10, 180, 20, 0.1741, 7.84, 0.8884), (55, 48, 240, 15, 0.2387, 8.184, 0.8459)],
)
def test_erlang_c_gives_the_published_figures(
    servers: int, a: float, handling: float, within: float, waits: float, asa: float, level: float
) -> None:
    assert erlang_c(servers, a) == pytest.approx(waits, abs=5e-5)
    assert speed_of_answer(servers, a, handling) == pytest.approx(asa, abs=5e-3)
    assert service_level(servers, a, handling, within) == pytest.approx(level, abs=5e-5)


@pytest.mark.parametrize(
    ("servers", "waits", "wait", "abandoned"),
    [(10, 0.4969, 16.50, 0.1375), (12, 0.2798, 7.39, 0.0616), (14, 0.1270, 2.74, 0.0228)],
)
def test_erlang_a_gives_the_known_figures(servers: int, waits: float, wait: float, abandoned: float) -> None:
    found = erlang_a(servers, 10, 180, 120)
    assert found.waiting == pytest.approx(waits, abs=5e-5)
    assert found.wait == pytest.approx(wait, abs=5e-3)
    assert found.abandoned == pytest.approx(abandoned, abs=5e-5)


def test_more_load_than_agents_means_that_everybody_waits_without_end() -> None:
    assert erlang_c(3, 3.0) == 1.0
    assert speed_of_answer(3, 4.0, 180) == float("inf")
    assert service_level(3, 4.0, 180, 20) == 0.0
    assert 0.94 < erlang_b(1, 20.0) < 1.0


def test_a_very_patient_crowd_is_erlang_c() -> None:
    assert erlang_a(200, 190, 180, 1e7).wait == pytest.approx(speed_of_answer(200, 190, 180), rel=0.01)


def test_nothing_is_estimated_before_anything_is_known() -> None:
    learned = Learned()
    assert learned.estimate(3, 5) is None
    learned.left(12.0, served=True)
    learned.left(90.0)  # sent away by a rule: nobody says that an agent would have been there by then
    assert learned.estimate(3, 5) == 12.0, "the last who reached an agent, while service times are unknown"
    assert learned.estimate(3, 0) == 12.0


def test_the_estimate_counts_those_before_and_those_who_give_up() -> None:
    learned = Learned()
    for _ in range(ENOUGH):
        learned.ended(100.0)
    assert learned.estimate(0, 10) == pytest.approx(10.0)
    assert learned.estimate(9, 10) == pytest.approx(100.0)
    for _ in range(200):
        learned.left(50.0, gave_up=True)
    ends, gives_up = 10 / 100, 1 / 50
    exact = sum(1 / (ends + count * gives_up) for count in range(10))
    assert learned.estimate(9, 10) == pytest.approx(exact, rel=0.02)
