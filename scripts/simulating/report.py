"""The outcomes of a simulation as tables."""

from collections.abc import Sequence

from rich.table import Table

from .outcome import Outcome, Summary

COLUMNS = ("offered", "answered", "abandoned", "elsewhere", "level", "mean wait", "p95", "longest", "estimate off by")


def by_strategy(outcomes: Sequence[Outcome]) -> Table:
    """A line for each run, with the load of its agents."""
    table = Table(title="All queues; waits in seconds, of those who were answered")
    table.add_column("strategy")
    for name in (*COLUMNS, "occupancy", "least - most busy agent"):
        table.add_column(name, justify="right")
    for outcome in outcomes:
        loads = outcome.occupancies or [0.0]
        mean = sum(loads) / len(loads)
        table.add_row(outcome.name, *_figures(outcome.summary()), f"{mean:.0%}", f"{loads[-1]:.0%} - {loads[0]:.0%}")
    return table


def by_queue(outcomes: Sequence[Outcome]) -> Table:
    """A line for each queue of each run."""
    table = Table(title="By queue")
    table.add_column("queue")
    table.add_column("strategy")
    for name in COLUMNS:
        table.add_column(name, justify="right")
    for queue in sorted({name for outcome in outcomes for name in outcome.queues}):
        for outcome in outcomes:
            table.add_row(queue, outcome.name, *_figures(outcome.summary(queue)))
        table.add_section()
    return table


def _figures(found: Summary) -> list[str]:
    return [
        str(found.offered),
        _part(found.answered, found.offered),
        _part(found.abandoned, found.offered),
        _part(found.elsewhere, found.offered),
        "-" if found.level is None else f"{found.level:.1%}",
        f"{found.mean:.1f}",
        f"{found.p95:.1f}",
        f"{found.longest:.0f}",
        "-" if found.error is None else f"{found.error:.1f}",
    ]


def _part(count: int, whole: int) -> str:
    return f"{count / whole:.1%}" if whole else "-"
