"""Simulated days of campaigns as tables: for the terminal, and between marks of docs/pacing.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from benching.machine import ROOT

from .dialer_cases import Case
from .dialer_result import DayResult, Figures

PAGE = ROOT / "docs" / "pacing.md"
BEGIN, END = "<!-- {}: written by scripts/simulate dialer --docs -->", "<!-- end of {} -->"
COLUMNS = (
    "agents",
    "days",
    "live answers",
    "talk",
    "least day",
    "abandoned",
    "worst day",
    "dialled per answer",
    "goal",
)


@dataclass(frozen=True, slots=True)
class Done:
    """A case and its days."""

    case: Case
    days: list[DayResult]

    @property
    def figures(self) -> Figures:
        """All days together."""
        return Figures.of(self.days)

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without one."""
        goal, found = self.case.goal, self.figures
        if goal is None:
            return None
        talk = goal.talk is None or found.talk >= goal.talk
        return talk and (goal.rate is None or found.worst_day <= goal.rate)


def printed(part: str, done: Sequence[Done]) -> Table:
    """For the terminal."""
    table = Table(title=f"{part}: means of the days, shares of the agents' time and of the live answers")
    table.add_column("day")
    for name in COLUMNS:
        table.add_column(name, justify="right")
    table.add_column("")
    for one in done:
        verdict = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}[one.met]
        table.add_row(one.case.name, *_cells(one), verdict)
    return table


def markdown(done: Sequence[Done]) -> str:
    """For the page."""
    lines = [f"| day | {' | '.join(COLUMNS)} | |", f"|---|{'---:|' * len(COLUMNS)}---|"]
    for one in done:
        verdict = {True: "met", False: "missed", None: ""}[one.met]
        lines.append(f"| {one.case.name} | {' | '.join(_cells(one))} | {verdict} |")
    return "\n".join([*lines, "", f"Simulated {datetime.now(UTC):%Y-%m-%d}."])


def write_page(part: str, done: Sequence[Done], page: Path = PAGE) -> None:
    """Put the table of a part between its marks. ValueError when the marks are not there."""
    text = page.read_text(encoding="utf-8")
    begin, end = BEGIN.format(part), END.format(part)
    head, first, rest = text.partition(begin)
    _, last, tail = rest.partition(end)
    if not first or not last:
        raise ValueError(f"{page}: the marks {begin} and {end} are missing")
    page.write_text(f"{head}{begin}\n{markdown(done)}\n{end}{tail}", encoding="utf-8")


def _cells(one: Done) -> list[str]:
    found, goal = one.figures, one.case.goal
    wanted = [] if goal is None else [*([f"talk >= {goal.talk:.1%}"] if goal.talk else []), f"<= {goal.rate:.1%}"]
    return [
        str(one.case.agents),
        str(found.days),
        f"{found.answered:,}",
        f"{found.talk:.1%}",
        f"{found.least_talk:.1%}",
        f"{found.rate:.2%}",
        f"{found.worst_day:.2%}",
        f"{found.dialled / found.answered:.2f}" if found.answered else "-",
        ", ".join(wanted) or "-",
    ]
