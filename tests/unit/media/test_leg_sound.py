"""The figures that are made of a leg's counters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.leg_sound import NOTHING, SPAN, LegSound, Line, Recent, difference, figures
from media.quality import G711, burst_ratio, mos

LINE = Line("PCMA", 20.0, 60.0)


def heard(packets: int, lost: int = 0, in_runs: int = 0, *, relayed: int = 0, rtt_us: int = -1) -> LegSound:
    return NOTHING._replace(
        packets=packets, lost=lost, lost_in_runs=in_runs, jitter_us=1500, relayed=relayed, rtt_us=rtt_us
    )


def test_the_figures_are_those_of_what_came_between_two_readings() -> None:
    made = figures(heard(1050, 60, 4), heard(100, 10), LINE)
    assert (made.received, made.lost) == (950, 50)
    assert made.loss == 0.05
    assert made.burst == burst_ratio(950, 50, 4)
    assert made.jitter_ms == 1.5
    assert made.rtt_ms is None
    assert made.mos == mos(80.0, 0.05, G711, made.burst)


def test_half_the_round_trip_our_buffer_and_a_packet_are_the_delay() -> None:
    assert figures(heard(100, rtt_us=200_000), NOTHING, LINE).mos == mos(180.0, 0.0)


def test_a_relayed_leg_has_no_buffer_of_ours() -> None:
    assert figures(heard(100, relayed=1, rtt_us=200_000), NOTHING, LINE).mos == mos(120.0, 0.0)


@pytest.mark.parametrize(("sound", "line"), [(heard(0), LINE), (heard(500), Line("X-NOBODYS")), (heard(500), Line(""))])
def test_nothing_is_said_where_nothing_came_or_the_codec_is_not_known(sound: LegSound, line: Line) -> None:
    assert figures(sound, NOTHING, line).mos is None


def test_a_late_packet_that_was_counted_as_lost_makes_no_loss_negative() -> None:
    made = figures(heard(600, 9), heard(500, 10), LINE)
    assert 0 <= made.loss <= 1


def test_the_figures_of_now_reach_five_to_ten_seconds_back() -> None:
    recent = Recent(0.0, NOTHING)
    turned = []
    for second in range(1, 31):
        now = heard(50 * second, 50 if second >= 20 else 0)  # a burst of loss in second 20
        if recent.look(float(second), now):
            turned.append(second)
        made = recent.figures(now, LINE)
        if second > SPAN:
            assert 5 * 50 <= made.received <= 10 * 50
        assert (made.lost > 0) is (20 <= second < 25), second
    assert turned == [5, 10, 15, 20, 25, 30]


@given(*[st.integers(0, 1_000_000)] * 6)
def test_no_reading_makes_a_figure_that_cannot_be(a: int, b: int, c: int, d: int, e: int, f: int) -> None:
    made = figures(heard(a, b, c, rtt_us=d), heard(d, e, f), LINE)
    assert 0 <= made.loss <= 1 <= made.burst <= 8
    assert made.mos is None or 1 <= made.mos <= 4.5


def test_what_was_counted_between_two_readings() -> None:
    made = difference(heard(150, 9, 4, relayed=1), heard(100, 5, 4))
    assert (made.packets, made.lost, made.lost_in_runs, made.relayed, made.jitter_us) == (50, 4, 0, 1, 1500)
    assert difference(heard(10, 1), heard(100, 5)).packets == 10
