"""The breaker: when we stop asking a tenant's system, and when we try it again. Time comes in as `now`."""

from b2bua.outside.breaker import Breaker, State

CALM = Breaker(threshold=3, rest=10.0)


def opened(now: float) -> Breaker:
    breaker = CALM
    for _ in range(3):
        breaker = breaker.failed(now)
    return breaker


def test_it_opens_at_the_threshold_and_not_before() -> None:
    assert CALM.failed(0.0).failed(0.0).state(0.0) is State.CLOSED
    assert opened(0.0).state(0.0) is State.OPEN


def test_one_answer_forgets_the_failures_before_it() -> None:
    assert CALM.failed(0.0).failed(0.0).answered().failed(0.0).failed(0.0).state(0.0) is State.CLOSED


def test_nobody_may_ask_while_it_rests() -> None:
    _, may = opened(0.0).ask(9.9)
    assert not may


def test_after_the_rest_exactly_one_probe_may_ask() -> None:
    breaker, first = opened(0.0).ask(10.0)
    breaker, second = breaker.ask(10.1)
    assert (first, second) == (True, False)


def test_a_probe_that_is_answered_closes_it() -> None:
    breaker, _ = opened(0.0).ask(10.0)
    assert breaker.answered() == CALM


def test_a_probe_that_fails_opens_it_for_a_full_rest() -> None:
    breaker, _ = opened(0.0).ask(10.0)
    breaker = breaker.failed(11.0)
    assert breaker.state(20.9) is State.OPEN
    assert breaker.state(21.0) is State.HALF_OPEN


def test_a_withdrawn_probe_leaves_room_for_the_next() -> None:
    breaker, _ = opened(0.0).ask(10.0)
    assert breaker.abandoned().ask(10.1)[1]


def test_a_probe_that_never_reports_is_forgotten() -> None:
    breaker, _ = opened(0.0).ask(10.0)
    assert not breaker.ask(19.9)[1]
    assert breaker.ask(20.0)[1]
