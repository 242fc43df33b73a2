"""Who wants to listen to a call: by API and command, or from his own phone.  The call's own task does the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from b2bua.calls.monitoring import Begin, CannotMonitor, Change, agent_leg, serving
from b2bua.calls.reach import reach
from b2bua.calls.session import Session
from b2bua.calls.view import MonitorView
from b2bua.log import logger
from b2bua.sip.engine import SipLeg
from b2bua.sip.resolver import NoAddress
from routing.monitoring import Mode, may_monitor

if TYPE_CHECKING:
    from b2bua.calls.callee import Callee
    from b2bua.calls.exchange import Exchange

log = logger("calls")

TAKEN_WITHIN = 2.0
"Seconds a call has to take a supervisor in."

Opener = Callable[[Session], SipLeg]
"""Opens his leg, in the call's own task.  Raises CannotCall or CannotMonitor."""


class Supervising:
    """The door for supervisors."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def listeners(self, id: str) -> Sequence[MonitorView] | None:
        """The supervisors of a call; None: it does not live."""
        call = self._find(id)
        if call is None:
            return None
        return call.monitoring.views() if call.monitoring is not None else ()

    async def begin(self, id: str, supervisor: str, agent: str, mode: Mode, by: str) -> MonitorView:
        """Ring the supervisor's phone for this; `agent`: whom he would whisper to, empty: who serves the caller.

        Returns when it is on its way.  Raises CannotMonitor.
        """
        exchange, call = self._exchange, self._find(id)
        if call is None:
            raise CannotMonitor(f"there is no call {id}", 404)
        agent = agent or serving(call)
        self._check(supervisor, agent)
        known = exchange.directory().agent(supervisor)
        if known is None:
            raise CannotMonitor(f"there is no agent {supervisor} who can be called")
        callee = exchange.callee(known)
        try:
            target = await exchange.resolver.uri(callee.target)
        except NoAddress as error:
            raise CannotMonitor(f"the phone of {supervisor} cannot be reached: {error}") from None
        await self._take(call, supervisor, agent, mode, by, _ringing(callee, target, agent, mode), came=False)
        return MonitorView(supervisor, agent, mode, by, None)

    def change(self, id: str, supervisor: str, mode: Mode | None, by: str) -> bool:
        """Another way to listen, or the end of it (None); False where he does not listen to this call."""
        call = self._find(id)
        if call is None or call.monitoring is None or call.monitoring.of(supervisor) is None:
            return False
        call.deliver(Change(supervisor, mode, by))
        return True

    async def from_phone(self, leg: SipLeg, supervisor: str, agent: str) -> bool:
        """A phone has dialled for the agent's call; whether the leg is part of that now.  Where not it is refused."""

        def take(call: Session) -> SipLeg:
            if not leg.alive:
                raise CannotMonitor(f"{supervisor} has hung up meanwhile", 487)
            return leg

        try:
            self._check(supervisor, agent)
            call = next((one for one in self._exchange.sessions() if agent_leg(one, agent) is not None), None)
            if call is None:
                raise CannotMonitor(f"agent {agent} talks to nobody", 404)
            await self._take(call, supervisor, agent, Mode.LISTEN, f"agent {supervisor}", take, came=True)
        except CannotMonitor as error:
            log.info("nobody to listen to", supervisor=supervisor, agent=agent, why=str(error))
            leg.hang_up(error.code)
            return False
        return True

    def _check(self, supervisor: str, agent: str) -> None:
        profiles = self._exchange.plan().agent_profiles
        if not agent:
            raise CannotMonitor("no agent talks in this call", 404)
        if supervisor == agent or not may_monitor(profiles.get(supervisor), profiles.get(agent)):
            self._exchange.metrics.monitorings.inc("forbidden")
            raise CannotMonitor(f"agent {supervisor} may not listen to agent {agent}: `monitors` of his profile", 403)

    async def _take(
        self, call: Session, supervisor: str, agent: str, mode: Mode, by: str, open: Opener, *, came: bool
    ) -> None:
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        call.deliver(Begin(supervisor, agent, mode, by, open, came, told))
        try:
            await asyncio.wait_for(told, TAKEN_WITHIN)
        except TimeoutError:
            raise CannotMonitor("the call has ended meanwhile", 404) from None
        except CannotMonitor:
            self._exchange.metrics.monitorings.inc("refused")
            raise

    def _find(self, id: str) -> Session | None:
        return next((one for one in self._exchange.sessions() if one.id == id), None)


def _ringing(callee: Callee, target: str, agent: str, mode: Mode) -> Opener:
    """An INVITE to his phone, which shows whom he is about to hear."""

    def ring(call: Session) -> SipLeg:
        marks, number, name = call.marks, call.shown_number, call.shown_name
        call.marks = (*marks, ("X-Tandem-Monitor", f"{agent};mode={mode}"))
        call.show(agent, f"Monitor {agent}")
        try:
            return reach(call, callee, target)
        finally:
            call.marks = marks
            call.show(number, name)

    return ring
