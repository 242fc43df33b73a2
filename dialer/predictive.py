"""Predictive pacing: dial before an agent is free, as long as the next answer would hardly find none.

For each moment at which a call dialled now may be answered, the agents free by then are expected from the phase of each
and its age, and the calls answered by then from the age of each.  Their difference is taken as normal (an exact
Poisson-binomial gains nothing); its tail at "no agent left" is the risk of one more call.  Calls are added while the
risk is at most the threshold, and never fewer than one for each idle agent.
"""

from math import erfc, sqrt

from dialer.learning import Learned
from dialer.phases import Rules, Situation
from dialer.ratio import one_each
from dialer.threshold import budget, own, threshold, worst
from dialer.verdict import Cause, Decision

MOST = 100_000
"Calls beyond which nothing is looked for."


class Forecast:
    """Agents left over at each horizon: mean and variance."""

    def __init__(self, seen: Situation, learned: Learned) -> None:
        assert learned.answered is not None
        assert learned.freed is not None
        count = len(learned.horizons)
        answered = learned.answered.sum(seen.now, seen.ringing)
        freed = learned.freed.sum(seen.now, seen.talking)
        if learned.wrapped is not None:
            freed = freed + learned.wrapped.sum(seen.now, seen.wrapping)
        now = seen.idle - seen.inbound - seen.waiting
        self._means: list[float] = (now + freed[:count] - answered[:count]).tolist()
        self._variances: list[float] = (freed[count:] + answered[count:]).tolist()
        self._each = learned.answered.first

    def risk(self, calls: int) -> float:
        """Chance that the next live answer finds no agent when so many calls more are dialled."""
        total = 0.0
        for mean, variance, chance in zip(self._means, self._variances, self._each, strict=True):
            left = mean - calls * chance - 0.5
            total += erfc(left / sqrt(2 * (variance + calls * chance * (1 - chance)) + 1e-9))
        return total / (2 * len(self._means))

    def most(self, theta: float) -> int:
        """Calls that keep the risk at or below `theta`; the risk grows with every call."""
        if self.risk(0) > theta:
            return 0
        low, high = 0, 1
        while high < MOST and self.risk(high) <= theta:
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            if self.risk(middle) <= theta:
                low = middle
            else:
                high = middle
        return low


def predictive(seen: Situation, rules: Rules, learned: Learned) -> Decision:
    """Calls to dial; one for each idle agent with few agents, little data or an exhausted cap."""
    if seen.manual:
        return Decision.of(0, Cause.NOT_AUTOMATIC, seen.manual)
    if seen.agents < rules.least_agents:
        return one_each(seen, Cause.FEW_AGENTS)
    if learned.answers < rules.least_answers or not learned.horizons:
        return one_each(seen, Cause.FEW_DATA)
    left = budget(seen.windows, rules.target)
    if left < 0:
        return one_each(seen, Cause.CAP, worst(seen.windows))
    theta = threshold(left, seen.agents, own(seen.windows))
    # The first call that is too many is not dialled: the risk is asked of it, not of the one before.
    calls = Forecast(seen, learned).most(theta)
    if calls >= max(1, seen.ready - seen.open):
        return Decision.of(calls, Cause.PREDICTIVE, theta)
    least = one_each(seen, Cause.PROGRESSIVE)
    return least if least.calls else Decision.of(0, Cause.RISK, theta)
