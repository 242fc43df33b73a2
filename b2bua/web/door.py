"""The outermost layer: what a request must pass before anything reads it, and what no fault gets past.

Asks for the key before the body is read, limits the body in size and time, counts every answer, and turns a fault of
ours into a 500 that says nothing about us.
"""

import asyncio
import re
import time
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from b2bua.log import logger
from b2bua.storage import StorageUnavailable
from b2bua.web.desk import Desk, address_of
from b2bua.web.pages import PATHS
from b2bua.web.problems import Problem, of_storage

BULK = frozenset({"/v1/tokens/bulk", "/v1/plan"})
"Paths whose body may be as large as the configuration says."
BULK_CONTACTS = re.compile(r"/v1/campaigns/[^/]+/contacts")
"As well."
UPLOADS = re.compile(r"/v1/campaigns/[^/]+/batches/[^/]+|/v1/do-not-call/[^/]+")
"Paths that a file is PUT to."
PUBLIC = frozenset({"/healthz", "/readyz", "/metrics", "/v1/openapi.json", *PATHS})
"Paths that need no key, or have a rule of their own."

log = logger("tandem.web")

_HEADERS = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]


class Door:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self.app, self.desk = app, desk
        self.metrics, self.limits = desk.node.metrics, desk.limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._contained(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message.setdefault("headers", []).extend(_HEADERS)
            await send(message)

        try:
            await self._authenticated(scope, receive, answer)
        except Exception as error:
            self._fault(scope, error)
            if not status:
                problem = Problem(500, "fault", "the server failed to do this; it is in its log")
                await problem.response()(scope, receive, answer)
        finally:
            self._count(scope, status, time.perf_counter() - began)

    async def _authenticated(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] not in PUBLIC:
            request = Request(scope)
            try:
                scope["caller"] = await self.desk.keyring.caller(
                    request.headers.get("authorization"), address_of(request)
                )
            except Problem as problem:
                await problem.response()(scope, receive, send)
                return
            except StorageUnavailable as error:
                await of_storage(error).response()(scope, receive, send)
                return
        await self.app(scope, self._limited(scope, receive), send)

    async def _contained(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            self._fault(scope, error)

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        loop = asyncio.get_running_loop()
        path, within, whole, got = scope["path"], self.limits.body_within, False, 0
        commas = self.limits.commas if path == "/v1/tokens/bulk" or BULK_CONTACTS.fullmatch(path) else None
        most = self.desk.settings.api.max_body
        if scope["method"] == "PUT" and UPLOADS.fullmatch(path):
            most, within = self.limits.upload, self.limits.upload_within
        elif path not in BULK and not BULK_CONTACTS.fullmatch(path):
            most = min(most, self.limits.small_body)
        until = loop.time() + within

        async def limited() -> Message:
            nonlocal got, whole, commas
            if whole:
                return await receive()
            if got == 0 and _length(scope) > most:
                raise _too_large(most)
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, "the body did not come in time", {"Connection": "close"}) from None
            if message["type"] == "http.request":
                got += len(message.get("body", b""))
                whole = not message.get("more_body", False)
                if got > most:
                    raise _too_large(most)
                if commas is not None and (commas := commas - message.get("body", b"").count(b",")) < 0:
                    raise HTTPException(
                        413, f"the body has more than {self.limits.commas} commas", {"Connection": "close"}
                    )
            return message

        return limited

    def _fault(self, scope: Scope, error: Exception) -> None:
        self.metrics.faults.inc("web")
        log.error("a request failed by our own fault", path=scope["path"], exc_info=error, do="report it")

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route = scope.get("route")
        path = getattr(route, "path", "none")
        self.metrics.api.inc(_method(scope["method"]), path, str(status))
        log.debug("request", method=scope["method"], route=path, status=status, ms=round(seconds * 1000, 2))


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _method(method: str) -> str:
    # a client invents methods as it likes, and each would be a time series
    return method if method in _METHODS else "other"


def _length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


def _too_large(most: int) -> HTTPException:
    headers: dict[str, Any] = {"Connection": "close"}
    return HTTPException(413, f"the body is larger than {most} bytes", headers)
