"""A number outside is dialled over a trunk or a group of trunks, with fail-over from one to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2bua.calls.failure import Failure, reason_header, towards_trunk
from b2bua.calls.refusals import (
    AgentFailed,
    AgentGone,
    NoResources,
    agent_failed,
    ended_by_stack,
    mute,
    never_rang,
    no_answer,
    unreachable,
)
from b2bua.calls.ringback import pass_on
from b2bua.calls.screening import Barred
from b2bua.calls.trunk_leg import SWITCHED, TrunkLeg
from b2bua.log import logger
from b2bua.sip.engine import CannotCall
from b2bua.sip.signals import Answered, Closed, Progress

if TYPE_CHECKING:
    from b2bua.calls.callee import Callee
    from b2bua.calls.parties import Role
    from b2bua.calls.session import Session
    from routing.refusals import Refused

log = logger("calls")


class NoTrunk(AgentFailed):
    """No trunk takes the call now: out, full, in maintenance, or none is left to be tried."""

    sip_code, cause, label = 480, "no-trunk", "trunk"


async def ring_outside(call: Session, callee: Callee, role: Role, beside: int | None) -> int:
    """As `offer.ring`, for a number: one way after the other; an emergency number is tried over every one there is.

    Raises Barred where a policy forbids the number, NoTrunk or another AgentFailed where nobody answers.
    """
    emergency = call.exchange.screening.is_emergency(callee.label)
    last: Refused | None = None
    for way in call.exchange.trunks.ways((callee.trunk or "",), emergency=emergency):
        trying = TrunkLeg(call, callee, way)
        try:
            leg = trying.send(role)
        except Barred as barred:
            last = last or barred  # another trunk may have a policy of its own
            continue
        except CannotCall as error:
            last = NoResources(str(error)) if error.ours else unreachable(callee.label, str(error))
            if error.ours:
                raise last from None
            trying.not_sent(error)
            continue
        found = await _wait(call, trying, leg.id, beside)
        if found is None:
            return leg.id
        last = found
        log.info("a trunk did not take a call", call=call.id, trunk=way.trunk, address=way.destination, why=str(found))
    raise last or NoTrunk(callee.label, Failure(480, reason_header(503, 34)), "no trunk takes calls now")


async def _wait(call: Session, trying: TrunkLeg, leg: int, beside: int | None) -> Refused | None:
    """None: it has answered; a refusal: the next way is to be tried.  Raises a Refused that is the last word."""
    exchange, record, clock = call.exchange, call.record, call.clock
    label = trying.callee.label
    rings_for = trying.line.settings.answer_timeout or exchange.settings.calls.ring_timeout
    caller = call.caller
    if caller is not None:
        call.pair(caller, leg)
    sent = 0
    while True:
        until = trying.due if trying.rang is None else trying.rang + rings_for
        match await call.next(until):
            case None if trying.rang is not None:
                call.hang_up(leg, 487, (("Reason", 'SIP;cause=480;text="No answer in time"'),))
                raise no_answer(label)
            case None if trying.still_tries():
                continue
            case None:
                if trying.goes_on(trying.give_up(SWITCHED)):
                    return never_rang(label)
                raise never_rang(label)
            case Progress(leg=who) as progress if who == leg:
                if record.rang(clock()):
                    exchange.metrics.setup.observe(record.since_start(clock()), "ringing")
                if trying.rang is None:
                    trying.progress()
                    exchange.tell("call.ringing", call, {"extension": label, "trunk": trying.way.trunk})
                    call.state = "ringing"
                sent = pass_on(call, caller, progress, sent)
            case Answered(leg=who) if who == leg:
                trying.heard()
                if not call.parties.by_leg[who].described:
                    raise mute(label)  # the caller is not answered, so not billed, for silence
                return None
            case Closed(leg=who) if who == beside:
                call.hang_up(leg, 487, (("Reason", 'SIP;cause=487;text="Originator cancelled"'),))
                raise AgentGone("the agent hung up while the other phone rang")
            case Closed(leg=who) as closed if who == leg:
                failed = (
                    ended_by_stack(label, closed.code)
                    if closed.local
                    else agent_failed(label, closed.code, towards_trunk(closed.code, closed.reason))
                )
                failed.contacts, failed.source = call.legs[leg].redirected, call.legs[leg].source
                if trying.goes_on(trying.ended(closed)):
                    return failed
                raise failed
            case _:
                continue
