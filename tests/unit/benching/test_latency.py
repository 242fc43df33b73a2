"""Arrival times and percentiles of the set-up times."""

from benching.latency import arrivals, percentile


def test_calls_come_at_the_asked_rate_and_the_same_for_every_system() -> None:
    times = arrivals(5000, 50, seed=3)
    assert times == arrivals(5000, 50, seed=3)
    assert times == sorted(times)
    assert 90 < times[-1] < 110


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(n) for n in range(1, 101)]
    assert percentile(values, 50) == 51
    assert percentile(values, 99) == 100
    assert percentile([], 99) == 0
