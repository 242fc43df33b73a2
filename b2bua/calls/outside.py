"""A leg that leaves through a trunk: asked for before it is made, counted while it lives, written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from b2bua.log import logger
from b2bua.sip.leg import Leg
from b2bua.storage.outside import DETAIL
from media import SoundError, Tone
from media.tones import Cadence

if TYPE_CHECKING:
    from b2bua.calls.callee import Callee
    from b2bua.calls.session import Session
    from b2bua.sip.engine import SipLeg
    from routing.policy import Origin
    from routing.screening import Permit

log = logger("calls")

WARNING = Cadence("limit", (Tone((950,), 0.15, 0.15),) * 3)
MOST_ENTRIES = 20
"Answered legs outside that one call's record lists; the policies count them all."


@dataclass(frozen=True, slots=True)
class Dials:
    """Who has the call's next leg outside dialled, and how."""

    origin: Origin = "transfer"
    agent: str = ""
    "Extension; empty: the agent whom the record names."


@dataclass(slots=True)
class OutsideLeg:
    """A permit and what the record has of it."""

    permit: Permit
    entry: dict[str, Any]


def leave(call: Session, callee: Callee, open_leg: Callable[[], SipLeg]) -> SipLeg:
    """Make a leg to a number if it may be dialled. Raises Barred, or what `open_leg` raises."""
    screening, row, dials = call.exchange.screening, call.record.row, call.dials
    assert callee.trunk is not None
    agent = dials.agent or call.journey.last_agent or (row.extension or "" if dials.origin == "transfer" else "")
    outside = screening.outside(callee.label, callee.trunk, row.tenant, agent, dials.origin)
    permit = screening.screen_outgoing(outside, call.id)
    try:
        leg = open_leg()
    except BaseException:
        screening.over(permit)
        raise
    entry = {"number": outside.number, "trunk": outside.trunk, "agent": agent, "origin": dials.origin}
    call.outside[leg.id] = OutsideLeg(permit, entry)
    return leg


def answered(call: Session, leg: int) -> None:
    """Talk begins; nothing for legs that are not outside."""
    found = call.outside.get(leg)
    if found is None or found.permit.began is not None or found.permit.over:
        return
    call.exchange.screening.answered(found.permit)
    found.entry["answered_at"] = call.record.at(call.clock())
    entries = call.record.row.detail.setdefault(DETAIL, [])
    if len(entries) < MOST_ENTRIES:
        entries.append(found.entry)


def over(call: Session, leg: int) -> None:
    """The leg is gone, or given up: what it held is free again."""
    found = call.outside.pop(leg, None)
    if found is None:
        return
    call.exchange.screening.over(found.permit)
    if found.permit.began is not None:
        found.entry["ended_at"] = call.record.at(call.clock())


def given_up(call: Session, leg: int) -> None:
    """It is being ended: one that was never answered frees its place at once, for the next trunk may be tried."""
    found = call.outside.get(leg)
    if found is not None and found.permit.began is None:
        over(call, leg)


def all_over(call: Session) -> None:
    """The call is over, however its legs went."""
    for leg in list(call.outside):
        over(call, leg)


def warn(call: Session) -> None:
    """Everybody on our side of the call hears three short tones: a policy's minutes are used up."""
    for leg, sound in call.sounds.items():
        if leg in call.outside or call.parties.state(leg) is not Leg.UP:
            continue
        try:
            sound.play(WARNING)
        except SoundError as error:
            log.error("no tone", call=call.id, error=str(error))
