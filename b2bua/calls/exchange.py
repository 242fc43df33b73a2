"""What every call may use: one object, built by the app, handed to each session."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from b2bua.calls.agent_leg import StandingLines
from b2bua.calls.attending import Attending
from b2bua.calls.callee import Callee, agent_callee
from b2bua.calls.floor import FloorService
from b2bua.calls.opt_out import OptOuts
from b2bua.calls.park import ParkingLot
from b2bua.calls.screening import Screening
from b2bua.events import EventLog
from b2bua.metrics import Metrics
from b2bua.outside import Puller
from b2bua.outside.services import Services
from b2bua.settings import Settings
from b2bua.sip.engine import Engine
from b2bua.sip.resolver import Resolver
from b2bua.sip.trunk_desk import TrunkDesk
from b2bua.storage.messages import Messages
from b2bua.storage.spool import Spool
from b2bua.storage.tokens import Claim, NewToken, Token
from b2bua.voices import Voices
from routing.correlation import TrunkProfile
from routing.directory import Directory
from routing.plan import Plan
from routing.responders import Responders
from routing.substitute import Seen

if TYPE_CHECKING:
    from pathlib import Path

    from b2bua.calls.session import Session
    from b2bua.sip.bindings import Binding
    from media.recording import Keys, Recorder
    from routing.directory import Agent
    from routing.queue import Queue


class TokenDesk(Protocol):
    """The part of the token table a call needs: coarse atomic steps (R1-09)."""

    async def claim(self, tenant: str, sequence: str, call: str, now: float, *, timeout: float = ...) -> Claim: ...

    async def release(self, tenant: str, sequence: str, call: str) -> bool: ...

    async def issue(self, tenant: str, new: NewToken, *, width: int, ttl: float, now: float) -> Token: ...


@dataclass(slots=True)
class Exchange:
    """The collaborators of a call."""

    settings: Settings
    engine: Engine
    directory: Callable[[], Directory]
    "The newest snapshot; never waits."
    plan: Callable[[], Plan]
    "Queues, VDNs, menus ... of the same revision; never waits."
    profiles: Mapping[str, TrunkProfile]
    "How each trunk writes its numbers."
    floor: FloorService
    lines: StandingLines
    attending: Attending
    tokens: TokenDesk
    puller: Puller
    services: Services
    responders: Callable[[], Responders]
    "Services and organisations of the plan; never waits."
    presence: Callable[[str, str], Seen]
    "What an extension is to a call, given by its id."
    resolver: Resolver
    trunks: TrunkDesk
    "Which trunk a call takes, and what is known of each."
    screening: Screening
    events: EventLog
    spool: Spool
    metrics: Metrics
    music: Path
    "What a party hears while the other one is on hold."
    voices: Voices
    "Files of what is to be said."
    messages: Messages
    "What callers left in mailboxes."
    call_back: Callable[[Session, Queue], bool]
    """A caller who waits in this queue is called back when it is his turn: his place is kept without him from now on.
    False where nobody could call him."""
    ringback: Path
    "What the first party of a call that we place hears while the second one's phone rings."
    parking: ParkingLot
    "Who is parked where."
    recorder: Recorder
    recording_keys: Keys | None
    "What recordings are encrypted with; None: they are not."
    sessions: Callable[[], Iterable[Session]]
    "All live calls."
    opt_outs: OptOuts | None = None
    "Where numbers of people are kept who want to be left alone."
    registered: Callable[[str], tuple[Binding, ...]] = lambda extension: ()
    "Phones that an extension has registered, best first."

    def callee(self, agent: Agent) -> Callee:
        """Where an agent is rung."""
        return agent_callee(agent, self.settings, self.registered(agent.extension))

    def callee_at(self, extension: str) -> Callee | None:
        """Where a standing line goes to; None where the agent cannot be called (any more)."""
        agent = self.directory().agent(extension)
        return self.callee(agent) if agent is not None else None

    def tell(self, type: str, call: Session, data: Mapping[str, Any]) -> None:
        """One event of this call."""
        tenant = call.record.row.tenant
        self.events.append(type, call.id, {"tenant": tenant, **data} if tenant else data)
        self.metrics.events.inc(type)

    def keep(self, call: Session) -> None:
        """The record as it is now, safe on disk when this returns."""
        self.spool.append("call", call.record.row.as_record())

    @staticmethod
    def wall() -> float:
        """Seconds since the epoch."""
        return time.time()
