"""Small decision trees as tables of numbers, so that no program is learned and none is loaded.

`media/amd_table.json` is written by `scripts/amd train`: some trees for each moment, and how sure they must be.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

TABLE = Path(__file__).with_name("amd_table.json")

Node: TypeAlias = tuple[int, float, int, int, float]
"""Number of the figure, its limit, the node for values up to the limit, the node for greater ones, a leaf's value.

A leaf's figure is -1; its value is what it adds to the logarithm of the odds that it is a machine."""

Tree: TypeAlias = Sequence[Node]
"The first node is the root."

Forest: TypeAlias = Sequence[Tree]


def chance(forest: Forest, figures: Sequence[float]) -> float:
    """How likely it is a machine: the leaves that these figures lead to, added up."""
    odds = 0.0
    for tree in forest:
        node = tree[0]
        while node[0] >= 0:
            node = tree[node[2] if figures[node[0]] <= node[1] else node[3]]
        odds += node[4]
    return 1 / (1 + math.exp(-odds))


@dataclass(frozen=True, slots=True)
class Table:
    """What was learned, by moment (amd_features.TALKS and PAUSES)."""

    trees: Mapping[str, Forest]
    machine: Mapping[str, float]
    "The chance from which it is a machine; above 1: never."
    human: Mapping[str, float]
    "The chance up to which it is a person, by pause before the last one."


def load(path: Path = TABLE) -> Table:
    """Read the table; raises OSError or ValueError where there is none."""
    read: dict[str, Any] = json.loads(path.read_text(encoding="ascii"))
    trees = {
        moment: tuple(
            tuple((int(n[0]), float(n[1]), int(n[2]), int(n[3]), float(n[4])) for n in tree) for tree in forest
        )
        for moment, forest in read["trees"].items()
    }
    return Table(trees, read["machine"], read["human"])
