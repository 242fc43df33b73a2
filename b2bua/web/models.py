"""Values that several end points take or give, with the limits of each text."""

import asyncio
from collections.abc import Callable, Iterator
from math import isfinite
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from starlette.responses import Response

from b2bua.web.problems import of_validation

M = TypeVar("M", bound=BaseModel)

MAX_DEPTH = 12
"Lists and objects inside each other in business data."
MAX_VALUES = 1000
MOST_UNKNOWN = 5
"Unknown members of an object that are named one by one."
MAX_DATA = 16 * 1024
"Characters of all names and texts in the business data of one token."

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
Digits = Annotated[str, Field(pattern=r"^[0-9]{1,20}$")]
Extension = Annotated[str, Field(pattern=r"^[0-9A-Za-z+*#._-]{1,32}$")]
Number = Annotated[str, Field(pattern=r"^[0-9A-Za-z+*#._-]{1,64}$")]
"A caller's number as it goes into a SIP user part and a database."
Label = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]{1,100}$")]
"A name for people."
Page = Annotated[int, Field(ge=1, le=200, description="Entries of one page.")]
Epoch = Annotated[float, Field(description="Seconds since 1970-01-01 UTC.", examples=[1735689600.0])]


def plain(data: dict[str, Any]) -> dict[str, Any]:
    """The data itself when the database, the events and a screen can carry it; ValueError says why not."""
    size = 0
    for values, (depth, value) in enumerate(_walk(data)):
        if depth > MAX_DEPTH:
            raise ValueError(f"is nested deeper than {MAX_DEPTH}")
        if isinstance(value, str):
            size += len(value)
            if "\x00" in value or (not value.isprintable() and not _is_text(value)):
                raise ValueError("has a text with a NUL or half a character in it")
        elif isinstance(value, float) and not isfinite(value):
            raise ValueError("has a number that is not finite")
        if values > MAX_VALUES or size > MAX_DATA:
            raise ValueError(f"has more than {MAX_VALUES} values or {MAX_DATA} characters")
    return data


def _walk(value: Any) -> Iterator[tuple[int, Any]]:
    """Every name and value inside, with its depth; without recursion, as the depth is not ours."""
    waiting = [(0, value)]
    while waiting:
        depth, value = waiting.pop()
        yield depth, value
        if isinstance(value, dict):
            for name, member in value.items():
                yield depth, name
                waiting.append((depth + 1, member))
        elif isinstance(value, list):
            waiting.extend((depth + 1, member) for member in value)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


Data = Annotated[
    dict[str, Any],
    AfterValidator(plain),
    Field(description="Business data for the agent's screen.", examples=[{"order": "A-1007", "vip": True}]),
]


class In(BaseModel):
    """A request body: an unknown member is a mistake, most likely a misspelt one."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _mostly_known(cls, data: Any) -> Any:
        # each unknown member is an error of its own, and 64 KiB of them held up all calls for a tenth of a second
        if isinstance(data, dict) and len(data) > len(cls.model_fields) + MOST_UNKNOWN:
            raise ValueError(f"has members that it does not know; it knows: {', '.join(cls.model_fields)}")
        return data


class Out(BaseModel):
    """An answer, made from one of our own values."""

    model_config = ConfigDict(from_attributes=True)


async def made_aside(make: Callable[[], Out]) -> Response:
    """A long answer, made and written on a thread: a thousand rows are 20 ms, and the loop carries the calls."""
    text = await asyncio.to_thread(lambda: make().model_dump_json())
    return Response(text, media_type="application/json")


def merged(kind: TypeAdapter[M], current: dict[str, Any], change: dict[str, Any]) -> M:
    """A JSON merge patch (RFC 7396) on what is kept: objects are merged, null clears, everything else replaces.

    Raises Problem 422 with all mistakes of the result.
    """
    try:
        return kind.validate_python(merge(current, change))
    except ValidationError as error:
        raise of_validation(error.errors()) from None


def merge(current: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The fields after a merge patch; null stays as null."""
    result = dict(current)
    for name, value in change.items():
        before = result.get(name)
        # no deeper than what is kept: the depth of the change is not ours
        result[name] = merge(before, value) if isinstance(value, dict) and isinstance(before, dict) else value
    return result
