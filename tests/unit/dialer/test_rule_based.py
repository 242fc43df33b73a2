"""The rule set of three branches, with the cap in each of them and word by word."""

from dataclasses import replace

import pytest

from dialer.campaign import Mode
from dialer.learning import Learned
from dialer.pacing import pace
from dialer.phases import Limits, Rules, Situation, Window
from dialer.verdict import Cause

SAFE = Rules(ratio=2.0, stale_pause=120.0, limits=Limits(ratio=None))
COUNTED = replace(SAFE, count_paused=True)
LITERAL = replace(SAFE, literal=True)
CALM = Situation(10_000.0, idle=3, talking=(9_900.0,) * 7, windows=(Window(1000, 10),))
OVER = (Window(1000, 31),)
LEARNED = Learned(answers=500, share=0.4, ring=12.0, talk=100.0, wrap=20.0)
UNTIMED = Learned(answers=500, share=0.4)


def decided(seen: Situation, rules: Rules = SAFE, learned: Learned = UNTIMED) -> tuple[int, Cause]:
    decision = pace(Mode.RULE_BASED, seen, rules, learned)
    return decision.calls, decision.reason.cause


@pytest.mark.parametrize("rules", [SAFE, LITERAL])
def test_an_idle_agent_gets_the_next_contacts(rules: Rules) -> None:
    """R3-14."""
    assert decided(CALM, rules) == (6, Cause.RULE_IDLE)
    assert decided(replace(CALM, ringing=(9_999.0,) * 4), rules) == (2, Cause.RULE_IDLE)
    assert decided(replace(CALM, ringing=(9_999.0,) * 6), rules) == (0, Cause.ENOUGH)
    assert decided(CALM, replace(rules, ratio=9.0)) == (7, Cause.RULE_IDLE)  # 1 / 0.4 for each
    assert decided(CALM, rules, Learned()) == (3, Cause.RULE_IDLE)


@pytest.mark.parametrize("rules", [SAFE, LITERAL])
def test_speed_follows_agents_and_talk_time(rules: Rules) -> None:
    """R3-10: seven agents of whom each has a tenth of his call in the time a call rings are 0.7 agents more."""
    assert decided(CALM, rules, LEARNED) == (7, Cause.RULE_IDLE)
    assert decided(CALM, rules, replace(LEARNED, talk=40.0)) == (8, Cause.RULE_IDLE)
    assert decided(replace(CALM, talking=(9_900.0,) * 70), rules, LEARNED) == (20, Cause.RULE_IDLE)


def test_with_idle_agents_the_cap_leaves_one_call_for_each() -> None:
    """R3-14, R3-15: the cap acts in the first branch; word by word it does not."""
    over = replace(CALM, windows=OVER)
    assert decided(over) == (3, Cause.CAP)
    assert decided(over, LITERAL) == (6, Cause.RULE_IDLE)
    assert decided(replace(CALM, windows=(Window(1000, 28.7),))) == (6, Cause.RULE_IDLE)
    assert decided(replace(CALM, windows=(Window(1000, 28.8),))) == (5, Cause.CAP)
    assert decided(replace(CALM, windows=(Window(1000, 29.2),))) == (3, Cause.CAP)


@pytest.mark.parametrize("rules", [SAFE, COUNTED, LITERAL])
def test_nobody_idle_and_too_many_abandoned_is_a_pause(rules: Rules) -> None:
    """R3-15."""
    over = replace(CALM, idle=0, windows=OVER, paused=(0.0,) * 5)
    decision = pace(Mode.RULE_BASED, over, rules, UNTIMED)
    assert (decision.calls, str(decision.reason)) == (0, "abandon-cap (0.031)")


@pytest.mark.parametrize("rules", [SAFE, COUNTED, LITERAL])
def test_the_pause_looks_at_the_calls_abandoned_while_nobody_was_idle(rules: Rules) -> None:
    """R3-15 has a figure of its own; the legal one counts as well unless the rule is taken word by word."""
    own = replace(CALM, idle=0, unattended=Window(1000, 40), paused=(0.0,))
    assert decided(own, rules) == (0, Cause.CAP)
    legal = replace(own, unattended=Window(1000, 5), windows=OVER)
    assert decided(legal, rules) == ((2, Cause.RULE_PAUSED) if rules is LITERAL else (0, Cause.CAP))


@pytest.mark.parametrize(("seconds", "calls"), [(119.0, 0), (120.0, 0), (121.0, 2)])
@pytest.mark.parametrize("rules", [COUNTED, LITERAL])
def test_an_agent_on_pause_for_longer_than_the_limit_counts_as_idle(rules: Rules, seconds: float, calls: int) -> None:
    """R3-16: 119 s no, 121 s yes."""
    seen = replace(CALM, idle=0, paused=(CALM.now - seconds, CALM.now - 1.0))
    assert decided(seen, rules) == (calls, Cause.RULE_PAUSED if calls else Cause.NO_AGENT)
    assert decided(replace(seen, ringing=(9_999.0,) * 2), rules) == (0, Cause.ENOUGH if calls else Cause.NO_AGENT)


def test_who_is_on_pause_counts_only_where_an_operator_says_so() -> None:
    """R3-16."""
    seen = replace(CALM, idle=0, paused=(0.0,))
    assert decided(seen, SAFE) == (0, Cause.NO_AGENT)
    assert decided(replace(seen, windows=(Window(1000, 29.9),)), COUNTED) == (0, Cause.CAP)
    assert decided(replace(seen, windows=(Window(1000, 28.5),)), COUNTED) == (2, Cause.RULE_PAUSED)


def test_agents_on_pause_who_count_are_on_duty_for_the_limit_of_calls() -> None:
    seen = Situation(10_000.0, paused=(0.0,) * 2, windows=(Window(1000, 0),))
    assert decided(seen, replace(COUNTED, limits=Limits(ratio=1.5))) == (3, Cause.RATIO)


def test_phones_that_are_picked_up_by_hand_get_one_call_for_each_idle_agent() -> None:
    assert decided(replace(CALM, manual=1)) == (3, Cause.BY_HAND)
    assert decided(replace(CALM, inbound=3)) == (0, Cause.INBOUND)
