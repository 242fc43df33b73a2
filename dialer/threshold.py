"""How much risk a call may have, from what has been counted.

Every live answer allows `cap` abandoned calls; what is left of that allowance is the budget.  The threshold is a
function of the budget alone, so it remembers nothing and a restart changes nothing: it grows and shrinks by a fixed
factor for each call of the budget.  That is the same as multiplying it after each live answer by
exp(gain * (cap - abandoned)), abandoned being 0 or 1, without a state that could drift from the count.

The budget that gives the middle threshold is a reserve: it pays for what nobody could foresee (half of the agents
leave, twice as many people answer), so it grows with the agents.
"""

from collections.abc import Iterable
from math import exp, inf

from dialer.phases import Window

MIDDLE = 0.02
"Threshold at the reserve: what a search for the best constant found, at 10, 50 and 200 agents alike."
LOWEST, HIGHEST = 0.0005, 0.08
RESERVE = 2.0
RESERVE_OF_AGENT = 0.08
"Calls of budget held back: a fixed part, and one for each agent."
LEAST_OWN = 0.2
GAIN = 0.4
"Each call of the budget changes the threshold by this factor, as a logarithm."


def budget(windows: Iterable[Window], target: float | None = None) -> float:
    """Calls that may be abandoned in every window; infinite without a window.

    A target below a window's cap stands for the cap.
    """
    return min((window.left(target) for window in windows), default=inf)


def worst(windows: Iterable[Window]) -> float:
    """The rate of the window that leaves least."""
    return min(windows, key=lambda window: window.left()).rate


def exhausted(left: float) -> bool:
    """One more abandoned call could break the cap."""
    return left < 1.0


def own(windows: Iterable[Window]) -> float:
    """Part of the cap that pacing decides about, in the window where that is least."""
    return min((window.own for window in windows), default=1.0)


def reserve(agents: int, part: float = 1.0) -> float:
    """Budget held back for surprises; more when pacing decides about a part of the cap only.

    People taken for machines use up the cap at their own pace, so with a small part of it a loss is slow to make good.
    """
    return (RESERVE + RESERVE_OF_AGENT * agents) / max(LEAST_OWN, part)


def threshold(left: float, agents: int, part: float = 1.0) -> float:
    """Largest chance that the next live answer finds no agent."""
    exponent = GAIN * (left - reserve(agents, part))
    return min(HIGHEST, max(LOWEST, MIDDLE * exp(max(-10.0, min(10.0, exponent)))))
