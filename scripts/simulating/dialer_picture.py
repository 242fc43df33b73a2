"""Simulated days of campaigns as pictures, one for each part that shows more than a table."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benching.plot import have_matplotlib

from .dialer_report import Done
from .dialer_result import SLICE

CAP = 3.0
MOST_SHOWN = 8.0
"Per cent abandoned; what is above is cut off."


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
    talk.set_title("talk, % of the agents' time")
    rate.set_title("abandoned, % of the live answers; bars: worst day")
    rate.axhline(CAP, color="red", linewidth=0.8)
    points = list(dict.fromkeys(_point(one) for one in done))
    for line in dict.fromkeys(_line(one) for one in done):
        chosen = [one for one in done if _line(one) == line]
        ticks = [points.index(_point(one)) for one in chosen]
        found = [one.figures for one in chosen]
        talk.plot(ticks, [100 * one.talk for one in found], marker="o", label=line)
        means = [100 * one.rate for one in found]
        above = [100 * (one.worst_day - one.rate) for one in found]
        rate.errorbar(ticks, means, yerr=[[0.0] * len(means), above], marker="o", capsize=3)
    slanted = max(map(len, points)) > 12
    for axis in (talk, rate):
        axis.set_xticks(range(len(points)), points, rotation=20 if slanted else 0, ha="right" if slanted else "center")
    rate.set_ylim(bottom=0, top=min(MOST_SHOWN, rate.get_ylim()[1]))


def _line(one: Done) -> str:
    return one.case.line or f"{one.case.agents} agents"


def _point(one: Done) -> str:
    return one.case.point or one.case.name


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
