"""What differs between two configurations, and the one in force when only some of it can change at run time. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from .model import SECTIONS, TABLES, Settings


def differences(old: Settings, new: Settings) -> list[str]:
    """Dotted keys that differ; an entry that came or went is one: `trunks.north`."""
    return [key for key, _ in _walk(old, new)]


def merged(old: Settings, new: Settings, may_change: Callable[[str], bool]) -> tuple[Settings, list[str], list[str]]:
    """The old configuration with what may change taken from the new one; the keys that changed, and those that wait."""
    applied: list[str] = []
    waiting: list[str] = []
    parts: dict[str, Any] = {}
    for key, change in _walk(old, new):
        if not may_change(key):
            waiting.append(key)
            continue
        applied.append(key)
        section = key.partition(".")[0]
        parts[section] = change(parts.get(section, getattr(old, section)))
    return replace(old, **parts), applied, waiting


Step = Callable[[Any], Any]
"From a section (or a table of them) as it is to the same with one change."


def _walk(old: Settings, new: Settings) -> Iterator[tuple[str, Step]]:
    for section in SECTIONS:
        yield from _section(section, getattr(old, section), getattr(new, section), lambda value, step: step(value))
    for table in TABLES:
        before, after = getattr(old, table), getattr(new, table)
        for name in sorted(before.keys() | after.keys()):
            key = f"{table}.{name}"
            if name not in after:
                yield key, _without(name)
            elif name not in before:
                yield key, _with(name, after[name])
            else:
                yield from _section(key, before[name], after[name], _inside(name))


def _section(
    key: str, before: BaseModel, after: BaseModel, within: Callable[[Any, Step], Any]
) -> Iterator[tuple[str, Step]]:
    for name in type(before).model_fields:
        value = getattr(after, name)
        if value != getattr(before, name):
            yield f"{key}.{name}", _changed(name, value, within)


def _without(gone: str) -> Step:
    return lambda entries: {name: entry for name, entry in entries.items() if name != gone}


def _with(name: str, entry: BaseModel) -> Step:
    return lambda entries: {**entries, name: entry}


def _changed(name: str, value: Any, within: Callable[[Any, Step], Any]) -> Step:
    return lambda whole: within(whole, lambda section: section.model_copy(update={name: value}))


def _inside(entry: str) -> Callable[[Any, Step], Any]:
    return lambda entries, step: {**entries, entry: step(entries[entry])}
