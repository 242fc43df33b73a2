"""Everything the dialler has to reach, measured one after the other: pacing, decisions, dialling, imports, machines."""

import importlib
import json
import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from . import dialling, pacing
from .console import headline, note
from .machine import ROOT, this_machine
from .stage import Stage

AMD_LEAST, AMD_MOST_WRONG = 0.95, 0.005
"Share judged rightly; share of the people who are taken for machines."
AMD_WITHIN = 1.2
"Seconds from the greeting's end to the decision."
KILLS = 20
FILE = "dialler.json"
PARTS = ("pacing", "decisions", "dialling", "crashes", "machines")
VERDICT = re.compile(r"^(PASS|MISS): (.*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure and what it must be."""

    part: str
    name: str
    must: str
    found: str
    met: bool


@dataclass(slots=True)
class Figures:
    """What was found, and what pictures are made of."""

    parts: dict[str, list[Figure]] = field(default_factory=dict)
    "A part that is measured again replaces its own."
    dates: dict[str, str] = field(default_factory=dict)
    "When each part was measured."
    talk: dict[int, list[float]] = field(default_factory=dict)
    "Talk share of each simulated day, by agents."
    abandoned: dict[str, dict[int, float]] = field(default_factory=dict)
    "Share on the worst day, by kind of day and agents."

    @property
    def rows(self) -> list[Figure]:
        """All, in the order of the parts."""
        return [row for part in PARTS for row in self.parts.get(part, ())]

    def save(self, folder: Path) -> None:
        """Keep them."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def load(folder: Path) -> Figures:
    """What was kept there; empty where nothing was."""
    file = folder / FILE
    if not file.exists():
        return Figures()
    said = json.loads(file.read_text(encoding="utf-8"))
    return Figures(
        {part: [Figure(**row) for row in rows] for part, rows in said["parts"].items()},
        said["dates"],
        {int(agents): days for agents, days in said["talk"].items()},
        {kind: {int(agents): share for agents, share in worst.items()} for kind, worst in said["abandoned"].items()},
    )


def simulated(found: Figures) -> Iterator[Figure]:
    """The server's own pacing on simulated time (scripts/simulate dialer has many more kinds of days)."""
    cases = importlib.import_module("simulating.dialer_cases")
    simulate = importlib.import_module("simulating.dialer_run").simulate
    figures_of = importlib.import_module("simulating.dialer_result").Figures.of
    wanted = [case for case in cases.modes() if case.mode == "predictive"]
    for case in wanted + cases.changes():
        days = [simulate(case.day, case.mode, case.rules, 1000 + number) for number in range(case.days)]
        made = figures_of(days)
        usual = case in wanted
        kind = "usual day" if usual else case.name
        found.abandoned.setdefault(kind, {})[case.agents] = made.worst_day
        note(f"{case.agents} agents, {kind}: talk {made.talk:.1%}, abandoned {made.rate:.2%}")
        if usual:
            found.talk[case.agents] = [day.talk_share for day in days]
            goal = case.goal.talk
            yield Figure(
                "pacing", f"{case.agents} agents: talk share, {made.days} days, {made.answered:,} live answers",
                f">= {goal:.1%}", f"{made.talk:.1%}", made.talk >= goal,
            )  # fmt: skip
        name = f"{case.agents} agents, {kind}: abandoned on the worst day"
        yield Figure("pacing", name, "<= 3.0%", f"{made.worst_day:.2%}", made.worst_day <= 0.03)


def decided(runs: int) -> Iterator[Figure]:
    """Processor time of one decision."""
    times = pacing.measure(runs=runs, decisions=2000)
    for agents, most in (("200", 100.0), ("2000", 1000.0)):
        middle = statistics.median(times.p50[agents])
        yield Figure("decisions", f"{agents} agents: one decision, p50", f"<= {most:.0f} us", f"{middle:.0f} us",
                     middle <= most)  # fmt: skip


def dialled(stage: Stage, runs: int, seconds: float) -> Iterator[Figure]:
    """From a row of a file to the INVITE at a SIPp carrier, on one core."""
    rates = dialling.measure(stage, runs=runs, seconds=seconds)
    for kind, each in rates.rates.items():
        middle, cpu = statistics.median(each), statistics.median(rates.cpu_ms[kind])
        name = f"attempts/s on one core, {kind} ({cpu:.2f} ms CPU each)"
        yield Figure("dialling", name, ">= 200", f"{middle:.0f}", middle >= 200)
    imported = statistics.median(rates.imported)
    yield Figure("import", "100,000 rows of CSV", "<= 10 s", f"{imported:.1f} s", imported <= 10.0)


def rehearsed() -> Iterator[Figure]:
    """A campaign of 1,000 contacts across kills of the server."""
    command = [sys.executable, str(ROOT / "scripts" / "dial_rehearsal"), "--kills", str(KILLS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    verdict = VERDICT.search(done.stdout)
    met = done.returncode == 0 and verdict is not None and verdict[1] == "PASS"
    told = verdict[2] if verdict is not None else f"exit status {done.returncode}"
    yield Figure("crashes", f"1,000 contacts across {KILLS} x kill -9", "nobody twice, nobody lost", told, met)


def judged() -> Iterator[Figure]:
    """People and machines of the held-back recordings (scripts/amd score says more)."""
    amd = {name: importlib.import_module(f"amd_set.{name}") for name in ("app_amd", "g711", "listen", "make", "score")}
    settings = importlib.import_module("media.amd_values").AmdSettings(enabled=True)
    place, listed = amd["make"].recordings(lambda done, all_: None)
    chosen = [one for one in listed if one.split == "held-back"]
    sounds = [amd["g711"].read(place / one.file) for one in chosen]
    heard = amd["listen"].listen(sounds, settings, messages=True)
    score = amd["score"]
    ours = score.figures(
        [score.ours(one.label, said.verdict, one.greeting_end or None)
         for one, said in zip(chosen, heard, strict=True)]
    )  # fmt: skip
    theirs = score.figures(
        [score.theirs(one.label, amd["app_amd"].judge(sound), one.greeting_end or None)
         for one, sound in zip(chosen, sounds, strict=True)]
    )  # fmt: skip
    part = f"machines, {ours.people} people"
    yield Figure(part, "judged rightly", f">= {AMD_LEAST:.0%}, app_amd {theirs.accuracy:.1%}",
                 f"{ours.accuracy:.2%}", ours.accuracy >= max(AMD_LEAST, theirs.accuracy))  # fmt: skip
    wrong, other = ours.people_as_machines, theirs.people_as_machines
    yield Figure(part, "people taken for machines", f"<= {AMD_MOST_WRONG:.1%}, app_amd {other:.1%}",
                 f"{wrong:.2%}", wrong <= min(AMD_MOST_WRONG, other))  # fmt: skip
    yield Figure(part, "greeting's end to the decision, p99 of people", f"<= {AMD_WITHIN:g} s",
                 f"{ours.after_p99:.2f} s", ours.after_p99 <= AMD_WITHIN)  # fmt: skip


def measure(
    found: Figures, stage: Callable[[], Stage], parts: Sequence[str], *, runs: int, seconds: float
) -> Iterator[str]:
    """The parts in turn, each as it is there.  `stage`: made when it is needed, as it waits for a quiet machine."""
    for part in parts:
        headline(part)
        match part:
            case "pacing":
                rows = simulated(found)
            case "decisions":
                rows = decided(runs)
            case "dialling":
                rows = dialled(stage(), runs, seconds)
            case "crashes":
                rows = rehearsed()
            case _:
                rows = judged()
        made: list[Figure] = []
        for row in rows:
            made.append(row)
            note(f"{'PASS' if row.met else 'MISS'}: {row.name}: {row.found} (must be {row.must})")
        found.parts[part] = made
        found.dates[part] = str(this_machine())
        yield part
