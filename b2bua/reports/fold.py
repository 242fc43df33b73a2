"""Events folded into statistics: what one event after another adds to which count. Pure.

A call's results belong to the quarter of an hour in which it came into the queue, so that answered, abandoned and the
others of a row always add up to those offered in it. What agents do with their time is cut at the quarters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, tzinfo
from typing import Any, NamedTuple

from b2bua.reports.open_call import OpenCall, Stay
from b2bua.reports.spans import Days, Span, pieces, quarter
from b2bua.reports.tally import Counts, add

TOTAL = "total"
BY = ("total", "tenant", "queue", "area", "vdn", "class", "agent")
"What the statistics are broken down by; `class` is the priority class."

USUAL_LEVEL = 20.0
"Seconds within which a call counts as answered in time where its queue does not say."

RESULTS = {
    "answered": "answered",
    "abandoned": "abandoned",
    "short-abandoned": "short_abandoned",
    "overflow": "overflowed",
    "timeout": "timed_out",
    "callback": "callbacks",
    "moved": "moved",
}
"How a stay in a queue ends, and the count of it."

STATES = {
    "available": "available",
    "reserved": "reserved",
    "ringing": "ringing",
    "talking": "talking",
    "wrap-up": "wrap_up",
    "paused": "paused",
    "unreachable": "unreachable",
}
"States of an agent whose seconds are counted; logged out is none."

LONGEST_STATE = 31 * 86_400.0
"""Seconds that an agent can be in one state; what is longer is a clock that was set right (a machine without one of its
own begins in 1970): nobody's time, and not cut into millions of quarters."""


class Cell(NamedTuple):
    """One row of the statistics."""

    span: Span
    start: float
    "Epoch seconds."
    by: str
    key: str
    tenant: str


class AgentTime(NamedTuple):
    """What an agent is doing."""

    state: str
    since: float
    "Epoch seconds up to which his time is counted."
    queue: str


class Finished(NamedTuple):
    """A call that is over, as the filter list and the reporting server see it."""

    number: int
    "Of its `call.ended`."
    time: float
    call: str
    tenant: str
    keep: bool
    body: dict[str, Any]


STARTED = "server.started"
"The server was down before it, and what agents did ended with its last life."
CAME_BACK = ("transfer failed", "redirected by")
"How `by` of a `call.transferred` begins that no agent wished: whoever was to take the caller did not."

Level = Callable[[str], float]
"The seconds that count as in time in a queue."


class Fold:
    """Everything the statistics know about the moment. Give it each event of a node once, in order."""

    def __init__(self, zone: tzinfo = UTC, level: Level = lambda queue: USUAL_LEVEL, since: float = 0.0) -> None:
        """`zone`: where days begin; `since`: nothing is counted in intervals before (epoch seconds)."""
        self.days, self.level, self.since = Days(zone), level, since
        self.calls: dict[str, OpenCall] = {}
        self.agents: dict[str, AgentTime] = {}
        self.changed: set[tuple[str, str]] = set()
        "(`call` or `agent`, key) of what is another than when it was last taken."
        self._counts: dict[Cell, Counts] = {}
        self._finished: list[Finished] = []
        self._on: dict[str, Callable[[str, OpenCall, float, Mapping[str, Any]], None]] = {
            "call.received": self._received,
            "call.queued": self._queued,
            "call.requeued": self._requeued,
            "call.dequeued": self._dequeued,
            "call.offered": self._offered,
            "call.connected": self._connected,
            "call.answered": self._answered,
            "call.wrapped": self._wrapped,
            "call.transferred": self._transferred,
            "call.message": self._message,
            "call.survey": self._survey,
            "call.filtered": self._filtered,
            "screen.pop": self._popped,
        }

    def __repr__(self) -> str:
        return f"<Fold {len(self.calls)} calls, {len(self.agents)} agents, {len(self._counts)} cells>"

    def on(self, number: int, time: float, call: str | None, type: str, data: Mapping[str, Any]) -> None:
        """Take in one event. One that makes no sense here (its beginning was deleted) counts what it can."""
        if type == "agent.state":
            self._agent(time, data)
            return
        if type == STARTED:
            self._started(time, data)
            return
        if call is None:
            return
        known = self.calls.get(call)
        if known is None:
            if type not in self._on:
                return  # its beginning was deleted, or it is over already
            known = self.calls[call] = OpenCall(at=time)
        known.tenant = data.get("tenant") or known.tenant
        if type == "call.ended":
            self._ended(number, time, call, known, data)
        elif (step := self._on.get(type)) is not None:
            step(call, known, time, data)
        self.changed.add(("call", call))

    def take(self) -> tuple[dict[Cell, Counts], list[Finished]]:
        """What was counted and which calls ended since this was last asked."""
        counts, finished = self._counts, self._finished
        self._counts, self._finished = {}, []
        return counts, finished

    def advance(self, now: float) -> None:
        """Count the agents' time up to `now`, so that the figures of who talks for an hour do not wait for its end."""
        for extension, agent in self.agents.items():
            self._spend(extension, agent, now)
            self.agents[extension] = agent._replace(since=max(agent.since, now))
            self.changed.add(("agent", extension))

    def waiting(self, tenant: str | None = None) -> dict[str, list[float]]:
        """Queue -> when each caller (of this tenant) who waits there came, oldest first."""
        found: dict[str, list[float]] = {}
        for call in self.calls.values():
            if call.stay is not None and call.stay.waits and tenant in (None, call.tenant):
                found.setdefault(call.stay.queue, []).append(call.stay.at)
        return {queue: sorted(times) for queue, times in found.items()}

    # -- calls

    def _received(self, id: str, call: OpenCall, at: float, data: Mapping[str, Any]) -> None:
        call.at = at
        call.calling, call.called = data.get("calling") or "", data.get("called") or ""
        call.trunk = data.get("trunk") or ""

    def _popped(self, id: str, call: OpenCall, at: float, data: Mapping[str, Any]) -> None:
        call.caller = data.get("caller") or call.caller

    def _queued(self, id: str, call: OpenCall, at: float, data: Mapping[str, Any]) -> None:
        if call.stay is not None and call.stay.waits:
            self._leave(call, call.stay, at, "moved", at - call.stay.at)
        queue = data.get("queue") or ""
        call.stay = Stay(queue, data.get("area") or "", data.get("vdn") or "", data.get("priority") or "", at)
        self._stay(call, call.stay, {"offered": 1})

    def _requeued(self, id: str, call: OpenCall, at: float, data: Mapping[str, Any]) -> None:
        if call.stay is None:
            return
        if not call.stay.waits:
            # he was served, or so it seemed: his second wait is one more that the queue was offered
            call.stay = call.stay.again(at)
            self._stay(call, call.stay, {"offered": 1})
        self._stay(call, call.stay, {"requeued": 1})
        call.extension = ""

    def _dequeued(self, id: str, call: OpenCall, at: float, data: Mapping[str, Any]) -> None:
        stay = call.stay
        if stay is None or not stay.waits:
            return
        wait = data.get("wait")
        self._leave(call, stay, at, data.get("result") or "moved", at - stay.at if wait is None else float(wait))

    def _leave(self, call: OpenCall, stay: Stay, at: float, result: str, wait: float) -> None:
        wait = max(wait, 0.0)
        counts: Counts = {RESULTS.get(result, "moved"): 1, "wait": wait, "wait_longest": wait}
        if result == "answered":
            counts["wait_answered"] = wait
            if wait <= self.level(stay.queue):
                counts["in_time"] = 1
        elif result in ("abandoned", "short-abandoned"):
            counts["wait_abandoned"] = wait
        self._stay(call, stay, counts)
        stay.result, stay.wait = result, round(wait, 3)

    def _offered(self, id: str, call: OpenCall, at: float, data: Mapping[str, Any]) -> None:
        rung = data.get("extensions") or [data.get("extension")]
        for extension in rung:
            if extension:
                self._add(at, "agent", extension, call.tenant, {"offered": 1})

    def _connected(self, id: str, call: OpenCall, at: float, data: Mapping[str, Any]) -> None:
        call.answered_at = call.answered_at or at
        extension = data.get("extension") or ""
        if not extension or (extension == call.extension and call.talks):
            return  # an agent's answer is told twice: as the end of the wait, and as the beginning of the talk
        call.extension, call.talks, call.talk_at = extension, True, at
        call.agents += 1
        self._add(at, "agent", extension, call.tenant, {"answered": 1})

    def _answered(self, id: str, call: OpenCall, at: float, data: Mapping[str, Any]) -> None:
        call.answered_at = call.answered_at or at
        self._connected(id, call, at, data)

    def _wrapped(self, id: str, call: OpenCall, at: float, data: Mapping[str, Any]) -> None:
        talk = data.get("talk")
        extension = data.get("extension") or call.extension
        self._talked(call, at, extension, at - call.talk_at if talk is None else float(talk), data.get("queue") or "")
        if extension == call.extension:
            call.talks = False

    def _talked(self, call: OpenCall, at: float, extension: str, talk: float, queue: str) -> None:
        counts: Counts = {"handled": 1, "talk": max(talk, 0.0)}
        if extension:
            self._add(call.talk_at or at, "agent", extension, call.tenant, counts)
        if queue and call.stay is not None and call.stay.queue == queue:
            self._stay(call, call.stay, counts)
        elif not queue:
            self._add(call.at, "tenant", call.tenant, call.tenant, counts)
            self._add(call.at, TOTAL, "", call.tenant, counts)

    def _transferred(self, id: str, call: OpenCall, at: float, data: Mapping[str, Any]) -> None:
        if str(data.get("by") or "").startswith(CAME_BACK):
            return
        call.transfers += 1
        counts: Counts = {"transfers": 1}
        by = call.extension or data.get("from") or ""
        if by:
            self._add(at, "agent", by, call.tenant, counts)
        if call.stay is not None:
            self._stay(call, call.stay, counts)
        else:
            self._call(call, counts)

    def _message(self, id: str, call: OpenCall, at: float, data: Mapping[str, Any]) -> None:
        call.mailbox = data.get("mailbox") or ""
        self._call(call, {"messages": 1})

    def _survey(self, id: str, call: OpenCall, at: float, data: Mapping[str, Any]) -> None:
        call.survey[str(data.get("node") or "")] = str(data.get("input") or "")

    def _filtered(self, id: str, call: OpenCall, at: float, data: Mapping[str, Any]) -> None:
        call.rule, call.keep = data.get("rule") or "", data.get("keep") is not False

    def _ended(self, number: int, at: float, id: str, call: OpenCall, data: Mapping[str, Any]) -> None:
        stay, end, duration = call.stay, at, data.get("duration")
        if data.get("ended_by") == "crash" and duration is not None:
            end = min(at, call.at + float(duration))  # it is told at the next start only, however late that is
        if stay is not None and stay.waits:
            # the server died, or the call did, before the queue could say why
            self._leave(call, stay, end, "abandoned", end - stay.at)
        if call.talks:
            self._talked(call, end, call.extension, end - call.talk_at, stay.queue if stay is not None else "")
        counts: Counts = {"calls": 1}
        if call.answered_at:
            counts |= {"calls_answered": 1, "call_talk": float(data.get("talk") or 0.0)}
        self._call(call, counts)
        del self.calls[id]
        body = call.report(id, end, data)
        self._finished.append(Finished(number, at, id, call.tenant, call.keep, body))

    # -- agents

    def _agent(self, at: float, data: Mapping[str, Any]) -> None:
        extension = data.get("extension")
        if not extension:
            return
        before, after = self.agents.get(extension), data.get("after") or "logged-out"
        if before is not None and before.state == data.get("before", before.state):
            self._spend(extension, before, at)
        # else the server was away meanwhile, and nobody knows what the agent did in that time
        self.agents[extension] = AgentTime(after, at, data.get("queue") or "")
        if after not in STATES:
            del self.agents[extension]
        self.changed.add(("agent", extension))

    def _started(self, at: float, data: Mapping[str, Any]) -> None:
        until = min(at, float(data.get("alive_until") or at))
        for extension, agent in self.agents.items():
            self._spend(extension, agent, until)
            self.changed.add(("agent", extension))
        self.agents.clear()

    def _spend(self, extension: str, agent: AgentTime, until: float) -> None:
        name = STATES.get(agent.state)
        if name is None or until - agent.since > LONGEST_STATE:
            return
        for begin, seconds in pieces(agent.since, until):
            self._add(begin, "agent", extension, "", {name: seconds})
            if name == "wrap_up" and agent.queue:
                self._add(begin, "queue", agent.queue, "", {name: seconds})

    # -- counting

    def _stay(self, call: OpenCall, stay: Stay, counts: Counts) -> None:
        """Counts of a stay in a queue, under all that it is counted under."""
        for by, key in (("queue", stay.queue), ("area", stay.area), ("vdn", stay.vdn), ("class", stay.priority)):
            if key:
                self._add(stay.at, by, key, call.tenant, counts)
        if call.tenant:
            self._add(stay.at, "tenant", call.tenant, call.tenant, counts)
        self._add(stay.at, TOTAL, "", call.tenant, counts)

    def _call(self, call: OpenCall, counts: Counts) -> None:
        """Counts of a call as such, in the interval in which it came."""
        if call.tenant:
            self._add(call.at, "tenant", call.tenant, call.tenant, counts)
        self._add(call.at, TOTAL, "", call.tenant, counts)

    def _add(self, at: float, by: str, key: str, tenant: str, counts: Counts) -> None:
        if at < self.since or (by == "tenant" and not key):
            return
        for cell in (
            Cell("quarter", quarter(at), by, key, tenant),
            Cell("day", self.days.begin(at), by, key, tenant),
        ):
            add(self._counts.setdefault(cell, {}), counts)
