"""How many calls a campaign starts now, and why.  A pure function: everything it needs comes in.

    learner.resolved(...), learner.talked(...), learner.wrapped(...)      # as it is measured
    decision = pace(mode, situation, rules, learner.learned(situation))   # on every event and twice a second

No mode exceeds the limits of the campaign and of its trunks, none dials for an agent whom an inbound queue wants, and
while the cap on abandoned calls is reached none dials more than one call for each idle agent.
"""

from dialer.campaign import Mode, Pacing
from dialer.learning import Learned
from dialer.phases import Limits, Rules, Situation
from dialer.predictive import predictive
from dialer.ratio import broadcast, power, preview, progressive
from dialer.rule_based import rule_based, stale
from dialer.verdict import Cause, Decision

AUTOMATIC = frozenset({Mode.POWER, Mode.PREDICTIVE})
"Need agents whose phones answer by themselves or stay connected."


def rules_of(pacing: Pacing) -> Rules:
    """The parameters as a campaign writes them."""
    return Rules(
        ratio=pacing.ratio,
        target=pacing.target,
        literal=pacing.literal,
        count_paused=pacing.resume_stale,
        stale_pause=pacing.stale_pause,
        least_agents=pacing.agents_least,
        least_answers=pacing.answers_least,
        limits=Limits(lines=pacing.lines),
    )


def pace(mode: Mode, seen: Situation, rules: Rules, learned: Learned) -> Decision:
    """Calls to start now; never negative, never above the limits."""
    return within(wish(mode, seen, rules, learned), mode, seen, rules)


def wish(mode: Mode, seen: Situation, rules: Rules, learned: Learned) -> Decision:
    """What the mode would dial if there were no limits."""
    match mode:
        case Mode.PREVIEW:
            return preview(seen, rules)
        case Mode.PROGRESSIVE:
            return progressive(seen, rules)
        case Mode.POWER:
            return power(seen, rules, learned.share)
        case Mode.RULE_BASED:
            return rule_based(seen, rules, learned)
        case Mode.PREDICTIVE:
            return predictive(seen, rules, learned)
        case Mode.BROADCAST:
            return broadcast(seen, rules)


def within(decision: Decision, mode: Mode, seen: Situation, rules: Rules) -> Decision:
    """The decision cut to what campaign and trunks allow; the tightest limit is the reason."""
    limits = rules.limits
    rooms: list[tuple[int, Cause]] = []
    if seen.contacts is not None:
        rooms.append((seen.contacts, Cause.CONTACTS))
    if limits.lines is not None:
        rooms.append((limits.lines - seen.connected - seen.open, Cause.LINES))
    if seen.lines_free is not None:
        rooms.append((seen.lines_free, Cause.LINES))
    if limits.ringing is not None:
        rooms.append((limits.ringing - len(seen.ringing), Cause.RINGING))
    if limits.ratio is not None and mode is not Mode.BROADCAST:
        rooms.append((int(limits.ratio * _on_duty(mode, seen, rules)) - seen.open, Cause.RATIO))
    if limits.burst is not None:
        rooms.append((limits.burst, Cause.BURST))
    for room, cause in rooms:
        decision = decision.cut(room, cause)
    return decision


def _on_duty(mode: Mode, seen: Situation, rules: Rules) -> int:
    counted = mode is Mode.RULE_BASED and (rules.literal or rules.count_paused)
    return seen.agents + (stale(seen, rules) if counted else 0)
