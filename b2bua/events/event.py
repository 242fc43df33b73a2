"""One event record, and how it is written as a line of JSON (docs/events.md)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from b2bua.jsontext import encode

VERSION = 1
"Of the records. Names and types may be added to a version; where a meaning changes or a name goes, it is a new one."

Row = tuple[str, int, float, str | None, str, str]
"node, number, time, call, type, data as JSON: what is stored of an event."


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a call. (node, number) is unique for ever, and a node counts without gaps."""

    node: str
    number: int
    time: float
    "Epoch seconds."
    call: str | None
    type: str
    data: Mapping[str, Any]
    line: bytes = field(default=b"", repr=False, compare=False)
    "The record as JSON, without a newline: what listeners get."


def write(
    node: str, number: int, time: float, call: str | None, kind: str, data: Mapping[str, Any]
) -> tuple[Event, Row]:
    """A new event, and what is stored of it. The data is encoded once for both."""
    text = encode(data)
    return Event(node, number, time, call, kind, data, _line(node, number, time, call, kind, text)), (
        node,
        number,
        time,
        call,
        kind,
        text,
    )


def read(row: Row) -> Event:
    """A stored event; its line is byte for byte the one it had when it was new."""
    return Event(*row[:5], json.loads(row[5]), _line(*row))


def _line(node: str, number: int, time: float, call: str | None, kind: str, data: str) -> bytes:
    # Put together by hand: a third of the cost of encoding the whole record once more.
    return (
        f'{{"node":{quoted(node)},"number":{number},"time":{time!r},"call":{"null" if call is None else quoted(call)},'
        f'"type":{quoted(kind)},"data":{data}}}'
    ).encode()
