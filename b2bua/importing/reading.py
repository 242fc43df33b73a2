"""Rows of a file: CSV with a heading, or JSON lines. A row that cannot be read is named, and the next one is read."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from dialer.batch import OWN_COLUMNS, RowProblem

LONGEST_LINE = 256 * 1024
"Characters of a line of JSON, and of a cell of CSV."

LONGEST_ROW = 4 * 1024 * 1024
"Characters of a line of CSV: a file that is one line must not be in memory as a whole."

MOST_COLUMNS = 200

LOOK_EVERY = 100
"Rows between two looks how far the file was read: each asks the system."

Row = tuple[int, dict[str, Any] | RowProblem]
"Its number, 1 is the first row of data; its cells by column, or why it cannot be read."


class BadFile(Exception):
    """Nothing of the file can be read; the message is one sentence for whoever sent it."""


def rows(path: Path, form: str) -> Iterator[tuple[Row, float]]:
    """Every row with the share of the file read so far. `form`: csv or jsonl. Raises BadFile, OSError."""
    size = max(1, path.stat().st_size)
    with path.open("rb") as raw:
        text = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="")
        share = 0.0
        for row in _jsonl(text) if form == "jsonl" else _csv(text):
            if row[0] % LOOK_EVERY == 0:
                share = min(1.0, raw.tell() / size)
            yield row, share


def _csv(text: TextIO) -> Iterator[Row]:
    csv.field_size_limit(LONGEST_LINE)
    first = text.readline(LONGEST_LINE)
    if not first.strip():
        raise BadFile("the file is empty: its first line must name the columns")
    delimiter = max((",", ";", "\t"), key=first.count)
    try:
        heading = [name.strip() for name in next(csv.reader([first], delimiter=delimiter, strict=True))]
    except csv.Error as error:
        raise BadFile(f"the heading cannot be read: {error}") from None
    if bad := heading_problem(heading):
        raise BadFile(bad)
    reader = csv.reader(_lines(text), delimiter=delimiter, strict=True)
    at = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            at += 1
            yield at, RowProblem(at, "row", "", f"cannot be read: {error}")
            continue
        if not any(cells):
            continue
        at += 1
        if len(cells) != len(heading):
            told = f"has {len(cells)} cells, the heading has {len(heading)} columns"
            yield at, RowProblem(at, "row", cells[0][:100], told)
        else:
            yield at, dict(zip(heading, cells, strict=True))


def _lines(text: TextIO) -> Iterator[str]:
    """Raises BadFile for a line that no row can be."""
    while line := text.readline(LONGEST_ROW):
        if len(line) == LONGEST_ROW and not line.endswith(("\n", "\r")):
            raise BadFile(f"a line is longer than {LONGEST_ROW} characters")
        yield line


def heading_problem(heading: list[str]) -> str:
    """What is wrong with the names of columns; empty: nothing."""
    if not any(name == "numbers" or name.partition("_")[0] == "number" for name in heading):
        known = ", ".join(sorted(OWN_COLUMNS - {"fields"}))
        return f"no column is called number (columns with a meaning: {known})"
    if len(heading) > MOST_COLUMNS:
        return f"there are more than {MOST_COLUMNS} columns"
    if "" in heading:
        return f"column {heading.index('') + 1} has no name"
    twice = next((name for name in heading if heading.count(name) > 1), "")
    return f"two columns are called {twice}" if twice else ""


def _jsonl(text: TextIO) -> Iterator[Row]:
    at = 0
    while line := text.readline(LONGEST_LINE):
        if not line.strip():
            continue
        at += 1
        if not line.endswith("\n") and len(line) >= LONGEST_LINE:
            while (rest := text.readline(LONGEST_LINE)) and not rest.endswith("\n"):
                pass
            yield at, RowProblem(at, "row", "", f"is longer than {LONGEST_LINE} characters")
            continue
        yield at, json_row(at, line)


def json_row(at: int, line: str) -> dict[str, Any] | RowProblem:
    """The object in a line."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return RowProblem(at, "row", line[:100], "is no JSON")
    if not isinstance(found, dict):
        return RowProblem(at, "row", line[:100], "is no JSON object")
    return found
