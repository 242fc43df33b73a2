"""Says in one plain sentence what pydantic found wrong with a value.  Never repeats a value that may be secret."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

SECRET_KEYS = frozenset({"url"})
"Keys whose values must not be printed."


def sentence(error: Mapping[str, Any], known: Iterable[str]) -> str:
    """`error` is one entry of `ValidationError.errors()`; `known` are the keys of the section it is in."""
    kind, limits = str(error["type"]), error.get("ctx", {})
    key = str(error["loc"][0]) if error["loc"] else ""
    given = "" if key in SECRET_KEYS else _given(error.get("input"))
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return f"is not a known key{nearest(key, known)}"
    if kind == "value_error":
        return str(limits.get("error", error["msg"]))
    if kind == "literal_error":
        return f"must be {limits['expected']}{given}"
    return f"{_RULES.get(kind, _plain)(limits, str(error['msg']))}{given}"


def nearest(word: str, known: Iterable[str]) -> str:
    """` (did you mean "port"?)`, or nothing where no known word is near."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f' (did you mean "{found[0]}"?)' if found else ""


def _given(value: Any) -> str:
    if isinstance(value, bool):
        return f", not {str(value).lower()}"
    if isinstance(value, str):
        return f', not "{value[:60]}"'
    return f", not {value}" if isinstance(value, int | float) else ""


def _plain(limits: Mapping[str, Any], message: str) -> str:
    return message[:1].lower() + message[1:]


_RULES: dict[str, Any] = {
    "int_parsing": lambda limits, _: "must be a whole number",
    "int_type": lambda limits, _: "must be a whole number",
    "int_from_float": lambda limits, _: "must be a whole number",
    "float_parsing": lambda limits, _: "must be a number",
    "float_type": lambda limits, _: "must be a number",
    "bool_parsing": lambda limits, _: "must be true or false",
    "bool_type": lambda limits, _: "must be true or false",
    "string_type": lambda limits, _: "must be text",
    "list_type": lambda limits, _: "must be a list",
    "path_type": lambda limits, _: "must be the name of a file",
    "greater_than_equal": lambda limits, _: f"must be at least {limits['ge']}",
    "greater_than": lambda limits, _: f"must be more than {limits['gt']}",
    "less_than_equal": lambda limits, _: f"must be at most {limits['le']}",
    "too_short": lambda limits, _: f"needs at least {limits['min_length']} entry",
    "model_type": lambda limits, _: "must be a table",
}
