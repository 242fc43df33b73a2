"""The rule set of three branches (R3-14..16), by name: not the best pacing, but one that operators know.

1. An agent is idle: dial the next contacts (R3-14).
2. Nobody is idle and the abandoned share is over the cap: wait (R3-15).
3. Otherwise agents who are on pause for longer than a preset time count as idle (R3-16).

Speed follows the agents on duty and the measured talk time (R3-10): agents who will be free by the time a call is
answered count as a part of an idle one.

Taken word by word the cap acts only while nobody is idle, and ten agents abandon many times the cap.  So the cap acts
in every branch here, and agents on pause count only where an operator says so; `rules.literal` is the word.
"""

from dialer.learning import Learned
from dialer.phases import Rules, Situation, Window
from dialer.ratio import nobody, one_each, paid_for, several_each
from dialer.threshold import budget, exhausted, worst
from dialer.verdict import Cause, Decision


def stale(seen: Situation, rules: Rules) -> int:
    """Agents on pause for longer than the preset time."""
    return sum(seen.now - since > rules.stale_pause for since in seen.paused)


def each(rules: Rules, learned: Learned) -> float:
    """Calls for an idle agent: as many as give one answer, if the ratio allows them."""
    return 1.0 if not learned.share else max(1.0, min(rules.ratio, 1 / learned.share))


def soon(seen: Situation, learned: Learned) -> float:
    """Agents who will be free when a call dialled now is answered, if calls were as short or long as ever (R3-10)."""
    handling = learned.talk + learned.wrap
    busy = len(seen.talking) + len(seen.wrapping)
    return busy * min(1.0, learned.ring / handling) if handling > 0 else 0.0


def rule_based(seen: Situation, rules: Rules, learned: Learned) -> Decision:
    """The branch that holds; the literal one or the one with the cap everywhere."""
    if rules.literal:
        return _literal(seen, rules, learned)
    if seen.manual:
        return one_each(seen, Cause.BY_HAND, seen.manual)
    ratio = each(rules, learned)
    if seen.ready:
        faster = ratio * (1 + soon(seen, learned) / seen.ready)
        return several_each(seen, faster, learned.share, Cause.RULE_IDLE, rules.target)
    over = _over(seen)
    if over is not None:
        return Decision.of(0, Cause.CAP, over.rate)
    if not rules.count_paused or not stale(seen, rules):
        return nobody(seen)
    left = budget(seen.windows, rules.target)
    if exhausted(left):
        return Decision.of(0, Cause.CAP, worst(seen.windows))
    return _paused(seen, rules, ratio).cut(int(paid_for(left, learned.share)) - seen.open, Cause.CAP)


def _literal(seen: Situation, rules: Rules, learned: Learned) -> Decision:
    ratio = each(rules, learned)
    if seen.ready:
        wanted = int(ratio * (seen.ready + soon(seen, learned)) + 1e-9) - seen.open
        return Decision.of(wanted, Cause.RULE_IDLE if wanted > 0 else Cause.ENOUGH, ratio if wanted > 0 else None)
    over = seen.unattended if seen.unattended is not None else _over(seen)
    if over is not None and over.rate > over.cap:
        return Decision.of(0, Cause.CAP, over.rate)
    return _paused(seen, rules, ratio)


def _paused(seen: Situation, rules: Rules, ratio: float) -> Decision:
    count = stale(seen, rules)
    if not count:
        return nobody(seen)
    wanted = int(ratio * count + 1e-9) - seen.open
    return Decision.of(wanted, Cause.RULE_PAUSED, count) if wanted > 0 else Decision.of(0, Cause.ENOUGH)


def _over(seen: Situation) -> Window | None:
    over = [window for window in (*seen.windows, *filter(None, [seen.unattended])) if window.rate > window.cap]
    return max(over, key=lambda window: window.rate, default=None)
