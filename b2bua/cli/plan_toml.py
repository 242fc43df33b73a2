"""Business data as TOML that `tandem import` reads again: a table for each value, usual fields left out."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from typing import Any

from b2bua.storage.plan_values import plain

WIDTH = 100
"Lists that make a longer line are written with one member a line."

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def write(plan: Mapping[str, list[dict[str, Any]]], types: Mapping[str, type[Any]]) -> str:
    """All values by kind as one document."""
    tables = (_table(word, value, types[word]) for word, values in plan.items() for value in values)
    return "\n".join(line for table in tables for line in table)


def _table(word: str, value: Mapping[str, Any], type_: type[Any]) -> Iterator[str]:
    usual = defaults(type_)
    told = {name: inner for name, inner in value.items() if inner is not None and usual.get(name, ...) != inner}
    tables = {name: inner for name, inner in told.items() if _of_tables(inner)}
    yield f"[[{word}]]"
    for name, inner in told.items():
        if name not in tables:
            yield f"{_key(name)} = {_value(inner)}"
    yield ""
    for name, inner in tables.items():
        for key, members in inner.items():
            yield f"[{word}.{_key(name)}.{_key(key)}]"
            yield from (f"{_key(one)} = {_value(each)}" for one, each in members.items() if each is not None)
            yield ""


def _of_tables(value: Any) -> bool:
    """Named values with fields of their own (the nodes of a menu) get tables of their own."""
    return isinstance(value, Mapping) and bool(value) and all(isinstance(inner, Mapping) for inner in value.values())


def defaults(type_: type[Any]) -> dict[str, Any]:
    """Fields that may be left out and what they are then, as JSON."""
    found = {}
    for one in fields(type_):
        if one.default is not MISSING:
            found[one.name] = plain(one.default)
        elif one.default_factory is not MISSING:
            found[one.name] = plain(one.default_factory())
    return found


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(str(name))} = {_value(inner)}" for name, inner in value.items() if inner is not None)
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        members = [_value(inner) for inner in value]
        line = f"[{', '.join(members)}]"
        # members stay on one line each: within an inline table TOML allows no line break, within a list it does
        return line if len(line) <= WIDTH else "[\n" + "".join(f"    {member},\n" for member in members) + "]"
    return str(value)


def _text(text: str) -> str:
    """A basic string: JSON's escapes are TOML's, but for the delete character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
