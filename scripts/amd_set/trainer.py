"""Small decision trees that add up (gradient boosting: Friedman, 2001), in numpy, small enough to be read.

Each tree corrects what those before it say of the log odds that it is a machine.  Values are put into bins first, so
that a split is found by counting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from media.amd_trees import Forest, Node, Tree

Figures: TypeAlias = npt.NDArray[np.float64]
Weights: TypeAlias = npt.NDArray[np.float64]
Machines: TypeAlias = npt.NDArray[np.bool_]
Bins: TypeAlias = npt.NDArray[np.int32]
Places: TypeAlias = npt.NDArray[np.intp]

TREES, DEPTH = 80, 4
RATE = 0.1
"Part of what a tree has found that is believed."
STEPS = 48
"Limits tried for each figure."
LEAST_LEAF = 20
"Calls in each leaf."
CALLS, FIGURES = 0.7, 0.6
"Part of the calls and of the figures that one tree may look at, drawn for each."
STIFF = 5.0
"How much evidence is taken to speak against every leaf."


@dataclass(frozen=True, slots=True)
class Samples:
    """What was seen at one moment of many calls."""

    figures: Figures
    machine: Machines
    weight: Weights

    def part(self, which: npt.NDArray[np.bool_]) -> Samples:
        return Samples(self.figures[which], self.machine[which], self.weight[which])


@dataclass(frozen=True, slots=True)
class _Pull:
    """What calls ask a tree to add: slope and bend of their log likelihood."""

    bins: Bins
    slope: Weights
    bend: Weights

    def part(self, which: npt.NDArray[np.bool_] | Places) -> _Pull:
        return _Pull(self.bins[which], self.slope[which], self.bend[which])

    @property
    def worth(self) -> float:
        return float(self.slope.sum() ** 2 / (self.bend.sum() + STIFF))

    @property
    def value(self) -> float:
        return round(RATE * float(self.slope.sum() / (self.bend.sum() + STIFF)), 4)


def forest(samples: Samples, chance: np.random.Generator) -> Forest:
    """Trees whose leaves add up to log odds; the first one is the share of machines alone."""
    edges = [_edges(column) for column in samples.figures.T]
    bins = np.stack(
        [np.searchsorted(edge, column) for edge, column in zip(edges, samples.figures.T, strict=True)], axis=1
    ).astype(np.int32)
    share = (float(samples.weight[samples.machine].sum()) + 0.5) / (float(samples.weight.sum()) + 1)
    base = round(float(np.log(share / (1 - share))), 4)
    trees: list[list[Node]] = [[(-1, 0.0, 0, 0, base)]]
    odds = np.full(len(bins), base)
    for _ in range(TREES):
        likely = 1 / (1 + np.exp(-odds))
        pull = _Pull(bins, samples.weight * (samples.machine - likely), samples.weight * likely * (1 - likely))
        calls = np.flatnonzero(chance.random(len(bins)) < CALLS)
        width = bins.shape[1]
        figures = np.sort(chance.choice(width, max(1, round(FIGURES * width)), replace=False))
        tree: list[Node] = []
        _grow(pull.part(calls), figures, edges, DEPTH, tree)
        trees.append(tree)
        odds += _values(tree, samples.figures)
    return trees


def chances(trees: Forest, figures: Figures) -> Weights:
    """`media.amd_trees.chance` for many calls at a time."""
    odds = np.sum([_values(tree, figures) for tree in trees], axis=0)
    return np.asarray(1 / (1 + np.exp(-odds)))


def _edges(column: Figures) -> Figures:
    """Limits of one figure's bins; rounded so that the table can be read."""
    found: Figures = np.unique(np.round(np.quantile(column, np.linspace(0, 1, STEPS + 2)[1:-1]), 3))
    return found


def _values(tree: Tree, figures: Figures) -> Weights:
    """What one tree says about each row of figures."""
    nodes = np.array(tree, dtype=np.float64)
    figure, left, right = (nodes[:, column].astype(np.intp) for column in (0, 2, 3))
    at = np.zeros(len(figures), dtype=np.intp)
    rows = np.arange(len(figures))
    while (inner := figure[at] >= 0).any():
        below = figures[rows, np.maximum(figure[at], 0)] <= nodes[at, 1]
        at = np.where(inner, np.where(below, left[at], right[at]), at)
    found: Weights = nodes[at, 4]
    return found


def _grow(pull: _Pull, figures: Places, edges: list[Figures], depth: int, nodes: list[Node]) -> int:
    place = len(nodes)
    nodes.append((-1, 0.0, 0, 0, pull.value))
    split = _best(pull, figures, edges) if depth and len(pull.bins) >= 2 * LEAST_LEAF else None
    if split is None:
        return place
    figure, step = split
    below = pull.bins[:, figure] <= step
    left = _grow(pull.part(below), figures, edges, depth - 1, nodes)
    right = _grow(pull.part(~below), figures, edges, depth - 1, nodes)
    nodes[place] = (figure, float(edges[figure][step]), left, right, 0.0)
    return place


def _best(pull: _Pull, figures: Places, edges: list[Figures]) -> tuple[int, int] | None:
    """The figure, and the number of its limit, that part machines from people best."""
    slope, bend, count = float(pull.slope.sum()), float(pull.bend.sum()), len(pull.bins)
    best, found = pull.worth + 1e-6, None
    for figure in figures.tolist():
        steps = len(edges[figure])
        bins = pull.bins[:, figure]
        below = np.bincount(bins, pull.slope, steps + 1).cumsum()[:steps]
        below_bend = np.bincount(bins, pull.bend, steps + 1).cumsum()[:steps]
        below_count = np.bincount(bins, minlength=steps + 1).cumsum()[:steps]
        worth = below**2 / (below_bend + STIFF) + (slope - below) ** 2 / (bend - below_bend + STIFF)
        worth[np.minimum(below_count, count - below_count) < LEAST_LEAF] = 0
        at = int(worth.argmax()) if steps else 0
        if steps and worth[at] > best:
            best, found = float(worth[at]), (figure, at)
    return found
