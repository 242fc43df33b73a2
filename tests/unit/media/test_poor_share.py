"""When a trunk sounds poor: a sliding window on a clock of ours."""

from hypothesis import given
from hypothesis import strategies as st

from media.poor_share import PoorShare, Rule

RULE = Rule(window=300.0, legs=5, share=0.2)


def ended(trunk: PoorShare, now: float, good: int, poor: int) -> None:
    for _ in range(good):
        trunk.ended(now, False)
    for _ in range(poor):
        trunk.ended(now, True)


def test_a_good_trunk_says_nothing() -> None:
    trunk = PoorShare()
    ended(trunk, 0.0, 100, 19)
    assert trunk.look(1.0, RULE) is None
    assert trunk.share < 0.2


def test_the_alarm_begins_with_the_share_and_ends_when_it_has_halved() -> None:
    trunk = PoorShare()
    ended(trunk, 0.0, 8, 2)
    assert trunk.look(1.0, RULE) is True
    assert trunk.look(2.0, RULE) is None
    ended(trunk, 3.0, 9, 0)
    assert trunk.look(4.0, RULE) is None  # 2 of 19: more than a tenth
    ended(trunk, 5.0, 1, 0)
    assert trunk.look(6.0, RULE) is False
    assert trunk.look(7.0, RULE) is None


def test_few_legs_say_nothing() -> None:
    trunk = PoorShare()
    ended(trunk, 0.0, 0, 4)
    assert trunk.look(1.0, RULE) is None
    ended(trunk, 2.0, 0, 1)
    assert trunk.look(3.0, RULE) is True


def test_legs_that_live_count_before_they_end() -> None:
    trunk = PoorShare()
    assert trunk.look(1.0, RULE, live=5, poor=1) is True
    assert trunk.look(2.0, RULE, live=5, poor=0) is False


def test_what_is_long_over_counts_no_more() -> None:
    trunk = PoorShare()
    ended(trunk, 0.0, 0, 10)
    assert trunk.look(1.0, RULE) is True
    assert trunk.look(299.0, RULE) is None
    assert trunk.look(301.0, RULE) is False
    assert (trunk.legs, trunk.poor, trunk.share) == (0, 0, 0.0)


def test_a_share_of_nothing_is_no_alarm_and_ends_one() -> None:
    trunk = PoorShare()
    ended(trunk, 0.0, 0, 10)
    assert trunk.look(1.0, RULE) is True
    assert trunk.look(2.0, Rule(300.0, 5, 0.0)) is False
    assert trunk.look(3.0, Rule(300.0, 5, 0.0)) is None


@given(st.lists(st.tuples(st.floats(0, 120), st.booleans(), st.integers(0, 5), st.integers(0, 5)), max_size=80))
def test_alarm_and_end_take_turns_and_each_has_its_reason(
    steps: list[tuple[float, bool, int, int]],
) -> None:
    trunk, now, alarmed = PoorShare(), 0.0, False
    for passed, poor, live, bad in steps:
        now += passed
        trunk.ended(now, poor)
        change = trunk.look(now, RULE, live, min(live, bad))
        assert 0 <= trunk.poor <= trunk.legs
        if change is True:
            assert not alarmed
            assert trunk.legs >= RULE.legs
            assert trunk.share >= RULE.share
        if change is False:
            assert alarmed
            assert trunk.share <= RULE.share / 2
        alarmed = alarmed if change is None else change
        assert trunk.alarmed is alarmed
