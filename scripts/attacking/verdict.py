"""What an attack came to: one line of the table each."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from benching.console import RESULT


@dataclass(frozen=True, slots=True)
class Verdict:
    """One promise under attack."""

    attack: str
    what: str
    "What was measured."
    found: str
    must: str
    holds: bool


def show(verdicts: Sequence[Verdict]) -> None:
    """The table, on standard output."""
    table = Table(title="Attacks", title_justify="left")
    for name in ("attack", "measured", "found", "must be", "verdict"):
        table.add_column(name)
    for one in verdicts:
        word = "[green]holds[/green]" if one.holds else "[red]does not hold[/red]"
        table.add_row(one.attack, one.what, one.found, one.must, word)
    RESULT.print(table)


def markdown(verdicts: Sequence[Verdict]) -> str:
    """The same for docs."""
    lines = ["| attack | measured | found | must be | verdict |", "|---|---|---|---|---|"]
    for one in verdicts:
        word = "holds" if one.holds else "does not hold"
        lines.append(f"| {one.attack} | {one.what} | {one.found} | {one.must} | {word} |")
    return "\n".join(lines) + "\n"
