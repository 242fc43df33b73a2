"""The results as rows, with ratios and goals; printed, and written into docs/performance.md."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from . import events, floor, media_report
from .calls import CallRates
from .gate import MOST_CPU, MOST_INSIDE
from .latency import SetupTimes
from .machine import ROOT
from .profile import Profile
from .results import Results

PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- {}: written by scripts/bench table --docs -->", "<!-- end of {} -->"

CALLS_GOAL = 1.3
"Calls a second, in times Sippy's, with the full job."
LATENCY_GOAL = 2.0
"p99 of INVITE to 180, in times Sippy's."
EVENT_GOAL = 50.0
"Milliseconds from an event to a listener, p99."
OFFER_GOAL = 1.0
"Milliseconds, with 1,000 agents, 200 queues and 2,000 waiting callers."
DECISION_GOALS = {"200": 100.0, "2000": 1000.0}
"Microseconds of a decision of the predictive pacing, by the number of agents."
REGISTRATIONS_GOAL = 1000.0
ATTEMPTS_GOAL = 200.0
"Calls of a campaign in a second, from the contact's row to the INVITE."
DIALLED = {"unanswered": "contacts that nobody answers for", "answered": "contacts of whom 30 % answer"}
IMPORT_GOAL = 10.0
"Seconds of 100,000 rows."


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of both systems."""

    measure: str
    tandem: str
    sippy: str = "-"
    ratio: float | None = None
    goal: str = "-"
    met: bool | None = None


def rows(results: Results) -> list[Row]:
    """Everything that has been measured."""
    return [
        *_calls(results),
        *_latency(results),
        *_leak(results),
        *_events(results),
        *_floor(results),
        *_pacing(results),
        *_dialling(results),
        *_registrar(results),
        *_gate(results),
    ]


def _calls(results: Results) -> list[Row]:
    if not results.calls:
        return []
    none = CallRates()
    tandem, sippy = results.calls.get("tandem", none), results.calls.get("sippy", none)
    rate = _ratio(tandem.rate, sippy.rate)
    found = [
        Row(
            "calls/s on one core, none failed",
            _spread(tandem.rates, "{:.0f}"),
            _spread(sippy.rates, "{:.0f}"),
            rate,
            f">= {CALLS_GOAL}x",
            None if rate is None else rate >= CALLS_GOAL,
        ),
        Row(
            f"CPU ms a call, at {results.cpu_rate:g} calls/s",
            _spread(tandem.cpu_ms, "{:.2f}"),
            _spread(sippy.cpu_ms, "{:.2f}"),
            _ratio(tandem.cpu, sippy.cpu),
        ),
    ]
    if results.generator:
        found.append(Row("the generator alone, calls/s", f"{results.generator:.0f}", f"{results.generator:.0f}"))
    return found


def _latency(results: Results) -> list[Row]:
    if not results.latency:
        return []
    none = SetupTimes()
    tandem, sippy = results.latency.get("tandem", none), results.latency.get("sippy", none)
    found = []
    for what, name in (("180", "ringing"), ("200", "answered")):
        for percent in ("p50", "p99"):
            key = f"{name}_{percent}"
            ratio, judged = _ratio(tandem.median(key), sippy.median(key)), key == "ringing_p99"
            found.append(
                Row(
                    f"INVITE to {what}, {percent}, ms, at {results.latency_rate:g} calls/s",
                    _spread(getattr(tandem, key), "{:.2f}"),
                    _spread(getattr(sippy, key), "{:.2f}"),
                    ratio,
                    f"<= {LATENCY_GOAL:g}x" if judged else "-",
                    ratio <= LATENCY_GOAL if judged and ratio is not None else None,
                )
            )
    if tandem.failed or sippy.failed:
        found.append(Row("  calls not answered", str(tandem.failed), str(sippy.failed), goal="0", met=False))
    return found


def _leak(results: Results) -> list[Row]:
    leak = results.leak
    if leak is None:
        return []
    left = f"{leak.live_calls} / {leak.live_legs} / {max(0, leak.descriptors)}"
    lost = f"{leak.failed} / {leak.missing_records} / {leak.missing_tokens}"
    growth = leak.end_mb / leak.plateau_mb - 1
    return [
        Row(
            f"after {leak.calls} calls: calls, legs, descriptors left", left, goal="0 / 0 / 0", met=left == "0 / 0 / 0"
        ),
        Row("  calls failed, records missing, tokens not consumed", lost, goal="0 / 0 / 0", met=lost == "0 / 0 / 0"),
        Row(
            "  memory at the start, plateau, end, MB",
            f"{leak.start_mb:.0f} / {leak.plateau_mb:.0f} / {leak.end_mb:.0f}",
            goal="end <= plateau + 10 %",
            met=growth <= 0.10,
        ),
    ]


def _events(results: Results) -> list[Row]:
    found = results.events
    if not found:
        return []
    return [
        Row(
            f"event to listener{beside}, p99, ms, at {found.rate:g} calls/s",
            _spread(p99, "{:.1f}"),
            goal=f"<= {EVENT_GOAL:g}",
            met=statistics.median(p99) <= EVENT_GOAL,
        )
        for beside, p99 in (("", found.alone_p99), (f" beside {events.DEAF} deaf ones", found.beside_p99))
    ]


def _floor(results: Results) -> list[Row]:
    found = results.floor
    if not found:
        return []
    return [
        Row(
            f"{what}: agent chosen and call offered, p99, CPU ms",
            _spread(p99, "{:.2f}"),
            goal=f"<= {OFFER_GOAL:g}",
            met=statistics.median(p99) <= OFFER_GOAL,
        )
        for what, p99 in (
            (f"{floor.WAITING} wait, an agent becomes free", found.full_p99),
            (f"{floor.AGENTS} agents, a caller comes", found.idle_p99),
        )
    ] + [Row(f"  double offers among {found.offers}", str(found.double), goal="0", met=found.double == 0)]


def _pacing(results: Results) -> list[Row]:
    found = results.pacing
    if not found:
        return []
    return [
        Row(
            f"{agents} agents: calls to dial decided, p50, CPU us",
            _spread(times, "{:.0f}"),
            goal=f"<= {DECISION_GOALS[agents]:.0f}",
            met=statistics.median(times) <= DECISION_GOALS[agents],
        )
        for agents, times in found.p50.items()
    ] + [Row(f"  {agents} agents: p99, CPU us", _spread(times, "{:.0f}")) for agents, times in found.p99.items()]


def _registrar(results: Results) -> list[Row]:
    found = results.registrar
    if not found:
        return []
    met = statistics.median(found.rates) >= REGISTRATIONS_GOAL
    goal = f">= {REGISTRATIONS_GOAL:.0f}"
    return [
        Row(
            "phones registering (REGISTER, 401, REGISTER, 200)/s", _spread(found.rates, "{:.0f}"), "-", None, goal, met
        ),
        Row("  CPU ms a registration", _spread(found.cpu_ms, "{:.2f}")),
    ]


def _gate(results: Results) -> list[Row]:
    if not results.gate:
        return []
    cpu, inside = results.gate.cpu, results.gate.inside
    return [
        Row(
            f"{name}: dropped, CPU us (inside the gate)",
            f"{cpu[name]:.1f} ({inside[name]:.2f})",
            goal=f"<= {MOST_CPU:.0f} ({MOST_INSIDE:.0f})",
            met=cpu[name] <= MOST_CPU and inside[name] <= MOST_INSIDE,
        )
        for name in cpu
    ]


def _dialling(results: Results) -> list[Row]:
    found = results.dialling
    if not found:
        return []
    rows = []
    for kind, rates in found.rates.items():
        met = statistics.median(rates) >= ATTEMPTS_GOAL
        goal = f">= {ATTEMPTS_GOAL:.0f}"
        rows.append(
            Row(f"{DIALLED[kind]}: attempts/s, INVITEs at the carrier", _spread(rates, "{:.0f}"), "-", None, goal, met)
        )
        rows.append(Row("  the slowest second", _spread(found.least[kind], "{:.0f}")))
        rows.append(Row("  CPU ms an attempt", _spread(found.cpu_ms[kind], "{:.2f}")))
    imported = statistics.median(found.imported)
    import_goal = f"<= {IMPORT_GOAL:g}"
    rows.append(
        Row(
            "100,000 contacts imported, s",
            _spread(found.imported, "{:.1f}"),
            goal=import_goal,
            met=imported <= IMPORT_GOAL,
        )
    )
    return rows


def _ratio(mine: float, theirs: float) -> float | None:
    return mine / theirs if mine and theirs else None


def _spread(values: Sequence[float], form: str) -> str:
    """The median, and the range when there are several runs."""
    if not values:
        return "-"
    middle = statistics.median(values)
    if len(values) == 1:
        return form.format(middle)
    return f"{form.format(middle)} ({form.format(min(values))}-{form.format(max(values))})"


def printed(found: Sequence[Row]) -> Table:
    """For the terminal."""
    table = Table(title="Tandem with its full job, Sippy B2BUA with none; median (range) of the runs")
    for name in ("measure", "Tandem", "Sippy B2BUA", "ratio", "goal", ""):
        table.add_column(name, justify="left" if name == "measure" else "right")
    for row in found:
        verdict = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}[row.met]
        table.add_row(row.measure, row.tandem, row.sippy, _times(row), row.goal, verdict)
    return table


def printed_shares(shares: Mapping[str, float]) -> Table:
    """A part of the profile, for the terminal."""
    table = Table("share", "where", show_header=False)
    for name, share in shares.items():
        table.add_row(f"{share:.1%}", name)
    return table


def markdown(results: Results) -> str:
    """For the page, with the circumstances."""
    lines = [
        "| measure | Tandem | Sippy B2BUA | ratio | goal | |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for row in rows(results):
        verdict = {True: "met", False: "missed", None: ""}[row.met]
        measure = row.measure.replace("  ", "&nbsp;&nbsp;")
        lines.append(f"| {measure} | {row.tandem} | {row.sippy} | {_times(row)} | {row.goal} | {verdict} |")
    lines.append("")
    parts: dict[str, list[str]] = {}
    for part, machine in results.machines.items():
        if part == "media":  # a table of its own
            continue
        parts.setdefault(str(machine), []).append(part)
    lines += [f"{', '.join(names)}: {machine}." for machine, names in parts.items()]
    return "\n".join(lines)


def markdown_profile(found: Profile) -> str:
    """The profile for the page: two lists side by side would be hard to read, so one after the other."""
    lines = [f"At {found.rate:g} calls/s a call costs {found.cpu_ms:.2f} ms of processor time. Shares of it:"]
    for title, shares in (
        ("native object (perf); a thread of its own is named", found.objects),
        ("layer of the source, of the time Python code runs (py-spy)", found.layers),
        ("function, of the same time, what it calls left out (py-spy)", found.functions),
    ):
        if shares:
            lines += ["", f"| {title} | share |", "|---|---:|"]
            lines += [f"| {name} | {share:.1%} |" for name, share in shares.items()]
    return "\n".join(lines)


def _times(row: Row) -> str:
    return "-" if row.ratio is None else f"{row.ratio:.2f}"


def write_page(results: Results, page: Path = PAGE) -> None:
    """Put what was measured between its marks on the page, and leave the rest. ValueError when marks are not there."""
    text = page.read_text(encoding="utf-8")
    parts: dict[str, str] = {}
    if rows(results):
        parts["table"] = markdown(results)
    if results.media:
        tables = [media_report.markdown(results.media), media_report.markdown_profile(results.media)]
        parts["media"] = "\n\n".join([*filter(None, tables), f"{results.machines['media']}."])
    if results.profile:
        parts["profile"] = markdown_profile(results.profile)
    for name, content in parts.items():
        begin, end = BEGIN.format(name), END.format(name)
        head, first, rest = text.partition(begin)
        _, last, tail = rest.partition(end)
        if not first or not last:
            raise ValueError(f"{page}: the marks {begin} and {end} are missing")
        text = f"{head}{begin}\n{content}\n{end}{tail}"
    page.write_text(text, encoding="utf-8")
