"""A row of a batch as a contact: which column means what, and everything that is wrong with it. Pure.

Columns `number`, `number_2` ... `number_9` (each with `..._kind` and `..._zone`), `priority`, `zone`, `place`,
`next_at`, `agent`, `consent_at`, `consent_source`, `consent_proof`, `consent_until`; all others are the contact's
fields for the agent's screen. JSON may have `numbers` as a list and `fields` as an object instead.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from dialer.contact import PRIORITIES, Consent, PhoneNumber
from dialer.numbers import BadNumber, e164

MOST_NUMBERS = 9
MOST_FIELDS = 100
LONGEST_FIELDS = 16 * 1024
"Characters of all names and values of a contact's fields."

NUMBER_COLUMNS = ("number", *(f"number_{n}" for n in range(2, MOST_NUMBERS + 1)))
OWN_COLUMNS = frozenset(
    {"priority", "zone", "place", "next_at", "agent", "consent_at", "consent_source", "consent_proof", "consent_until"}
    | {f"{column}{part}" for column in NUMBER_COLUMNS for part in ("", "_kind", "_zone")}
    | {"numbers", "fields"}
)
"What has a meaning of its own."


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One thing wrong with a row."""

    row: int
    "1 is the first row of data."
    kind: str
    "`row` (cannot be read), `number` (bad number), `duplicate`, `listed` (do-not-call)."
    value: str
    "The number, or the cell, as it was written."
    message: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A row that has at least one number."""

    row: int
    numbers: tuple[PhoneNumber, ...]
    priority: int
    fields: Mapping[str, Any]
    zone: str
    place: str
    consent: Consent | None
    next_at: float
    agent: str


class BadCell(ValueError):
    """A cell that cannot be read; `args`: its text, what is wrong."""

    def __init__(self, value: object, message: str) -> None:
        super().__init__(message)
        self.value = str(value)[:100]


def prepare(
    row: int, data: Mapping[str, Any], *, region: str, priority: int = 5
) -> tuple[Prepared | None, list[RowProblem]]:
    """The contact of a row, None where it has no number or a cell is wrong, and all that is wrong with it.

    A bad number costs only itself where the contact has another; any other bad cell costs the row, because a contact
    called at a wrong time or without its consent is worse than one not called.
    """
    problems: list[RowProblem] = []

    def told(kind: str, error: BadCell) -> None:
        problems.append(RowProblem(row, kind, error.value, str(error)))

    numbers: dict[str, PhoneNumber] = {}
    made: dict[str, Any] = {}
    for name, reader in _readers(tuple(data)):
        try:
            made[name] = reader(data)
        except BadCell as error:
            told("row", error)
    try:
        for text, kind, zone in _numbers(data):
            try:
                number = e164(text, region)
            except BadNumber as error:
                told("number", BadCell(text, f"{text!r} {error}"))
                continue
            if number in numbers:
                told("duplicate", BadCell(text, f"{number} is in this row twice"))
            else:
                numbers[number] = PhoneNumber(number, kind, _zone(zone))
    except BadCell as error:
        told("row", error)
    if not numbers and not any(problem.kind in ("number", "row") for problem in problems):
        told("number", BadCell("", "has no number"))
    if not numbers or any(problem.kind == "row" for problem in problems):
        return None, problems
    given = made.get("priority")
    return Prepared(
        row,
        tuple(numbers.values()),
        priority if given is None else given,
        made["fields"],
        made.get("zone", ""),
        made.get("place", ""),
        made.get("consent"),
        made.get("next_at", 0.0),
        made.get("agent", ""),
    ), problems


def _numbers(data: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Number, kind and zone of each, as written."""
    listed = data.get("numbers")
    if isinstance(listed, str):
        listed = [part for part in listed.replace(";", ",").split(",") if part.strip()]
    if listed is not None:
        if not isinstance(listed, list) or len(listed) > MOST_NUMBERS:
            raise BadCell(listed, f"numbers must be a list of {MOST_NUMBERS} at most")
        for one in listed:
            if isinstance(one, str | int) and not isinstance(one, bool):
                yield str(one), "", ""
            elif isinstance(one, Mapping) and not set(one) - {"number", "kind", "zone"}:
                yield _text(one.get("number")), _text(one.get("kind")), _text(one.get("zone"))
            else:
                raise BadCell(one, "a number must be text, or an object of number, kind and zone")
    for column in _number_columns(tuple(data)):
        value = data.get(column)
        if value is not None and (text := _text(value).strip()):
            yield text, _text(data.get(f"{column}_kind")), _text(data.get(f"{column}_zone"))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadCell(value, f"{str(value)[:40]!r} is no text")
    if isinstance(value, float):
        # a spreadsheet's or database's way to write a number
        if not value.is_integer():
            raise BadCell(value, f"{value} is no number to dial")
        value = int(value)
    return str(value)


@lru_cache(maxsize=1000)
def _known(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, KeyError):
        return False
    return True


def _zone(text: str) -> str:
    text = text.strip()
    if text and not _known(text):
        raise BadCell(text, f"{text!r} is no time zone such as America/Chicago")
    return text


def _priority(data: Mapping[str, Any]) -> int | None:
    value = data.get("priority")
    text = "" if value is None else _text(value).strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or int(text) not in PRIORITIES:
        raise BadCell(text, f"priority must be {PRIORITIES[0]} to {PRIORITIES[-1]}, not {text!r}")
    return int(text)


def _time(data: Mapping[str, Any], name: str) -> float | None:
    value = data.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            found = float(value)
        else:
            text = str(value).strip()
            if text.replace(".", "", 1).isdigit():
                found = float(text)
            else:
                at = datetime.fromisoformat(text)
                if at.tzinfo is None:
                    raise BadCell(value, f"{name} {text!r} has no offset from UTC (write 2026-05-01T09:00+02:00)")
                found = at.timestamp()
    except (ValueError, OverflowError) as error:
        if isinstance(error, BadCell):
            raise
        raise BadCell(
            value, f"{name} {str(value)[:40]!r} is no time (ISO 8601 with an offset, or epoch seconds)"
        ) from None
    if not math.isfinite(found) or not 0 <= found < 1e11:
        raise BadCell(value, f"{name} {value!r} is no time")
    return found


def _consent(data: Mapping[str, Any]) -> Consent | None:
    if CONSENT.isdisjoint(data):
        return None
    at, until = _time(data, "consent_at"), _time(data, "consent_until")
    source, proof = _short(data, "consent_source"), _short(data, "consent_proof")
    if at is None:
        if source or proof or until is not None:
            raise BadCell(source or proof, "a consent needs consent_at, the time it was given")
        return None
    if not source:
        raise BadCell(at, "a consent needs consent_source, where it was given")
    return Consent(at, source, proof, until)


def _short(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    if value is None:
        return ""
    text = _text(value).strip()
    if len(text) > 200 or not text.isprintable():
        raise BadCell(text, f"{name} must be 200 printable characters at most")
    return text


def _fields(data: Mapping[str, Any]) -> Mapping[str, Any]:
    given = data.get("fields")
    if given is not None and not isinstance(given, Mapping):
        raise BadCell(given, "fields must be an object")
    made: dict[str, Any] = dict(given or {})
    for name in _field_columns(tuple(data)):
        if (value := data[name]) is not None and value != "":
            made[name] = value
    if len(made) > MOST_FIELDS:
        raise BadCell("", f"has more than {MOST_FIELDS} fields")
    size = 0
    for name, value in made.items():
        text = value if isinstance(value, str) else str(value)
        size += len(name) + len(text)
        if isinstance(value, float) and not math.isfinite(value):
            raise BadCell(value, f"{name} is not finite")
        if "\x00" in text or not _is_text(text) or not _is_text(name):
            raise BadCell(name, f"{name[:40]!r} has a character in it that cannot be kept")
    if size > LONGEST_FIELDS:
        raise BadCell("", f"has fields of more than {LONGEST_FIELDS} characters")
    return made


def _is_text(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


CONSENT = frozenset({"consent_at", "consent_until", "consent_source", "consent_proof"})

_CELLS: dict[str, Any] = {
    "priority": _priority,
    "fields": _fields,
    "zone": lambda data: _zone(_text(data.get("zone"))),
    "place": lambda data: _short(data, "place"),
    "consent": _consent,
    "next_at": lambda data: _time(data, "next_at") or 0.0,
    "agent": lambda data: _short(data, "agent"),
}
"Field of `Prepared` -> how it is read; each raises BadCell."
HEADINGS = 100
"Headings that are remembered: all rows of a file have one."


@lru_cache(maxsize=HEADINGS)
def _readers(columns: tuple[str, ...]) -> tuple[tuple[str, Any], ...]:
    """Those of `_CELLS` that a row with these columns has anything for."""
    there = {"consent" if column in CONSENT else column for column in columns} | {"fields"}
    return tuple((name, reader) for name, reader in _CELLS.items() if name in there)


@lru_cache(maxsize=HEADINGS)
def _number_columns(columns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in NUMBER_COLUMNS if name in columns)


@lru_cache(maxsize=HEADINGS)
def _field_columns(columns: tuple[str, ...]) -> tuple[str, ...]:
    """Those that are for the agent's screen."""
    return tuple(name for name in columns if name not in OWN_COLUMNS)
