"""The leg to a party: his standing line where he has one, else a new INVITE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2bua.calls.callee import Callee, invitation
from b2bua.calls.outside import leave

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from b2bua.sip.engine import SipLeg


def reach(call: Session, callee: Callee, target: str) -> SipLeg:
    """`target` is the callee's URI with an address in it.  The call adds the leg at once.  Raises CannotCall, and
    Barred for a number that may not be dialled."""
    if callee.trunk is None:
        line = call.exchange.lines.take(callee.label, call)
        if line is not None:
            return line
    invite = invitation(call, callee, target)
    if callee.trunk is None:
        leg = call.exchange.engine.open(invite, call.deliver)
        leg.owner = callee.label
        return leg
    return leave(call, callee, lambda: call.exchange.engine.open(invite, call.deliver))
