"""What we know ourselves of a phone: the floor's word where its agent logs in, else whether a call has it (R0-09)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from routing.agent_state import AgentState
from routing.substitute import Presence, Seen

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from routing.directory import Directory
    from routing.plan import Plan
    from routing.seat import Seat

AWAY = frozenset({AgentState.LOGGED_OUT, AgentState.PAUSED, AgentState.UNREACHABLE})
TAKEN = frozenset({"offered", "ringing", "talking"})
"States of a call that has an agent."
ONLINE = Seen(Presence.ONLINE)
LOGGED_OUT = Seen(Presence.OFFLINE, str(AgentState.LOGGED_OUT))


def presence(
    extension: str, call: str, directory: Directory, plan: Plan, seat: Seat | None, sessions: Iterable[Session]
) -> Seen:
    """What an extension is to the call `call`, which does not itself make him busy.

    `seat`: his place on the floor; who has a profile and no seat yet is not logged in. Who has neither a profile nor
    ever logged in is no queue's agent: his phone is there as long as no call has it.
    """
    if directory.agent(extension) is None:
        return Seen(Presence.OFFLINE, "no-phone")
    if seat is None and extension in plan.agent_profiles:
        return LOGGED_OUT  # the plan has just changed, and the floor has not looked at it yet
    if seat is None or (seat.state is AgentState.LOGGED_OUT and extension not in plan.agent_profiles):
        busy = any(
            session.record.row.extension == extension and session.state in TAKEN and session.id != call
            for session in sessions
        )
        return Seen(Presence.BUSY) if busy else ONLINE
    if seat.state is AgentState.AVAILABLE or (seat.call == call and seat.state not in AWAY):
        return ONLINE
    return Seen(Presence.OFFLINE if seat.state in AWAY else Presence.BUSY, str(seat.state))
