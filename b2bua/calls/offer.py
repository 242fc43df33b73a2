"""Ring one phone and wait for what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from b2bua.calls.callee import Callee
from b2bua.calls.failure import towards_trunk
from b2bua.calls.outgoing import ring_outside
from b2bua.calls.parties import Role
from b2bua.calls.reach import reach
from b2bua.calls.refusals import (
    AgentBusy,
    AgentFailed,
    AgentGone,
    AgentMute,
    AgentUnreachable,
    NoAnswer,
    NoResources,
    agent_failed,
    ended_by_stack,
    mute,
    never_rang,
    no_answer,
    unreachable,
)
from b2bua.calls.ringback import pass_on
from b2bua.sip.engine import CannotCall
from b2bua.sip.resolver import NoAddress
from b2bua.sip.signals import Answered, Closed, Progress

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from routing.floor import Refusal

CANCELLED = (("Reason", 'SIP;cause=487;text="Originator cancelled"'),)
RUNG_OUT = (("Reason", 'SIP;cause=480;text="No answer in time"'),)

MISSED: Mapping[type[AgentFailed], Refusal] = MappingProxyType(
    {AgentBusy: "busy", NoAnswer: "no-answer", AgentUnreachable: "unreachable", AgentMute: "unreachable"}
)
"What the floor is told of an agent who did not take a direct call; the others have rejected it."


async def offer(call: Session, callee: Callee) -> int:
    """Ring `callee` for the caller and let both talk; returns the leg once it has answered.

    Ringing and early media reach the caller.  Raises an AgentFailed, which says what to tell the caller.
    """
    call.state = "offered"
    call.exchange.tell("call.offered", call, {"extension": callee.label})
    return await ring(call, callee, Role.AGENT)


async def ring(call: Session, callee: Callee, role: Role, beside: int | None = None) -> int:
    """Open a leg and wait until it has answered; one that does not in time is cancelled.  Raises an AgentFailed.

    `beside`: a leg that waits for this one; when it goes, nobody is rung any more.  An agent who is logged in is the
    call's alone from here on, until it is over or `FloorService.released` is told.
    """
    if callee.trunk is not None:
        return await ring_outside(call, callee, role, beside)
    floor = call.exchange.floor
    if not floor.reserve(callee.label, call.id, past_wrap_up=callee.label == call.returns_to):
        raise agent_failed(callee.label, 486, towards_trunk(486))
    try:
        leg = await _ring(call, callee, role, beside)
    except AgentFailed as failure:
        floor.refused(call.id, callee.label, MISSED.get(type(failure), "reject"))
        raise
    except BaseException:
        if callee.label == call.taking_over:
            floor.answered(call.id, callee.label)  # at another phone of his
        else:
            floor.released(callee.label, call.id)
        raise
    floor.answered(call.id, callee.label)
    call.agents[leg] = callee.label
    return leg


async def _ring(call: Session, callee: Callee, role: Role, beside: int | None) -> int:
    exchange, record, clock = call.exchange, call.record, call.clock
    try:
        target = await exchange.resolver.uri(callee.target)
        call.catch_up()  # who left while a host name was looked up shall not ring a phone
        leg = reach(call, callee, target)
    except NoAddress as error:
        raise unreachable(callee.label, str(error)) from None
    except CannotCall as error:
        raise NoResources(str(error)) if error.ours else unreachable(callee.label, str(error)) from None
    call.add(leg, role, callee.label)
    caller = call.caller
    if caller is not None:
        call.pair(caller, leg.id)
    until = clock() + exchange.settings.calls.ring_timeout
    sent, rang = 0, False
    while True:
        match await call.next(until):
            case None:
                call.hang_up(leg.id, 487, RUNG_OUT)
                raise no_answer(callee.label) if rang else never_rang(callee.label)
            case Progress(leg=who) as progress if who == leg.id:
                if record.rang(clock()):
                    exchange.metrics.setup.observe(record.since_start(clock()), "ringing")
                if not rang:
                    rang = True
                    exchange.floor.ringing(call.id, callee.label)
                    exchange.tell("call.ringing", call, {"extension": callee.label})
                    call.state = "ringing"
                sent = pass_on(call, caller, progress, sent)
            case Answered(leg=who) if who == leg.id:
                if not call.parties.by_leg[who].described:
                    raise mute(callee.label)  # the caller is not answered, so not billed, for silence
                return leg.id
            case Closed(leg=who) if who == beside:
                call.hang_up(leg.id, 487, CANCELLED)
                raise AgentGone("the agent hung up while the other phone rang")
            case Closed(leg=who, local=True, code=code) if who == leg.id:
                raise ended_by_stack(callee.label, code)
            case Closed(leg=who) as closed if who == leg.id:
                failure = agent_failed(callee.label, closed.code, towards_trunk(closed.code, closed.reason))
                failure.contacts, failure.source = leg.redirected, leg.source
                raise failure
            case _:
                continue
