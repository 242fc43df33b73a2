"""Values of the plan as JSON and back: unknown fields are mistakes, secrets are kept but never shown."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time
from enum import Enum
from functools import cache, lru_cache
from typing import Any, get_args, get_type_hints
from urllib.parse import urlsplit

from pydantic import ConfigDict, TypeAdapter, ValidationError

from b2bua.jsontext import decode
from b2bua.log import logger
from b2bua.storage.plan_unions import of_meant_kind
from routing.plan import KINDS, Kind

log = logger("tandem.storage")

HIDDEN = "***"
"Stands for a secret wherever values are shown; sent back, it means the secret that is kept."

REMEMBERED = 50_000
"Rows of the plan whose values are kept: after a change only the changed ones are read again."

_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
"Control characters but tab and line break, and halves of characters."
DEEPEST = 16
"Lists and objects inside each other."

_STRICT = ConfigDict(extra="forbid", allow_inf_nan=False, str_max_length=64 * 1024)


@cache
def adapter(kind: Kind) -> TypeAdapter[Any]:
    """Reads and describes values of a kind; unknown fields are refused at every depth."""
    _prepare(kind.type, set())
    return TypeAdapter(kind.type)


def _prepare(type_: Any, seen: set[type]) -> None:
    if isinstance(type_, type) and is_dataclass(type_) and type_ not in seen:
        seen.add(type_)
        # plain dataclasses take their configuration from this attribute only
        setattr(type_, "__pydantic_config__", _STRICT)  # noqa: B010 - mypy knows no such attribute
        for inner in get_type_hints(type_).values():
            _prepare(inner, seen)
    for inner in get_args(type_):
        _prepare(inner, seen)


class BadValue(ValueError):
    """Data that is no value of its kind. `errors`: mistakes as pydantic lists them, with `loc`, `type` and `msg`."""

    def __init__(self, errors: Sequence[Mapping[str, Any]]) -> None:
        self.errors = list(errors)
        super().__init__("; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in self.errors))


_WORDS = {
    "unexpected_keyword_argument": "there is no such field",
    "missing": "is missing",
    "dataclass_type": "must be a table of fields",
    "dict_type": "must be a table",
    "tuple_type": "must be a list",
    "string_type": "must be text",
}
"What pydantic says in the words of a programmer, by type of mistake."


def read(kind: Kind, data: Mapping[str, Any]) -> Any:
    """The value these fields make. Raises BadValue."""
    if bad := list(_unfit(data, ())):
        raise BadValue([{"loc": loc, "type": "unfit", "msg": message} for loc, message in bad])
    try:
        return adapter(kind).validate_python(dict(data))
    except ValidationError as error:
        found = of_meant_kind(error.errors(include_url=False, include_context=False, include_input=False))
        raise BadValue([{**one, "msg": _WORDS.get(one["type"], one["msg"])} for one in found]) from None


def _unfit(value: Any, loc: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What no field may hold: events, databases and screens must be able to carry it."""
    if len(loc) > DEEPEST:
        yield loc[:1], f"is nested deeper than {DEEPEST}"
    elif isinstance(value, str):
        if _UNFIT.search(value):
            yield loc, "has a character in it that cannot be shown"
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _unfit(name, loc)
            yield from _unfit(inner, (*loc, str(name)))
    elif isinstance(value, list | tuple):
        for at, inner in enumerate(value):
            yield from _unfit(inner, (*loc, at))


@lru_cache(maxsize=REMEMBERED)
def of_row(word: str, key: str, body: str) -> Any | None:
    """The value of a row; None (and a line in the log) for one that this program cannot read."""
    if (kind := KINDS.get(word)) is None:
        return None
    try:
        return read(kind, decode(body))
    except BadValue as error:
        log.error(
            "a row of the plan cannot be read and is left out", kind=word, key=key, error=str(error), do="mend it"
        )
        return None


def plain(value: Any, *, secrets: bool = False) -> Any:
    """A value as JSON has it; without `secrets` a secret that is set becomes `***`."""
    if is_dataclass(value):
        return {
            one.name: plain(getattr(value, one.name), secrets=secrets)
            if one.repr or secrets or not getattr(value, one.name)
            else HIDDEN
            for one in fields(value)
        }
    if isinstance(value, Mapping):
        return {str(name): plain(inner, secrets=secrets) for name, inner in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(plain(inner, secrets=secrets) for inner in value)
    if isinstance(value, list | tuple):
        return [plain(inner, secrets=secrets) for inner in value]
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, date | datetime | time) else value


class SecretNeeded(ValueError):
    """A secret must be named again; `field` is its path."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def with_kept_secrets(data: Mapping[str, Any], type_: type[Any], old: Any, path: str = "") -> dict[str, Any]:
    """The data with secrets that were left out, or shown as `***`, taken from the value it replaces (None: new).

    Raises SecretNeeded where there is none, or where a `url` beside it leads to another host: else whoever may change
    the URL could have the secret sent to himself.
    """
    made = dict(data)
    for one in fields(type_):
        kept, here = getattr(old, one.name, None), f"{path}.{one.name}" if path else one.name
        if one.repr:
            inner = made.get(one.name)
            if isinstance(inner, dict) and (nested := _dataclass_of(type_, one.name, kept)) is not None:
                made[one.name] = with_kept_secrets(inner, nested, kept, here)
        elif made.get(one.name, HIDDEN) == HIDDEN:
            if kept and _elsewhere(made, old):
                raise SecretNeeded(here, "must be named again when the URL leads to another host")
            if not kept and one.name in made:
                raise SecretNeeded(here, f"{HIDDEN} stands for a secret that is kept, and there is none")
            made.pop(one.name, None)
            if kept:
                made[one.name] = kept
    return made


def _dataclass_of(type_: type[Any], name: str, kept: Any) -> type[Any] | None:
    """The dataclass that a field holds: that of the value it has, else the only one its type names."""
    if is_dataclass(kept) and not isinstance(kept, type):
        return type(kept)
    hint = get_type_hints(type_)[name]
    found = [one for one in (hint, *get_args(hint)) if isinstance(one, type) and is_dataclass(one)]
    return found[0] if len(found) == 1 else None


def _elsewhere(data: Mapping[str, Any], old: Any) -> bool:
    before, after = getattr(old, "url", None), data.get("url")
    return isinstance(before, str) and isinstance(after, str) and urlsplit(before)[:2] != urlsplit(after)[:2]
