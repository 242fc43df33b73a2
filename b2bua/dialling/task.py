"""A campaign at work: its calls on their way, its counters, what has been learned, and how fast it goes."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from b2bua.dialling.agents import Seats
from b2bua.dialling.attempt import Terms
from b2bua.dialling.flight import Flight, Phase
from dialer.campaign import Campaign, Mode
from dialer.counts import HourCounts
from dialer.law import LawCounters
from dialer.law_windows import CampaignCounters
from dialer.learning import Learner
from dialer.pacing import pace
from dialer.pacing import rules_of as pacing_rules
from dialer.phases import Rules, Situation, Window
from dialer.verdict import Cause, Decision

if TYPE_CHECKING:
    from dialer.contact import Contact
    from dialer.profiles import LawProfile

KEEPS_AGENT = frozenset({Mode.PREVIEW, Mode.PROGRESSIVE})
"Modes in which an agent is reserved for each call before it is dialled."
LEAST_RATIO = 3.0
"Calls without an agent for each agent on duty that the limits always allow."
MOST_AT_ONCE = 50
"Calls that may be on their way to their INVITE at once, of all campaigns: more only wait in memory."


@dataclass(slots=True)
class Taken:
    """A contact that is ours until its lease ends."""

    contact: Contact
    at: float
    "By the loop's clock."


class Task:
    """Everything of one campaign that lives in memory; nothing of it must survive a crash."""

    def __init__(self, campaign: Campaign, profile: LawProfile) -> None:
        self.campaign, self.profile = campaign, profile
        self.flights: dict[str, Flight] = {}
        "By command."
        self.stock: deque[Taken] = deque()
        "Contacts to be dialled next."
        self.learner = Learner(profile.connect_limit)
        self.counters = CampaignCounters()
        self.decision = Decision.of(0, Cause.ENOUGH)
        self.reason = "starting"
        "Why it dials as it does, or does not at all."
        self.told_reason = ""
        self.told_at = float("-inf")
        "The cause that stands in the log last, and since when (the loop's clock)."
        self.records: Counter[str] = Counter()
        "Outcomes since it runs here."
        self.dry = False
        "The last look found no contact that is due."
        self.taking = False
        "The database is asked for contacts at this moment."
        self.booking = 0
        "Records that are not in the database yet."
        self.next_question = 0.0
        "When the database may be asked again whether all is done, by the loop's clock."
        self.look_again = 0.0
        "When to look for due contacts again, by the loop's clock."
        self.room = 0.0
        "Calls that the campaign's rate allows at this moment."
        self.refilled = 0.0

    def __repr__(self) -> str:
        return f"<task {self.campaign.id}: {len(self.flights)} in flight, {self.reason}>"

    @property
    def terms(self) -> Terms:
        """What one call has to keep to."""
        return Terms(self.profile.connect_limit, self.profile.ring_least)

    @property
    def keeps_agent(self) -> bool:
        """Whether each call has its agent before it is dialled."""
        campaign = self.campaign
        return campaign.mode in KEEPS_AGENT and campaign.has_agents

    def own_calls(self) -> set[str]:
        """Calls that have no agent yet."""
        waits = (Phase.PREVIEW, Phase.SETTING_UP, Phase.WAITING)
        return {flight.call.id for flight in self.flights.values() if flight.call is not None and flight.phase in waits}

    def in_phase(self, *phases: Phase) -> list[Flight]:
        """Calls that are in one of them."""
        return [flight for flight in self.flights.values() if flight.phase in phases]

    # -- how fast

    def decide(
        self, seats: Seats, now: float, wall: float, *, others: int, lines_free: int, most: int = MOST_AT_ONCE
    ) -> Decision:
        """How many calls to start now.  `now`: the loop's clock; `wall`: epoch seconds of the law's clock.

        `others`: calls without an agent of other campaigns with the same agents; `most`: calls that can be begun now.
        """
        seen = self.situation(seats, now, wall, others=others, lines_free=lines_free)
        self._refill(now)
        rules = rules_of(self.campaign, min(most, int(self.room)))
        self.decision = pace(self.campaign.mode, seen, rules, self.learner.learned(seen))
        return self.decision

    def situation(self, seats: Seats, now: float, wall: float, *, others: int, lines_free: int) -> Situation:
        """What pacing looks at."""
        setting_up = self.in_phase(Phase.SETTING_UP, Phase.PREVIEW)
        windows = self.windows(wall)
        return Situation(
            now,
            idle=seats.idle,
            talking=seats.talking,
            wrapping=seats.wrapping,
            paused=list(seats.paused.values()),
            ringing=[flight.dialled for flight in setting_up],
            waiting=len(self.in_phase(Phase.WAITING)),
            connected=len(self.in_phase(Phase.CONNECTED, Phase.MESSAGE)),
            inbound=min(others, seats.idle),
            manual=seats.manual,
            windows=windows,
            unattended=self._unattended(wall),
            lines_free=lines_free,
            contacts=None if self.stock or not self.dry else 0,
        )

    def windows(self, wall: float) -> tuple[Window, ...]:
        """Those of the law."""
        return tuple(self._window(self.counters.in_window(name, wall)) for name in self.profile.windows)

    def _window(self, counted: LawCounters) -> Window:
        lost = counted.people_lost(self.profile.false_positive)
        abandoned = counted.abandoned + lost
        answered = counted.answered_live + lost if self.profile.formula == "ftc" else abandoned + counted.connected
        return Window(round(answered), abandoned, self.profile.cap, lost)

    def _unattended(self, wall: float) -> Window:
        counted = self.counters.in_window("24h", wall)
        return Window(counted.answered_live, counted.none_idle, self.profile.cap)

    def _refill(self, now: float) -> None:
        """The rate as a bucket: a second's worth at most is saved up."""
        rate = self.campaign.pacing.rate
        passed = now - self.refilled if self.refilled else 1.0
        self.room = min(max(rate, 1.0), self.room + max(0.0, passed) * rate)
        self.refilled = now

    # -- what is counted

    def restore(self, kept: Iterable[HourCounts]) -> None:
        """What was counted before a restart."""
        recorded = not self.campaign.has_agents
        self.counters.restore((one.hour, LawCounters.of_counts(one.counts, recorded=recorded)) for one in kept)

    def count(self, wall: float, counters: LawCounters) -> None:
        """One call more."""
        self.counters.count(wall, counters)


def rules_of(campaign: Campaign, burst: int) -> Rules:
    """The campaign's parameters, with what its rate allows at this moment."""
    rules = pacing_rules(campaign.pacing)
    return replace(rules, limits=replace(rules.limits, ratio=max(LEAST_RATIO, campaign.pacing.ratio), burst=burst))


def without_agent(tasks: Iterable[Task]) -> int:
    """Calls of these campaigns that will want an agent whom nobody keeps for them."""
    waits = (Phase.SETTING_UP, Phase.WAITING)
    return sum(not flight.kept for task in tasks for flight in task.in_phase(*waits))
