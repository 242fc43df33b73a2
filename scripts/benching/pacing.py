"""One decision of the predictive pacing, without telephones: a campaign in the middle of its day."""

import random
import time
from dataclasses import dataclass, field

from dialer.campaign import Mode
from dialer.learning import Learner
from dialer.pacing import pace
from dialer.phases import Limits, Rules, Situation, Window

from .console import headline, note
from .latency import percentile

SIZES = (200, 2000)
"Agents on duty."
MEASURED = 1500
"Calls, talks and wrap-ups the campaign has seen."


@dataclass(slots=True)
class PacingTimes:
    """Microseconds of processor time; one entry for each run, by the number of agents."""

    p50: dict[str, list[float]] = field(default_factory=dict)
    p99: dict[str, list[float]] = field(default_factory=dict)
    learning: dict[str, list[float]] = field(default_factory=dict)
    "Median of one look at the measured times, which happens every few seconds."


def measure(*, runs: int, decisions: int) -> PacingTimes:
    """`runs` times so many decisions for each size."""
    found = PacingTimes()
    for number in range(runs):
        headline(f"pacing: run {number + 1} of {runs}")
        pick = random.Random(number)
        for agents in SIZES:
            learner = _taught(pick)
            seen = [_situation(agents, 3600.0 + step, pick) for step in range(100)]
            learned = learner.learned(seen[0])
            rules = Rules(limits=Limits(ratio=None))
            taken, looked = [], []
            for count in range(decisions):
                one = seen[count % len(seen)]
                began = time.thread_time()
                pace(Mode.PREDICTIVE, one, rules, learned)
                taken.append(1e6 * (time.thread_time() - began))
            for one in seen[::10]:
                learner.wrapped(20.0, one.now)
                began = time.thread_time()
                learner.learned(one)
                looked.append(1e6 * (time.thread_time() - began))
            key = str(agents)
            found.p50.setdefault(key, []).append(percentile(taken, 50))
            found.p99.setdefault(key, []).append(percentile(taken, 99))
            found.learning.setdefault(key, []).append(percentile(looked, 50))
            note(
                f"{agents} agents: {found.p50[key][-1]:.0f} us (p99 {found.p99[key][-1]:.0f}), "
                f"measured times looked at {found.learning[key][-1]:.0f} us"
            )
    return found


def _taught(pick: random.Random) -> Learner:
    learner = Learner()
    for count in range(MEASURED):
        now = 2.0 * count
        live = pick.random() < 0.3
        learner.resolved(min(25.0, max(2.0, pick.gammavariate(4, 3))) if live else 25.0, live, now)
        learner.talked(pick.lognormvariate(4.54, 0.7), now)
        learner.wrapped(pick.gammavariate(4, 5), now)
    return learner


def _situation(agents: int, now: float, pick: random.Random) -> Situation:
    talking, wrapping = int(0.84 * agents), int(0.13 * agents)
    answered = 60 * agents
    return Situation(
        now,
        idle=agents - talking - wrapping,
        talking=tuple(now - pick.expovariate(1 / 120) for _ in range(talking)),
        wrapping=tuple(now - pick.uniform(0, 30) for _ in range(wrapping)),
        ringing=tuple(now - pick.uniform(0, 25) for _ in range(int(0.4 * agents))),
        connected=talking,
        windows=(Window(answered, 0.028 * answered), Window(30 * answered, 0.027 * 30 * answered)),
    )
