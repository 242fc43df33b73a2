"""What a tenant's system says back: bytes nobody trusts, read into one small value or refused.

Both readers are linear in their input, capped in depth and number of elements, and raise nothing but their own errors.
"""

import base64
import json
import xmlrpc.client
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import Any, NoReturn

from defusedxml.xmlrpc import DefusedExpatParser

MAX_DEPTH = 12
"Lists and structs inside each other; XML elements may nest four times as deep, as XML-RPC spends 3-4 per level."
MAX_ELEMENTS = 2000
"XML elements or JSON values of one answer, which bounds the time its reading takes on the loop."
MAX_COMMAS = 10 * MAX_ELEMENTS
"In a JSON text, those inside of its texts too: what has more is not even read, for the reader would hold up all calls."
MAX_CALLER, MAX_EXTENSION = 64, 32


class Garbage(ValueError):
    """The answer cannot be read as what was asked for."""


class Fault(Exception):
    """The other side's own refusal, an XML-RPC fault."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """The data behind a sequence number, as the tenant's system keeps it (R1-07)."""

    caller: str | None = None
    "The real caller's number: the effective caller."
    extension: str | None = None
    "The agent this caller asked for, where the system says so."
    data: Mapping[str, Any] = field(default_factory=dict)
    "Business data for the screen, JSON values only."


def read_json(body: bytes) -> Pulled:
    """Read a JSON answer; Garbage when it is none or has another shape."""
    return shape(json_value(body))


def json_value(body: bytes) -> Any:
    """The value of a JSON text; Garbage when it is none."""
    if body.count(b",") > MAX_COMMAS:
        raise Garbage(f"more than {MAX_COMMAS} commas")
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as e:
        raise Garbage(f"no JSON: {e.__class__.__name__}") from None


def read_xmlrpc(body: bytes) -> Pulled:
    """Read an XML-RPC method response; Fault when it is one, Garbage when it is none or has another shape."""
    return shape(xmlrpc_value(body))


def xmlrpc_value(body: bytes) -> Any:
    """The one value of an XML-RPC method response; Fault when it is one, Garbage when it is none."""
    target = _CappedUnmarshaller(use_builtin_types=True)
    parser = DefusedExpatParser(target, forbid_dtd=True)
    parser._parser.buffer_text = (
        True  # else each line break is a call of its own: 1 MiB of them held the loop for 0.3 s
    )
    try:
        parser.feed(body)
        parser.close()
        values = target.close()
    except xmlrpc.client.Fault as e:
        # its text is the other side's and may be anything: never repeated
        raise Fault(f"fault {e.faultCode}" if isinstance(e.faultCode, int) else "fault") from None
    except Exception as e:  # the unmarshaller trusts its input: any error it can run into is the input's
        raise Garbage(f"no XML-RPC answer: {e.__class__.__name__}") from None
    if len(values) != 1:
        raise Garbage("not exactly one value")
    return values[0]


def plain(value: Any) -> Any:
    """A copy with JSON types only, fit for the database, the events and a screen; Garbage when there is none."""
    return _Plain().copy(value)


def shape(value: object) -> Pulled:
    """A decoded answer as a value: `caller`, `extension`, `data`, each may be absent; other members are ignored."""
    if not isinstance(value, dict):
        raise Garbage("not an object")
    caller = _text(value, "caller", MAX_CALLER)
    extension = _text(value, "extension", MAX_EXTENSION)
    data = value.get("data")
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise Garbage("`data` is not an object")
    return Pulled(caller, extension, _Plain().copy(data))


def _text(value: dict[str, Any], name: str, longest: int) -> str | None:
    text = value.get(name)
    if isinstance(text, int) and not isinstance(text, bool):
        text = str(text)  # many systems keep a phone number as a number
    if text is None or text == "":
        return None
    if not isinstance(text, str) or len(text) > longest or not text.isprintable():
        raise Garbage(f"`{name}` is not a text of at most {longest} characters")
    return text


class _Plain:
    """Copies a value with JSON types only, so that it can go into the database, the events and the screen as it is."""

    def __init__(self) -> None:
        self._left = MAX_ELEMENTS

    def copy(self, value: Any, depth: int = 1) -> Any:
        self._left -= 1
        if depth > MAX_DEPTH or self._left < 0:
            raise Garbage(f"nested deeper than {MAX_DEPTH} or more than {MAX_ELEMENTS} values")
        match value:
            case None | bool() | int():
                return value
            case float():
                if not isfinite(value):
                    raise Garbage("not a finite number")
                return value
            case str():
                return _clean(value)
            case dict():
                return {_clean(str(name)): self.copy(member, depth + 1) for name, member in value.items()}
            case list() | tuple():
                return [self.copy(member, depth + 1) for member in value]
            case bytes():
                return base64.b64encode(value).decode("ascii")
            case datetime():
                return value.isoformat()
        raise Garbage(f"a value of type {type(value).__name__}")


def _clean(text: str) -> str:
    # PostgreSQL keeps no NUL, and a lone surrogate cannot be written as UTF-8
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


class _CappedUnmarshaller(xmlrpc.client.Unmarshaller):
    def __init__(self, use_builtin_types: bool) -> None:
        super().__init__(use_builtin_types=use_builtin_types)
        self._depth = self._elements = 0

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > 4 * MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise Garbage("too many elements")
        super().start(tag, attrs)

    def end(self, tag: str) -> None:
        self._depth -= 1
        super().end(tag)
