"""Decision trees by recursive splitting (CART: Breiman and others, 1984) in numpy, small enough to be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from media.amd_trees import Node

Figures: TypeAlias = npt.NDArray[np.float64]
Weights: TypeAlias = npt.NDArray[np.float64]
Machines: TypeAlias = npt.NDArray[np.bool_]

DEPTH = 5
LEAST_LEAF = 0.004
"Part of all weight that each leaf has."
STEPS = 64
"Limits tried for each figure."


@dataclass(frozen=True, slots=True)
class Samples:
    """What was seen at one moment of many calls."""

    figures: Figures
    machine: Machines
    weight: Weights

    def part(self, which: npt.NDArray[np.bool_]) -> Samples:
        return Samples(self.figures[which], self.machine[which], self.weight[which])

    @property
    def chance(self) -> float:
        """Of a machine; never quite 0 or 1 (Laplace)."""
        machines = float(self.weight[self.machine].sum())
        return (machines + 0.5) / (float(self.weight.sum()) + 1)


def grow(samples: Samples, depth: int = DEPTH) -> list[Node]:
    """A tree; its limits are rounded so that the table can be read."""
    nodes: list[Node] = []
    _grow(samples, depth, float(samples.weight.sum()) * LEAST_LEAF, nodes)
    return nodes


def _grow(samples: Samples, depth: int, least: float, nodes: list[Node]) -> int:
    place = len(nodes)
    nodes.append((-1, 0.0, 0, 0, round(samples.chance, 4)))
    split = _best(samples, least) if depth and samples.machine.any() and not samples.machine.all() else None
    if split is None:
        return place
    figure, limit = split
    below = samples.figures[:, figure] <= limit
    left = _grow(samples.part(below), depth - 1, least, nodes)
    right = _grow(samples.part(~below), depth - 1, least, nodes)
    nodes[place] = (figure, limit, left, right, round(samples.chance, 4))
    return place


def _best(samples: Samples, least: float) -> tuple[int, float] | None:
    """The figure and limit that part machines from people best (Gini)."""
    best, found = _impurity(samples.weight[samples.machine].sum(), samples.weight.sum()) - 1e-9, None
    for figure in range(samples.figures.shape[1]):
        values = samples.figures[:, figure]
        for limit in _limits(values):
            below = values <= limit
            weight = samples.weight[below].sum()
            rest = samples.weight.sum() - weight
            if min(weight, rest) < least:
                continue
            machines = samples.weight[below & samples.machine].sum()
            others = samples.weight[~below & samples.machine].sum()
            impure = _impurity(machines, weight) + _impurity(others, rest)
            if impure < best:
                best, found = impure, (figure, limit)
    return found


def _limits(values: Figures) -> list[float]:
    places = np.unique(np.quantile(values, np.linspace(0, 1, STEPS + 2)[1:-1]))
    return sorted({round(float(place), 3) for place in places})


def _impurity(machines: float, weight: float) -> float:
    """Weight times Gini's index."""
    return float(2 * machines * (weight - machines) / weight) if weight else 0.0
