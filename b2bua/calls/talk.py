"""Two parties talk until one of them, a limit or an order ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2bua.calls.session import Silent
from b2bua.sip.signals import Answered, Closed

if TYPE_CHECKING:
    from b2bua.calls.session import Session

TOO_LONG = (("Reason", 'SIP;cause=487;text="Maximum duration reached"'),)
MUTE = (("Reason", 'SIP;cause=488;text="No answer to our offer"'),)
DEAD = (("Reason", 'SIP;cause=408;text="No media from the far end"'),)


async def talk(call: Session, agent: int) -> None:
    """Returns when the agent's leg is gone or a limit ended the call; the record says which.

    CallerLeft and Ordered go through to the caller of this step.
    """
    clock, record = call.clock, call.record
    until = clock() + call.exchange.settings.calls.max_duration
    while True:
        signal = await call.next(until)
        match signal:
            case None:
                record.end(clock(), "max-duration", 200, "tandem")
                return _end_all(call, TOO_LONG)
            case Silent(leg=leg):
                record.end(clock(), "media-silence", 200, "tandem")
                record.row.detail["silent"] = str(call.parties.by_leg[leg].role)
                return _end_all(call, DEAD)
            case Answered(leg=leg) if not call.parties.by_leg[leg].described:
                record.end(clock(), "no-media", 488, "tandem")
                return _end_all(call, MUTE)
            case Closed(leg=leg, code=code) if leg == agent:
                record.end(clock(), "normal" if code < 300 else "agent-lost", code, "agent")
                return None


def _end_all(call: Session, headers: tuple[tuple[str, str], ...]) -> None:
    for leg in call.legs:
        call.hang_up(leg, 0, headers)
