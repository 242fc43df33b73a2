"""The outcomes of a simulation as one picture."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benching.plot import have_matplotlib

from .outcome import Outcome

SLICE = 1800.0
"Seconds of one point of the day."


def draw(outcomes: Sequence[Outcome], file: Path) -> None:
    """Write a PNG: waits over the day, service level by queue, load of the agents."""
    have_matplotlib()
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 3, figsize=(15, 4.5), layout="constrained")
    _waits(axes[0], outcomes)
    _levels(axes[1], outcomes)
    _loads(axes[2], outcomes)
    axes[0].legend(frameon=False, fontsize=8)
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110, metadata={"Software": None})
    pyplot.close(figure)


def _waits(axis: Any, outcomes: Sequence[Outcome]) -> None:
    axis.set_title("mean wait, s, by half hour of coming")
    for outcome in outcomes:
        slices: dict[int, list[float]] = {}
        for one in outcome.callers:
            slices.setdefault(int(one.came // SLICE), []).append(one.wait)
        points = sorted(slices.items())
        axis.plot(
            [(number + 0.5) * SLICE / 3600 for number, _ in points],
            [statistics.fmean(waits) for _, waits in points],
            label=outcome.name,
        )
    axis.set_xlabel("hour")


def _levels(axis: Any, outcomes: Sequence[Outcome]) -> None:
    axis.set_title("service level, %")
    queues = sorted({name for outcome in outcomes for name in outcome.queues})
    width = 0.8 / len(outcomes)
    for number, outcome in enumerate(outcomes):
        levels = [100 * (outcome.summary(queue).level or 0.0) for queue in queues]
        axis.bar([at + number * width for at in range(len(queues))], levels, width)
    axis.set_xticks([at + 0.4 - width / 2 for at in range(len(queues))], queues)


def _loads(axis: Any, outcomes: Sequence[Outcome]) -> None:
    axis.set_title("occupancy of the agents, %, busiest first")
    for outcome in outcomes:
        loads = outcome.occupancies
        axis.plot(range(1, len(loads) + 1), [100 * load for load in loads], marker=".")
    axis.set_ylim(0, 100)
    axis.set_xlabel("agent")
