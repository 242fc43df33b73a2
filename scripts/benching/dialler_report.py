"""The dialler's figures as a table, on a page of the documentation, and as a picture."""

from pathlib import Path
from typing import Any

from rich.table import Table

from .dialler import Figures
from .machine import ROOT
from .plot import have_matplotlib

PAGE = ROOT / "docs" / "dialler-figures.md"
PICTURE = ROOT / "docs" / "img" / "dialler-figures.png"
BEGIN, END = "<!-- figures: written by scripts/bench dialler --docs -->", "<!-- end of figures -->"
CEILING = 85.7
"Per cent of talk of an agent who never waits, with 120 s of talk and 20 s of work after it."
MUST = {10: 70.0, 50: 79.5, 200: 83.5}
COLUMNS = ("part", "figure", "must be", "is", "")


def printed(found: Figures) -> Table:
    """For the terminal."""
    table = Table(title="The dialler: what it must reach, and what it does")
    for name in COLUMNS:
        table.add_column(name)
    for row in found.rows:
        table.add_row(row.part, row.name, row.must, row.found, "[green]PASS[/]" if row.met else "[red]MISS[/]")
    return table


def write_page(found: Figures, page: Path = PAGE) -> None:
    """Put the table between its marks.  ValueError when they are not there."""
    lines = [f"| {' | '.join(COLUMNS)} |", "|---|---|---|---|---|"]
    for row in found.rows:
        verdict = "PASS" if row.met else "MISS"
        lines.append(f"| {row.part} | {row.name} | {row.must} | {row.found} | {verdict} |")
    measured: dict[str, list[str]] = {}
    for part, date in found.dates.items():
        measured.setdefault(date, []).append(part)
    lines += ["", *(f"{', '.join(parts)}: {date}." for date, parts in measured.items())]
    text = page.read_text(encoding="utf-8")
    head, first, rest = text.partition(BEGIN)
    _, last, tail = rest.partition(END)
    if not first or not last:
        raise ValueError(f"{page}: the marks {BEGIN} and {END} are missing")
    body = "\n".join(lines)
    page.write_text(f"{head}{BEGIN}\n{body}\n{END}{tail}", encoding="utf-8")


def draw(found: Figures, file: Path = PICTURE) -> None:
    """Write a PNG of the simulated days."""
    have_matplotlib()
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(13, 4.5), layout="constrained", width_ratios=(1, 2))
    _talk(axes[0], found)
    _abandoned(axes[1], found)
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110, metadata={"Software": None})
    pyplot.close(figure)


def _talk(axis: Any, found: Figures) -> None:
    sizes = list(found.talk)
    for at, agents in enumerate(sizes):
        days = [100 * share for share in found.talk[agents]]
        axis.plot([at] * len(days), days, "o", color="#1f6feb", alpha=0.6, label="a day" if at == 0 else None)
        axis.hlines(
            MUST[agents], at - 0.3, at + 0.3, color="#d1242f", label="must be, in the mean" if at == 0 else None
        )
    axis.axhline(CEILING, color="#9a9a9a", linestyle=":", label="nobody ever waits")
    axis.set_xticks(range(len(sizes)), [f"{agents} agents" for agents in sizes])
    axis.set_ylabel("talk, % of the agents' time")
    axis.legend(frameon=False, fontsize=8, loc="lower right")


def _abandoned(axis: Any, found: Figures) -> None:
    sizes = sorted({agents for worst in found.abandoned.values() for agents in worst})
    width = 0.8 / max(1, len(sizes))
    for number, agents in enumerate(sizes):
        places = [at + number * width - 0.4 + width / 2 for at in range(len(found.abandoned))]
        shares = [100 * worst.get(agents, 0.0) for worst in found.abandoned.values()]
        axis.bar(places, shares, width * 0.9, label=f"{agents} agents")
    axis.axhline(3.0, color="#d1242f", label="cap")
    axis.set_xticks(
        range(len(found.abandoned)), [kind.replace(" in ", "\nin ") for kind in found.abandoned], fontsize=8
    )
    axis.tick_params(axis="x", rotation=15)
    axis.set_ylabel("abandoned on the worst day, %")
    axis.set_ylim(0.0, 3.6)
    axis.legend(frameon=False, fontsize=8, ncols=4, loc="upper right")
