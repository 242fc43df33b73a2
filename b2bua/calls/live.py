"""The calls that live now: admits them, runs each in a task of its own, contains its failure, writes its CDR."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from b2bua.calls import outside
from b2bua.calls.callback import call_back, wish_of
from b2bua.calls.counting import count_call
from b2bua.calls.dialled import Dialled
from b2bua.calls.exchange import Exchange
from b2bua.calls.filtering import filter_once
from b2bua.calls.from_phone import from_phone
from b2bua.calls.ids import new_call_id
from b2bua.calls.inbound import inbound
from b2bua.calls.moving import GivenAway
from b2bua.calls.offer import CANCELLED
from b2bua.calls.originate import callee_of, may_dial, originate
from b2bua.calls.parties import Role
from b2bua.calls.quality import QualityWatch
from b2bua.calls.quality_view import sounded
from b2bua.calls.record import Record, kept_call_id
from b2bua.calls.recording import RecordingOrder
from b2bua.calls.refusals import failure_of
from b2bua.calls.session import CallerLeft, HangUp, Ordered, Rerouted, Session
from b2bua.calls.token import give_back
from b2bua.calls.transfer import MOVED_ON
from b2bua.calls.view import CallView, CannotStart, Party, view_of
from b2bua.log import logger
from b2bua.sip.arrival import arrival_of, user_of
from b2bua.sip.leg import IllegalStep, Leg
from routing.refusals import Refused

if TYPE_CHECKING:
    from b2bua.sip.engine import Arriving, Refusal
    from routing.goal import Goal
    from routing.queue import Queue

log = logger("calls")

GOODBYE = 2.0
"Seconds the far ends have to agree to the end before the CDR is written without their last word."
RETRY_AFTER = (1, 5)
"Seconds, drawn anew for each refusal so that they do not all come back at once."
CLEARED = (("Reason", 'Q.850;cause=16;text="Normal call clearing"'),)
BY_ORDER = (("Reason", 'SIP;cause=487;text="Ended by an operator"'),)
FAULT = (("Reason", 'SIP;cause=500;text="Internal fault", Q.850;cause=41'),)

TRY_AGAIN = 422
"Session-Expires too small: the same call comes again at once with a larger one, so this was none yet (RFC 4028 7.3)."
CANCELLED_AT_ONCE = 487
STACK_REFUSALS = {
    400: "bad-request",
    415: "media-not-acceptable",
    CANCELLED_AT_ONCE: "cancelled",
    488: "media-not-acceptable",
    500: "no-resources",
}
"Cause of a call that the stack refused, by status; 420 and 421 are a trunk and us that cannot agree on an extension."

MOST_DIALLING = 50
"Feature codes being dialled at once."

Steps = Callable[[Session], Awaitable[None]]


class LiveCalls:
    """Owner of all sessions."""

    name = "calls"
    stop_within = 35.0

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.sessions: dict[str, Session] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._dialling: set[asyncio.Task[None]] = set()
        self.dialled = Dialled(exchange)
        self.quality = QualityWatch(exchange)
        self.draining = self.stopping = False

    async def run(self, ready: Callable[[], None]) -> None:
        """Until cancelled; then no new calls, and those that live after the grace get BYE and a CDR."""
        ready()
        try:
            await asyncio.Event().wait()
        finally:
            self.stopping = True
            self.stop_taking()
            await self._all_over(self.exchange.settings.node.shutdown_grace)
            for session in self.sessions.values():
                session.deliver(HangUp("shutdown"))
            await self._all_over(GOODBYE + 0.5)

    async def watch_quality(self) -> None:
        """Look at the sound of all calls until cancelled."""
        await self.quality.run(self.sessions)

    async def _all_over(self, within: float) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within)

    def stop_taking(self) -> None:
        """No new calls from now on, but those to emergency numbers."""
        self.draining = True
        self.exchange.engine.steering.turn_away()

    def take_again(self) -> bool:
        """New calls again; False where the server stops."""
        if not self.stopping:
            self.draining = False
            self.exchange.engine.steering.take_again()
        return not self.stopping

    def has_room_for(self, uri: str) -> bool:
        """Whether a new call to this Request-URI may come in now."""
        if not self.draining and len(self.sessions) < self.exchange.settings.node.max_calls:
            return True
        return self.exchange.screening.is_emergency(user_of(uri))

    # -- from the SIP engine, inside PJSIP: hand on and return

    def on_invite(self, arriving: Arriving) -> None:
        """Admit an inbound call, or say no without a trace of state."""
        exchange, leg = self.exchange, arriving.leg
        if arriving.trunk is None or arriving.message.header("replaces") is not None:
            self._from_no_trunk(arriving)
            return
        full = "" if self.has_room_for(arriving.message.uri) else "draining" if self.draining else "overload"
        if full or exchange.trunks.refuses_in(arriving.trunk):
            exchange.metrics.sip_refusals.inc(full or "trunk-limit")
            code = exchange.settings.trunks[arriving.trunk].refusal_code
            leg.hang_up(code, (("Retry-After", str(random.randint(*RETRY_AFTER))),))
            return
        session = self._come_in("inbound", arriving.trunk, arriving)
        if exchange.settings.trunks[arriving.trunk].transfers:
            leg.owner = f"trunk {arriving.trunk}"
        self.spawn(session, lambda call: inbound(call, arriving))

    def _come_in(self, direction: str, trunk: str, arriving: Arriving) -> Session:
        session, leg = self._new(direction, trunk), arriving.leg
        session.record.row.sip_call_id = kept_call_id(leg.sip_call_id)
        session.max_forwards = arriving.message.max_forwards - 1
        session.has_offer = bool(arriving.message.body)
        session.add(leg, Role.CALLER, arriving.source)
        session.caller = leg.id
        return session

    def _from_phone(self, arriving: Arriving) -> None:
        """An agent whose phone has shown its password."""
        if not self.has_room_for(arriving.message.uri):
            self.exchange.metrics.sip_refusals.inc("draining" if self.draining else "overload")
            arriving.leg.hang_up(503, (("Retry-After", str(random.randint(*RETRY_AFTER))),))
            return
        self.spawn(self._come_in("internal", "", arriving), lambda call: from_phone(call, arriving))

    def _from_no_trunk(self, arriving: Arriving) -> None:
        """An agent may call, and dial feature codes from the inside; everybody else is a stranger."""
        if arriving.phone and arriving.message.header("replaces") is None and not self.dialled.knows(arriving):
            self._from_phone(arriving)
            return
        inside = self.exchange.settings.listeners[arriving.listener].side == "inside" or bool(arriving.phone)
        if not inside or self.draining or len(self._dialling) >= MOST_DIALLING:
            self.exchange.metrics.sip_refusals.inc("stranger")
            arriving.leg.hang_up(403)
            return
        task = asyncio.create_task(self._dial(arriving), name="feature code")
        self._dialling.add(task)
        task.add_done_callback(self._dialling.discard)

    async def _dial(self, arriving: Arriving) -> None:
        try:
            await self.dialled.run(arriving)
        except Exception as error:
            self.exchange.metrics.faults.inc("call")
            log.error("a feature code failed by our own fault", exc_info=error)

    def on_refusal(self, refusal: Refusal) -> None:
        """An INVITE that the stack could not use: answered already, but the trunk's CDR must say so."""
        if refusal.trunk is None:
            self.exchange.metrics.sip_refusals.inc("stranger")
            return
        code = refusal.code or (488 if refusal.message.body else 400)
        if code == TRY_AGAIN:
            self.exchange.metrics.sip_refusals.inc("session-interval")
            return
        session = self._new("inbound", refusal.trunk)
        row, now = session.record.row, session.clock()
        arrival = arrival_of(refusal.message, refusal.trunk)
        row.called, row.billing_number = arrival.called, arrival.caller
        row.sip_call_id = kept_call_id(refusal.message.header("call-id") or "")
        called = {"calling": arrival.caller, "called": arrival.called, "trunk": refusal.trunk}
        self.exchange.tell("call.received", session, called)
        ended_by = "caller" if code == CANCELLED_AT_ONCE else "tandem"
        session.record.end(now, STACK_REFUSALS.get(code, "not-acceptable"), code, ended_by)
        self._write(session)

    # -- for the API

    def list(self, extension: str | None = None) -> list[CallView]:
        """All live calls, oldest first, or those of one agent."""
        sessions = self.sessions.values()
        found = [one for one in sessions if extension is None or one.record.row.extension == extension]
        views = [(view_of(one), self.quality.alarm_of(one)) for one in found]
        return [replace(view, alarm=alarm) if alarm else view for view, alarm in views]

    def get(self, id: str) -> CallView | None:
        session = self.sessions.get(id)
        if session is None:
            return None
        quality = self.quality
        return replace(view_of(session), alarm=quality.alarm_of(session), legs=quality.view(session))

    def start(self, a: Party, b: Party, tenant: str | None, by: str) -> str:
        """Ring `a`, then `b`, then let them talk; the id of the new call.  Raises CannotStart."""
        if self.draining or len(self.sessions) >= self.exchange.settings.node.max_calls:
            raise CannotStart("no call can be added at the moment", busy=True)
        first, second = callee_of(a, self.exchange), callee_of(b, self.exchange)
        may_dial(first, second, tenant, self.exchange)
        session = self._new("outbound", first.trunk or second.trunk or "")
        row = session.record.row
        row.tenant = tenant
        row.detail["started_by"] = by
        owner = self.exchange.directory().tenants.get(tenant) if tenant else None
        row.billing_number = min(owner.billing_numbers, default=None) if owner is not None else None
        self.spawn(session, lambda call: originate(call, first, second))
        return session.id

    def hang_up(self, id: str, by: str) -> bool:
        """Order a call's end; False where it does not live (any more)."""
        session = self.sessions.get(id)
        if session is None:
            return False
        session.deliver(HangUp(by))
        return True

    def warn(self, id: str) -> None:
        """Whoever is on our side of the call hears that it is at a limit."""
        if (session := self.sessions.get(id)) is not None:
            outside.warn(session)

    def reroute(self, id: str, goal: Goal, data: Mapping[str, Any], by: str) -> bool:
        """Send a call elsewhere from where it is; False where it does not live, or is none that can be sent."""
        session = self.sessions.get(id)
        if session is None or not session.follows:
            return False
        session.deliver(Rerouted(goal, data, by))
        return True

    def record(self, id: str, on: bool, by: str) -> bool:
        """Order that a call is recorded, or that its recording pauses; False where it does not live (any more)."""
        session = self.sessions.get(id)
        if session is None:
            return False
        session.deliver(RecordingOrder(on, by))
        return True

    # -- for the dialler

    @property
    def room(self) -> int:
        """Calls that can be added at this moment."""
        return 0 if self.draining else max(0, self.exchange.settings.node.max_calls - len(self.sessions))

    def open(self, trunk: str, tenant: str | None) -> Session:
        """A call that we place ourselves, without a leg and not running yet: `spawn` runs it. Before that nobody has
        it, and one that is not placed after all leaves nothing behind."""
        session = self._new("outbound", trunk)
        session.record.row.tenant = tenant
        return session

    # -- for the calls

    def call_back(self, of: Session, queue: Queue) -> bool:
        """Somebody who waits wants to be called: a call without him takes his place.  False where that cannot be."""
        wish = wish_of(of, queue)
        if wish is None or self.draining:
            return False
        session = self._new("outbound", of.record.row.trunk or "")
        row, before = session.record.row, of.record.row
        row.tenant, row.called, row.billing_number = before.tenant, before.called, before.billing_number
        row.effective_caller, row.route = before.effective_caller, before.route
        row.detail["callback_of"] = of.id
        session.data, session.journey = dict(of.data), replace(of.journey)
        self.exchange.floor.leave(of.id, "callback")
        self.spawn(session, lambda call: call_back(call, wish))
        return True

    def spawn(self, session: Session, steps: Steps) -> None:
        """Run a call to its end, whatever its steps do."""
        self.sessions[session.id] = session
        task = asyncio.create_task(self._run(session, steps), name=f"call {session.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- one call

    def _new(self, direction: str, trunk: str) -> Session:
        exchange = self.exchange
        now = asyncio.get_running_loop().time()
        record = Record(new_call_id(), exchange.settings.node.name, direction, exchange.wall(), now)
        record.row.trunk = trunk or None
        return Session(exchange, record)

    async def _run(self, call: Session, steps: Steps) -> None:
        try:
            await self._live(call, steps)
            await call.clear(GOODBYE)
        except Exception as error:
            log.error("call clean-up failed", call=call.id, exc_info=error)
            self.exchange.metrics.faults.inc("call")
        finally:
            self._let_go_of(call)
            call.record.end(call.clock(), "fault", 500, "tandem")
            del self.sessions[call.id]
            self._write(call)

    def _let_go_of(self, call: Session) -> None:
        """Nothing holds on to it: a fault with one part leaves none of the others behind."""
        parts: list[Callable[[], object]] = [call.over, call.recording.over, partial(outside.all_over, call)]
        parts += [partial(self.exchange.floor.released, extension, call.id) for extension in call.agents.values()]
        for part in parts:
            try:
                part()
            except Exception as error:
                log.error("call clean-up failed", call=call.id, exc_info=error)
                self.exchange.metrics.faults.inc("call")

    async def _live(self, call: Session, steps: Steps) -> None:
        """The steps, and the one place where their ways to end are told apart."""
        record = call.record
        try:
            await steps(call)
            self._end_all(call, CLEARED)
        except CallerLeft as left:
            if record.row.answered_at is None:
                # who was up already heard a menu or music: he has not cancelled, but gone before anybody served him
                why = "abandoned" if call.picked_up else "cancelled"
                record.end(call.clock(), why, left.closed.code, "caller")
                self._end_all(call, CANCELLED)
            else:
                lost = left.closed.code >= 300
                record.end(call.clock(), "caller-lost" if lost else "normal", left.closed.code, "caller")
                self._end_all(call, CLEARED)
        except GivenAway as given:
            record.end(call.clock(), "transferred", 200, given.by)
            self._end_all(call, MOVED_ON)
        except Ordered as order:
            answered = record.row.answered_at is not None
            record.end(call.clock(), "hung-up", 200 if answered else 480, order.by)
            await give_back(call)
            self._end_all(call, BY_ORDER, 480)
        except Refused as refusal:
            failure = failure_of(refusal)
            record.end(call.clock(), refusal.cause, failure.code, "tandem")
            await give_back(call)  # first: the carrier's own retry may follow the failure at once
            if call.caller is not None:
                code = call.exchange.trunks.answer_to(record.row.trunk, failure.code)
                call.hang_up(call.caller, code, (("Reason", failure.reason),))
        except (IllegalStep, Exception) as error:
            self.exchange.metrics.faults.inc("call")
            log.error("a call failed by our own fault; it is ended, the others go on", call=call.id, exc_info=error)
            record.end(call.clock(), "fault", 500, "tandem")
            self._end_all(call, FAULT, 500)
        finally:
            await give_back(call)

    @staticmethod
    def _end_all(call: Session, headers: tuple[tuple[str, str], ...], code: int = 0) -> None:
        for leg in call.legs:
            if call.parties.state(leg) is not Leg.GONE:
                call.hang_up(leg, code, headers)

    def _write(self, call: Session) -> None:
        """Event, CDR and metrics of a call that is over."""
        row = call.record.row
        filter_once(call)
        self.quality.ended(call)
        self.exchange.tell(
            "call.ended",
            call,
            {
                "cause": row.cause,
                "sip_code": row.sip_code,
                "ended_by": row.ended_by,
                "duration": row.duration,
                "talk": row.talk,
                "caller": row.effective_caller,
                "sound": [sounded(part) for part in row.parts if part.rx_packets is not None],
            },
        )
        self.exchange.keep(call)
        count_call(self.exchange.metrics, row)
