"""What operators see of the campaigns that run here: figures that are read when somebody asks for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from b2bua.dialling.agents import seats_of
from b2bua.dialling.flight import Phase
from b2bua.dialling.view import by_age

if TYPE_CHECKING:
    from b2bua.calls.floor import FloorService
    from b2bua.dialling.records import CallRecords
    from b2bua.dialling.task import Task
    from b2bua.metrics import Metrics

NO_AGENT_YET = (Phase.SETTING_UP, Phase.WAITING)


def show(
    metrics: Metrics, tasks: Mapping[str, Task], floor: FloorService, steady: Callable[[], float], records: CallRecords
) -> None:
    """Have them shown.  `steady`: epoch seconds of the law's clock."""

    def per_task(read: Callable[[Task], float]) -> Callable[[], dict[str, float]]:
        return lambda: {id_: read(task) for id_, task in tasks.items()}

    def busy(task: Task) -> float:
        seats = seats_of(floor.floor, task.campaign, task.own_calls())
        return len(seats.talking) / seats.on_duty if seats.on_duty else 0.0

    def ages(task: Task) -> list[float]:
        now = floor.clock()
        return [now - flight.dialled for flight in task.in_phase(*NO_AGENT_YET)]

    def calls_by_age() -> dict[str, float]:
        return {
            f"{id_}/{age}": float(count) for id_, task in tasks.items() for age, count in by_age(ages(task)).items()
        }

    def by_window() -> dict[str, float]:
        wall = steady()
        return {
            f"{id_}/{name}": share
            for id_, task in tasks.items()
            for name, share in task.counters.standing(task.profile, wall).shares.items()
        }

    follow = metrics.follow
    follow("gauge", "dial_in_flight", "Calls of a campaign.", per_task(lambda task: len(task.flights)), "campaign")
    follow("gauge", "dial_agents_busy_ratio", "Talking share of the agents on duty.", per_task(busy), "campaign")
    text = "Share of live answers abandoned, in the worst window of the law."
    worst = per_task(lambda task: task.counters.standing(task.profile, steady()).worst)
    follow("gauge", "dial_abandoned_ratio", text, worst, "campaign")
    follow("gauge", "dial_abandoned_windows", "The same, by campaign and window.", by_window, "window")
    text = "The figure of the last decision: the threshold of predictive pacing, a share or a ratio."
    follow("gauge", "dial_threshold", text, per_task(lambda task: task.decision.reason.figure or 0.0), "campaign")
    text = "Age of the oldest call without an agent."
    follow("gauge", "dial_ages_seconds", text, per_task(lambda task: max(ages(task), default=0.0)), "campaign")
    follow("gauge", "dial_calls_by_age", "Calls without an agent, by campaign and age.", calls_by_age, "age")
    follow("gauge", "dial_records_pending", "Records of commands not in the database.", lambda: records.pending)
