"""What the API needs of a node: given by the app, and by small fakes in tests."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from b2bua.calls.attending import Attending
from b2bua.calls.deliveries import Consult
from b2bua.calls.operation import Operation
from b2bua.calls.park import ParkingLot
from b2bua.calls.supervising import Supervising
from b2bua.calls.view import CallView, Party
from b2bua.dialling.view import TaskView
from b2bua.events import EventLog
from b2bua.metrics import Metrics
from b2bua.settings import Settings
from b2bua.sip.bans import Bans
from b2bua.sip.registrar import Registrar
from b2bua.sip.trunk_desk import TrunkDesk
from b2bua.storage import Storage
from b2bua.web.keyring import KeyRing
from routing.board import Board
from routing.directory import Directory
from routing.explanation import Explanation
from routing.goal import Goal
from routing.plan import Plan
from routing.ranking import Place
from routing.seat import Seat
from routing.transfer_target import Slots

Check = Callable[[], str | None]
"Readiness of one part, now: None when it is ready, else one sentence that says why not. Never waits."


class LiveCalls(Protocol):
    """The registry of live calls. Every method is one step on the loop and never waits."""

    def list(self, extension: str | None = None) -> Sequence[CallView]:
        """All live calls, oldest first, or those of one agent."""
        ...

    def get(self, id: str) -> CallView | None:
        """One of them, or None when it does not live (any more)."""
        ...

    def hang_up(self, id: str, by: str) -> bool:
        """Order its end; False when it does not live."""
        ...

    def reroute(self, id: str, goal: Goal, data: Mapping[str, Any], by: str) -> bool:
        """Order that it goes elsewhere from where it is; False when it does not live, or is none that can be sent."""
        ...

    def record(self, id: str, on: bool, by: str) -> bool:
        """Order that it is recorded from now on, or that its recording pauses; False when it does not live."""
        ...

    def start(self, a: Party, b: Party, tenant: str | None, by: str) -> str:
        """Call `a`, and when he answers `b`; the id of the new call. Raises CannotStart."""
        ...


class Floor(Protocol):
    """Queues, agents and waiting callers of this node. No method waits."""

    def board(self) -> Board:
        """Everything at this moment; a copy."""
        ...

    def agent(self, extension: str) -> Seat | None:
        """One agent, to be read only; None: nobody knows him."""
        ...

    def clock(self) -> float:
        """The time of the floor, seconds."""
        ...

    def waiting_in(self, queue: str) -> Sequence[Place]:
        """The callers of a queue in their order, to be read only."""
        ...

    def place(self, call: str) -> Place | None:
        """Where a caller waits, to be read only; None: he does not."""
        ...

    def estimate(self, call: str) -> float | None:
        """Seconds until an agent is there for him; None: nothing is known."""
        ...

    def explain(self, call: str) -> Explanation | None:
        """Why he is where he is; None: he does not wait."""
        ...

    def reprioritise(self, call: str, priority: str | None) -> bool:
        """Another class for somebody who waits; False when he does not."""
        ...


class Statistics(Protocol):
    """What counts the events (`b2bua.reports.keeper`)."""

    @property
    def cursor(self) -> int:
        """Number of the last event in the counts."""
        ...

    @property
    def rebuilding(self) -> bool: ...

    async def rebuild(self) -> float:
        """Count anew; returns from when on (epoch seconds). Raises StorageUnavailable."""
        ...


class Dialling(Protocol):
    """The campaigns that this node runs (`b2bua.dialling.dialler`). No method waits."""

    def view(self, campaign: str) -> TaskView | None:
        """One of them at this moment; None: it does not run here."""
        ...

    def choose(self, campaign: str, command: str, dial: bool, agent: str = "") -> bool:
        """What an agent says of a contact he looks at; False where nobody (or not he) looks at one of this campaign."""
        ...

    def disposition(self, command: str, code: str, call_back_at: float | None = None, agent: str = "") -> bool:
        """An agent's word while he still talks; False where nobody (or not he) talks."""
        ...

    def look_soon(self) -> None:
        """A campaign was ordered to do something."""
        ...


@dataclass(frozen=True, slots=True)
class Node:
    """The parts of a running server that the API shows or changes."""

    settings: Settings
    storage: Storage
    events: EventLog
    calls: LiveCalls
    floor: Floor
    attending: Attending
    "What agents do about themselves."
    metrics: Metrics
    statistics: Statistics
    directory: Callable[[], Directory]
    "The directory that calls are routed by now."
    plan: Callable[[], Plan]
    "Queues, VDNs, menus ... of the same revision."
    reload_directory: Callable[[], Awaitable[object]]
    "Called after each change that was committed, so that this node routes by it when the answer goes out."
    trunks: TrunkDesk
    "What is known of each trunk."
    checks: Mapping[str, Check]
    "Parts that must be ready before this node should get calls, by name."
    keyring: KeyRing | None = None
    "Whose keys are known, where others than the API ask it too; None: the API has its own."
    dialling: Dialling | None = None
    "None: this node runs no campaigns."
    bans: Bans | None = None
    "Who is banned at the gate; None in tests that have none."
    operation: Operation | None = None
    "Drain, reload, traces; None in tests that need none of it."
    parking: ParkingLot = field(default_factory=lambda: ParkingLot(Slots()))
    "Who is parked where."
    phones: Registrar | None = None
    "Registered phones."
    supervising: Supervising | None = None
    "Supervisors who listen; None in tests that have none."
    consulting: Callable[[str, Consult], bool] | None = None
    "An agent asks a colleague in this call, or what becomes of that; False where nobody talks."
