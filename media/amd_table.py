"""Decision trees, written by `scripts/amd train`: do not edit."""

from media.amd_trees import Tree

_SHORT: Tree = ((2, 4.0, 1, 2, 0.5), (-1, 0.0, 0, 0, 0.01), (-1, 0.0, 0, 0, 0.99))
_LONG: Tree = ((-1, 0.0, 0, 0, 0.99),)
_OPEN: Tree = ((-1, 0.0, 0, 0, 0.5),)

TREES: dict[str, Tree] = {
    "2.0": _OPEN,
    "3.0": _OPEN,
    "4.0": _OPEN,
    "5.0": _OPEN,
    "6.5": _LONG,
    "8.0": _LONG,
    "0.5": _OPEN,
    "0.8": _OPEN,
    "last": _SHORT,
}
SURE_MACHINE: dict[str, float] = dict.fromkeys(TREES, 0.95)
SURE_HUMAN: dict[str, float] = dict.fromkeys(TREES, 0.05)
