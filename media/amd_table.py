"""Decision trees, written by `scripts/amd train`: do not edit."""

from media.amd_trees import Tree

PAUSE_TREES: dict[str, Tree] = {
    "0.5": ((2, 3.0, 1, 2, 0.5), (-1, 0.0, 0, 0, 0.2), (-1, 0.0, 0, 0, 0.8)),
    "0.8": ((2, 3.0, 1, 2, 0.5), (-1, 0.0, 0, 0, 0.2), (-1, 0.0, 0, 0, 0.8)),
    "last": ((2, 4.0, 1, 2, 0.5), (-1, 0.0, 0, 0, 0.1), (-1, 0.0, 0, 0, 0.99)),
}
TALK_TREES: dict[str, Tree] = {
    "6.0": ((-1, 0.0, 0, 0, 0.99),),
}
SURE_MACHINE: dict[str, float] = {"0.5": 0.95, "0.8": 0.95, "last": 0.95, "6.0": 0.95}
SURE_HUMAN: dict[str, float] = {"0.5": 0.05, "0.8": 0.05}
