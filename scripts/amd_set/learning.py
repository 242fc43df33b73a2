"""Learns the trees from the tuning recordings and writes media/amd_table.py.

How sure a tree must be is chosen on calls that its fold did not learn from: the limits that are right most often among
those with which no more people are taken for machines than asked for.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from media.amd_decision import Progress
from media.amd_features import LAST, NAMES, PAUSES, TALKS
from media.amd_trees import Tree, chance
from media.amd_values import AmdSettings, Stage

from . import trainer
from .listen import Found, listen

TABLE = Path(__file__).resolve().parents[2] / "media" / "amd_table.py"
FOLDS = 5
HUMAN_WEIGHT = 2.0
"A person taken for a machine is worse than the other way round."
MOST_WRONG = 0.002
"Part of the people who may be taken for machines in tuning: less than half of what the held-back set allows."
SURE_MACHINE = (0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.985, 0.99, 0.995, 0.999)
SURE_HUMAN = (0.0, 0.01, 0.02, 0.03, 0.05, 0.08)
"Limits that are tried."

MOMENTS = (*TALKS, *PAUSES)

Asked = list[tuple[str, tuple[float, ...]]]
"What was seen at each moment of one call, in order."


@dataclass(frozen=True, slots=True)
class Limits:
    """How sure a tree must be."""

    talk: float
    pause: float
    human: float


class Collecting(Progress):
    """Writes down what a tree would be asked, and never lets one decide before the last."""

    __slots__ = ("asked",)

    def __init__(self, settings: AmdSettings, stage: Stage) -> None:
        super().__init__(settings, stage)
        self.asked: Asked = []

    def chance(self, name: str, seen: tuple[float, ...]) -> float:
        self.asked.append((name, seen))
        return 0.5


def collect(sounds: Sequence[np.ndarray]) -> tuple[list[Asked], list[Found]]:
    """What is seen in each recording, and what is said about it when no tree is ever sure."""
    calls: list[Collecting] = []

    def call(settings: AmdSettings, stage: Stage) -> Collecting:
        calls.append(Collecting(settings, stage))
        return calls[-1]

    found = listen(sounds, AmdSettings(enabled=True), call=call)
    return [one.asked for one in calls], found


def outcome(asked: Asked, found: Found, trees: Mapping[str, Tree], limits: Limits) -> bool:
    """Whether these trees with these limits take this call for a machine."""
    for name, seen in asked:
        likely = chance(trees[name], seen)
        if likely >= (limits.talk if name in TALKS else limits.pause):
            return True
        if name == LAST or (name in PAUSES and likely <= limits.human):
            return False
    return not found.verdict.person


def grow_all(calls: Iterable[tuple[Asked, bool]]) -> dict[str, Tree]:
    """A tree for each moment."""
    rows: dict[str, list[tuple[tuple[float, ...], bool]]] = {name: [] for name in MOMENTS}
    for asked, machine in calls:
        for name, seen in asked:
            rows[name].append((seen, machine))
    return {name: _tree(seen) for name, seen in rows.items()}


def _tree(rows: Sequence[tuple[tuple[float, ...], bool]]) -> Tree:
    if not rows:
        return ((-1, 0.0, 0, 0, 0.5),)
    machine = np.array([machine for _, machine in rows])
    weight = np.where(machine, 1.0, HUMAN_WEIGHT)
    return tuple(trainer.grow(trainer.Samples(np.array([seen for seen, _ in rows]), machine, weight)))


@dataclass(frozen=True, slots=True)
class Learned:
    """Trees, limits, and what they did with calls they had not learned from."""

    trees: dict[str, Tree]
    limits: Limits
    accuracy: float
    wrong_people: float


def learn(calls: Sequence[tuple[Asked, Found, bool]]) -> Learned:
    """Trees of all calls, with limits found on folds; `bool`: it is a machine."""
    folds = []
    for fold in range(FOLDS):
        inside = [(asked, machine) for number, (asked, _, machine) in enumerate(calls) if number % FOLDS != fold]
        folds.append(grow_all(inside))
    best: tuple[float, float, Limits] | None = None
    for talk, pause, human in itertools.product(SURE_MACHINE, SURE_MACHINE, SURE_HUMAN):
        limits = Limits(talk, pause, human)
        said = [outcome(asked, found, folds[number % FOLDS], limits) for number, (asked, found, _) in enumerate(calls)]
        people = [heard for heard, (_, _, machine) in zip(said, calls, strict=True) if not machine]
        wrong = sum(people) / len(people)
        right = sum(heard == machine for heard, (_, _, machine) in zip(said, calls, strict=True)) / len(calls)
        key = (right if wrong <= MOST_WRONG else right - 10 * wrong - 1, -wrong)
        if best is None or key > best[:2]:
            best = (*key, limits)
            figures = (right, wrong)
    assert best is not None
    trees = grow_all((asked, machine) for asked, _, machine in calls)
    return Learned(trees, best[2], *figures)


LABELS = ("human", "machine", "network", "music")


def write(learned: Learned, note: str) -> None:
    """The table as a Python module."""
    lines = [f'"""Decision trees, written by `scripts/amd train`: do not edit.\n\n{note}\n"""', ""]
    lines += ["from media.amd_trees import Tree", "", "# Figure, limit, node up to it, node beyond it, chance."]
    names = ", ".join(f"{number} {name}" for number, name in enumerate(NAMES))
    lines += [f"# {part}" for part in _wrapped(f"Figures: {names}.")]
    lines += ["TREES: dict[str, Tree] = {"]
    for name, tree in learned.trees.items():
        lines.append(f'    "{name}": (')
        lines += [f"        {node}," for node in tree]
        lines.append("    ),")
    lines += ["}"]
    limits = learned.limits
    sure = {name: limits.talk if name in TALKS else limits.pause for name in MOMENTS}
    lines += [f"SURE_MACHINE: dict[str, float] = {sure}"]
    lines += [f"SURE_HUMAN: dict[str, float] = {dict.fromkeys(PAUSES, limits.human)}", ""]
    TABLE.write_text("\n".join(lines), encoding="utf-8")


def _wrapped(text: str) -> list[str]:
    lines, line = [], ""
    for word in text.split(" "):
        if len(line) + len(word) > 110:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return [*lines, line]
