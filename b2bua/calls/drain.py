"""A node is taken out of service: no new calls, and those that live go on, for ever or for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from b2bua.calls.operation import DrainView
from b2bua.calls.session import HangUp
from b2bua.log import logger

if TYPE_CHECKING:
    from b2bua.calls.live import LiveCalls

log = logger("calls")

Tell = Callable[[str, Mapping[str, Any]], None]


class Drain:
    """Whether the calls' owner takes new ones, by order."""

    def __init__(self, calls: LiveCalls, tell: Tell, wall: Callable[[], float]) -> None:
        self._calls, self._tell, self._wall = calls, tell, wall
        self._since: float | None = None
        self._by = ""
        self._ends_at: float | None = None
        self._end: asyncio.TimerHandle | None = None

    def view(self) -> DrainView:
        draining = self._calls.draining
        return DrainView(draining, self._since, self._by, self._ends_at, len(self._calls.sessions))

    def begin(self, by: str, end_after: float | None) -> DrainView:
        """Again: with another limit. Calls that are left after `end_after` seconds are ended with BYE and a record."""
        now = self._wall()
        if self._since is None:
            self._since = now
        self._by = by
        self._cancel()
        if end_after is not None:
            self._ends_at = now + end_after
            self._end = asyncio.get_running_loop().call_later(end_after, self._end_all)
        self._calls.stop_taking()
        self._tell("server.draining", {"by": by, "calls": len(self._calls.sessions), "end_after": end_after})
        log.warning("no new calls are taken", by=by, calls=len(self._calls.sessions), end_after=end_after)
        return self.view()

    def end(self, by: str) -> DrainView:
        """Into service again; nothing where it is, or where the server stops."""
        if self._since is not None and self._calls.take_again():
            self._cancel()
            self._since, self._by = None, ""
            self._tell("server.undrained", {"by": by, "calls": len(self._calls.sessions)})
            log.info("new calls are taken again", by=by)
        return self.view()

    def _cancel(self) -> None:
        if self._end is not None:
            self._end.cancel()
        self._end = self._ends_at = None

    def _end_all(self) -> None:
        log.warning("the time of the drain is over: calls are ended", calls=len(self._calls.sessions))
        for session in list(self._calls.sessions.values()):
            session.deliver(HangUp("drain"))
