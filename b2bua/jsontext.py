"""JSON as the tables, the spool and the event lines keep it: one line of pure ASCII, whatever text a peer sends."""

import json
import math
from collections.abc import Mapping
from typing import Any

_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False, allow_nan=False).encode


def encode(value: Any) -> str:
    """One line of JSON. What JSON has no form for is written as its text, and what is no number as null."""
    try:
        return _encode(value)
    except (TypeError, ValueError):
        return _encode(_plain(value))


def decode(text: str | None) -> Any:
    """The value; None stays None."""
    return None if text is None else json.loads(text)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in value]
    return str(value)
