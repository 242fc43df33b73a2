"""A VDN is no place but a signpost: what the call is counted as, and where it goes (R2-03)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2bua.calls.refusals import NoSuchGoal

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from routing.goal import Goal


async def to_vdn(call: Session, goal: Goal) -> Goal | None:
    """Raises NoSuchGoal where there is none, or it is another tenant's."""
    vdn = call.exchange.plan().vdns.get(goal.target)
    tenant = call.record.row.tenant
    if vdn is None or (vdn.tenant is not None and tenant is not None and vdn.tenant != tenant):
        raise NoSuchGoal(f"there is no VDN {goal.target} for calls of {tenant or 'nobody'}")
    journey = call.journey
    journey.vdn, journey.area = vdn.number, vdn.queue_area
    journey.priority = vdn.priority or journey.priority
    return vdn.goal
