"""The modes that count idle agents only: preview, progressive, power; and the broadcast, which has none."""

from dialer.phases import Rules, Situation
from dialer.threshold import budget, exhausted, worst
from dialer.verdict import Cause, Decision


def nobody(seen: Situation) -> Decision:
    """No call, because nobody is free for it."""
    return Decision.of(0, Cause.INBOUND if seen.idle else Cause.NO_AGENT)


def one_each(seen: Situation, cause: Cause, figure: float | None = None) -> Decision:
    """One call for each idle agent who has none on its way: such a call finds him, so it is never abandoned."""
    wanted = seen.ready - seen.open
    if wanted > 0 or cause is Cause.CAP:
        return Decision.of(wanted, cause, figure)
    return Decision.of(0, Cause.ENOUGH) if seen.ready else nobody(seen)


def preview(seen: Situation, rules: Rules) -> Decision:
    """Contacts to show; a contact an agent looks at is one of the calls being set up."""
    return one_each(seen, Cause.PREVIEW)


def progressive(seen: Situation, rules: Rules) -> Decision:
    """One call for each idle agent."""
    return one_each(seen, Cause.PROGRESSIVE)


def power(seen: Situation, rules: Rules, share: float | None) -> Decision:
    """`rules.ratio` calls for each idle agent, while the cap allows more than one."""
    if seen.manual:
        return Decision.of(0, Cause.NOT_AUTOMATIC, seen.manual)
    return several_each(seen, rules.ratio, share, Cause.POWER, rules.target)


def paid_for(left: float, share: float | None) -> float:
    """Calls without an agent that a budget can pay for.

    At worst such a call is abandoned when it is answered, so one costs the share of live answers; while that is
    unknown every call counts as answered.
    """
    return min(10.0**6, left / max(share or 1.0, 0.01))


def several_each(
    seen: Situation, ratio: float, share: float | None, cause: Cause, target: float | None = None
) -> Decision:
    """`ratio` calls for each idle agent, and no more beyond one each than the cap can pay for."""
    if not seen.ready:
        return nobody(seen)
    left = budget(seen.windows, target)
    if exhausted(left):
        return one_each(seen, Cause.CAP, worst(seen.windows))
    wanted = int(ratio * seen.ready + 1e-9) - seen.open
    paid = seen.ready - seen.open + int(paid_for(left, share))
    if paid < wanted:
        return Decision.of(paid, Cause.CAP, worst(seen.windows))
    return Decision.of(wanted, cause, ratio) if wanted > 0 else Decision.of(0, Cause.ENOUGH)


def broadcast(seen: Situation, rules: Rules) -> Decision:
    """As many as there are lines: who answers hears a prompt."""
    limits = rules.limits
    rooms = [
        *([] if limits.lines is None else [limits.lines - seen.connected - seen.open]),
        *([] if limits.ringing is None else [limits.ringing - len(seen.ringing)]),
        *([] if seen.lines_free is None else [seen.lines_free]),
    ]
    if not rooms:
        return Decision.of(0, Cause.NO_LINE_LIMIT)
    return Decision.of(min(rooms), Cause.BROADCAST)
