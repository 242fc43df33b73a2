"""The results as one picture."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

from .console import note
from .results import Results
from .stage import NAMES, Kind

COLOURS: dict[Kind, str] = {"tandem": "#1f6feb", "sippy": "#9a9a9a"}
REQUIREMENT = "matplotlib>=3.8"


def have_matplotlib() -> None:
    """Install it into our virtual environment when it is missing."""
    if importlib.util.find_spec("matplotlib") is None:
        note(f"installing {REQUIREMENT} for the plot")
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", REQUIREMENT], check=True)


def draw(results: Results, file: Path) -> None:
    """Write a PNG."""
    have_matplotlib()
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 3, figsize=(12, 4), layout="constrained")
    _rates(axes[0], results)
    _processor(axes[1], results)
    _times(axes[2], results)
    dates = sorted({machine.date for machine in results.machines.values()})
    figure.suptitle(f"Tandem with its full job, Sippy B2BUA with none; one core each ({', '.join(dates)})")
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110, metadata={"Software": None})
    pyplot.close(figure)


def _rates(axis: Any, results: Results) -> None:
    axis.set_title("calls a second, none failed")
    for at, (kind, one) in enumerate((results.calls or {}).items()):
        _bar(axis, at, kind, one.rate, one.rates, "{:.0f}")
    _finish(axis, results.calls)


def _processor(axis: Any, results: Results) -> None:
    axis.set_title(f"CPU ms a call, at {results.cpu_rate:g} calls/s")
    for at, (kind, one) in enumerate((results.calls or {}).items()):
        _bar(axis, at, kind, one.cpu, one.cpu_ms, "{:.2f}")
    _finish(axis, results.calls)


def _times(axis: Any, results: Results) -> None:
    axis.set_title(f"set-up time, ms, at {results.latency_rate:g} calls/s")
    marks = ("ringing_p50", "ringing_p99", "answered_p50", "answered_p99")
    for shift, (kind, one) in enumerate((results.latency or {}).items()):
        for at, key in enumerate(marks):
            _bar(axis, at + 0.38 * shift, kind, one.median(key), getattr(one, key), "{:.1f}", width=0.36)
    axis.set_xticks([at + 0.19 for at in range(4)], ["180\np50", "180\np99", "200\np50", "200\np99"])
    axis.spines[["top", "right"]].set_visible(False)


def _bar(axis: Any, at: float, kind: Kind, height: float, runs: list[Any], form: str, width: float = 0.6) -> None:
    axis.bar(at, height, width, color=COLOURS[kind])
    axis.plot([at] * len(runs), runs, ".", color="black", markersize=4)
    axis.annotate(form.format(height), (at, max([height, *runs])), ha="center", va="bottom", fontsize=9)


def _finish(axis: Any, kinds: object) -> None:
    names = [NAMES[kind] for kind in kinds] if isinstance(kinds, dict) else []
    axis.set_xticks(range(len(names)), names)
    axis.spines[["top", "right"]].set_visible(False)
