"""Business data from files: TOML with tables by kind, or CSV with one kind; each value knows the line it came from."""

import csv
import io
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from b2bua.cli.plan_cells import BadCell, cell, columns
from routing.directory import Agent
from routing.plan import KINDS

AGENTS = "agents"
"Agents belong to no kind of the plan, but are imported like one."


@dataclass(slots=True)
class Item:
    """One value as the file has it."""

    word: str
    "Its kind."
    data: dict[str, Any]
    line: int
    "Where it begins; 1 is the first."
    lines: dict[str, int] = field(default_factory=dict)
    "Field -> line; `overflow.1` for the second of several tables."

    @property
    def name(self) -> str:
        """`queue repairs`, as the server calls it."""
        one = KINDS[self.word].one if self.word in KINDS else "agent"
        return f"{one} {self.data.get(key_field(self.word), '?')}"

    def line_of(self, path: str) -> int:
        """The line nearest to a field."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path.rpartition(".")[0]
        return self.line


@dataclass(frozen=True, slots=True)
class Wrong:
    """A mistake with its place."""

    line: int
    message: str


def key_field(word: str) -> str:
    """The field that is unique among a kind."""
    return KINDS[word].key_field if word in KINDS else "extension"


def type_of(word: str) -> type[Any]:
    """The dataclass of a kind."""
    return KINDS[word].type if word in KINDS else Agent


def words() -> list[str]:
    """Every kind that can be imported."""
    return [AGENTS, *KINDS]


def read_toml(text: str) -> tuple[list[Item], list[Wrong]]:
    """All values of `[[queues]]`, or of `[queues.repairs]` where the table's name is the key; and what is wrong."""
    try:
        parsed = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message, _, place = str(error).partition(" (at line ")
        return [], [Wrong(int(place.partition(",")[0]) if place else len(text.splitlines()), message)]
    places = _places(text)
    items: list[Item] = []
    wrong: list[Wrong] = []
    for word, values in parsed.items():
        first = places.get((word,), 1)
        if word not in words():
            wrong.append(Wrong(first, f"there is no kind {word}; there are: {', '.join(words())}"))
            continue
        for at, data in _tables(word, values):
            line = places.get((word, at), first)
            if not isinstance(data, dict):
                wrong.append(Wrong(line, f"{word} must be tables: [[{word}]]"))
                continue
            lines = {".".join(path[2:]): found for path, found in places.items() if path[:2] == (word, at)}
            items.append(Item(word, data, line, lines))
    return items, wrong + _twice(items)


def _tables(word: str, values: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(values, list):
        for at, data in enumerate(values):
            yield str(at), data
    elif isinstance(values, dict):
        for key, data in values.items():
            yield key, {key_field(word): key, **data} if isinstance(data, dict) else data
    else:
        yield "", values


_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_FIELD = re.compile(r"\s*([A-Za-z0-9_-]+|\"[^\"]*\")\s*=")
_FENCE = re.compile(r'"""|' + "'''")


def _places(text: str) -> dict[tuple[str, ...], int]:
    """Line of each table and field by its path; elements of an array of tables count from 0."""
    found: dict[tuple[str, ...], int] = {}
    counts: dict[tuple[str, ...], int] = {}
    at: tuple[str, ...] = ()
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if not fenced and (header := _HEADER.match(line)):
            at = ()
            for name in re.findall(r'"([^"]*)"|([A-Za-z0-9_-]+)', header[2]):
                at = (*at, name[0] or name[1])
                if at in counts:
                    at = (*at, str(counts[at]))
            if header[1] == "[[":
                if at and at[:-1] in counts:
                    at = at[:-1]
                counts[at] = counts.get(at, -1) + 1
                found.setdefault(at, number)
                at = (*at, str(counts[at]))
            found.setdefault(at, number)
        elif not fenced and (name := _FIELD.match(line)):
            found.setdefault((*at, name[1].strip('"')), number)
        fenced ^= len(_FENCE.findall(line)) % 2 == 1
    return found


def read_csv(text: str, word: str) -> tuple[list[Item], list[Wrong]]:
    """One value in each row below a row of field names; and what is wrong, by row."""
    first = text.partition("\n")[0]
    delimiter = next((mark for mark in (",", ";", "\t") if mark in first), ",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    known = columns(type_of(word))
    items: list[Item] = []
    wrong: list[Wrong] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        for name in header:
            if name not in known:
                wrong.append(Wrong(1, f"{word} have no field {name!r}; there are: {', '.join(known)}"))
            elif header.count(name) > 1:
                wrong.append(Wrong(1, f"column {name} is there twice"))
        if wrong or not header:
            return [], wrong or [Wrong(1, f"the first row must name the fields: {', '.join(known)}")]
        before = reader.line_num
        for row in reader:
            line, before = before + 1, reader.line_num
            if not any(text.strip() for text in row):
                continue
            if len(row) != len(header):
                wrong.append(Wrong(line, f"has {len(row)} cells, the first row {len(header)}"))
                continue
            item = Item(word, {}, line)
            for name, content in zip(header, row, strict=True):
                try:
                    _put(item.data, name, cell(known[name], content.strip()))
                except BadCell as error:
                    wrong.append(Wrong(line, f"{name}: {error}"))
            items.append(item)
    except csv.Error as error:
        wrong.append(Wrong(reader.line_num, str(error)))
    return items, wrong + _twice(items)


def _put(data: dict[str, Any], path: str, value: Any) -> None:
    """Set a field, or one inside a field (`goal.kind`); an empty cell leaves it out."""
    if value is None:
        return
    *outer, last = path.split(".")
    for name in outer:
        data = data.setdefault(name, {})
    data[last] = value


def _twice(items: Sequence[Item]) -> list[Wrong]:
    seen: dict[tuple[str, str], int] = {}
    wrong = []
    for item in items:
        key = str(item.data.get(key_field(item.word), ""))
        if key and (before := seen.setdefault((item.word, key), item.line)) != item.line:
            wrong.append(Wrong(item.line, f"{item.name} is in line {before} already"))
    return wrong


def body_of(items: Sequence[Item]) -> Mapping[str, list[dict[str, Any]]]:
    """What is sent to the server."""
    body: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        body.setdefault(item.word, []).append(item.data)
    return body


def located(items: Sequence[Item], errors: Sequence[Mapping[str, str]]) -> list[Wrong]:
    """What the server finds wrong, with the lines it is about; line 0: nothing of this file."""
    named = {item.name: item for item in items}
    by_kind: dict[str, list[Item]] = {}
    for item in items:
        by_kind.setdefault(item.word, []).append(item)
    wrong = []
    for error in errors:
        path, entity, message = error.get("field", ""), error.get("entity", ""), error["message"]
        word, _, rest = path.partition(".")
        number, _, inner = rest.partition(".")
        among = by_kind.get(word, [])
        if number.isdecimal() and int(number) < len(among):
            item, path = among[int(number)], inner
        elif entity in named:
            item = named[entity]
        else:
            wrong.append(Wrong(0, ": ".join(filter(None, (entity, path, message)))))
            continue
        wrong.append(Wrong(item.line_of(path), ": ".join(filter(None, (item.name, path, message)))))
    return sorted(wrong, key=lambda one: one.line)
