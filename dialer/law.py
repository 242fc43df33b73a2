"""What the law counts, and the share that was abandoned by two formulas.

Abandoned is who answered and had no agent within the limit; late connects are abandoned, and so are the people (their
number is estimated) who were taken for machines. A person who hangs up before the limit has answered, no more.
Machines, faults of trunks and inbound calls are counted apart.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from dialer.counts import counts_of

if TYPE_CHECKING:
    from dialer.command import Record
    from dialer.counts import Counts
    from dialer.profiles import Formula, LawProfile


@dataclass(frozen=True, slots=True)
class LawCounters:
    """Calls of some time. Adding and taking away go field by field."""

    live: int = 0
    "Answered by a person."
    connected: int = 0
    "Of them: with an agent within the limit."
    abandoned: int = 0
    "Of them: no agent within the limit, late connects included."
    late: int = 0
    "Of the abandoned: an agent came after the limit."
    none_idle: int = 0
    "Of the abandoned: while no agent was idle (R3-15's own figure)."
    recorded: int = 0
    "Of the live: played a message, as a campaign without agents is meant to do; part of no share."
    analysed: int = 0
    "Of the live: taken for people by machine detection."
    machines: int = 0
    "Taken for machines by the detection."
    machines_given: int = 0
    "Machines that agents were given."
    unanswered: int = 0
    "No answer, busy, refused, taken back; short rings included."
    short_rings: int = 0
    "Of the unanswered: rang for less than the law's least."
    trunk_faults: int = 0
    unknown: int = 0
    "Their node died before they ended."
    withheld: int = 0
    "Forbidden by the last check: nothing was sent."
    inbound_abandoned: int = 0
    "Callers to a call-back number or a blended queue who gave up: part of no share."

    def __add__(self, other: LawCounters) -> LawCounters:
        return LawCounters(*(getattr(self, name) + getattr(other, name) for name in NAMES))

    def __sub__(self, other: LawCounters) -> LawCounters:
        return LawCounters(*(getattr(self, name) - getattr(other, name) for name in NAMES))

    @property
    def left_early(self) -> int:
        """People who hung up before the limit: answered, not abandoned."""
        return self.live - self.connected - self.abandoned - self.recorded

    @property
    def answered_live(self) -> int:
        """What the abandoned are a share of: answered by a person and meant for an agent."""
        return self.live - self.recorded

    def people_lost(self, false_positive: float) -> float:
        """Estimate of the people among those taken for machines.

        `false_positive` is the share of people whom the detection takes for machines, as measured on known calls: to
        so many who passed as people belong so many who did not. Never more than there were machines.
        """
        if false_positive <= 0:
            return 0.0
        if false_positive >= 1:
            return float(self.machines)
        return min(float(self.machines), self.analysed * false_positive / (1 - false_positive))

    @property
    def machine_share(self) -> float:
        """Share of machines among the calls that agents were given in time: what hides unseen among the abandoned."""
        return _share(self.machines_given, self.connected + self.machines_given)

    def share(self, formula: Formula, false_positive: float = 0.0) -> float:
        """The share that was abandoned, from 0 to 1; 0 where nobody answered.

        ftc (16 CFR 310.4(b)(4)): abandoned of answered by people. ofcom (2010): abandoned of abandoned and put through;
        without detection less an estimate of the machines among them. Both count people taken for machines.
        """
        lost = self.people_lost(false_positive)
        if formula == "ftc":
            return _share(self.abandoned + lost, self.answered_live + lost)
        seen = float(self.abandoned)
        if self.machines == 0 and self.analysed == 0:
            seen *= 1 - self.machine_share
        return _share(seen + lost, seen + lost + self.connected)

    @property
    def none_idle_share(self) -> float:
        """R3-15's own probability: abandoned while no agent was idle, of those answered by people."""
        return _share(self.none_idle, self.answered_live)

    @classmethod
    def of_counts(cls, counts: Counts, *, recorded: bool = False) -> LawCounters:
        """What the store keeps by hour, as the law sees it; `recorded`: the campaign has no agents.

        Who was put through late, or was a machine, stands in the store's `connected` as well.
        """
        through = counts.connected - counts.late - counts.machine_as_human
        return cls(
            live=counts.live,
            connected=0 if recorded else through,
            abandoned=counts.abandoned,
            late=counts.late,
            none_idle=counts.abandoned - counts.abandoned_idle,
            recorded=through if recorded else 0,
            analysed=counts.analysed_live,
            machines=counts.machines - counts.machine_as_human,
            machines_given=counts.machine_as_human,
            unanswered=counts.busy + counts.no_answer + counts.rejected + counts.invalid + counts.cancelled,
            short_rings=counts.short_ring,
            trunk_faults=counts.trunk_faults,
            unknown=counts.unknown,
            withheld=counts.withheld,
            inbound_abandoned=counts.inbound_abandoned,
        )

    @classmethod
    def of_record(cls, record: Record, profile: LawProfile, *, recorded: bool = False) -> LawCounters:
        """One call."""
        return cls.of_counts(counts_of(record, short_ring=profile.ring_least), recorded=recorded)


NAMES = tuple(field.name for field in fields(LawCounters))
NOTHING = LawCounters()


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0


def limit_begins(
    profile: LawProfile, answered: float, greeting_start: float | None = None, greeting_end: float | None = None
) -> float:
    """From when the connect limit counts; times are of one clock, and so is what comes back.

    While the greeting is not heard yet the answer itself begins the limit: asked again later, it can only have moved
    on. A greeting that was heard before the answer (early media) begins it with the answer.
    """
    begin: float | None = answered
    if profile.connect_start == "greeting-start":
        begin = greeting_start
    elif profile.connect_start == "greeting-end":
        begin = greeting_end
    return answered if begin is None else max(begin, answered)
