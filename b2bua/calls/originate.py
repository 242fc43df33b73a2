"""A call that we place ourselves between two parties: the first is rung, then the second, then both talk (click
to call)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2bua.calls.callee import Callee, number_callee
from b2bua.calls.follow import follow
from b2bua.calls.offer import offer, ring
from b2bua.calls.outside import Dials
from b2bua.calls.parties import Role
from b2bua.calls.screening import Barred
from b2bua.calls.talk import talk
from b2bua.calls.view import CannotStart, Party
from routing.goal import Goal

if TYPE_CHECKING:
    from b2bua.calls.exchange import Exchange
    from b2bua.calls.session import Session


async def originate(call: Session, first: Callee, second: Callee) -> None:
    """Ring `first`; once it answered, ring `second` with ringback to the first; then they talk.

    Raises a Refused, CallerLeft or Ordered like an inbound call.
    """
    exchange, record = call.exchange, call.record
    row = record.row
    row.called, row.effective_caller, row.extension = second.label, first.label, first.label
    call.dials = Dials("api", first.label if first.trunk is None else "")
    exchange.tell("call.received", call, {"calling": first.label, "called": second.label, "trunk": row.trunk})
    call.going = _goal(second)
    call.show(second.label, second.name)  # the first phone shows whom it is about to talk to
    call.caller = await ring(call, first, Role.CALLER)
    outside = second.trunk is not None
    call.show(row.billing_number or first.label if outside else first.label, first.name)
    row.extension = first.label if outside else second.label
    call.ring_back(True)
    try:
        agent = await offer(call, second)
    finally:
        call.ring_back(False)
    record.answered(call.clock())
    exchange.keep(call)
    call.state = "talking"
    exchange.tell("call.answered", call, {"extension": row.extension})

    async def they_talk(call: Session, goal: Goal) -> Goal | None:
        await talk(call, agent)
        return None

    await follow(call, _goal(second), they_talk, orders=False)


def _goal(callee: Callee) -> Goal:
    return Goal("agent" if callee.trunk is None else "number", callee.label)


def callee_of(party: Party, exchange: Exchange) -> Callee:
    """Whom to ring for a party of a request.  Raises CannotStart."""
    settings = exchange.settings
    if party.kind == "agent":
        agent = exchange.directory().agent(party.target)
        if agent is None:
            raise CannotStart(f"no agent who can be called has extension {party.target}")
        return exchange.callee(agent)
    if party.trunk is None or (party.trunk not in settings.trunks and party.trunk not in settings.trunk_groups):
        raise CannotStart(f"a number is dialled over a trunk, or a group of them, and {party.trunk!r} is none")
    callee = number_callee(party.target, party.trunk, settings)
    if callee is None:
        raise CannotStart(f"trunk {party.trunk} takes no outbound calls: set trunks.{party.trunk}.target")
    return callee


def may_dial(first: Callee, second: Callee, tenant: str | None, exchange: Exchange) -> None:
    """Raises CannotStart where a policy forbids one of the numbers: nobody is rung for nothing."""
    agent = first.label if first.trunk is None else ""
    for party in (first, second):
        if party.trunk is None:
            continue
        screening, over = exchange.screening, exchange.trunks.members(party.trunk)
        try:  # one trunk of a group that may is enough, as for the call itself
            screening.check([screening.outside(party.label, trunk, tenant, agent, "api") for trunk in over])
        except Barred as barred:
            denied = barred.denied
            raise CannotStart(f"{party.label} may not be dialled: policy {denied.policy}, {denied.why}") from None
