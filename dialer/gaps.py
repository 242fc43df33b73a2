"""How soon a number or a contact may be called again: gaps after what happened, and so many calls in so long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialer.forbidden import Forbidden, Reason
from dialer.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dialer.profiles import AttemptLimit, LawProfile


@dataclass(frozen=True, slots=True)
class PastCall:
    """One call of a tenant to this number or this contact, whichever campaign made it. Times are epoch seconds."""

    at: float
    "When it was placed."
    contact: str
    number: str
    outcome: Outcome
    ended_at: float | None = None
    "None: in progress, or lost with its node."
    abandoned: bool = False
    talked: bool = False
    "A person and an agent were put through to one another."
    recorded: bool = False
    "The person was played a message instead."

    @property
    def over(self) -> float:
        """When it was over, as far as anybody knows."""
        return self.at if self.ended_at is None else max(self.at, self.ended_at)


def gap_problem(
    number: str,
    contact: str,
    now: float,
    profile: LawProfile,
    limits: Sequence[AttemptLimit],
    history: Iterable[PastCall],
    *,
    guaranteed: bool = False,
    own_gap: float = 0.0,
) -> Forbidden | None:
    """What forbids another call at `now`, the one that lasts longest; None: nothing.

    `guaranteed`: an agent is kept for this call; `own_gap`: what the campaign itself asks between two calls to a
    number. Calls that never left us (trunk faults, withheld ones) do not count; one whose end is unknown does.
    """
    past = [call for call in history if call.outcome.is_attempt and (call.number == number or call.contact == contact)]
    same = [call for call in past if call.number == number]
    theirs = [call for call in past if call.contact == contact]
    abandoned_gap, machine_gap = (0.0, 0.0) if guaranteed else (profile.abandoned_gap, profile.machine_gap)
    found = [
        _gap(Reason.TALK, profile.talk_gap, (call.over for call in theirs if call.talked)),
        _gap(Reason.ABANDONED, abandoned_gap, (call.over for call in same if call.abandoned)),
        _gap(Reason.MACHINE, machine_gap, (call.over for call in same if call.outcome is Outcome.MACHINE)),
        _gap(Reason.REDIAL, max(profile.redial_gap, own_gap), (call.over for call in same)),
        *(limit_problem(limit, same if limit.per == "number" else theirs) for limit in limits),
    ]
    return _longest(found, now)


def recorded_problem(number: str, now: float, limit: AttemptLimit, history: Iterable[PastCall]) -> Forbidden | None:
    """Whether a number was played as many recorded messages as are allowed without consent."""
    played = [call for call in history if call.number == number and call.recorded]
    found = limit_problem(limit, played)
    return _longest([Forbidden(Reason.RECORDED, found.until, found.detail) if found else None], now)


def limit_problem(limit: AttemptLimit, calls: Sequence[PastCall]) -> Forbidden | None:
    """Until when these calls are as many as a limit allows: until the oldest of the last so many is a period old."""
    if len(calls) < limit.most:
        return None
    oldest = sorted(call.at for call in calls)[-limit.most]
    return Forbidden(Reason.ATTEMPTS, oldest + limit.period, str(limit))


def _gap(reason: Reason, gap: float, ends: Iterable[float]) -> Forbidden | None:
    last = max(ends, default=None)
    return None if gap <= 0 or last is None else Forbidden(reason, last + gap)


def _longest(found: Iterable[Forbidden | None], now: float) -> Forbidden | None:
    held = [one for one in found if one is not None and one.until is not None and one.until > now]
    return max(held, key=lambda one: one.until or 0.0, default=None)
