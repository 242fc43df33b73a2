"""After which end of a try the next trunk is tried, and for how long an address is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.failover import Attempt, left_alone, may_be_extra, tries_next

finals = st.integers(300, 699)


@pytest.mark.parametrize(
    ("attempt", "wanted"),
    [
        (Attempt(0), True),  # given up: no 1xx in time
        (Attempt(408, local=True), True),  # timer B
        (Attempt(503, local=True), True),  # the transport failed
        (Attempt(408), True),
        (Attempt(500), True),
        (Attempt(502), True),
        (Attempt(503), True),
        (Attempt(504), True),
        (Attempt(404), False),
        (Attempt(410), False),
        (Attempt(484), False),
        (Attempt(486), False),
        (Attempt(487), False),
        (Attempt(600), False),
        (Attempt(603), False),
        (Attempt(480), False),
        (Attempt(403), False),
        (Attempt(302), False),
        (Attempt(488, local=True), False),  # its 200 had no sound for us: it has taken the call
    ],
)
def test_the_table(attempt: Attempt, wanted: bool) -> None:
    assert tries_next(attempt) is wanted


@given(finals, st.booleans(), st.frozensets(finals))
def test_never_after_ringing(code: int, local: bool, extras: frozenset[int]) -> None:
    assert not tries_next(Attempt(code, local, rang=True), extras)
    assert not tries_next(Attempt(0, rang=True), extras)


@given(finals)
def test_extras_add_only_what_speaks_of_the_trunk(code: int) -> None:
    assert tries_next(Attempt(code), {code}) is (may_be_extra(code) or code == 408)


@given(finals, st.none() | st.integers(-5, 2**31), st.floats(0, 3600))
def test_a_retry_after_is_believed_within_bounds(code: int, seconds: int | None, most: float) -> None:
    pause = left_alone(code, seconds, most)
    assert 0 <= pause <= most
    if seconds is None or code not in (500, 503):
        assert pause == 0
    elif 0 <= seconds <= most:
        assert pause == seconds
