"""What the law counts, by campaign and hour, and what one record adds to it."""

from dataclasses import dataclass, fields

from dialer.command import Record
from dialer.outcome import Outcome

HOUR = 3600.0
SHORT_RING = 15.0
"Seconds: unanswered calls that rang for less are counted apart."


@dataclass(frozen=True, slots=True)
class Counts:
    """All add up."""

    attempts: int = 0
    live: int = 0
    "Answered by a person."
    abandoned: int = 0
    "Of them: no agent within the limit, late connects included."
    abandoned_idle: int = 0
    "Of those: while an agent was idle; the others are R3-15's own figure."
    late: int = 0
    connected: int = 0
    machines: int = 0
    "Taken for machines, those agents were given included."
    machine_as_human: int = 0
    busy: int = 0
    no_answer: int = 0
    short_ring: int = 0
    "Unanswered, and rung for less than 15 s from the first 18x."
    rejected: int = 0
    invalid: int = 0
    trunk_faults: int = 0
    opted_out: int = 0
    cancelled: int = 0
    withheld: int = 0
    unknown: int = 0
    analysed_live: int = 0
    "Live answers that machine detection judged: the base of the estimate of people taken for machines."
    inbound_abandoned: int = 0
    "Callers who came to its queue by themselves and gave up while it ran; part of no share."

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, name) + getattr(other, name) for name in NAMES))


NAMES = tuple(one.name for one in fields(Counts))


@dataclass(frozen=True, slots=True)
class HourCounts:
    """One hour of a campaign."""

    hour: float
    "Epoch seconds at which it begins; of the end of the calls."
    counts: Counts


def hour_of(at: float) -> float:
    """The hour a time belongs to."""
    return at // HOUR * HOUR


def counts_of(record: Record, *, short_ring: float = SHORT_RING) -> Counts:
    """What a record adds."""
    outcome = record.outcome
    unanswered = record.answered_at is None and outcome in (Outcome.NO_ANSWER, Outcome.CANCELLED)
    rang = 0.0 if record.ringing_at is None else record.ended_at - record.ringing_at
    return Counts(
        attempts=int(outcome.is_attempt),
        live=int(record.live),
        abandoned=int(record.abandoned),
        abandoned_idle=int(record.abandoned and record.agents_idle),
        late=int(record.late),
        connected=int(record.connected_at is not None),
        machines=int(outcome is Outcome.MACHINE or record.machine_as_human),
        machine_as_human=int(record.machine_as_human),
        busy=int(outcome is Outcome.BUSY),
        no_answer=int(outcome is Outcome.NO_ANSWER),
        short_ring=int(unanswered and record.ringing_at is not None and rang < short_ring),
        rejected=int(outcome is Outcome.REJECTED),
        invalid=int(outcome is Outcome.INVALID_NUMBER),
        trunk_faults=int(outcome is Outcome.TRUNK_FAULT),
        opted_out=int(record.opted_out or outcome is Outcome.OPTED_OUT),
        cancelled=int(outcome is Outcome.CANCELLED),
        withheld=int(outcome is Outcome.WITHHELD),
        unknown=int(outcome is Outcome.UNKNOWN),
        analysed_live=int(record.live and bool(record.detail.get("amd"))),
    )
