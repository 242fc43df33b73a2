"""What the listeners are told of an effect of the floor: pure, one row of `docs/events.md` each."""

from typing import Any

from routing.floor import AgentChanged, Dequeued, Effect, Queued, Requeued

Event = tuple[str, str | None, dict[str, Any]]
"Type, call and data."


def told(effect: Effect, wall: float) -> Event | None:
    """None where the call itself tells what comes of it.  `wall`: epoch seconds."""
    match effect:
        case Queued(call, queue, area, vdn, priority, position, estimate):
            data = {"queue": queue, "area": area, "vdn": vdn, "priority": priority}
            return "call.queued", call, {**data, "position": position, "estimate": _seconds(estimate)}
        case Requeued(call, queue, why, position):
            return "call.requeued", call, {"queue": queue, "why": why, "position": position}
        case Dequeued(call, queue, area, priority, wait, result, extension):
            data = {"queue": queue, "area": area, "priority": priority, "result": result}
            served = {} if extension is None else {"extension": extension}
            return "call.dequeued", call, {**data, "wait": _seconds(wait), **served}
        case AgentChanged(extension, before, after, reason, queue, call, logged_in, pause):
            data = {"extension": extension, "before": str(before), "after": str(after), "reason": reason}
            asked = {"logged_in": logged_in, "pause": pause}
            return "agent.state", None, {**data, "queue": queue, "call": call, "since": round(wall, 3), **asked}
        case _:
            return None


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
