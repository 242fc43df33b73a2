"""A call that is sent elsewhere: what the listeners are told, and who has the caller again when nobody takes him."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2bua.sip.leg import Leg
from routing.goal import Goal

if TYPE_CHECKING:
    from b2bua.calls.session import Moved, Session


def transferred(call: Session, moved: Moved) -> list[Goal]:
    """Tell of the move; where the caller goes, in turn, when nobody takes him there.

    A caller who was talking comes back to his agent, who knows him, or else to the queue that he came through.
    """
    up = (extension for leg, extension in call.agents.items() if call.parties.state(leg) is Leg.UP)
    extension = next(up, "")
    queue = call.journey.queue
    data = {
        "kind": moved.goal.kind,
        "to": moved.goal.target,
        "from": extension or queue or None,
        "by": moved.by,
    }
    call.exchange.tell("call.transferred", call, data)
    back = []
    if extension:
        back.append(Goal("agent", extension))
        if queue:
            back.append(Goal("queue", queue))
    return [goal for goal in back if goal != moved.goal]


def came_back(call: Session, goal: Goal, why: str) -> None:
    """Nobody has taken him: he is on his way back."""
    if goal.kind == "agent":
        call.exchange.floor.wrap_up_over(goal.target)  # the call that he is to wrap up is not over yet
    data = {"kind": goal.kind, "to": goal.target, "from": None, "by": f"transfer failed: {why}"}
    call.exchange.tell("call.transferred", call, data)
