"""Learned times: they find what was drawn, follow a change, and see what still runs."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.learning import LIVE, NOT_LIVE, Learner
from dialer.phases import Situation
from dialer.spreads import Chances, Curve, Spread


def taught(draw: list[float], **options: float) -> Spread:
    spread = Spread(1.0, 300, memory=1e9, least=10_000)
    for seconds in draw:
        spread.ended(seconds, 0.0)
    return spread


def test_exponential_times_end_at_every_age_with_the_same_chance() -> None:
    pick = random.Random(1)
    curve = taught([pick.expovariate(1 / 60) for _ in range(8000)]).curve()
    within = curve.within(10.0)
    assert within[[0, 30, 60, 120]].tolist() == pytest.approx([0.154] * 4, abs=0.03)
    assert curve.mean == pytest.approx(60, rel=0.04)
    assert within[300] == pytest.approx(0.154, abs=0.08)


def test_a_share_is_found_with_the_age_of_those_who_answer() -> None:
    spread = Spread(0.5, 100, 2, memory=1e9, least=10_000)
    for _ in range(300):
        spread.ended(10.2, 0.0, LIVE)
        for _ in range(3):
            spread.ended(25.0, 0.0, NOT_LIVE)
    curve = spread.curve()
    assert curve.share(LIVE) == pytest.approx(0.25, abs=0.02)
    assert curve.mean_of(LIVE) == pytest.approx(10.2, abs=1.0)
    assert curve.quantile(0.5, LIVE) == pytest.approx(10.2, abs=1.0)
    within = curve.within(5.0, LIVE)
    assert [round(float(within[2 * age]), 1) for age in (0, 4, 8, 12)] == [0.0, 0.0, 0.2, 0.0]


def test_phases_that_still_run_are_not_forgotten() -> None:
    """After a change of talk time only the short talks have ended: alone they would say that talks are short."""
    pick = random.Random(2)
    talks = [pick.expovariate(1 / 100) for _ in range(4000)]
    seen = taught([one for one in talks if one < 50])
    alone = seen.curve().mean
    running = seen.curve([50.0 for one in talks if one >= 50]).mean
    assert alone < 30
    assert running > 75


def test_a_doubled_talk_time_is_followed() -> None:
    pick = random.Random(3)
    spread = Spread(2.0, 600, memory=1800.0, least=300, blur=5)
    now = 0.0
    for mean in (120, 240):
        for _ in range(900):
            now += 5
            spread.ended(pick.expovariate(1 / mean), now)
        assert spread.curve().mean == pytest.approx(mean, rel=0.15)


def test_talk_and_wrap_up_must_both_be_over() -> None:
    talk, wrap = taught([30.0] * 4000).curve(), taught([10.0] * 4000).curve()
    both = talk.within_and(wrap, 15.0)
    assert both[28] == pytest.approx(1.0, abs=0.05)
    assert both[10] == pytest.approx(0.0, abs=0.05)
    assert both[18] == pytest.approx(0.0, abs=0.05)
    assert talk.within_and(None, 15.0).tolist() == talk.within(15.0).tolist()


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.floats(-5, 1000), st.integers(0, 1)), max_size=40),
    st.lists(st.floats(0, 1000), max_size=10),
    st.floats(0, 70),
)
def test_chances_are_chances_and_grow_with_time(
    ended: list[tuple[float, int]], running: list[float], seconds: float
) -> None:
    spread = Spread(2.0, 50, 2)
    for number, (lasted, cause) in enumerate(ended):
        spread.ended(lasted, float(number), cause)
    curve = spread.curve(running, reach=100.0)
    one, more = curve.within(seconds), curve.within(seconds + 5)
    assert ((one >= 0) & (one <= 1)).all()
    rounding = 1e-6  # at ages that next to nobody reaches
    assert (more >= one - rounding).all()
    assert (curve.within(seconds, 0) + curve.within(seconds, 1) <= 1 + rounding).all()
    chances = Chances(2.0, [one, more])
    total = chances.sum(100.0, [100.0 - age for age in running] + [1000.0])  # the last begins in the future
    assert 0 <= total[0] <= total[1] + 20 * rounding <= len(running) + 1 + 40 * rounding


def test_an_empty_sum_is_nothing() -> None:
    curve: Curve = Spread(1.0, 10).curve()
    assert Chances(1.0, [curve.within(3.0)]).sum(5.0, ()).tolist() == [0.0, 0.0]


def test_the_learner_says_what_it_knows_and_looks_again_only_at_news() -> None:
    learner = Learner()
    empty = learner.learned(Situation(0.0))
    assert (empty.answers, empty.share, empty.horizons) == (0, None, ())
    learner.resolved(25.0, False, 1.0)
    learner.resolved(12.0, True, 2.0)
    assert learner.learned(Situation(3.0)) is empty
    known = learner.learned(Situation(10.0))
    assert (known.answers, known.horizons) == (1, ())
    assert known.share == pytest.approx(0.5, abs=0.2)
    learner.talked(100.0, 120.0)
    complete = learner.learned(Situation(130.0, ringing=(128.0,), talking=(125.0,)))
    assert len(complete.horizons) == 3
    assert complete.wrapped is None
    assert learner.learned(Situation(200.0)) is complete
    learner.wrapped(20.0, 201.0)
    assert learner.learned(Situation(200.0)).wrapped is not None  # a clock that went back does not stop learning
    assert repr(learner) == "<Learner 1 live answers, 2 calls, 1 talks>"
