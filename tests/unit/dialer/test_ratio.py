"""The modes that count idle agents, and the limits that hold for every mode."""

from dataclasses import replace

import pytest

from dialer.campaign import Mode, Pacing
from dialer.learning import Learned
from dialer.pacing import pace, rules_of
from dialer.phases import Limits, Rules, Situation, Window
from dialer.verdict import REFUSALS, Cause

FREE = Rules(ratio=2.5, limits=Limits(ratio=None))
CALM = Situation(1000.0, idle=4, talking=(900.0, 950.0), wrapping=(990.0,), windows=(Window(1000, 10),))
NOTHING = Learned(share=0.3)


def decided(mode: Mode, seen: Situation, rules: Rules = FREE) -> tuple[int, Cause]:
    decision = pace(mode, seen, rules, NOTHING)
    return decision.calls, decision.reason.cause


@pytest.mark.parametrize(("mode", "cause"), [(Mode.PREVIEW, Cause.PREVIEW), (Mode.PROGRESSIVE, Cause.PROGRESSIVE)])
def test_one_call_for_each_idle_agent(mode: Mode, cause: Cause) -> None:
    """R3-10: speed follows the agents."""
    assert decided(mode, CALM) == (4, cause)
    assert decided(mode, replace(CALM, ringing=(995.0,), waiting=1)) == (2, cause)
    assert decided(mode, replace(CALM, ringing=(995.0,) * 4)) == (0, Cause.ENOUGH)
    assert decided(mode, replace(CALM, idle=0)) == (0, Cause.NO_AGENT)


def test_power_dials_its_ratio_for_each_idle_agent() -> None:
    assert decided(Mode.POWER, CALM) == (10, Cause.POWER)
    assert decided(Mode.POWER, replace(CALM, ringing=(999.0,) * 7)) == (3, Cause.POWER)
    assert decided(Mode.POWER, replace(CALM, ringing=(999.0,) * 10)) == (0, Cause.ENOUGH)
    assert decided(Mode.POWER, replace(CALM, idle=0)) == (0, Cause.NO_AGENT)


def test_power_dials_one_for_each_while_the_cap_is_reached_and_no_more_than_it_can_pay_for() -> None:
    """R3-15: the cap holds in the branch with idle agents too."""
    decision = pace(Mode.POWER, replace(CALM, windows=(Window(1000, 29.5),)), FREE, NOTHING)
    assert (decision.calls, str(decision.reason)) == (4, "abandon-cap (0.0295)")
    assert decided(Mode.POWER, replace(CALM, windows=(Window(1000, 28.5),))) == (9, Cause.CAP)
    assert decided(Mode.POWER, replace(CALM, windows=(Window(1000, 29.5), Window(100, 0)))) == (4, Cause.CAP)


def test_a_target_below_the_cap_acts_as_the_cap() -> None:
    seen = replace(CALM, windows=(Window(1000, 15),))
    assert decided(Mode.POWER, seen, replace(FREE, target=0.02)) == (10, Cause.POWER)
    assert decided(Mode.POWER, seen, replace(FREE, target=0.0155)) == (4, Cause.CAP)


def test_power_and_predictive_refuse_phones_that_are_picked_up_by_hand() -> None:
    for mode in (Mode.POWER, Mode.PREDICTIVE):
        decision = pace(mode, replace(CALM, manual=2), FREE, NOTHING)
        assert (decision.calls, str(decision.reason)) == (0, "not-automatic (2)")
        assert decision.reason.cause in REFUSALS
    assert decided(Mode.PROGRESSIVE, replace(CALM, manual=2)) == (4, Cause.PROGRESSIVE)


def test_agents_whom_inbound_queues_want_are_not_dialled_for() -> None:
    assert decided(Mode.PROGRESSIVE, replace(CALM, inbound=3)) == (1, Cause.PROGRESSIVE)
    assert decided(Mode.POWER, replace(CALM, inbound=3)) == (2, Cause.POWER)
    assert decided(Mode.PROGRESSIVE, replace(CALM, inbound=6)) == (0, Cause.INBOUND)
    assert decided(Mode.PREDICTIVE, replace(CALM, inbound=6)) == (0, Cause.INBOUND)


def test_a_broadcast_fills_the_lines_and_needs_a_limit_of_them() -> None:
    nobody = Situation(0.0, ringing=(0.0,) * 10, connected=5)
    assert decided(Mode.BROADCAST, nobody) == (0, Cause.NO_LINE_LIMIT)
    assert decided(Mode.BROADCAST, nobody, Rules(limits=Limits(lines=40))) == (25, Cause.BROADCAST)
    assert decided(Mode.BROADCAST, nobody, Rules(limits=Limits(lines=40, ringing=12))) == (2, Cause.BROADCAST)
    assert decided(Mode.BROADCAST, replace(nobody, lines_free=3), FREE) == (3, Cause.BROADCAST)


@pytest.mark.parametrize(
    ("limits", "seen", "expected"),
    [
        (Limits(lines=9), {"connected": 2}, (7, Cause.LINES)),
        (Limits(), {"lines_free": 3}, (3, Cause.LINES)),
        (Limits(), {"lines_free": -2}, (0, Cause.LINES)),
        (Limits(ringing=6), {}, (6, Cause.RINGING)),
        (Limits(ratio=1.3), {"waiting": 1}, (8, Cause.RATIO)),
        (Limits(burst=5), {}, (5, Cause.BURST)),
        (Limits(), {"contacts": 1}, (1, Cause.CONTACTS)),
        (Limits(lines=8, ringing=3), {"contacts": 5, "connected": 2}, (3, Cause.RINGING)),
    ],
)
def test_the_tightest_limit_is_the_reason(limits: Limits, seen: dict[str, int], expected: tuple[int, Cause]) -> None:
    assert decided(Mode.POWER, replace(CALM, **seen), Rules(ratio=2.5, limits=limits)) == expected  # type: ignore[arg-type]


def test_the_parameters_of_a_campaign_are_those_of_its_pacing() -> None:
    rules = rules_of(Pacing(ratio=3.0, lines=20, target=0.02, agents_least=7, stale_pause=90.0, resume_stale=True))
    assert rules == Rules(3.0, 0.02, False, True, 90.0, 7, 50, Limits(lines=20))
