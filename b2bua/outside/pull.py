"""The pull of R1-07: asks a tenant's system for the data behind a sequence number, whatever state that system is in.

The call never waits longer than the connection's time limit: connecting, TLS, a slow answer and one that drips byte by
byte all run against the same deadline.
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Self

from b2bua.outside.answer import Fault, Garbage, Pulled, read_json, read_xmlrpc
from b2bua.outside.breaker import Breaker, State
from b2bua.outside.lane import Lane, LaneFull
from b2bua.outside.names import Names
from b2bua.outside.question import BadUrl, Question, Request, json_request, xmlrpc_request
from b2bua.outside.wire import NoConnection, NoRoom, NotHttp, TooLarge, Wires
from routing.directory import Connection


class Reason(StrEnum):
    """Why a pull brought nothing: the word for the CDR, the log and the metric."""

    TIMEOUT = "timeout"
    REFUSED = "refused"
    "No connection, or it broke, or its certificate is not valid."
    STATUS = "status"
    "An HTTP status other than 200 (redirects are not followed), or an XML-RPC fault."
    GARBAGE = "garbage"
    TOO_LARGE = "too-large"
    BREAKER_OPEN = "breaker-open"
    BUSY = "busy"
    "All places of this tenant are taken."


class PullFailed(Exception):
    """Nothing came back that can be used; `reason` says why, `status` is the HTTP status where there was one."""

    def __init__(self, reason: Reason, detail: str = "", status: int | None = None) -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason, self.detail, self.status = reason, detail, status

    @property
    def blames_the_system(self) -> bool:
        """Whether it counts against the system in its breaker; a quick refusal (404 for an unknown number) does not."""
        match self.reason:
            case Reason.TIMEOUT | Reason.REFUSED | Reason.GARBAGE | Reason.TOO_LARGE:
                return True
            case Reason.STATUS:
                return self.status is not None and (self.status >= 500 or self.status in (408, 429))
            case _:
                return False


Observer = Callable[[str, str, float], None]
"Called after each pull with access ID, outcome word (`ok` or a Reason) and seconds it took."


@dataclass(frozen=True, slots=True)
class Limits:
    """What one tenant's system may cost us."""

    max_bytes: int = 64 * 1024
    "Largest answer body."
    places: int = 16
    "Questions to one tenant's system at the same time."
    waiting: int = 64
    "Questions that may wait for a place, at most half of their time limit."
    connections: int = 256
    "Connections of all tenants together."
    failures: int = 5
    "Failures in a row that open a tenant's breaker."
    rest: float = 10.0
    "Seconds an open breaker rests before a probe."


class Puller:
    """One shared pool of connections to all tenants' systems; an async context manager, used by every call."""

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        names: Names | None = None,
        clock: Callable[[], float] = time.monotonic,
        observe: Observer | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self._names = names or Names()
        self._clock, self._observe = clock, observe
        self._lanes: dict[str, Lane] = {}
        self._breakers: dict[str, Breaker] = {}
        self._wires = Wires(self._names, tls or ssl.create_default_context(), self.limits.connections)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wires.close()
        self._names.close()

    async def pull(
        self,
        connection: Connection,
        access_id: str,
        sequence: str,
        call_id: str,
        called: str,
        billing: str,
        within: float | None = None,
    ) -> Pulled:
        """The tenant's data for `sequence`. PullFailed after at most the connection's time limit, or `within` seconds.

        Cancelling it (the caller hung up) gives its place back and counts neither for nor against the system.
        """
        limit = connection.timeout_ms / 1000
        limit = limit if within is None else min(limit, within)
        question = Question(access_id, sequence, call_id, called, billing)
        began = self._clock()
        outcome = "cancelled"
        try:
            with self._breaker(access_id):
                pulled = await self._within(limit, connection, question)
            outcome = "ok"
            return pulled
        except PullFailed as e:
            outcome = e.reason.value
            raise
        finally:
            if self._observe:
                self._observe(access_id, outcome, self._clock() - began)

    def breakers(self) -> dict[str, State]:
        """State of every breaker by access ID, for the metrics and the API."""
        now = self._clock()
        return {access_id: breaker.state(now) for access_id, breaker in self._breakers.items()}

    @contextmanager
    def _breaker(self, access_id: str) -> Iterator[None]:
        breaker = self._breakers.get(access_id) or Breaker(self.limits.failures, self.limits.rest)
        self._breakers[access_id], may = breaker.ask(self._clock())
        if not may:
            raise PullFailed(Reason.BREAKER_OPEN)
        try:
            yield
        except PullFailed as e:
            breaker = self._breakers[access_id]
            if e.blames_the_system:
                self._breakers[access_id] = breaker.failed(self._clock())
            elif e.reason is Reason.BUSY:
                self._breakers[access_id] = breaker.abandoned()
            else:
                self._breakers[access_id] = breaker.answered()
            raise
        except BaseException:
            self._breakers[access_id] = self._breakers[access_id].abandoned()
            raise
        else:
            self._breakers[access_id] = self._breakers[access_id].answered()

    async def _within(self, limit: float, connection: Connection, question: Question) -> Pulled:
        lane = self._lanes.get(question.access_id)
        if lane is None:
            lane = self._lanes[question.access_id] = Lane(self.limits.places, self.limits.waiting)
        try:
            async with asyncio.timeout(limit), lane.place(limit / 2):
                return await self._ask(connection, question)
        except TimeoutError:
            raise PullFailed(Reason.TIMEOUT, f"no answer within {limit:g} s") from None
        except LaneFull:
            raise PullFailed(Reason.BUSY) from None

    async def _ask(self, connection: Connection, question: Question) -> Pulled:
        xmlrpc = connection.kind == "xmlrpc"
        try:
            request = (xmlrpc_request if xmlrpc else json_request)(connection.url, connection.secret, question)
        except BadUrl as e:
            raise PullFailed(Reason.REFUSED, f"URL {e}") from None
        body = await self._fetch(request)
        try:
            return read_xmlrpc(body) if xmlrpc else read_json(body)
        except Fault as e:
            raise PullFailed(Reason.STATUS, str(e)) from None
        except Garbage as e:
            raise PullFailed(Reason.GARBAGE, str(e)) from None

    async def _fetch(self, request: Request) -> bytes:
        try:
            answer = await self._wires.ask(request, self.limits.max_bytes)
        except NoConnection as e:
            raise PullFailed(Reason.REFUSED, str(e)) from None
        except NoRoom as e:
            raise PullFailed(Reason.BUSY, str(e)) from None
        except NotHttp as e:
            raise PullFailed(Reason.GARBAGE, f"no HTTP: {e}") from None
        except TooLarge as e:
            raise PullFailed(Reason.TOO_LARGE, str(e)) from None
        if answer.status != 200:
            raise PullFailed(Reason.STATUS, str(answer.status), answer.status)
        if any(name == b"content-encoding" and value.strip().lower() != b"identity" for name, value in answer.headers):
            raise PullFailed(Reason.GARBAGE, "an encoded answer, not asked for")
        return answer.body
