"""What the API needs of a node: given by the app, and by small fakes in tests."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from b2bua.calls.view import CallView, Party
from b2bua.events import EventLog
from b2bua.metrics import Metrics
from b2bua.settings import Settings
from b2bua.storage import Storage
from routing.directory import Directory
from routing.plan import Plan

Check = Callable[[], str | None]
"Readiness of one part, now: None when it is ready, else one sentence that says why not. Never waits."


class LiveCalls(Protocol):
    """The registry of live calls. Every method is one step on the loop and never waits."""

    def list(self) -> Sequence[CallView]:
        """All live calls, oldest first."""
        ...

    def get(self, id: str) -> CallView | None:
        """One of them, or None when it does not live (any more)."""
        ...

    def hang_up(self, id: str, by: str) -> bool:
        """Order its end; False when it does not live."""
        ...

    def record(self, id: str, on: bool, by: str) -> bool:
        """Order that it is recorded from now on, or that its recording pauses; False when it does not live."""
        ...

    def start(self, a: Party, b: Party, tenant: str | None, by: str) -> str:
        """Call `a`, and when he answers `b`; the id of the new call. Raises CannotStart."""
        ...


@dataclass(frozen=True, slots=True)
class Node:
    """The parts of a running server that the API shows or changes."""

    settings: Settings
    storage: Storage
    events: EventLog
    calls: LiveCalls
    metrics: Metrics
    directory: Callable[[], Directory]
    "The directory that calls are routed by now."
    plan: Callable[[], Plan]
    "Queues, VDNs, menus ... of the same revision."
    reload_directory: Callable[[], Awaitable[object]]
    "Called after each change that was committed, so that this node routes by it when the answer goes out."
    checks: Mapping[str, Check]
    "Parts that must be ready before this node should get calls, by name."
