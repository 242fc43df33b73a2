"""Supervisors of one call: who listens to whom and in which way, beside the step that is on.

A supervisor is a party of the call with nobody to talk to; what he hears, and who hears him, are hearings of their own,
so the pairs that talk do not notice.  He stays while the call goes from agent to agent, and ends with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from b2bua.calls.agent_leg import beep
from b2bua.calls.deliveries import Beside, Delivery, Silent
from b2bua.calls.parties import Role
from b2bua.calls.talk import DEAD
from b2bua.calls.view import MonitorView
from b2bua.log import logger
from b2bua.sip.engine import CannotCall, SipLeg
from b2bua.sip.leg import Leg
from b2bua.sip.signals import Answered, Closed, Dtmf, Info, Progress, Refer
from b2bua.sip.signals import Sound as Heard
from media.hearing import Hearing
from routing.agent_state import AgentState
from routing.monitoring import KEYS, Hears, Mode, hearings, may_monitor

if TYPE_CHECKING:
    from b2bua.calls.exchange import Exchange
    from b2bua.calls.session import Session

log = logger("calls")

MOST = 4
"Supervisors of one call at the same time."
OVER = (("Reason", 'SIP;cause=200;text="Monitoring is over"'),)
RUNG_OUT = (("Reason", 'SIP;cause=480;text="No answer in time"'),)
MUTE = (("Reason", 'SIP;cause=488;text="No answer to our offer"'),)

SIGNALS = (Progress, Answered, Heard, Dtmf, Info, Refer, Closed, Silent)
FREE = frozenset({AgentState.AVAILABLE, AgentState.WRAP_UP})
"States in which the floor has to know that a supervisor is busy, so that no queue rings him."
AT_REST = frozenset({AgentState.LOGGED_OUT, AgentState.PAUSED, AgentState.UNREACHABLE})


class CannotMonitor(Exception):
    """Nobody can listen, for a reason; `code` is what a phone that has dialled for it is told."""

    def __init__(self, why: str, code: int = 480) -> None:
        super().__init__(why)
        self.code = code


@dataclass(slots=True)
class Watch:
    """One supervisor of the call."""

    leg: int
    supervisor: str
    agent: str
    "Extension of the agent whom he would whisper to."
    mode: Mode
    by: str
    "Who has asked for it."
    booked: bool
    "The floor keeps him for this."
    since: float = 0.0
    "Epoch seconds; 0: his phone rings."
    why: str = ""
    "What ends it, where that is decided before his leg is gone."
    timer: asyncio.TimerHandle | None = None
    keys: ExitStack = field(default_factory=ExitStack)
    "While it is open, his keys are heard as tones as well, where his phone has no other way."
    hearings: dict[Hears, Hearing] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Begin(Beside):
    """A supervisor shall listen to the agent."""

    supervisor: str
    agent: str
    mode: Mode
    by: str
    open: Callable[[Session], SipLeg]
    "His leg: an INVITE to his phone, or the one that came from it.  Raises CannotCall, CannotMonitor."
    came: bool
    "It is his phone that called: we answer."
    told: asyncio.Future[None]
    "Done when he is part of the call, or an exception that says why not."

    def do(self, call: Session) -> None:
        if self.told.done():
            return  # it took too long for whoever wanted it
        if call.monitoring is None:
            call.monitoring = Monitoring()
        try:
            call.monitoring.begin(call, self)
        except (CannotMonitor, CannotCall) as error:
            self.told.set_exception(error if isinstance(error, CannotMonitor) else CannotMonitor(str(error)))


@dataclass(frozen=True, slots=True)
class Change(Beside):
    """A supervisor listens in another way from now on; None: he leaves."""

    supervisor: str
    mode: Mode | None
    by: str

    def do(self, call: Session) -> None:
        watching = call.monitoring
        watch = watching.of(self.supervisor) if watching is not None else None
        if watching is None or watch is None:
            return  # he has left meanwhile
        if self.mode is None:
            watching.end(call, watch, "stopped")
        else:
            watching.set_mode(call, watch, self.mode, self.by)


@dataclass(frozen=True, slots=True)
class Unanswered(Beside):
    """A supervisor's phone has rung for long enough."""

    leg: int

    def do(self, call: Session) -> None:
        watch = call.monitoring.watches.get(self.leg) if call.monitoring is not None else None
        if watch is not None and not watch.since:
            watch.why = "no-answer"
            call.hang_up(watch.leg, 487, RUNG_OUT)


class Monitoring:
    """The supervisors of one call.  It keeps no way back to its call: cycles would keep the legs alive."""

    __slots__ = ("watches",)

    def __init__(self) -> None:
        self.watches: dict[int, Watch] = {}
        "By leg."

    def __repr__(self) -> str:
        return f"<monitoring: {', '.join(f'{one.supervisor} {one.mode}' for one in self.watches.values()) or 'nobody'}>"

    def of(self, supervisor: str) -> Watch | None:
        return next((one for one in self.watches.values() if one.supervisor == supervisor), None)

    def views(self) -> tuple[MonitorView, ...]:
        """In the order in which they came."""
        return tuple(
            MonitorView(one.supervisor, one.agent, one.mode, one.by, one.since or None) for one in self.watches.values()
        )

    def booked(self, call: Session) -> dict[str, str]:
        """Those whom the floor keeps for this and whose phones are up, with what it knows their part as."""
        return {one.supervisor: floor_key(call) for one in self.watches.values() if one.booked and one.since}

    def concerns(self, delivery: Delivery) -> bool:
        """Whether a supervisor's leg tells this: no step of the call is to hear of it."""
        return isinstance(delivery, SIGNALS) and delivery.leg in self.watches

    # -- in the call's task

    def begin(self, call: Session, order: Begin) -> None:
        """Ring his phone, or answer it.  Raises CannotMonitor, CannotCall."""
        exchange = call.exchange
        if self.of(order.supervisor) is not None:
            raise CannotMonitor(f"{order.supervisor} listens to this call already", 486)
        if len(self.watches) >= MOST:
            raise CannotMonitor(f"{MOST} supervisors listen to this call already", 486)
        if agent_leg(call, order.agent) is None:
            raise CannotMonitor(f"agent {order.agent} talks to nobody in this call", 404)
        booked = book(exchange, call, order.supervisor)
        try:
            leg = order.open(call)
        except BaseException:
            release(exchange, call, order.supervisor, booked=booked)
            raise
        call.add(leg, Role.SUPERVISOR, order.supervisor)
        call.spared.add(leg.id)
        watch = self.watches[leg.id] = Watch(leg.id, order.supervisor, order.agent, order.mode, order.by, booked)
        loop = asyncio.get_running_loop()
        watch.timer = loop.call_later(exchange.settings.calls.ring_timeout, call.deliver, Unanswered(leg.id))
        if order.came:
            leg.owner = order.supervisor
            leg.answer()
        order.told.set_result(None)

    def on(self, call: Session, delivery: Delivery) -> None:
        """What a supervisor's leg told; its effects on the parties are done."""
        match delivery:
            case Answered(leg=leg) if call.parties.by_leg[leg].described:
                self._up(call, self.watches[leg])
            case Answered(leg=leg):
                self.watches[leg].why = "no-media"
                call.hang_up(leg, 0, MUTE)
            case Dtmf(leg=leg, digit=digit) if digit in KEYS and self.watches[leg].since:
                watch = self.watches[leg]
                self.set_mode(call, watch, KEYS[digit], f"agent {watch.supervisor}")
            case Silent(leg=leg):
                self.watches[leg].why = "media-silence"
                call.hang_up(leg, 0, DEAD)
            case Closed(leg=leg):
                self._gone(call, self.watches.pop(leg), delivery)
            case _:
                pass

    def talking(self, call: Session) -> None:
        """A conversation begins.  Where its agent is another one than before a supervisor goes on listening, and only
        listening; where there is none, or one to whom he may not listen, he is let go."""
        for watch in list(self.watches.values()):
            if agent_leg(call, watch.agent) is not None:
                continue
            agent, profiles = serving(call), call.exchange.plan().agent_profiles
            if not agent or not may_monitor(profiles.get(watch.supervisor), profiles.get(agent)):
                self.end(call, watch, "forbidden" if agent else "no-agent")
                continue
            before, watch.agent, watch.mode = watch.agent, agent, Mode.LISTEN
            if watch.since:
                self._tell(call, watch, "moved", {"from": before, "mode": watch.mode})
        self.settle(call)

    def settle(self, call: Session) -> None:
        """Who hears whom as the call and its supervisors are now."""
        talkers, barging = call.parties.talking(), set[int]()
        for watch in self.watches.values():
            wanted: frozenset[Hears] = frozenset()
            agent = agent_leg(call, watch.agent)
            if watch.since and agent is not None and call.parties.state(watch.leg) is Leg.UP:
                wanted = hearings(watch.mode, watch.leg, agent, talkers - {agent})
                if watch.mode is Mode.BARGE:
                    barging.add(watch.leg)
            for one in watch.hearings.keys() - wanted:
                watch.hearings.pop(one).close()
            for ear, voice in wanted - watch.hearings.keys():
                watch.hearings[ear, voice] = Hearing(call.sounds[ear], call.sounds[voice])
        call.recording.beside(call, frozenset(barging))

    def set_mode(self, call: Session, watch: Watch, mode: Mode, by: str) -> None:
        """He listens in another way; one whose phone rings still begins in it."""
        if mode is watch.mode:
            return
        watch.mode = mode
        self.settle(call)
        if watch.since:
            self._tell(call, watch, "mode", {"mode": mode, "by": by})

    def end(self, call: Session, watch: Watch, why: str) -> None:
        """He hears nothing from now on; his leg follows."""
        watch.why = watch.why or why
        call.hang_up(watch.leg, 0 if watch.since else 487, OVER)
        self.settle(call)

    def over(self, call: Session) -> None:
        """The call is gone, with a leg or two that never ended."""
        for watch in self.watches.values():
            self._let_go(call, watch)

    # -- inside

    def _up(self, call: Session, watch: Watch) -> None:
        """His phone has answered."""
        exchange = call.exchange
        self._stop_timer(watch)
        watch.since = exchange.wall()
        if watch.booked:
            exchange.floor.answered(floor_key(call), watch.supervisor)
        watch.keys.enter_context(call.key_tones.heeding(watch.leg))
        call.sounds[watch.leg].drain()  # while nobody hears him, what he says is thrown away
        agent = agent_leg(call, watch.agent)
        if agent is None and not call.conversing:
            watch.mode = Mode.LISTEN  # the call is on its way to somebody else
        if exchange.settings.monitoring.tone and agent is not None:
            beep(call.sounds[agent])
        self.settle(call)
        exchange.metrics.monitorings.inc("began")
        self._tell(call, watch, "started", {"mode": watch.mode, "by": watch.by})

    def _gone(self, call: Session, watch: Watch, closed: Closed) -> None:
        self._let_go(call, watch)
        for one in watch.hearings.values():
            one.close()
        call.spared.discard(watch.leg)
        if watch.since:
            why = watch.why or ("left" if closed.by_peer else "call-ended")
            seconds = round(call.exchange.wall() - watch.since, 3)
            self._tell(call, watch, "ended", {"why": why, "seconds": seconds})
            return
        why = watch.why or (f"status {closed.code}" if closed.by_peer else "call-ended")
        call.exchange.metrics.monitorings.inc("failed")
        self._tell(call, watch, "failed", {"why": why, "by": watch.by})

    def _let_go(self, call: Session, watch: Watch) -> None:
        self._stop_timer(watch)
        watch.keys.close()
        release(call.exchange, call, watch.supervisor, booked=watch.booked)

    @staticmethod
    def _stop_timer(watch: Watch) -> None:
        if watch.timer is not None:
            watch.timer.cancel()
            watch.timer = None

    @staticmethod
    def _tell(call: Session, watch: Watch, what: str, data: dict[str, object]) -> None:
        who = {"supervisor": watch.supervisor, "agent": watch.agent}
        call.exchange.tell(f"call.monitor.{what}", call, who | data)


def agent_leg(call: Session, extension: str) -> int | None:
    """The leg on which an agent talks in this call; None: he does not."""
    talkers = call.parties.talking()
    return next((leg for leg, one in call.agents.items() if one == extension and leg in talkers), None)


def serving(call: Session) -> str:
    """Extension of the agent who talks, of him who serves the caller where both are agents; empty: none talks."""
    talkers = call.parties.talking()
    there = sorted((leg == call.caller, leg) for leg in call.agents if leg in talkers)
    return call.agents[there[0][1]] if there else ""


def floor_key(call: Session) -> str:
    """As what the floor knows a supervisor's part: not as the call itself, which is its agent's."""
    return f"monitor:{call.id}"


def book(exchange: Exchange, call: Session, supervisor: str) -> bool:
    """Keep him from callers of queues; False where none would come to him anyway.  Raises CannotMonitor."""
    seat = exchange.floor.agent(supervisor)
    if seat is None or seat.state in AT_REST:
        return False
    if seat.state not in FREE or not exchange.floor.reserve(supervisor, floor_key(call), past_wrap_up=True):
        raise CannotMonitor(f"agent {supervisor} is busy himself", 486)
    return True


def release(exchange: Exchange, call: Session, supervisor: str, *, booked: bool) -> None:
    """He is free again, at once: there is nothing to wrap up."""
    if not booked:
        return
    exchange.floor.released(supervisor, floor_key(call))
    seat = exchange.floor.agent(supervisor)
    if seat is not None and seat.state is AgentState.WRAP_UP:
        exchange.floor.wrap_up_over(supervisor)
