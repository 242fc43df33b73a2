"""Parking: a caller waits at a numbered slot, with music, until somebody picks him up there or his time is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from b2bua.calls.refusals import SlotTaken
from b2bua.calls.session import Moved, Silent
from b2bua.calls.speech import let_hear
from b2bua.calls.talk import DEAD, Ended, conclude
from b2bua.calls.transfer import Transfer, recall
from b2bua.log import logger
from media import SoundError
from routing.goal import Goal

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from routing.transfer_target import Slots

log = logger("calls")


@dataclass(frozen=True, slots=True)
class Parked:
    """Who waits at a slot."""

    slot: str
    call: str
    by: str
    "Extension of whoever has parked him; empty: somebody by API."
    since: float
    "Epoch seconds."
    caller: str | None
    tenant: str | None


class ParkingLot:
    """The slots of this node, and who waits there."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._taken: dict[str, Parked] = {}

    def __repr__(self) -> str:
        return f"<parking lot, {len(self._taken)} of {self._slots.count} taken>"

    def __len__(self) -> int:
        return len(self._taken)

    def __contains__(self, number: object) -> bool:
        """Whether it is a slot's number."""
        return number in self._slots

    def free(self, slot: str) -> bool:
        """Whether somebody can be parked there."""
        return slot in self._slots and slot not in self._taken

    def first_free(self) -> str:
        """The first slot that is free; empty: none is."""
        return next((slot for slot in self._slots.all() if slot not in self._taken), "")

    def take(self, parked: Parked) -> bool:
        """False where the slot is somebody else's, or there is none with this number."""
        if not self.free(parked.slot):
            return False
        self._taken[parked.slot] = parked
        return True

    def leave(self, slot: str) -> None:
        self._taken.pop(slot, None)

    def at(self, slot: str) -> Parked | None:
        return self._taken.get(slot)

    def all(self) -> list[Parked]:
        """By slot."""
        return [self._taken[slot] for slot in sorted(self._taken)]


async def park(call: Session, goal: Goal) -> Goal | None:
    """Until somebody moves the caller, who then stops to wait here.  Raises SlotTaken, and Moved when his time is over:
    he rings whoever has parked him."""
    exchange, slot = call.exchange, goal.target
    if call.transfer is not None and call.transfer.extension:
        call.journey.parked_by = call.transfer.extension
    by, row = call.journey.parked_by, call.record.row
    if not exchange.parking.take(Parked(slot, call.id, by, exchange.wall(), row.effective_caller, row.tenant)):
        raise SlotTaken(f"no call can be parked at {slot}")
    told = {"slot": slot, "by": by or None}
    why = "left"
    playing = None
    try:
        let_hear(call, "answer")
        call.state = "parked"
        exchange.tell("call.parked", call, told)
        if call.caller is not None:
            try:
                playing = call.sounds[call.caller].play(exchange.music, loop=True)
            except SoundError as error:
                log.warning("no music for a parked caller", error=str(error), do="see to the sound file")
        if await _wait(call):
            conclude(call, Ended("media-silence", 408, "tandem", DEAD, "caller"))
            return None
        why = "time-out"
    except Moved:
        why = "retrieved"
        raise
    finally:
        if playing is not None:
            playing.stop()
        exchange.parking.leave(slot)
        exchange.tell("call.unparked", call, {**told, "why": why})
        exchange.metrics.parked.inc(why)
    if not by:
        return goal  # nobody to ring: he waits on
    recalled = Transfer(call, Goal("agent", by), "transfer failed: park-timeout")
    recalled.back = [goal]
    raise Moved(recalled.goal, recalled.by, recall(slot, "park-timeout"), recalled)


async def _wait(call: Session) -> bool:
    """Until his time is over; True: his side is silent for too long."""
    until = call.clock() + call.exchange.settings.transfers.park_timeout
    while True:
        match await call.next(until):
            case None:
                return False
            case Silent(leg=leg) if leg == call.caller:
                return True
            case _:
                continue
