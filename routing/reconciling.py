"""The floor put right where it and the live calls do not agree: lost BYEs, crashes and races leave nobody stuck."""

from collections.abc import Collection, Mapping

from routing.agent_state import OFFERED, AgentState, Seen
from routing.effects import Effect, Repaired
from routing.matching import Matching
from routing.ranking import Place
from routing.staff import Staff

GRACE = 2.0
"Seconds the live calls may differ from the floor: news of them is on its way."


def agents_as_they_are(
    staff: Staff, talking: dict[str, Place], live: Mapping[str, str | None], now: float
) -> list[Effect]:
    """Who talks in a call that is gone does so no longer; whose phone is in a call talks.  Offers have leases."""
    effects: list[Effect] = []
    for extension, seat in staff.seats.items():
        call = live.get(extension)
        was_talking = seat.state is AgentState.TALKING
        if now - seat.since < GRACE or seat.state in OFFERED or (was_talking and call == seat.call):
            continue
        if was_talking:
            talking.pop(seat.call or "", None)
            effects.append(Repaired(extension, "no-call" if call is None else "other-call"))
            effects += staff.hang_up(seat, "repaired", now)
        if call is not None and seat.logged_in:
            if not was_talking:
                effects.append(Repaired(extension, "in-call"))
            seat.queue, seat.call, seat.wrap_until = None, call, None
            effects += staff.see(seat, Seen.FOUND, "repaired", now)
    return effects


def callers_as_they_are(
    matching: Matching, talking: dict[str, Place], calls: Collection[str], now: float
) -> list[Effect]:
    """Who waits without a live call has left; who is to be called back needs none."""
    effects: list[Effect] = []
    for place in list(matching.crowd.places.values()):
        if place.caller.call not in calls and not place.caller.callback and now - place.joined >= GRACE:
            effects.append(Repaired("", "caller-gone"))
            effects += matching.remove(place, "abandoned", now)
    for call in [one for one in talking if one not in calls]:
        del talking[call]
    return effects
