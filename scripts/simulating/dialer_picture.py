"""Simulated days of campaigns as pictures, one for each part that shows more than a table."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benching.plot import have_matplotlib

from .dialer_report import Done
from .dialer_result import SLICE

CEILING = 120 / 140
"Talk of an agent who never waits, in the day of the goals."
CAP = 3.0


def draw(part: str, done: Sequence[Done], file: Path) -> None:
    """Write a PNG."""
    have_matplotlib()
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    if part == "changes":
        names = list(dict.fromkeys(one.case.name for one in done))
        figure, axes = pyplot.subplots(2, -(-len(names) // 2), figsize=(15, 7), layout="constrained", sharex=True)
        for axis, name in zip(axes.flat, names, strict=False):
            _course(axis, name, [one for one in done if one.case.name == name])
        axes.flat[0].legend(frameon=False, fontsize=8)
    else:
        figure, axes = pyplot.subplots(1, 2, figsize=(13, 4.5), layout="constrained")
        _shares(axes[0], axes[1], done)
        axes[0].legend(frameon=False, fontsize=8)
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110, metadata={"Software": None})
    pyplot.close(figure)


def _shares(talk: Any, rate: Any, done: Sequence[Done]) -> None:
    """A line for each name when there are several sizes, else a line for each size."""
    sizes = list(dict.fromkeys(one.case.agents for one in done))
    names = list(dict.fromkeys(one.case.name for one in done))
    by_size = len(sizes) > 1 and len(names) <= len(sizes) + 4
    talk.set_title("talk, % of the agents' time")
    rate.set_title("abandoned, % of the live answers; bars: worst day")
    rate.axhline(CAP, color="red", linewidth=0.8)
    for line in names if by_size else sizes:
        chosen = [one for one in done if (one.case.name if by_size else one.case.agents) == line]
        ticks = [(sizes.index(one.case.agents) if by_size else names.index(one.case.name)) for one in chosen]
        found = [one.figures for one in chosen]
        talk.plot(
            ticks, [100 * one.talk for one in found], marker="o", label=str(line if by_size else f"{line} agents")
        )
        means = [100 * one.rate for one in found]
        above = [100 * (one.worst_day - one.rate) for one in found]
        rate.errorbar(ticks, means, yerr=[[0.0] * len(means), above], marker="o", capsize=3)
    labels = [f"{size} agents" for size in sizes] if by_size else names
    for axis in (talk, rate):
        axis.set_xticks(range(len(labels)), labels, rotation=0 if by_size else 30, ha="center" if by_size else "right")
    rate.set_ylim(bottom=0)


def _course(axis: Any, name: str, done: Sequence[Done]) -> None:
    """Abandoned share of the day so far, one line for each size."""
    axis.set_title(f"{name}: abandoned of the day so far, %", fontsize=9)
    axis.axhline(CAP, color="red", linewidth=0.8)
    for one in done:
        answered = abandoned = 0.0
        hours, shares = [], []
        for number, (more, lost) in sorted(one.days[0].course.items()):
            answered, abandoned = answered + more, abandoned + lost
            hours.append((number + 1) * SLICE / 3600)
            shares.append(100 * abandoned / max(1.0, answered))
        axis.plot(hours, shares, label=f"{one.case.agents} agents")
    axis.set_ylim(0, 5)
    axis.set_xlabel("hour")
