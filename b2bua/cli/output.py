"""What people see: tables on standard output, problems on standard error."""

import json
import re
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"What a terminal takes for a command, and what turns the order of a line: texts come from callers."


def console(*, error: bool = False) -> Console:
    """Standard output, or standard error; a new one each time, since tests and pipes change what that is."""
    stream = sys.stderr if error else sys.stdout
    # In a pipe or a file every row stays on one line, however long.
    return Console(file=stream, highlight=False, width=None if stream.isatty() else 10_000)


def fail(*lines: str) -> NoReturn:
    """Say what went wrong, and end with status 1."""
    out = console(error=True)
    for line in lines:
        out.print(Text(harmless(line), style="red"))
    raise typer.Exit(1)


def say(text: str) -> None:
    """A remark that is no result: it goes to standard error, so that results can be piped."""
    console(error=True).print(Text(text))


def as_json(value: Any) -> None:
    """A result for programs."""
    # Not through rich: it would break long lines.
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], none: str) -> None:
    """One line for each row; `columns` are `key` or `key=heading`. `none` is said when there is no row."""
    shown = list(rows)
    if not shown:
        say(none)
        return
    made = Table(box=None, pad_edge=False, header_style="bold")
    pairs = [(column.partition("=")[0], column.partition("=")[2] or column) for column in columns]
    for _, heading in pairs:
        made.add_column(heading.replace("_", " "), overflow="fold")
    for row in shown:
        made.add_row(*(Text(text(key, row.get(key))) for key, _ in pairs))
    console().print(made)


def sheet(row: Mapping[str, Any]) -> None:
    """One thing with all its fields, one below the other; fields without a value are left out."""
    made = Table(box=None, pad_edge=False, show_header=False)
    made.add_column(style="bold")
    made.add_column(overflow="fold")
    for key, value in row.items():
        if value is not None and value != "" and value != [] and value != {}:
            made.add_row(key.replace("_", " "), Text(text(key, value)))
    console().print(made)


def text(key: str, value: Any) -> str:
    """One value as people read it; keys that end in `_at`, and `since`, hold epoch seconds."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float) and (key.endswith("_at") or key in ("since", "time")):
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(value))
    if isinstance(value, float):
        return f"{value:g}" if value < 100 else f"{value:,.0f}"
    if isinstance(value, Mapping):
        return ", ".join(f"{harmless(str(name))}: {text(str(name), item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(text("", item) for item in value)
    return harmless(str(value))


def harmless(text: str) -> str:
    """The text without what would be a command to the terminal."""
    return _COMMANDS.sub("\ufffd", text)
