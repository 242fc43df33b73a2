"""A leg that goes from one call to another: its sound, its state and its agent go with it.

Only a call's own task changes it: who wants the leg delivers a HandOver to the call that has it, whose task takes it
out and delivers it, Handed, to the call that is to have it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from b2bua.calls.outside import OutsideLeg
    from b2bua.calls.parties import Party
    from b2bua.calls.session import Session
    from b2bua.sip.engine import SipLeg
    from media import Sound


@dataclass(frozen=True, slots=True)
class Packet:
    """A leg between two calls."""

    leg: SipLeg
    party: Party
    sound: Sound
    label: str
    "What records call whoever is there: an extension or number."
    extension: str
    "Of the agent who is there; empty: nobody the floor knows."
    before: str
    "Id of the call it comes from."
    outside: OutsideLeg | None = None
    "What the policies know of it, where it is one to a number outside."
    trunk: str = ""
    "Whose it is; empty: none of a trunk's."


@dataclass(frozen=True, slots=True)
class HandOver:
    """Give this leg away; the call that had it is over with that."""

    leg: int
    by: str
    take: Callable[[Packet], None]
    wanted: Callable[[], bool]
    "Whether somebody still waits for it."


@dataclass(frozen=True, slots=True)
class Handed:
    """Here it is."""

    packet: Packet


class GivenAway(Exception):
    """The call is over: the leg it was about is another call's now."""

    def __init__(self, by: str) -> None:
        super().__init__(f"given away by {by}")
        self.by = by


def number_of(call: Session, leg: SipLeg) -> int:
    """Under which number the call knows a leg of the engine's, 0 where it does not: a standing line has one for each
    call."""
    return next((one.id for one in call.legs.values() if one is leg or one.under is leg), 0)


def release(call: Session, number: int) -> Packet:
    """Take a leg out of the call; what it tells from now on goes nowhere until it is adopted."""
    part = call.record.parts[number]
    call.record.part_ended(number, 200, "", None, call.clock())
    del call.record.parts[number]
    party, effects = call.parties.release(number)
    call.apply(effects)
    call.recording.left(number)
    leg, extension = call.legs.pop(number), call.agents.pop(number, "")
    # the sound stays known here as well: a standing line looks it up where it was lent first
    held, trunk = call.outside.pop(number, None), str(part.detail.get("trunk", ""))
    return Packet(leg, party, call.sounds[number], part.party or "", extension, call.id, held, trunk)


def adopt(call: Session, packet: Packet) -> None:
    """Take it in: a party of this call like any other, up already."""
    leg, now = packet.leg, call.clock()
    leg.sink = call.deliver
    call.legs[leg.id], call.sounds[leg.id] = leg, packet.sound
    call.parties.adopt(leg.id, packet.party)
    call.record.add(leg.id, packet.party.role, packet.label, leg.sip_call_id, now, packet.trunk)
    part = call.record.parts[leg.id]
    part.answered_at, part.sip_code = call.record.at(now), 200
    if packet.outside is not None:
        call.outside[leg.id] = packet.outside
        call.exchange.screening.moved(packet.outside.permit, call.id)
    if packet.extension:
        call.agents[leg.id] = packet.extension
        call.exchange.floor.moved(packet.extension, packet.before, call.id)
