"""How much a trunk may carry."""

from hypothesis import given
from hypothesis import strategies as st

from routing.trunk_limits import Limits, Load

TODAY = "2026-01-01"


def test_calls_at_once() -> None:
    limits = Limits(calls=3, calls_in=2, calls_out=2)
    assert Load(calls_in=2).refuses_in(limits, 0.0) == "max-calls-in"
    assert Load(calls_in=1, calls_out=2).refuses_in(limits, 0.0) == "max-calls"
    assert Load(calls_out=2).refuses_out(limits, 0.0, TODAY) == "max-calls-out"
    assert Load(calls_in=1, calls_out=1).refuses_out(limits, 0.0, TODAY) == ""


def test_minutes_count_running_calls_and_begin_anew_with_the_day() -> None:
    load, limits = Load(minutes=9.0, day=TODAY), Limits(minutes=10)
    load.talking[1] = 100.0
    assert load.refuses_out(limits, 130.0, TODAY) == ""
    assert load.refuses_out(limits, 160.0, TODAY) == "minutes"
    assert load.refuses_out(limits, 160.0, "2026-01-02") == ""
    assert load.minutes_of("2026-01-02", 160.0) == 0.0, "what was talked yesterday was yesterday's"
    assert load.minutes_of("2026-01-02", 220.0) == 1.0


@given(st.floats(0.5, 50), st.lists(st.floats(0.001, 2), max_size=200))
def test_calls_a_second_never_pass_the_rate(rate: float, gaps: list[float]) -> None:
    limits, load, now, out, came = Limits(cps_out=rate, cps_in=rate), Load(), 0.0, 0, 0
    for gap in gaps:
        now += gap
        if not load.refuses_out(limits, now, TODAY):
            load.take(limits, now)
            out += 1
        came += not load.refuses_in(limits, now)
    assert out == came <= max(1.0, 2 * rate) + rate * now + 1e-6


def test_room_is_what_the_next_limit_leaves() -> None:
    load = Load(calls_in=3, calls_out=4)
    assert load.room_out(Limits(), 0.0, "d") is None
    assert load.room_out(Limits(calls=20, calls_out=10), 0.0, "d") == 6
    assert load.room_out(Limits(calls=8, calls_out=10), 0.0, "d") == 1
    assert load.room_out(Limits(calls_out=10, cps_out=1.0), 0.0, "d") == 2
    assert load.room_out(Limits(calls_out=4), 0.0, "d") == 0
