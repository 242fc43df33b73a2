"""Cells of a CSV file: what the text of one cell means in a field of this type, and a value as cells again.

Several values stand in one cell with `|` between them, names with values as `gas=3|water=1`; a goal is `queue repairs`.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from routing.goal import Goal

BETWEEN = "|"


class BadCell(ValueError):
    """A text that cannot be read; the message says why."""


def columns(type_: type[Any], prefix: str = "") -> dict[str, Any]:
    """The columns a kind can have and the types behind them; fields of a single inner value as `goal.kind`."""
    found: dict[str, Any] = {}
    hints = get_type_hints(type_)
    for one in fields(type_):
        hint = _bare(hints[one.name])
        found[prefix + one.name] = hint
        if isinstance(hint, type) and is_dataclass(hint):
            found |= columns(hint, f"{prefix}{one.name}.")
    return found


def cell(hint: Any, text: str) -> Any:
    """The value of a cell as JSON has it; None for an empty one. Numbers stay text: the server reads and checks them.

    Raises BadCell.
    """
    if not text:
        return None
    if hint is Goal:
        kind, _, target = text.partition(" ")
        return {"kind": kind, "target": target.strip()}
    if isinstance(hint, type) and is_dataclass(hint):
        raise BadCell("does not fit into one cell: give its fields columns of their own")
    origin, inner = get_origin(hint), get_args(hint)
    if origin is tuple or origin is frozenset:
        if _is_table(inner[0]):
            raise BadCell("does not fit into a cell: use TOML")
        return [cell(inner[0], part.strip()) for part in text.split(BETWEEN) if part.strip()]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _pairs(inner[1], text)
    return text


def _pairs(hint: Any, text: str) -> dict[str, Any]:
    if _is_table(hint):
        raise BadCell("does not fit into a cell: use TOML")
    found: dict[str, Any] = {}
    for part in filter(None, (part.strip() for part in text.split(BETWEEN))):
        name, sign, value = part.partition("=")
        if not sign:
            raise BadCell(f"{part!r} is no pair like name=value")
        if get_origin(hint) is tuple:
            found[name.strip()] = [one.strip() for one in value.split(",") if one.strip()]
        else:
            found[name.strip()] = value.strip()
    return found


def as_cell(value: Any) -> str:
    """A value of the API as the text of one cell. Raises BadCell for one that no cell can hold."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        if value.keys() == {"kind", "target"}:
            return f"{value['kind']} {value['target']}".strip()
        return BETWEEN.join(f"{name}={_simple(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return BETWEEN.join(_one(inner) for inner in value)
    return str(value)


def _simple(value: Any) -> str:
    return ",".join(_one(inner) for inner in value) if isinstance(value, list) else _one(value)


def _one(value: Any) -> str:
    if isinstance(value, Mapping) and value.keys() != {"kind", "target"}:
        raise BadCell("does not fit into a cell: export it as TOML")
    text = as_cell(value)
    if BETWEEN in text:
        raise BadCell(f"{text!r} has a {BETWEEN} in it: export it as TOML")
    return text


def _bare(hint: Any) -> Any:
    """The type without `| None`."""
    if get_origin(hint) in (Union, UnionType):
        left = [one for one in get_args(hint) if one is not NoneType]
        return left[0] if len(left) == 1 else hint
    return hint


def _is_table(hint: Any) -> bool:
    some = get_args(_bare(hint)) or (_bare(hint),)
    return any(isinstance(one, type) and is_dataclass(one) and one is not Goal for one in some)
