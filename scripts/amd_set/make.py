"""Makes the recordings in the user's cache folder: minutes the first time, nothing when they are there."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np

from . import g711, lines, recipe, sounds, voices
from .resampling import RATE

SOURCES = ("recipe.py", "sentences.py", "voices.py", "sounds.py", "lines.py", "g711.py", "resampling.py", "make.py")
"What the recordings follow from; a change makes new ones."

BACKGROUNDS = {"none": 36, "white": 8, "pink": 9, "hum": 7, "street": 9, "music": 7, "babble": 9, "television": 7,
               "children": 8}  # fmt: skip
"What is heard behind a voice, in percent."


@dataclass(frozen=True, slots=True)
class Recording:
    """One line of the list."""

    file: str
    split: str
    label: str
    kind: str
    greeting_start: float
    greeting_end: float
    "Seconds; 0: nobody speaks."
    beep_end: float
    "Seconds; 0: there is no beep."
    voice: str
    line: str
    background: str
    snr: float
    talk: list[tuple[float, float]]
    "Seconds between which the voice itself is heard."


def folder() -> Path:
    """Where the recordings of this program's present state are kept."""
    state = hashlib.sha256()
    for name in SOURCES:
        state.update((Path(__file__).parent / name).read_bytes())
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "tandem" / "amd" / state.hexdigest()[:16]


def recordings(progress: Callable[[int, int], None]) -> tuple[Path, list[Recording]]:
    """The folder and its list; made now if they are not there."""
    place = folder()
    index = place / "list.jsonl"
    if not index.exists():
        _make(place, progress)
    return place, [Recording(**json.loads(line)) for line in index.read_text(encoding="utf-8").splitlines()]


def _make(place: Path, progress: Callable[[int, int], None]) -> None:
    for other in place.parent.glob("*"):
        shutil.rmtree(other, ignore_errors=True)
    place.mkdir(parents=True)
    jobs = list(_jobs())
    made: list[Recording] = []
    with ProcessPoolExecutor(max_workers=len(os.sched_getaffinity(0))) as workers:
        for recording in workers.map(_record, [place] * len(jobs), jobs, chunksize=8):
            made.append(recording)
            progress(len(made), len(jobs))
    lines_ = [json.dumps(asdict(recording), ensure_ascii=False) for recording in made]
    unfinished = place / "list.unfinished"
    unfinished.write_text("\n".join(lines_) + "\n", encoding="utf-8")
    unfinished.rename(place / "list.jsonl")


def _jobs() -> Iterator[tuple[str, str, int]]:
    for split, labels in recipe.SPLITS.items():
        for label, count in labels.items():
            yield from ((split, label, number) for number in range(count))


def _record(place: Path, job: tuple[str, str, int]) -> Recording:
    """Make one recording; runs in a process of its own."""
    split, label, number = job
    held = split == "held-back"
    pick = recipe.chooser(split, label, number)
    take, voice = recipe.take(split, label, pick)
    count = len(take.sound)
    background = pick.choices(list(BACKGROUNDS), list(BACKGROUNDS.values()))[0]
    if label not in ("human", "machine") and (
        label != "silence" or background in sounds.VOICES or background == "music"
    ):
        background = "none"
    snr = pick.uniform(38, 60) if background == "none" else pick.triangular(8, 32, 18)
    noise = _behind(background, count, pick, _crowd(split))
    noise = noise * 10 ** (-snr / 20)
    if take.recorded is not None:
        start, end = (round(at * RATE) for at in take.recorded)
        noise[:start] *= 0.03
        noise[end:] *= 0.03
    sound = take.sound + noise + recipe.pickup(count, pick)
    loud = lines.loudness(max(-34.0, min(-10.0, pick.gauss(-20, 5))))
    line = pick.choice(lines.HELD_LINES if held else lines.TUNING_LINES)
    arrived = lines.through(line, sound * loud, pick)
    if pick.random() < 0.15:
        arrived = lines.unsent_pauses(arrived, pick)
    if pick.random() < 0.35:
        arrived = lines.lose(arrived, pick.uniform(0.003, 0.04), 2.5 if held else pick.uniform(1.2, 2.2), pick)
    file = f"{split}-{label}-{number:04}.wav"
    g711.write(place / file, arrived)
    return Recording(
        file, split, label, take.kind, round(take.greeting_start, 3), round(take.greeting_end, 3),
        round(take.beep_end, 3), voice.name, line, background, round(snr, 1),
        [(round(start, 2), round(end, 2)) for start, end in take.talk],
    )  # fmt: skip


def _behind(background: str, count: int, pick: random.Random, crowd: Sequence[sounds.Sound]) -> sounds.Sound:
    if background == "none":
        return recipe.faint_noise(count, pick)
    if background in sounds.PLAIN:
        return sounds.PLAIN[background](count, pick)
    return sounds.VOICES[background](count, pick, crowd)


@cache
def _crowd(split: str) -> list[sounds.Sound]:
    """Voices of a split that talk in the background."""
    pick = random.Random(f"{recipe.SEED}/{split}/crowd")
    text = (
        "so I told him that the train was late again and nobody said a word about it",
        "then we went to the market, bought some bread, and came home before it rained",
        "no no no, that is not what I meant, you have to turn it round first",
        "they say it will be warmer next week, I do not believe it",
        "can you pass me the other one please, no, the blue one",
        "and the second half was much better, they should have won",
    )
    speakers: Iterator[voices.Voice] = (voices.draw(pick, held_back=split == "held-back") for _ in range(1000))
    english = islice((one for one in speakers if one.language == "en"), 8)
    return [np.concatenate([voices.say(one, pick.choice(text)) for _ in range(3)]) for one in english]
