"""A campaign at work as others may see it: one value for API, pages and command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from b2bua.dialling.flight import Phase

if TYPE_CHECKING:
    from b2bua.dialling.agents import Seats
    from b2bua.dialling.task import Task

AGES = (5.0, 15.0, 30.0, 60.0)
"Seconds: calls without an agent are counted by age in these steps."


@dataclass(frozen=True, slots=True)
class TaskView:
    """One moment of one campaign."""

    campaign: str
    state: str
    reason: str
    "Why it dials as it does, or does not."
    calls: int
    "Calls that the last decision started."
    in_flight: Mapping[str, int]
    "By phase."
    ages: Mapping[str, int]
    "Calls without an agent, by age: `<5`, `<15` ... `older`."
    agents: Mapping[str, int]
    "idle, talking, wrapping, paused, by_hand"
    busy: float
    "Talking share of the agents on duty."
    stock: int
    "Contacts that are ready to be called."
    abandoned: Mapping[str, float]
    "Share of live answers by window."
    cap: float
    none_idle: float
    "R3-15's own figure over 24 hours: abandoned while nobody was idle."
    outcomes: Mapping[str, int]
    "Records since it runs here."
    learned: Mapping[str, float]
    "answers; share, ring, talk and wrap as far as they are known"


def view_of(task: Task, seats: Seats, now: float, wall: float) -> TaskView:
    """`now`: the loop's clock; `wall`: epoch seconds of the law's clock."""
    standing = task.counters.standing(task.profile, wall)
    learned = task.learner.learned(task.situation(seats, now, wall, others=0, lines_free=0))
    known = {"answers": float(learned.answers), "ring": learned.ring, "talk": learned.talk, "wrap": learned.wrap}
    if learned.share is not None:
        known["share"] = learned.share
    return TaskView(
        campaign=task.campaign.id,
        state=str(task.campaign.state),
        reason=task.reason,
        calls=task.decision.calls,
        in_flight={str(phase): len(task.in_phase(phase)) for phase in Phase},
        ages=by_age([now - one.dialled for one in task.in_phase(Phase.SETTING_UP, Phase.WAITING)]),
        agents={
            "idle": seats.idle,
            "talking": len(seats.talking),
            "wrapping": len(seats.wrapping),
            "paused": len(seats.paused),
            "by_hand": seats.manual,
        },
        busy=len(seats.talking) / seats.on_duty if seats.on_duty else 0.0,
        stock=len(task.stock),
        abandoned={str(name): share for name, share in standing.shares.items()},
        cap=standing.cap,
        none_idle=standing.none_idle,
        outcomes=dict(task.records),
        learned=known,
    )


def by_age(ages: list[float]) -> dict[str, int]:
    """Counted in steps."""
    found = {f"<{step:g}": 0 for step in AGES} | {"older": 0}
    for age in ages:
        found[next((f"<{step:g}" for step in AGES if age < step), "older")] += 1
    return found
