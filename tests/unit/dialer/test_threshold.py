"""The risk a call may have follows the count of abandoned calls and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.phases import Window
from dialer.threshold import HIGHEST, LOWEST, MIDDLE, budget, exhausted, own, reserve, threshold, worst

lefts = st.floats(-1e6, 1e6)
agents = st.integers(0, 5000)


def test_the_window_that_leaves_least_rules() -> None:
    windows = (Window(10_000, 100), Window(1000, 29), Window(50, 0, cap=0.05))
    assert budget(windows) == pytest.approx(1.0)
    assert worst(windows) == pytest.approx(0.029)
    assert budget(()) == float("inf")
    assert budget((Window(1000, 10),), target=0.02) == pytest.approx(10.0)
    assert budget((Window(1000, 10),), target=0.5) == pytest.approx(20.0)


def test_one_call_more_must_not_break_the_cap() -> None:
    assert exhausted(budget((Window(0, 0),)))
    assert exhausted(budget((Window(33, 0),)))
    assert not exhausted(budget((Window(34, 0),)))


@given(lefts, lefts, agents)
def test_the_threshold_grows_with_the_budget_between_its_bounds(one: float, other: float, count: int) -> None:
    low, high = sorted((one, other))
    assert LOWEST <= threshold(low, count) <= threshold(high, count) <= HIGHEST


@given(agents)
def test_the_reserve_gives_the_middle_threshold(count: int) -> None:
    assert threshold(reserve(count), count) == pytest.approx(MIDDLE)
    assert reserve(count) >= 1


def test_people_taken_for_machines_leave_less_to_pacing_and_need_more_reserve() -> None:
    half = Window(1000, 20, estimated=15.0)
    assert own((Window(1000, 20), half)) == pytest.approx(0.5)
    assert own(()) == own((Window(0, 0, estimated=0.0),)) == 1.0
    assert own((Window(1000, 50, estimated=50.0),)) == 0.0
    assert reserve(50, 0.5) == 2 * reserve(50)
    assert threshold(10.0, 50, 0.5) < threshold(10.0, 50)
