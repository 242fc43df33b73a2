"""One question to one system outside: a deadline, a size cap, a breaker, a place in a lane, whatever that system does.

Connecting, TLS, a slow answer and one that drips byte by byte all run against the same deadline.
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Self, TypeVar

from b2bua.outside.answer import Fault, Garbage
from b2bua.outside.breaker import Breaker, State
from b2bua.outside.lane import Lane, LaneFull
from b2bua.outside.names import Names
from b2bua.outside.question import Request
from b2bua.outside.wire import NoConnection, NoRoom, NotHttp, TooLarge, Wires

T = TypeVar("T")


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


class Asker:
    """One shared pool of connections to all outside systems; an async context manager.

    A `key` names the system: what it costs and whether it works is kept for each key apart.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        names: Names | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits or Limits()
        self._names = names or Names()
        self.clock = clock
        self._lanes: dict[str, Lane] = {}
        self._breakers: dict[str, Breaker] = {}
        self._wires = Wires(self._names, tls or ssl.create_default_context(), self.limits.connections)

    async def __aenter__(self) -> Self:
        self._names.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wires.close()
        self._names.close()

    async def ask(
        self,
        key: str,
        request: Request,
        read: Callable[[bytes], T],
        within: float,
        *,
        max_bytes: int | None = None,
        statuses: frozenset[int] = frozenset({200}),
        hurried: bool = False,
    ) -> T:
        """What `read` makes of the answer's body. PullFailed after at most `within` seconds.

        `read` raises Garbage or Fault. Cancelling it (the caller hung up) gives its place back and counts neither for
        nor against the system; so does running out of time where it was `hurried` by others who were slow before it.
        """
        with self._breaker(key, hurried):
            body = await self._within(key, within, request, max_bytes or self.limits.max_bytes, statuses)
            try:
                return read(body)
            except Fault as e:
                raise PullFailed(Reason.STATUS, str(e)) from None
            except Garbage as e:
                raise PullFailed(Reason.GARBAGE, str(e)) from None

    def breakers(self) -> dict[str, State]:
        """State of every breaker by key, for the metrics and the API."""
        now = self.clock()
        return {key: breaker.state(now) for key, breaker in self._breakers.items()}

    @contextmanager
    def _breaker(self, key: str, hurried: bool) -> Iterator[None]:
        breaker = self._breakers.get(key) or Breaker(self.limits.failures, self.limits.rest)
        self._breakers[key], may = breaker.ask(self.clock())
        if not may:
            raise PullFailed(Reason.BREAKER_OPEN)
        try:
            yield
        except PullFailed as e:
            breaker = self._breakers[key]
            if e.reason is Reason.BUSY or (hurried and e.reason is Reason.TIMEOUT):
                self._breakers[key] = breaker.abandoned()
            elif e.blames_the_system:
                self._breakers[key] = breaker.failed(self.clock())
            else:
                self._breakers[key] = breaker.answered()
            raise
        except BaseException:
            self._breakers[key] = self._breakers[key].abandoned()
            raise
        else:
            self._breakers[key] = self._breakers[key].answered()

    async def _within(
        self, key: str, limit: float, request: Request, max_bytes: int, statuses: frozenset[int]
    ) -> bytes:
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(self.limits.places, self.limits.waiting)
        try:
            async with asyncio.timeout(limit), lane.place(limit / 2):
                return await self._fetch(request, max_bytes, statuses)
        except TimeoutError:
            raise PullFailed(Reason.TIMEOUT, f"no answer within {limit:g} s") from None
        except LaneFull:
            raise PullFailed(Reason.BUSY) from None

    async def _fetch(self, request: Request, max_bytes: int, statuses: frozenset[int]) -> bytes:
        try:
            answer = await self._wires.ask(request, max_bytes)
        except NoConnection as e:
            raise PullFailed(Reason.REFUSED, str(e)) from None
        except NoRoom as e:
            raise PullFailed(Reason.BUSY, str(e)) from None
        except NotHttp as e:
            raise PullFailed(Reason.GARBAGE, f"no HTTP: {e}") from None
        except TooLarge as e:
            raise PullFailed(Reason.TOO_LARGE, str(e)) from None
        if answer.status not in statuses:
            raise PullFailed(Reason.STATUS, str(answer.status), answer.status)
        if any(name == b"content-encoding" and value.strip().lower() != b"identity" for name, value in answer.headers):
            raise PullFailed(Reason.GARBAGE, "an encoded answer, not asked for")
        return answer.body
