"""How good it is, as one picture: mistakes by the length of the greeting, and how soon people are known."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benching.plot import have_matplotlib

from .score import PEOPLE, Judged

LENGTHS = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 99.0)
"Seconds between which greetings are counted together."
NAMES = ("<1", "1-2", "2-3", "3-4", "4-5", "5-7", ">7")


def draw(listeners: Mapping[str, Sequence[Judged]], lengths: Sequence[float], file: Path) -> None:
    """Write a PNG; `lengths`: seconds of each recording's greeting, 0 where nobody speaks."""
    have_matplotlib()
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 3, figsize=(15, 4.5), layout="constrained")
    for number, (name, judged) in enumerate(listeners.items()):
        _soon(axes[0], name, judged)
        _mistakes(axes[1], number, name, [(one, at) for one, at in zip(judged, lengths, strict=True) if _machine(one)])
        _mistakes(axes[2], number, name, [(o, at) for o, at in zip(judged, lengths, strict=True) if o.label == PEOPLE])
    axes[0].axvline(1.2, color="grey", linewidth=0.8)
    axes[0].set_title("people known by then, %")
    axes[0].set_xlabel("seconds after the end of the greeting")
    axes[1].set_title("machines taken for people, %")
    axes[2].set_title("people taken for machines, %")
    for axis in axes[1:]:
        axis.set_xticks([at + 0.4 for at in range(len(NAMES))], NAMES)
        axis.set_xlabel("seconds of greeting")
    for axis in axes:
        axis.legend(frameon=False, fontsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110, metadata={"Software": None})
    pyplot.close(figure)


def _machine(one: Judged) -> bool:
    return one.label in ("machine", "network")


def _soon(axis: Any, name: str, judged: Sequence[Judged]) -> None:
    after = np.sort([one.after for one in judged if one.label == PEOPLE and one.after is not None])
    axis.plot(np.clip(after, -1, 3), 100 * np.arange(1, len(after) + 1) / len(after), label=name)
    axis.set_xlim(-1, 3)


def _mistakes(axis: Any, number: int, name: str, some: Sequence[tuple[Judged, float]]) -> None:
    heights = []
    for least, most in itertools.pairwise(LENGTHS):
        among = [one for one, length in some if least <= length < most]
        wrong = sum(one.person != (one.label == PEOPLE) for one in among)
        heights.append(100 * wrong / len(among) if among else 0.0)
    axis.bar([at + number * 0.4 for at in range(len(heights))], heights, 0.4, label=name, align="edge")
