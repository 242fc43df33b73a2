"""The agents of a campaign as pacing sees them, and the worker that measures their times (R3-07: agent information)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from b2bua.log import logger
from dialer.campaign import Campaign
from routing.agent_state import OFFERED, AgentState
from routing.effects import AgentChanged, Effect
from routing.picking import Member, pick

if TYPE_CHECKING:
    from dialer.learning import Learner
    from routing.floor import Floor
    from routing.seat import Seat

log = logger("dialler")

LOOK = 1.0
"Seconds between two looks at who has paused for too long."


@dataclass(slots=True)
class Seats:
    """What the agents of one campaign do at one moment; times are when a phase began."""

    free: list[Member] = field(default_factory=list)
    "Who would take a call, in no order."
    kept: int = 0
    "Who is reserved, or rings, for a call of the campaign that has no agent yet: idle as far as pacing goes."
    talking: list[float] = field(default_factory=list)
    wrapping: list[float] = field(default_factory=list)
    paused: dict[str, float] = field(default_factory=dict)
    manual: int = 0
    "Agents on duty whose phones are picked up by hand."

    @property
    def idle(self) -> int:
        """Everybody for whom a call could come now."""
        return len(self.free) + self.kept

    @property
    def on_duty(self) -> int:
        """Idle, in a call or after one."""
        return self.idle + len(self.talking) + len(self.wrapping)


def seats_of(floor: Floor, campaign: Campaign, own: Collection[str]) -> Seats:
    """Look at the floor; `own`: calls of the campaign that have no agent yet."""
    found = Seats()
    queue = queue_of(campaign)
    state = floor.queues.get(queue)
    if state is None:
        return found
    need = frozenset(campaign.skills.items())
    for extension, member in state.members.items():
        seat = member.seat
        if (campaign.agent and extension != campaign.agent) or not seat.can(need):
            continue
        on_duty = True
        if seat.free:
            found.free.append(member)
        elif seat.state in OFFERED and seat.call in own:
            found.kept += 1
        elif seat.state in OFFERED or seat.state is AgentState.TALKING:
            found.talking.append(seat.since)
        elif seat.state is AgentState.WRAP_UP:
            found.wrapping.append(seat.since)
        else:
            on_duty = False
            if seat.state is AgentState.PAUSED:
                found.paused[extension] = seat.since
        found.manual += on_duty and seat.profile.connection == "ring"
    return found


def queue_of(campaign: Campaign) -> str:
    """Whose agents it keeps busy; empty: nobody's."""
    if campaign.queue or campaign.goal is None or campaign.goal.kind != "queue":
        return campaign.queue
    return campaign.goal.target


def choose(floor: Floor, campaign: Campaign, free: Iterable[Member], wanted: str = "") -> str:
    """Whom to keep for the next call: this one (`wanted`), or whose turn it is; empty where he is not free."""
    able = [one for one in free if not wanted or one.seat.extension == wanted]
    state = floor.queues.get(queue_of(campaign))
    if not able or state is None:
        return ""
    return pick(state.queue.strategy, able, state.last_asked)[0].seat.extension


class Measured(Protocol):
    """A campaign at work, as far as its agents go."""

    @property
    def campaign(self) -> Campaign: ...

    @property
    def learner(self) -> Learner: ...


class AgentInformation:
    """A service: measures talks and wrap-ups for the campaigns of each agent, and watches long pauses."""

    name = "dialler agents"
    stop_within = 5.0

    def __init__(
        self,
        floor: Callable[[], Floor],
        clock: Callable[[], float],
        tasks: Callable[[], Iterable[Measured]],
        tell: Callable[[str, Mapping[str, object]], None],
        resume: Callable[[str], None],
    ) -> None:
        """`tell`: an event; `resume`: ends an agent's pause."""
        self._floor, self._clock, self._tasks, self._tell, self._resume = floor, clock, tasks, tell, resume
        self._since: dict[str, float] = {}
        "When each agent who talks, or works after a call, began to."
        self._alarmed: dict[str, float] = {}
        "Agents whose long pause was told, with its beginning."

    async def run(self, ready: Callable[[], None]) -> None:
        ready()
        while True:
            try:
                self.look()
            except Exception as error:
                log.error("long pauses were not looked at by our own fault", exc_info=error)
            await asyncio.sleep(LOOK)

    def on_effect(self, effect: Effect) -> None:
        """What the floor did; one step on the loop."""
        if not isinstance(effect, AgentChanged) or effect.before is effect.after:
            return
        now = self._clock()
        began = self._since.pop(effect.extension, None)
        if effect.after in (AgentState.TALKING, AgentState.WRAP_UP):
            self._since[effect.extension] = now
        if began is None:
            return
        seat = self._floor().agent(effect.extension)
        for task in self._tasks():
            if seat is None or queue_of(task.campaign) not in seat.members:
                continue
            if effect.before is AgentState.TALKING:
                task.learner.talked(now - began, now)
                if effect.after is not AgentState.WRAP_UP:
                    task.learner.wrapped(0.0, now)
            elif effect.before is AgentState.WRAP_UP:
                task.learner.wrapped(now - began, now)

    def look(self) -> None:
        """Who has paused for too long: told once for each pause, and ended where the campaign says so."""
        now, floor = self._clock(), self._floor()
        for task in list(self._tasks()):
            campaign = task.campaign
            for extension, since in seats_of(floor, campaign, ()).paused.items():
                if now - since <= campaign.pacing.stale_pause or self._alarmed.get(extension) == since:
                    continue
                self._alarmed[extension] = since
                resumed = campaign.pacing.resume_stale
                data = {"extension": extension, "campaign": campaign.id, "tenant": campaign.tenant}
                self._tell("campaign.long-pause", {**data, "seconds": round(now - since, 1), "resumed": resumed})
                log.warning("an agent has paused for long", extension=extension, campaign=campaign.id, resumed=resumed)
                if resumed:
                    self._resume(extension)
        for extension in [one for one in self._alarmed if not _still_paused(floor.agent(one), self._alarmed[one])]:
            del self._alarmed[extension]


def _still_paused(seat: Seat | None, since: float) -> bool:
    return seat is not None and seat.state is AgentState.PAUSED and seat.since == since
