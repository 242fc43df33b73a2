"""One agent, or one number, and nobody else: the caller hears the phone ring, and both talk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2bua.calls.callee import number_callee
from b2bua.calls.connect import connect
from b2bua.calls.offer import offer
from b2bua.calls.refusals import NoSuchGoal
from b2bua.calls.screen import pop_screen

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from routing.goal import Goal


async def to_agent(call: Session, goal: Goal) -> Goal | None:
    """Ring his phone.  Raises an AgentFailed, or NoSuchGoal where he cannot be called (any more)."""
    exchange = call.exchange
    agent = exchange.directory().agent(goal.target)
    if agent is None:
        raise NoSuchGoal(f"no agent who can be called has extension {goal.target}")
    call.record.row.extension, call.journey.queue = agent.extension, ""
    pop_screen(call, agent.extension)
    leg = await offer(call, exchange.callee(agent))
    return await connect(call, leg, agent.extension)


async def to_number(call: Session, goal: Goal) -> Goal | None:
    """Dial through the trunk the call came by, else that of agents' phones.  Raises an AgentFailed, or NoSuchGoal where
    that takes no calls."""
    trunk = call.record.row.trunk or call.exchange.settings.phones.trunk or ""
    callee = number_callee(goal.target, trunk, call.exchange.settings) if trunk else None
    if callee is None:
        raise NoSuchGoal(f"trunk {trunk or '(none)'} takes no outbound calls, so nobody can be dialled there")
    leg = await offer(call, callee)
    return await connect(call, leg, "")
