"""Predictive pacing: what it dials for, when it falls back, and what may never be whatever comes in."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.campaign import Mode
from dialer.learning import Learned, Learner
from dialer.pacing import pace
from dialer.phases import Limits, Rules, Situation, Window
from dialer.predictive import Forecast
from dialer.verdict import Cause

FREE = Rules(limits=Limits(ratio=None))
NOW = 5000.0
CALM = Situation(
    NOW,
    idle=2,
    talking=tuple(NOW - 6.0 * number for number in range(42)),
    wrapping=tuple(NOW - 4.0 * number for number in range(6)),
    ringing=tuple(NOW - 2.0 * number for number in range(12)),
    windows=(Window(4000, 110),),
)


def taught(share: float, *, talk: float = 120.0, calls: int = 1500, seed: int = 1) -> Learned:
    """After so many calls, of which that share was answered."""
    pick, learner = random.Random(seed), Learner()
    for count in range(calls):
        live = pick.random() < share
        learner.resolved(pick.gammavariate(4, 3) if live else 25.0, live, 3.0 * count)
        learner.talked(talk * pick.lognormvariate(-0.245, 0.7), 3.0 * count)
        learner.wrapped(pick.gammavariate(4, 5), 3.0 * count)
    return learner.learned(CALM)


SHARES = [taught(share) for share in (0.15, 0.3, 0.5, 0.8)]
USUAL = SHARES[1]


def decided(seen: Situation, rules: Rules = FREE, learned: Learned = USUAL) -> tuple[int, Cause]:
    decision = pace(Mode.PREDICTIVE, seen, rules, learned)
    return decision.calls, decision.reason.cause


def test_it_dials_before_agents_are_free() -> None:
    """R3-10: by the agents' phases and the measured talk time."""
    calls, cause = decided(CALM)
    assert cause is Cause.PREDICTIVE
    assert calls > CALM.idle
    assert decided(replace(CALM, ringing=(NOW,) * 60)) == (0, Cause.RISK)
    assert decided(replace(CALM, idle=0, wrapping=(), ringing=(NOW,) * 15)) == (0, Cause.RISK)


def test_one_call_for_each_idle_agent_whatever_the_risk() -> None:
    busy = replace(CALM, idle=30, talking=(), wrapping=(), ringing=(), windows=(Window(4000, 110),))
    calls, _ = decided(busy, learned=SHARES[3])
    assert calls >= 30
    tight = replace(busy, idle=3, talking=(NOW,) * 7, windows=(Window(4000, 119.9),))
    assert decided(tight, learned=SHARES[3]) == (3, Cause.PROGRESSIVE)


@pytest.mark.parametrize(
    ("seen", "rules", "learned", "cause"),
    [
        (replace(CALM, talking=(NOW,), wrapping=()), FREE, USUAL, Cause.FEW_AGENTS),
        (CALM, replace(FREE, least_agents=51), USUAL, Cause.FEW_AGENTS),
        (CALM, FREE, Learned(answers=5, share=0.3), Cause.FEW_DATA),
        (CALM, replace(FREE, least_answers=10_000), USUAL, Cause.FEW_DATA),
        (CALM, FREE, Learned(answers=500), Cause.FEW_DATA),
        (replace(CALM, windows=(Window(4000, 120.5),)), FREE, USUAL, Cause.CAP),
        (replace(CALM, windows=(Window(4000, 110), Window(100, 3.5))), FREE, USUAL, Cause.CAP),
        (CALM, replace(FREE, target=0.0274), USUAL, Cause.CAP),
    ],
)
def test_it_falls_back_to_one_call_for_each_idle_agent(
    seen: Situation, rules: Rules, learned: Learned, cause: Cause
) -> None:
    """R3-15: over the cap no call without an idle agent."""
    idle = replace(seen, ringing=(NOW,))
    assert decided(idle, rules, learned) == (1, cause)
    assert decided(replace(idle, idle=0), rules, learned)[0] == 0


def test_who_is_wanted_by_inbound_queues_is_not_counted() -> None:
    assert decided(replace(CALM, inbound=2))[0] < decided(CALM)[0]
    assert decided(replace(CALM, inbound=30)) == (0, Cause.RISK)


def test_exhausted_wrap_ups_are_worth_more_than_fresh_ones() -> None:
    fresh, late = ([NOW] * 6, [NOW - 25.0] * 6)
    assert decided(replace(CALM, wrapping=late))[0] > decided(replace(CALM, wrapping=fresh))[0]
    assert decided(replace(CALM, ringing=[NOW - 24.0] * 20))[0] > decided(replace(CALM, ringing=[NOW - 8.0] * 20))[0]


ages = st.lists(st.floats(-10, 400), max_size=60).map(lambda found: tuple(NOW - one for one in found))
situations = st.builds(
    Situation,
    now=st.just(NOW),
    idle=st.integers(0, 60),
    talking=ages,
    wrapping=ages,
    paused=ages,
    ringing=ages,
    waiting=st.integers(0, 10),
    connected=st.integers(0, 60),
    inbound=st.integers(0, 20),
    manual=st.sampled_from([0, 0, 0, 1]),
    windows=st.lists(
        st.builds(Window, st.integers(0, 5000), st.floats(0, 200), st.floats(0.001, 0.2)), min_size=1, max_size=3
    ).map(tuple),
    lines_free=st.none() | st.integers(-3, 80),
    contacts=st.none() | st.integers(0, 80),
)
limits = st.builds(
    Limits,
    lines=st.none() | st.integers(0, 200),
    ringing=st.none() | st.integers(0, 100),
    ratio=st.none() | st.floats(0, 4),
    burst=st.none() | st.integers(0, 50),
)
rules = st.builds(
    Rules,
    ratio=st.floats(1, 12),
    target=st.none() | st.floats(0.001, 0.05),
    literal=st.booleans(),
    count_paused=st.booleans(),
    limits=limits,
)
learned = st.sampled_from([Learned(), Learned(answers=900, share=0.3), *SHARES])


@settings(max_examples=150)
@given(st.sampled_from(Mode), situations, rules, learned)
def test_no_mode_exceeds_a_limit(mode: Mode, seen: Situation, chosen: Rules, known: Learned) -> None:
    calls = pace(mode, seen, chosen, known).calls
    assert calls >= 0
    if calls:
        most = chosen.limits
        assert seen.contacts is None or calls <= seen.contacts
        assert seen.lines_free is None or calls <= seen.lines_free
        assert most.lines is None or seen.connected + seen.open + calls <= most.lines
        assert most.ringing is None or len(seen.ringing) + calls <= most.ringing
        assert most.burst is None or calls <= most.burst
        if most.ratio is not None and mode is not Mode.BROADCAST:
            assert seen.open + calls <= most.ratio * (seen.agents + len(seen.paused))


@settings(max_examples=100)
@given(st.sampled_from([mode for mode in Mode if mode is not Mode.BROADCAST]), situations, rules, learned)
def test_without_agents_nothing_is_dialled(mode: Mode, seen: Situation, chosen: Rules, known: Learned) -> None:
    nobody = replace(seen, idle=0, talking=(), wrapping=(), paused=())
    assert pace(mode, nobody, chosen, known).calls == 0


@settings(max_examples=100)
@given(st.sampled_from([Mode.POWER, Mode.RULE_BASED, Mode.PREDICTIVE]), situations, rules, learned)
def test_over_the_cap_no_call_is_without_an_idle_agent(
    mode: Mode, seen: Situation, chosen: Rules, known: Learned
) -> None:
    """R3-15, in every branch."""
    over = replace(seen, windows=(*seen.windows, Window(1000, 31)))
    calls = pace(mode, over, replace(chosen, literal=False), known).calls
    assert calls <= max(0, over.ready - over.open)


@settings(max_examples=80)
@given(situations, st.integers(0, 2))
def test_the_more_people_answer_the_fewer_calls(seen: Situation, number: int) -> None:
    fewer, more = Forecast(seen, SHARES[number]), Forecast(seen, SHARES[number + 1])
    calm = replace(seen, ringing=())
    assert Forecast(calm, SHARES[number]).most(0.02) >= Forecast(calm, SHARES[number + 1]).most(0.02) - 1
    for forecast in (fewer, more):
        assert forecast.most(0.01) <= forecast.most(0.02) <= forecast.most(0.05)
        # Never past the risk it was given.
        count = forecast.most(0.02)
        assert count == 0 or forecast.risk(count) <= 0.02 < forecast.risk(count + 1)


@settings(max_examples=80)
@given(situations, st.integers(1, 20))
def test_an_idle_agent_more_is_never_a_call_less(seen: Situation, more: int) -> None:
    before, after = (
        pace(Mode.PREDICTIVE, replace(seen, idle=idle), FREE, USUAL).calls for idle in (seen.idle, seen.idle + more)
    )
    assert after >= before or seen.agents < FREE.least_agents
