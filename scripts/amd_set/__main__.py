"""The commands of scripts/amd."""

import asyncio
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer
from rich.progress import Progress as Bar

from benching.console import PROGRESS, RESULT, note
from media.amd_values import AmdSettings

from . import app_amd, g711, learning, make, own, score
from .listen import Found, listen
from .picture import draw
from .recipe import SEED

PROGRAMS = ("espeak-ng", "flite", "sox")

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Recordings of people and machines who answer; trees that tell them apart; how often these are right.",
)


@app.command("make")
def make_() -> None:
    """Make the labelled recordings in the cache folder; does nothing when they are there."""
    place, listed = _recordings()
    RESULT.print(f"{len(listed)} recordings in {place}")


@app.command()
def train() -> None:
    """Learn the trees from the tuning recordings and write media/amd_table.json."""
    place, listed = _recordings()
    tuning = [one for one in listed if one.split == "tuning" and learning.counts(one)]
    calls = learning.collect(tuning, [g711.read(place / one.file) for one in tuning])
    learned = learning.learn(calls)
    people = sum(not call.machine for call in calls)
    learning.write(learned, f"Seed {SEED}, {people} people and {len(calls) - people} others of the tuning part.")
    RESULT.print(
        f"on calls not learned from: {100 * learned.accuracy:.2f} % right, {100 * learned.wrong_people:.2f} % of the "
        f"people taken for machines, {100 * learned.late:.2f} % of them decided about too late"
    )


@app.command("score")
def score_(
    folder: Annotated[
        Path | None, typer.Option(help="Own recordings, in human/ and machine/, instead of the synthetic ones.")
    ] = None,
    tuning: Annotated[bool, typer.Option("--tuning", help="The tuning part, to look for faults.")] = False,
    errors: Annotated[bool, typer.Option("--errors", help="List every recording that was judged wrongly.")] = False,
    after_greeting: Annotated[float, typer.Option(help="Seconds of silence at which the last tree decides.")] = 1.12,
    caution: Annotated[
        float, typer.Option(help="2: a machine at half the doubt only; 0.2: at five times the doubt.")
    ] = 1.0,
    picture: Annotated[Path | None, typer.Option(help="Write this PNG too (needs matplotlib).")] = None,
) -> None:
    """Figures of the product beside those of app_amd's rules with its default parameters, on the same recordings.

    Synthetic recordings show that the program works; they do not say what happens on real calls.
    """
    settings = AmdSettings(enabled=True, after_greeting=after_greeting, caution=caution)
    if folder is not None:
        _score_own(folder, settings, errors)
        return
    place, listed = _recordings()
    chosen = [one for one in listed if one.split == ("tuning" if tuning else "held-back")]
    sounds = [g711.read(place / one.file) for one in chosen]
    found = listen(sounds, settings, messages=True)
    ends = [one.greeting_end or None for one in chosen]
    labels = [one.label for one in chosen]
    listeners = _judge(labels, sounds, found, ends)
    _print(listeners)
    named = [
        right
        for one, said in zip(chosen, found, strict=True)
        if (right := score.right_kind(one.label, one.kind, said.verdict)) is not None
    ]
    RESULT.print(f"tones named rightly (SIT with its code, fax, busy, congestion): {sum(named)} of {len(named)}")
    beeps = [
        (one, said) for one, said in zip(chosen, found, strict=True) if one.beep_end and said.verdict.kind == "machine"
    ]
    near = sum(said.beep is not None and abs(said.beep.end - one.beep_end) <= 0.15 for one, said in beeps)
    RESULT.print(f"message would begin at the beep (within 0.15 s of its end): {near} of {len(beeps)} machines")
    RESULT.print(f"seed {SEED}, {place.name}; synthetic: does not say what happens on your calls (--folder does)")
    if picture is not None:
        draw(listeners, [one.greeting_end - one.greeting_start for one in chosen], picture)
    if errors:
        names = [f"{one.file} {one.kind} {one.voice} {one.line} {one.background} {one.snr}" for one in chosen]
        _print_errors(names, listeners["Tandem"])


@app.command("calls")
def calls_(
    count: Annotated[int, typer.Option(help="Calls, a fifth of them answered by machines.")] = 250,
    errors: Annotated[bool, typer.Option("--errors", help="List every call that went wrong or took too long.")] = False,
) -> None:
    """Real calls over a Tandem of its own: from the end of the greeting to the agent's voice, with detection on."""
    from . import calls  # the test peers are no part of the other commands

    with TemporaryDirectory(prefix="tandem-amd-") as name:
        folder = Path(name)
        placed = asyncio.run(calls.place(folder, calls.recordings(folder, count)))
    RESULT.print(calls.table(placed))
    if errors:
        for one in placed:
            if one.wrong:
                RESULT.print(f"{one.recording.file} {one.recording.kind} {one}", markup=False)


def _recordings() -> tuple[Path, list[make.Recording]]:
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing and not (make.folder() / "list.jsonl").exists():
        PROGRESS.print(f"not installed: {', '.join(missing)} (run scripts/setup)", style="red")
        raise typer.Exit(2)
    with Bar(console=PROGRESS) as bar:
        task = bar.add_task("recordings")
        return make.recordings(lambda done, all_: bar.update(task, completed=done, total=all_))


def _score_own(folder: Path, settings: AmdSettings, errors: bool) -> None:
    try:
        found = own.files(folder)
        sounds = [own.read(path) for _, path in found]
    except own.Unreadable as error:
        PROGRESS.print(str(error), style="red", markup=False)
        raise typer.Exit(2) from None
    labels = [label for label, _ in found]
    listeners = _judge(labels, sounds, listen(sounds, settings), [None] * len(sounds))
    _print(listeners)
    note("times after the greeting need marks that your recordings do not have")
    if errors:
        _print_errors([str(path) for _, path in found], listeners["Tandem"])


def _judge(
    labels: list[str], sounds: list[npt.NDArray[np.int16]], found: list[Found], ends: list[float | None]
) -> dict[str, list[score.Judged]]:
    rows = list(zip(labels, sounds, found, ends, strict=True))
    return {
        "Tandem": [score.ours(label, said.verdict, end) for label, _, said, end in rows],
        "app_amd": [score.theirs(label, app_amd.judge(sound), end) for label, sound, _, end in rows],
    }


def _print(listeners: dict[str, list[score.Judged]]) -> None:
    RESULT.print(score.compared(listeners))
    RESULT.print(score.by_label(listeners))
    for name, judged in listeners.items():
        RESULT.print(name)
        RESULT.print(score.reasons(judged))


def _print_errors(names: list[str], judged: list[score.Judged]) -> None:
    for name, one in zip(names, judged, strict=True):
        if one.label != "silence" and one.person != (one.label == score.PEOPLE):
            RESULT.print(f"{name}: {one.said}", markup=False)


if __name__ == "__main__":
    app(prog_name="scripts/amd")
