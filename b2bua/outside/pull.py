"""The pull of R1-07: asks a tenant's system for the data behind a sequence number, whatever state that system is in.

The call never waits longer than the connection's time limit.
"""

import ssl
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from b2bua.outside.answer import Pulled, read_json, read_xmlrpc
from b2bua.outside.asking import Asker, Limits, PullFailed, Reason
from b2bua.outside.breaker import State
from b2bua.outside.names import Names
from b2bua.outside.question import BadUrl, Question, json_request, xmlrpc_request
from routing.directory import Connection

__all__ = ["Limits", "PullFailed", "Puller", "Reason"]

Observer = Callable[[str, str, float], None]
"Called after each pull with access ID, outcome word (`ok` or a Reason) and seconds it took."


class Puller:
    """Asks over the pool of an `Asker`, which it opens and closes: an async context manager, used by every call."""

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        names: Names | None = None,
        clock: Callable[[], float] = time.monotonic,
        observe: Observer | None = None,
    ) -> None:
        self.asker = Asker(limits, tls=tls, names=names, clock=clock)
        self._observe = observe

    @property
    def limits(self) -> Limits:
        return self.asker.limits

    async def __aenter__(self) -> Self:
        await self.asker.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.asker.__aexit__(kind, fault, trace)

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
        began = self.asker.clock()
        outcome = "cancelled"
        try:
            pulled = await self._ask(connection, question, limit)
            outcome = "ok"
            return pulled
        except PullFailed as e:
            outcome = e.reason.value
            raise
        finally:
            if self._observe:
                self._observe(access_id, outcome, self.asker.clock() - began)

    def breakers(self) -> dict[str, State]:
        """State of every breaker by access ID, or another system's key, for the metrics and the API."""
        return self.asker.breakers()

    async def _ask(self, connection: Connection, question: Question, limit: float) -> Pulled:
        xmlrpc = connection.kind == "xmlrpc"
        try:
            request = (xmlrpc_request if xmlrpc else json_request)(connection.url, connection.secret, question)
        except BadUrl as e:
            raise PullFailed(Reason.REFUSED, f"URL {e}") from None
        return await self.asker.ask(question.access_id, request, read_xmlrpc if xmlrpc else read_json, limit)
