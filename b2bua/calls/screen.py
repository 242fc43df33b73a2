"""What an agent sees the moment his phone rings."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from b2bua.calls.session import Session


def pop_screen(call: Session, extension: str) -> None:
    """The caller's data on the agent's screen (R0-08)."""
    row, journey = call.record.row, call.journey
    shown = {
        "extension": extension,
        "caller": row.effective_caller,
        "called": row.called,
        "billing_number": row.billing_number,
        "via": row.route,
        "correlation": row.correlation,
        "data": call.data,
    }
    way = {"queue": journey.queue, "area": journey.area, "vdn": journey.vdn, "priority": journey.priority}
    call.exchange.tell("screen.pop", call, shown | {name: value for name, value in way.items() if value})
