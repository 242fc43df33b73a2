"""Small decision trees as tables of numbers, so that no program is learned and none is loaded.

`media/amd_table.py` is written by `scripts/amd train`: one tree per moment of a call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

Node: TypeAlias = tuple[int, float, int, int, float]
"""Number of the figure, its limit, the node for values up to the limit, the node for greater ones, chance of a machine.

A leaf's figure is -1; only its chance counts."""

Tree: TypeAlias = Sequence[Node]
"The first node is the root."


def chance(tree: Tree, figures: Sequence[float]) -> float:
    """How likely it is a machine, by the leaf these figures lead to."""
    node = tree[0]
    while node[0] >= 0:
        node = tree[node[2] if figures[node[0]] <= node[1] else node[3]]
    return node[4]
