"""The search for the highest rate that passes."""

import pytest

from benching.search import Plan, best


def rates_until_the_end(plan: Plan, limit: int) -> dict[int, bool]:
    """What a search tries against a system that passes up to `limit`."""
    tried: dict[int, bool] = {}
    while (rate := plan.next(tried)) is not None:
        tried[rate] = rate <= limit
        assert len(tried) < 60
    return tried


@pytest.mark.parametrize("limit", [37, 200, 331, 999, 4000])
def test_the_best_rate_is_within_the_precision_of_the_limit(limit: int) -> None:
    found = best(rates_until_the_end(Plan(200), limit))
    assert limit / 1.05 <= found <= limit


def test_a_start_just_below_the_limit_needs_few_steps() -> None:
    assert len(rates_until_the_end(Plan(300), 331)) <= 6


def test_a_system_that_passes_nothing_ends_the_search_at_the_lowest_rate() -> None:
    tried = rates_until_the_end(Plan(50), 0)
    assert best(tried) == 0
    assert min(tried) == 5


def test_a_system_without_limit_ends_the_search_at_the_highest_rate() -> None:
    assert best(rates_until_the_end(Plan(50, highest=500), 10_000)) == 500


def test_a_rate_that_failed_below_one_that_passed_does_not_bound_the_search() -> None:
    assert Plan(100).next({100: False, 80: True, 125: True}) == 156
