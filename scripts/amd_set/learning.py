"""Learns the trees from the tuning recordings and writes media/amd_table.json.

How sure the trees of each moment must be is chosen on voices that they did not learn from (five folds): whatever finds
most machines for each person who is taken for one, up to so many people.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt

from media.amd_decision import Progress
from media.amd_features import CUT, LAST, NAMES, NEAR, PAUSES, TALKS
from media.amd_trees import TABLE, Forest
from media.amd_values import LATEST, AmdSettings, Stage

from . import trainer
from .listen import Found, listen
from .make import Recording
from .recipe import SEED

FOLDS = 5
HUMAN_WEIGHT = 1.0
"Of a person beside a machine in learning; that mistakes about people are worse is left to the limits."
MOST_WRONG = 0.0035
"Part of the people who may be taken for machines in tuning."
MOST_LOST = 0.0003
"Accuracy that may be paid for deciding sooner that it is a person."
SURE_HUMAN = (0.0, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04)
"Limits that are tried for that."
NEAR_HUMAN, CUT_HUMAN = 0.15, 0.5
"""Chance of a machine up to which it is a person although somebody is still heard.  In tuning, 0.3 and 0.5 would have
had 0.2 % fewer right and 0.8 % fewer of the people decided about too late; without these limits 13 % are too late."""
CANDIDATES = 20
"Limits that are tried for one moment at a time."
NEVER = 1.01
LONGEST_PERSON = 5.0
"Seconds: greetings of people that were put together from pieces and are longer than anybody's are not learned from."

MOMENTS = (*TALKS, *PAUSES)
LABELS = ("human", "machine", "network", "music")
"What the trees learn from; fax and busy are known by their tones, and silence has no right answer."

Asked = list[tuple[str, tuple[float, ...], float]]
"What was seen at each moment of one call, in order, and when."


class Collecting(Progress):
    """Writes down what a tree would be asked, and never lets one decide before the last."""

    __slots__ = ("asked",)

    def __init__(self, settings: AmdSettings, stage: Stage) -> None:
        super().__init__(settings, stage)
        self.asked: Asked = []

    def chance(self, name: str, seen: tuple[float, ...], now: float) -> float:
        self.asked.append((name, seen, now))
        return math.nan


@dataclass(frozen=True, slots=True)
class Call:
    """One recording as the trees see it."""

    asked: Asked
    found: Found
    "What is said about it when no tree is ever sure."
    machine: bool
    voice: str
    greeting_end: float


def counts(one: Recording) -> bool:
    """Whether a recording of the tuning part is learned from."""
    return one.label in LABELS and (one.label != "human" or one.greeting_end - one.greeting_start <= LONGEST_PERSON)


def collect(listed: Sequence[Recording], sounds: Sequence[np.ndarray]) -> list[Call]:
    """What is seen in each recording."""
    calls: list[Collecting] = []

    def call(settings: AmdSettings, stage: Stage) -> Collecting:
        calls.append(Collecting(settings, stage))
        return calls[-1]

    found = listen(sounds, AmdSettings(enabled=True), call=call)
    return [
        Call(heard.asked, said, one.label != "human", one.voice, one.greeting_end)
        for one, heard, said in zip(listed, calls, found, strict=True)
    ]


def grow_all(calls: Sequence[Call]) -> dict[str, Forest]:
    """Trees for each moment."""
    rows: dict[str, list[tuple[tuple[float, ...], bool]]] = {name: [] for name in MOMENTS}
    for call in calls:
        for name, seen, _ in call.asked:
            rows[name].append((seen, call.machine))
    return {name: _forest(seen) for name, seen in rows.items()}


def _forest(rows: Sequence[tuple[tuple[float, ...], bool]]) -> Forest:
    if not rows:
        return (((-1, 0.0, 0, 0, 0.0),),)
    machine = np.array([machine for _, machine in rows])
    weight = np.where(machine, 1.0, HUMAN_WEIGHT)
    samples = trainer.Samples(np.array([seen for seen, _ in rows]), machine, weight)
    return trainer.forest(samples, np.random.default_rng(SEED))


class Said:
    """What trees said at each moment of many calls, so that limits can be tried on all of them at once."""

    def __init__(self, calls: Sequence[Call], likely: Sequence[npt.NDArray[np.float64]]) -> None:
        longest = max(len(call.asked) for call in calls) + 1
        self.moment = np.full((len(calls), longest), -1)
        self.likely = np.zeros((len(calls), longest))
        self.at = np.zeros((len(calls), longest))
        self.otherwise = np.array([not call.found.verdict.person for call in calls])
        "Whether it is a machine when no tree is asked: a beep, endless talk."
        self.machine = np.array([call.machine for call in calls])
        self.end = np.array([call.found.verdict.at for call in calls])
        self.greeting_end = np.array([call.greeting_end for call in calls])
        for number, (call, one) in enumerate(zip(calls, likely, strict=True)):
            for place, ((name, _, at), chance) in enumerate(zip(call.asked, one, strict=True)):
                self.moment[number, place] = MOMENTS.index(name)
                self.likely[number, place], self.at[number, place] = chance, at

    def decided(
        self, machine: npt.NDArray[np.float64], human: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
        """Which calls are taken for machines with these limits, one for each moment, and when."""
        asked = self.moment >= 0
        as_machine = asked & (self.likely >= machine[self.moment])
        as_human = asked & (self.likely <= human[self.moment])
        over = as_machine | as_human
        first, rows = over.argmax(axis=1), np.arange(len(over))
        early = over.any(axis=1)
        return (
            np.where(early, as_machine[rows, first], self.otherwise),
            np.where(early, self.at[rows, first], self.end),
        )

    def wrong(self, machine: npt.NDArray[np.float64], human: npt.NDArray[np.float64]) -> tuple[int, int]:
        """Machines found, people taken for machines."""
        taken, _ = self.decided(machine, human)
        return int(taken[self.machine].sum()), int(taken[~self.machine].sum())

    def accuracy(self, machine: npt.NDArray[np.float64], human: npt.NDArray[np.float64]) -> float:
        return float((self.decided(machine, human)[0] == self.machine).mean())

    def late(self, machine: npt.NDArray[np.float64], human: npt.NDArray[np.float64]) -> float:
        """Part of the people who are decided about too late."""
        _, at = self.decided(machine, human)
        return float((at - self.greeting_end > LATEST)[~self.machine].mean())

    def candidates(self, moment: int) -> npt.NDArray[np.float64]:
        """Limits for one moment that are just above what it says about some person."""
        there = (self.moment == moment) & ~self.machine[:, None]
        likely = np.unique(self.likely[there])[::-1]
        return np.minimum(np.round(likely[:CANDIDATES] + 0.00005, 5), NEVER)


@dataclass(frozen=True, slots=True)
class Learned:
    """Trees, limits, and what they did with calls they had not learned from."""

    trees: dict[str, Forest]
    machine: dict[str, float]
    human: dict[str, float]
    accuracy: float
    wrong_people: float
    late: float


def learn(calls: Sequence[Call]) -> Learned:
    """Trees of all calls, with limits found on folds of voices they have not heard."""
    return choose(Said(calls, unheard(calls)), grow_all(calls))


def choose(said: Said, trees: dict[str, Forest]) -> Learned:
    """These trees with the limits that are best for what was said by trees like them."""
    human = np.array([1.0 if name == LAST else -1.0 for name in MOMENTS])
    near, cut = MOMENTS.index(NEAR), MOMENTS.index(CUT)
    early = [MOMENTS.index(name) for name in PAUSES if name not in (NEAR, CUT, LAST)]
    human[near], human[cut] = NEAR_HUMAN, CUT_HUMAN
    machine = limits(said, human)
    best = said.accuracy(machine, human)
    for limit in SURE_HUMAN:
        tried = human.copy()
        tried[early] = limit
        if said.accuracy(machine, tried) >= best - MOST_LOST:
            sooner = tried
    human = sooner
    taken, _ = said.decided(machine, human)
    return Learned(
        trees,
        dict(zip(MOMENTS, machine.tolist(), strict=True)),
        {name: float(human[MOMENTS.index(name)]) for name in PAUSES},
        said.accuracy(machine, human),
        float(taken[~said.machine].mean()),
        said.late(machine, human),
    )


def unheard(calls: Sequence[Call]) -> list[npt.NDArray[np.float64]]:
    """What trees that have not learned from a call's voice say at each of its moments."""
    folds = [crc32(call.voice.encode()) % FOLDS for call in calls]
    likely = [np.zeros(len(call.asked)) for call in calls]
    for fold in range(FOLDS):
        trees = grow_all([call for call, where in zip(calls, folds, strict=True) if where != fold])
        for name in MOMENTS:
            places = [
                (number, place)
                for number in (at for at, where in enumerate(folds) if where == fold)
                for place, (asked, _, _) in enumerate(calls[number].asked)
                if asked == name
            ]
            if places:
                seen = np.array([calls[number].asked[place][1] for number, place in places])
                for (number, place), chance in zip(places, trainer.chances(trees[name], seen), strict=True):
                    likely[number][place] = chance
    return likely


def limits(said: Said, human: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Limits by moment: step by step the one that finds most machines for the people it costs."""
    found_limits = np.full(len(MOMENTS), NEVER)
    allowed = int(MOST_WRONG * int((~said.machine).sum()))
    found, wrong = said.wrong(found_limits, human)
    candidates = [said.candidates(moment) for moment in range(len(MOMENTS))]
    while True:
        best: tuple[float, int, int, int, float] | None = None
        for moment, some in enumerate(candidates):
            for limit in some[some < found_limits[moment]].tolist():
                tried = found_limits.copy()
                tried[moment] = limit
                more, cost = said.wrong(tried, human)
                more, cost = more - found, cost - wrong
                if more > 0 and wrong + cost <= max(allowed, wrong):
                    worth = more / (max(cost, 0) + 0.1)
                    if best is None or worth > best[0]:
                        best = (worth, more, cost, moment, limit)
        if best is None:
            return found_limits
        found_limits[best[3]] = best[4]
        found, wrong = found + best[1], wrong + best[2]


def write(learned: Learned, note: str, path: Path = TABLE) -> None:
    """The table as JSON, a tree to each line."""
    trees = ",\n".join(
        f"{json.dumps(name)}: [\n" + ",\n".join(_compact(tree) for tree in forest) + "\n]"
        for name, forest in learned.trees.items()
    )
    figures = {str(number): name for number, name in enumerate(NAMES)}
    path.write_text(
        f'{{\n"note": {json.dumps(note)},\n"figures": {json.dumps(figures)},\n'
        f'"machine": {json.dumps(learned.machine)},\n"human": {json.dumps(learned.human)},\n'
        f'"trees": {{\n{trees}\n}}\n}}\n',
        encoding="ascii",
    )


def _compact(tree: Sequence[Sequence[float]]) -> str:
    return json.dumps([[round(value, 4) for value in node] for node in tree], separators=(",", ":"))
