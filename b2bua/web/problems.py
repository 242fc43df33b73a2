"""Errors of the API as problem details (RFC 9457): one class, and how everybody else's errors become one."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from b2bua.calls.view import CannotStart
from b2bua.storage import Conflict, Duplicate, NotFound, NumberSpaceFull, StorageUnavailable

MEDIA_TYPE = "application/problem+json"
MOST_ERRORS = 100
"Mistakes listed in one answer."
RETRY_AFTER = "2"
"Seconds a client should wait while the database is away."


class Mistake(BaseModel):
    """One thing that is wrong."""

    field: str = Field(description="Where: a path such as `connection.url`, empty for the whole.")
    message: str
    entity: str = Field(default="", description="What it is in, where that is not what was sent.")


class ProblemOut(BaseModel):
    """Problem details (RFC 9457)."""

    type: str = Field(examples=["urn:tandem:problem:conflict"])
    title: str = Field(examples=["Conflict"])
    status: int = Field(examples=[409])
    detail: str = Field(examples=["access ID 700 of tenant b begins access ID 7001 of tenant a"])
    errors: list[Mistake] = Field(default=[], description="All mistakes at once, where there are several.")


class Problem(Exception):
    """An answer that is not what was asked for. `kind` is the last part of its type URN."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail = status, kind, detail
        self.errors, self.headers = errors, dict(headers or {})

    def response(self) -> Response:
        """It as an HTTP response."""
        content: dict[str, Any] = {
            "type": f"urn:tandem:problem:{self.kind}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            content["errors"] = list(self.errors[:MOST_ERRORS])
        return Response(json.dumps(content).encode(), self.status, self.headers, MEDIA_TYPE)


def not_found(what: str, key: str) -> Problem:
    """404 in the words used everywhere."""
    return Problem(404, "not-found", f"there is no {what} {key}")


def invalid(errors: Sequence[tuple[str, str]]) -> Problem:
    """422 with all mistakes at once."""
    detail = "; ".join(f"{field}: {message}" if field else message for field, message in errors[:MOST_ERRORS])
    return Problem(422, "invalid", detail, errors=[{"field": field, "message": message} for field, message in errors])


def of_storage(error: Exception) -> Problem:
    """The answer for what the storage says."""
    match error:
        case StorageUnavailable():
            # its text may name hosts and files: that is for the log, not for a client
            return Problem(
                503, "storage-unavailable", "the database does not answer now", headers={"Retry-After": RETRY_AFTER}
            )
        case NumberSpaceFull():
            return Problem(409, "number-space-full", str(error))
        case Duplicate():
            return Problem(409, "duplicate", str(error))
        case NotFound():
            return Problem(404, "not-found", str(error))
        case Conflict():
            errors = [{"field": one.field, "message": one.message, "entity": one.entity} for one in error.problems]
            return Problem(409, "conflict", str(error), errors=errors)
    return Problem(500, "fault", "the server failed to do this; it is in its log")


def of_validation(found: Sequence[Any]) -> Problem:
    """The answer for what pydantic says, in words that do not depend on it."""
    return invalid([(_field(mistake["loc"]), _sentence(mistake)) for mistake in found[:MOST_ERRORS]])


def of_http(error: HTTPException, scope: Scope) -> Problem:
    """The answer for the framework's own refusals: no such path, another method, an unreadable body."""
    kinds = {404: "not-found", 405: "method-not-allowed", 413: "too-large", 400: "unreadable", 408: "too-slow"}
    details = {
        404: "there is nothing at this path",
        405: "this path does not know this method",
        400: "the body is not JSON that can be read",
    }
    headers = {"Allow": _allowed(scope)} if error.status_code == 405 else error.headers
    return Problem(
        error.status_code,
        kinds.get(error.status_code, "refused"),
        details.get(error.status_code, str(error.detail)),
        headers=headers,
    )


def _allowed(scope: Scope) -> str:
    """Every method that this path knows; the framework names those of the first end point only (RFC 9110, 15.5.6)."""
    path = getattr(scope.get("route"), "path", "")
    return ", ".join(sorted(scope["app"].state.methods.get(path, ())))


_PLACES = frozenset({"body", "query", "path", "header"})


def _field(loc: Sequence[str | int]) -> str:
    # the first step says only whether it was in the body, the path or the query
    steps = [step for step in loc[1:] if isinstance(step, str) or len(loc) > 2] if loc and loc[0] in _PLACES else loc
    return ".".join(str(step) for step in steps)


def _sentence(mistake: Mapping[str, Any]) -> str:
    if mistake["type"] == "json_invalid":
        return "is not JSON"
    message = str(mistake["msg"]).removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def install(app: FastAPI) -> None:
    """Turn every error that leaves a handler into problem details."""

    async def problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return error.response()

    async def storage(request: Request, error: Exception) -> Response:
        return of_storage(error).response()

    async def validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return of_validation(error.errors()).response()

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return of_http(error, request.scope).response()

    async def start(request: Request, error: Exception) -> Response:
        assert isinstance(error, CannotStart)
        if error.busy:
            return Problem(503, "busy", str(error), headers={"Retry-After": RETRY_AFTER}).response()
        return Problem(409, "cannot-start", str(error)).response()

    app.add_exception_handler(Problem, problem)
    for kind in (StorageUnavailable, NumberSpaceFull, Duplicate, NotFound, Conflict):
        app.add_exception_handler(kind, storage)
    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(CannotStart, start)
