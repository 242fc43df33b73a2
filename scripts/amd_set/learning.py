"""Learns the trees from the tuning recordings and writes media/amd_table.json.

How sure the trees of each moment must be is chosen on voices that they did not learn from (five folds): whatever finds
most machines for each person who is taken for one, up to so many people.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt

from media.amd_decision import Progress
from media.amd_features import LAST, NAMES, PAUSES, TALKS
from media.amd_trees import TABLE, Forest, chance
from media.amd_values import AmdSettings, Stage

from . import trainer
from .listen import Found, listen
from .recipe import SEED

FOLDS = 5
HUMAN_WEIGHT = 1.0
"Of a person beside a machine in learning; that mistakes about people are worse is left to the limits."
MOST_WRONG = 0.002
"Part of the people who may be taken for machines in tuning."
MOST_LOST = 0.001
"Accuracy that may be paid for deciding sooner that it is a person."
SURE_HUMAN = (0.0, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04)
"Limits that are tried for that."
NEVER = 1.01
LATE = 1.15
"Seconds of pause at which the last tree is asked in learning: a little later than in use, to see what comes after."

MOMENTS = (*TALKS, *PAUSES)
LABELS = ("human", "machine", "network", "music")
"What the trees learn from; fax and busy are known by their tones, and silence has no right answer."

Asked = list[tuple[str, tuple[float, ...]]]
"What was seen at each moment of one call, in order."


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

    found = listen(sounds, AmdSettings(enabled=True, after_greeting=LATE), call=call)
    return [one.asked for one in calls], found


def grow_all(calls: Iterable[tuple[Asked, bool]]) -> dict[str, Forest]:
    """Trees for each moment."""
    rows: dict[str, list[tuple[tuple[float, ...], bool]]] = {name: [] for name in MOMENTS}
    for asked, machine in calls:
        for name, seen in asked:
            rows[name].append((seen, machine))
    return {name: _forest(seen) for name, seen in rows.items()}


def _forest(rows: Sequence[tuple[tuple[float, ...], bool]]) -> Forest:
    if not rows:
        return (((-1, 0.0, 0, 0, 0.5),),)
    machine = np.array([machine for _, machine in rows])
    weight = np.where(machine, 1.0, HUMAN_WEIGHT)
    samples = trainer.Samples(np.array([seen for seen, _ in rows]), machine, weight)
    return trainer.forest(samples, np.random.default_rng(SEED))


class Said:
    """What trees said at each moment of many calls, so that limits can be tried on all of them at once."""

    def __init__(self, said: Sequence[Sequence[tuple[str, float]]], otherwise: Sequence[bool]) -> None:
        longest = max(map(len, said)) + 1
        self.moment = np.full((len(said), longest), -1)
        self.likely = np.zeros((len(said), longest))
        self.otherwise = np.array(otherwise)
        "Whether it is a machine when no tree is asked: a beep, endless talk."
        for call, one in enumerate(said):
            for place, (name, likely) in enumerate(one):
                self.moment[call, place], self.likely[call, place] = MOMENTS.index(name), likely

    def machines(self, machine: npt.NDArray[np.float64], human: float) -> npt.NDArray[np.bool_]:
        """Which calls are taken for machines with these limits, one for each moment."""
        asked = self.moment >= 0
        as_machine = asked & (self.likely >= machine[self.moment])
        pause = self.moment >= len(TALKS)
        as_human = asked & pause & (self.likely <= human)
        as_human |= self.moment == MOMENTS.index(LAST)
        over = as_machine | as_human
        first = over.argmax(axis=1)
        rows = np.arange(len(first))
        return np.where(over.any(axis=1), as_machine[rows, first], self.otherwise)

    def candidates(self, moment: int, people: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        """Limits for one moment that are just above what it says about some person."""
        there = (self.moment == moment) & people[:, None]
        likely = np.unique(self.likely[there])[::-1]
        return np.minimum(np.round(likely[:12] + 0.0005, 4), NEVER)


@dataclass(frozen=True, slots=True)
class Learned:
    """Trees, limits, and what they did with calls they had not learned from."""

    trees: dict[str, Forest]
    machine: dict[str, float]
    human: float
    accuracy: float
    wrong_people: float


def learn(calls: Sequence[tuple[Asked, Found, bool]], voices: Sequence[str]) -> Learned:
    """Trees of all calls, with limits found on folds of voices they have not heard; `bool`: it is a machine."""
    folds = [crc32(voice.encode()) % FOLDS for voice in voices]
    answers: list[list[tuple[str, float]]] = [[] for _ in calls]
    for fold in range(FOLDS):
        trees = grow_all((one[0], one[2]) for one, where in zip(calls, folds, strict=True) if where != fold)
        for n in (n for n, where in enumerate(folds) if where == fold):
            answers[n] = [(name, chance(trees[name], seen)) for name, seen in calls[n][0]]
    said = Said(answers, [not found.verdict.person for _, found, _ in calls])
    machine = np.array([machine for _, _, machine in calls])
    limits = _limits(said, machine)
    best = float((said.machines(limits, 0.0) == machine).mean())
    human = max(one for one in SURE_HUMAN if (said.machines(limits, one) == machine).mean() >= best - MOST_LOST)
    taken = said.machines(limits, human)
    return Learned(
        grow_all((asked, machine) for asked, _, machine in calls),
        dict(zip(MOMENTS, limits.tolist(), strict=True)),
        human,
        float((taken == machine).mean()),
        float(taken[~machine].mean()),
    )


def _limits(said: Said, machine: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Limits by moment: step by step the one that finds most machines for the people it costs."""
    limits = np.full(len(MOMENTS), NEVER)
    allowed = int(MOST_WRONG * int((~machine).sum()))
    taken = said.machines(limits, 0.0)
    found, wrong = int(taken[machine].sum()), int(taken[~machine].sum())
    while True:
        best: tuple[float, int, int, int, float] | None = None
        for moment in range(len(MOMENTS)):
            for limit in said.candidates(moment, ~machine):
                if limit >= limits[moment]:
                    continue
                tried = limits.copy()
                tried[moment] = limit
                taken = said.machines(tried, 0.0)
                more, cost = int(taken[machine].sum()) - found, int(taken[~machine].sum()) - wrong
                if more > 0 and wrong + cost <= max(allowed, wrong):
                    worth = more / (max(cost, 0) + 0.1)
                    if best is None or worth > best[0]:
                        best = (worth, more, cost, moment, float(limit))
        if best is None:
            return limits
        limits[best[3]] = best[4]
        found, wrong = found + best[1], wrong + best[2]


def write(learned: Learned, note: str, path: Path = TABLE) -> None:
    """The table as JSON, a tree to each line."""
    trees = ",\n".join(
        f"{json.dumps(name)}: [\n" + ",\n".join(_compact(tree) for tree in forest) + "\n]"
        for name, forest in learned.trees.items()
    )
    figures = {str(number): name for number, name in enumerate(NAMES)}
    human = dict.fromkeys(PAUSES, learned.human)
    path.write_text(
        f'{{\n"note": {json.dumps(note)},\n"figures": {json.dumps(figures)},\n'
        f'"machine": {json.dumps(learned.machine)},\n"human": {json.dumps(human)},\n"trees": {{\n{trees}\n}}\n}}\n',
        encoding="ascii",
    )


def _compact(tree: Sequence[Sequence[float]]) -> str:
    return json.dumps([[round(value, 4) for value in node] for node in tree], separators=(",", ":"))


def labelled(asked: Sequence[Asked], found: Sequence[Found], labels: Sequence[str]) -> list[tuple[Asked, Found, bool]]:
    """What `learn` takes."""
    return [(one, said, label != "human") for one, said, label in zip(asked, found, labels, strict=True)]
