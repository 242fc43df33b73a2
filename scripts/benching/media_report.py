"""The comparison of calls with sound: rows with ratios and verdicts, printed and for docs/performance.md."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.table import Table

from .media import MediaResult, Searched
from .media_servers import KINDS, MEDIA_NAMES, MediaKind

MOST_GOAL, MOST_MUST = 1.35, 1.0
"Calls at once, in times rtpengine's."
CPU_GOAL = 5.0
"% of a core for 100 calls."
P50_GOAL, P99_GOAL = 0.1, 0.5
"Milliseconds added, at the light load."
MEMORY_GOAL = 80.0
"kB of a call, signalling and sound."
RECORDING_GOAL = 0.3
"% of a core for each call that is recorded."
LOSS_GOAL = 0.001


@dataclass(frozen=True, slots=True)
class MediaRow:
    """One figure of all systems."""

    measure: str
    found: dict[MediaKind, str]
    must: str = "-"
    met: bool | None = None
    ratio: float | None = None
    "Tandem's to rtpengine's."


def rows(result: MediaResult) -> list[MediaRow]:
    """Everything that has been measured."""
    if not result.searched:
        return []
    light = f"{result.searched[next(iter(result.searched))][0].light.calls} calls"
    return [
        _most(result),
        MediaRow("  the next greater load suffers from", _words(result, lambda one: one.ended_by or "-")),
        _figure(result, f"{light}: CPU % of a core for 100 calls", "{:.1f}", _cpu, CPU_GOAL),
        _figure(result, "  delay added, p50, ms", "{:.3f}", lambda one: one.light.p50_ms, P50_GOAL),
        _figure(result, "  delay added, p99, ms", "{:.3f}", lambda one: one.light.p99_ms, P99_GOAL),
        _figure(result, "  packets lost, %", "{:.3f}", lambda one: 100 * one.light.loss, 100 * LOSS_GOAL, "<"),
        MediaRow("at the most calls: delay added, p99, ms", _numbers(result, "{:.2f}", lambda one: one.full.p99_ms)),
        _figure(
            result,
            "kB (PSS) for each call, at the greatest load tried",
            "{:.0f}",
            lambda one: one.heaviest.memory / 1000,
            MEMORY_GOAL,
        ),
        MediaRow("  of it", _words(result, _parts)),
        *_counters(result),
        *_recording(result),
        *_generator(result),
    ]


def _most(result: MediaResult) -> MediaRow:
    tandem, peer = result.most("tandem"), result.most("rtpengine")
    ratio = tandem / peer if tandem and peer else None
    must = f">= {MOST_MUST:g}x, goal {MOST_GOAL:g}x"
    met = None if ratio is None else ratio >= MOST_MUST
    found = _numbers(result, "{:.0f}", lambda one: one.most)
    return MediaRow("calls at once on one core", found, must, met, ratio)


def _figure(
    result: MediaResult, measure: str, form: str, value: Callable[[Searched], float], most: float, sign: str = "<="
) -> MediaRow:
    mine, theirs = _median(result, "tandem", value), _median(result, "rtpengine", value)
    met = None if mine is None else mine < most or (sign == "<=" and mine <= most)
    ratio = mine / theirs if mine and theirs else None
    return MediaRow(measure, _numbers(result, form, value), f"{sign} {most:g}", met, ratio)


def _counters(result: MediaResult) -> list[MediaRow]:
    counted = [one.counted for one in result.searched.get("tandem", []) if one.counted]
    if not counted:
        return []
    lost, read = sum(abs(one.lost) for one in counted), sum(one.received for one in counted)
    before = sum(one.dropped_before for one in counted)
    calls = f"{statistics.median(one.calls for one in counted):.0f} calls"
    return [
        MediaRow(f"{calls}: packets the relay read and lost", {"tandem": f"{lost} of {read}"}, "0", lost == 0),
        MediaRow("  packets that never reached it", {"tandem": f"{before}"}),
    ]


def _recording(result: MediaResult) -> list[MediaRow]:
    if not result.recordings:
        return []
    costs = [100 * one.cost for one in result.recordings]
    losses = [100 * one.loss for one in result.recordings]
    met = statistics.median(costs) <= RECORDING_GOAL
    measure = f"{result.recordings[0].calls} calls recorded: CPU % of a core for each call, more"
    heard = statistics.median(losses) < 100 * LOSS_GOAL
    return [
        MediaRow(measure, {"tandem": _spread(costs, "{:.2f}")}, f"<= {RECORDING_GOAL:g}", met and heard),
        MediaRow("  packets lost, %", {"tandem": _spread(losses, "{:.3f}")}, f"< {100 * LOSS_GOAL:g}", heard),
    ]


def _generator(result: MediaResult) -> list[MediaRow]:
    if not result.generator:
        return []
    return [MediaRow("the generator alone, calls", {kind: str(result.generator) for kind in result.searched})]


def _cpu(one: Searched) -> float:
    return 100 * one.light.cpu * 100 / one.light.calls


def _parts(one: Searched) -> str:
    sizes = one.heaviest.bytes_per_call
    return ", ".join(f"{part} {size / 1000:.0f}" for part, size in sizes.items()) if len(sizes) > 1 else "-"


def _median(result: MediaResult, kind: MediaKind, value: Callable[[Searched], float]) -> float | None:
    runs = result.searched.get(kind)
    return statistics.median(map(value, runs)) if runs else None


def _numbers(result: MediaResult, form: str, value: Callable[[Searched], float]) -> dict[MediaKind, str]:
    return {kind: _spread([value(one) for one in runs], form) for kind, runs in result.searched.items()}


def _words(result: MediaResult, word: Callable[[Searched], str]) -> dict[MediaKind, str]:
    """What most of the runs say."""
    return {kind: statistics.mode(map(word, runs)) for kind, runs in result.searched.items()}


def _spread(values: Sequence[float], form: str) -> str:
    """The median, and the range where there are several runs."""
    middle = form.format(statistics.median(values))
    return middle if len(values) == 1 else f"{middle} ({form.format(min(values))}-{form.format(max(values))})"


def _columns(result: MediaResult) -> list[MediaKind]:
    return [kind for kind in KINDS if kind in result.searched]


def printed(result: MediaResult) -> Table:
    """For the terminal."""
    table = Table(title=f"Two-way G.711 calls through one core, {result.seconds:g} s each; median (range) of the runs")
    kinds = _columns(result)
    for name in ("measure", *(MEDIA_NAMES[kind] for kind in kinds), "ratio", "must be", ""):
        table.add_column(name, justify="left" if name == "measure" else "right")
    for row in rows(result):
        verdict = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}[row.met]
        table.add_row(row.measure, *(row.found.get(kind, "-") for kind in kinds), _times(row), row.must, verdict)
    return table


def markdown(result: MediaResult) -> str:
    """For the page."""
    kinds = _columns(result)
    names = [MEDIA_NAMES[kind] for kind in kinds]
    lines = [f"| measure | {' | '.join(names)} | ratio | must be | |", f"|---|{'---:|' * len(kinds)}---:|---:|---|"]
    for row in rows(result):
        verdict = {True: "met", False: "missed", None: ""}[row.met]
        cells = [row.measure.replace("  ", "&nbsp;&nbsp;"), *(row.found.get(kind, "-") for kind in kinds)]
        lines.append(f"| {' | '.join([*cells, _times(row), row.must])} | {verdict} |")
    return "\n".join(lines)


def markdown_profile(result: MediaResult) -> str:
    """Where the time of Tandem's sound goes, in the run that carried most; empty where nobody looked."""
    runs = [one for one in result.searched.get("tandem", []) if one.profile]
    if not runs:
        return ""
    best = max(runs, key=lambda one: one.most)
    lines = [f"| what the busiest thread does at nine tenths of {best.most} calls (perf) | share |", "|---|---:|"]
    return "\n".join(lines + [f"| {name} | {share:.1%} |" for name, share in best.profile.items()])


def all_met(result: MediaResult) -> bool:
    """Whether nothing that must be is missed."""
    return all(row.met is not False for row in rows(result))


def _times(row: MediaRow) -> str:
    return "-" if row.ratio is None else f"{row.ratio:.2f}"
