"""How many requests a name may make; time comes in as `now`."""

from hypothesis import given
from hypothesis import strategies as st

from b2bua.web.buckets import Buckets


def test_a_burst_then_a_steady_rate() -> None:
    buckets = Buckets(rate=10.0, burst=3.0)
    assert [buckets.take("a", 0.0) == 0.0 for _ in range(4)] == [True, True, True, False]
    assert buckets.take("a", 0.1) == 0.0
    assert buckets.take("a", 0.1) > 0.0


def test_the_wait_it_names_is_long_enough() -> None:
    buckets = Buckets(rate=2.0, burst=1.0)
    buckets.take("a", 0.0)
    wait = buckets.take("a", 0.0)
    assert buckets.take("a", wait) == 0.0


def test_names_do_not_share() -> None:
    buckets = Buckets(rate=1.0, burst=1.0)
    assert buckets.take("a", 0.0) == 0.0
    assert buckets.take("b", 0.0) == 0.0


def test_what_is_given_back_may_be_taken_again() -> None:
    buckets = Buckets(rate=1.0, burst=1.0)
    buckets.take("a", 0.0)
    buckets.give_back("a")
    buckets.give_back("unknown")
    assert buckets.take("a", 0.0) == 0.0


def test_memory_is_bounded_and_those_who_are_out_of_tokens_are_remembered_first() -> None:
    buckets = Buckets(rate=1.0, burst=2.0, most=100)
    for at in range(1000):
        buckets.take(str(at), now=at * 0.001)
    assert len(buckets) <= 100
    buckets.take("greedy", 1.0)
    buckets.take("greedy", 1.0)
    for at in range(200):
        buckets.take(f"later {at}", now=10.0)
    assert buckets.take("greedy", 1.5) > 0.0 or buckets.take("greedy", 10.0) == 0.0


@given(st.lists(st.floats(0, 1), max_size=200))
def test_never_more_than_the_burst_plus_the_rate(gaps: list[float]) -> None:
    buckets, now, passed = Buckets(rate=5.0, burst=4.0), 0.0, 0
    for gap in gaps:
        now += gap
        passed += buckets.take("a", now) == 0.0
    assert passed <= 4 + 5 * now + 1e-6
