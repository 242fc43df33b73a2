"""The leg to a party: his standing line where he has one, else a new INVITE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2bua.calls.callee import Callee, invitation
from b2bua.calls.forked_leg import ForkedLeg

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from b2bua.sip.engine import SipLeg


def reach(call: Session, callee: Callee, target: str) -> SipLeg:
    """`target` is the URI of an agent's phone with an address in it.  The call adds the leg at once.  Raises
    CannotCall."""
    line = call.exchange.lines.take(callee.label, call)
    if line is not None:
        return line
    if callee.groups:
        groups = [[invitation(call, phone, phone.target) for phone in group] for group in callee.groups]
        return ForkedLeg(call.exchange.engine, groups, call.deliver, callee.label)
    leg = call.exchange.engine.open(invitation(call, callee, target), call.deliver)
    leg.owner = callee.label
    return leg
