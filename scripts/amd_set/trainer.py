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
STEPS = 48
"Limits tried for each figure."
TREES = 16
"Trees of one forest."
FIGURES = 10
"Figures that one tree of a forest may look at, drawn for each."


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


def forest(samples: Samples, chance: np.random.Generator) -> list[list[Node]]:
    """Several small trees, each of calls and figures of its own (Breiman, 2001): their mean is steadier than one."""
    count, width = samples.figures.shape
    trees = []
    for _ in range(TREES):
        calls = chance.integers(0, count, count)
        figures = np.sort(chance.choice(width, FIGURES, replace=False))
        some = Samples(samples.figures[calls][:, figures], samples.machine[calls], samples.weight[calls])
        trees.append([(int(figures[node[0]]), *node[1:]) if node[0] >= 0 else node for node in grow(some)])
    return trees


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
    whole = float(samples.weight.sum())
    machines_of = samples.weight * samples.machine
    all_machines = float(machines_of.sum())
    best, found = float(_impurity(np.array([all_machines]), np.array([whole]))[0]) - 1e-9, None
    for figure in range(samples.figures.shape[1]):
        values = samples.figures[:, figure]
        limits = np.unique(np.round(np.quantile(values, np.linspace(0, 1, STEPS + 2)[1:-1]), 3))
        below = (values[:, None] <= limits).astype(np.float64)
        weight, machines = samples.weight @ below, machines_of @ below
        rest = whole - weight
        impure = _impurity(machines, weight) + _impurity(all_machines - machines, rest)
        impure[np.minimum(weight, rest) < least] = np.inf
        at = int(impure.argmin())
        if impure[at] < best:
            best, found = float(impure[at]), (figure, float(limits[at]))
    return found


def _impurity(machines: Weights, weight: Weights) -> Weights:
    """Weight times Gini's index."""
    return np.asarray(2 * machines * (weight - machines) / np.maximum(weight, 1e-9))
